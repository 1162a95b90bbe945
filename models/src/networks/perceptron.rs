//! Rosenblatt's perceptron (1958): one linear layer. With plain gradient descent on single samples, a step on the
//! perceptron criterion is Rosenblatt's rule; see [`ops::perceptron_loss`].
//!
//! Two classes share one row of weights: `weight` `[1, inputs]` and `bias` `[1]`, the scores are 0 for the first class
//! and `w·x + b` for the second. More classes have a row each (Kesler's construction).

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::{Criterion, Network, NetworkRow};
use crate::error::{Error, Result};
use crate::nn::{Context, Init, Linear, VarBuilder};
use crate::ops;
use crate::spec::{Choice, Field, FieldKind, NetworkSpec};

pub(super) const ROW: NetworkRow = NetworkRow {
    kind: "perceptron",
    title: "Perceptron",
    summary: "A single layer of weights, changed by Rosenblatt's rule whenever a sample is classified wrong.",
    fields: FIELDS,
    defaults: &[
        ("training.epochs", "3"),
        ("training.batch_size", "1"),
        ("training.optimizer.lr", "0.001"),
        ("training.optimizer.momentum", "0.0"),
    ],
    dimensions: &[2, 3],
    criterion: Criterion::Perceptron,
    needs_batches: |_| false,
    build: |vb, spec, input, classes| {
        Ok(Box::new(Perceptron::new(
            vb,
            spec,
            input.iter().product(),
            classes,
        )?))
    },
};

const FIELDS: &[Field] = &[Field::new(
    "network.init",
    "Initialisation",
    FieldKind::Choice {
        options: &[
            Choice {
                value: "zeros",
                label: "Zeros",
            },
            Choice {
                value: "normal",
                label: "Normal",
            },
        ],
    },
    "\"normal\"",
    "What the weights start from: 0, or small numbers around it.",
)
.advanced()];

/// The name of its one layer. In PyTorch it is the whole module, which has no name.
const NAME: &str = "perceptron";

/// The standard deviation of the initial weights. Small against the samples, whose deviation is 1, and about as large
/// as a few steps at the default learning rate, so that the line visibly turns.
const DEVIATION: f64 = 0.01;

#[derive(Deserialize)]
struct Options {
    init: Start,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Start {
    Zeros,
    Normal,
}

struct Perceptron {
    rows: Linear,
    one_row: bool,
}

impl Perceptron {
    fn new(
        mut vb: VarBuilder<'_>,
        spec: &NetworkSpec,
        inputs: usize,
        classes: usize,
    ) -> Result<Self> {
        let start = match spec.options::<Options>()?.init {
            Start::Zeros => Init::Constant(0.0),
            Start::Normal => Init::Normal { std: DEVIATION },
        };
        let one_row = classes == 2;
        let rows = if one_row { 1 } else { classes };
        Ok(Self {
            rows: Linear::with_init(&mut vb, inputs, rows, start)?.named(NAME),
            one_row,
        })
    }
}

impl Network for Perceptron {
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let tensor = |source| Error::Layer {
            layer: NAME.to_owned(),
            source,
        };
        context.enter(NAME);
        let x = ops::flatten(x).map_err(tensor)?;
        let rows = self.rows.forward(&x, context)?;
        if !self.one_row {
            return Ok(rows);
        }
        let zeros = Tensor::zeros(rows.shape(), DType::F32, &Device::Cpu).map_err(tensor)?;
        ops::cat(&[&zeros, &rows]).map_err(tensor)
    }
}
