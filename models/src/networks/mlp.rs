//! The multilayer perceptron: for each hidden width a linear layer, batch normalisation where asked for, an
//! activation, dropout where asked for; then a linear layer to the scores. The layers stand in one sequence `net`, so
//! that the first is `net.0`.

use candle_core::Tensor;
use serde::Deserialize;

use super::{Criterion, Network, NetworkRow, fields};
use crate::error::{Error, Result};
use crate::nn::{BatchNorm, Context, Dropout, InitScheme, LayerOp, Linear, VarBuilder};
use crate::ops::{self, Activation};
use crate::spec::{Field, FieldKind};

pub(super) const ROW: NetworkRow = NetworkRow {
    kind: "mlp",
    title: "Multilayer perceptron",
    summary: "Layers that connect every value with every value, with an activation between them.",
    fields: FIELDS,
    defaults: &[],
    dimensions: &[2, 3],
    criterion: Criterion::CrossEntropy,
    needs_batches: |spec| spec.options::<Options>().is_ok_and(|options| options.norm),
    build: |vb, spec, input, classes| {
        Ok(Box::new(Mlp::new(
            vb,
            &spec.options()?,
            input.iter().product(),
            classes,
        )?))
    },
};

/// The large one, to hold against convolutional networks: 176,768,266 parameters for images of 3x32x32.
pub(super) const WIDE: NetworkRow = NetworkRow {
    kind: "mlp-wide",
    title: "Wide multilayer perceptron",
    summary: "Five wide layers with batch normalisation, as many parameters as a large convolutional network.",
    defaults: &[
        ("network.hidden", "[8192,8192,8192,2048,256]"),
        ("network.norm", "true"),
        ("training.epochs", "5"),
    ],
    dimensions: &[3],
    ..ROW
};

const FIELDS: &[Field] = &[
    Field::new(
        "network.hidden",
        "Hidden widths",
        FieldKind::Integers {
            min: 1,
            max: 16_384,
            min_len: 1,
            max_len: 16,
        },
        "[128,64]",
        "How many values each hidden layer has, from the input to the output.",
    ),
    fields::activation("\"relu\""),
    Field::new(
        "network.norm",
        "Batch normalisation",
        FieldKind::Switch,
        "false",
        "Normalises every hidden value over the batch before its activation.",
    ),
    fields::dropout("0.0"),
    fields::INIT,
];

#[derive(Deserialize)]
struct Options {
    hidden: Vec<usize>,
    activation: Activation,
    norm: bool,
    dropout: f64,
    init: InitScheme,
}

struct Mlp {
    layers: Vec<Layer>,
}

/// A layer of the sequence.
enum Layer {
    Linear(Linear),
    Norm(BatchNorm),
    Activation(String, Activation),
    Dropout(Dropout),
}

impl Mlp {
    fn new(
        mut vb: VarBuilder<'_>,
        options: &Options,
        inputs: usize,
        classes: usize,
    ) -> Result<Self> {
        let mut net = vb.pp("net");
        let mut layers = Vec::new();
        let mut width = inputs;
        for &hidden in &options.hidden {
            let next = Some(options.activation);
            let linear = Linear::new(net.pp(layers.len()), width, hidden, options.init, next)?;
            layers.push(Layer::Linear(linear));
            if options.norm {
                layers.push(Layer::Norm(BatchNorm::new(net.pp(layers.len()), hidden)?));
            }
            let name = net.pp(layers.len()).path().to_owned();
            layers.push(Layer::Activation(name, options.activation));
            if options.dropout > 0.0 {
                layers.push(Layer::Dropout(Dropout::new(
                    &net.pp(layers.len()),
                    options.dropout,
                )));
            }
            width = hidden;
        }
        let scores = Linear::new(net.pp(layers.len()), width, classes, options.init, None)?;
        layers.push(Layer::Linear(scores));
        Ok(Self { layers })
    }
}

impl Network for Mlp {
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let input = |source| Error::Layer {
            layer: "net".to_owned(),
            source,
        };
        context.enter("net");
        let mut x = ops::flatten(x).map_err(input)?;
        for layer in &self.layers {
            x = match layer {
                Layer::Linear(linear) => linear.forward(&x, context)?,
                Layer::Norm(norm) => norm.forward(&x, context)?,
                Layer::Activation(name, activation) => {
                    let active = ops::activate(&x, *activation);
                    context.pass(name, LayerOp::Activation(*activation), &[&x], active)?
                }
                Layer::Dropout(dropout) => dropout.forward(x, context)?,
            };
        }
        Ok(x)
    }
}
