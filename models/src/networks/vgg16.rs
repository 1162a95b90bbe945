//! VGG16 (Simonyan and Zisserman 2015): configuration D, optionally with batch normalisation. Thirteen 3x3 convolutions
//! in five stages, each halved by a pool, then a head: the classic one of three wide layers, 134,309,962 parameters for
//! three channels and ten classes at any image size, or a compact one of a single layer.

use candle_core::Tensor;
use serde::Deserialize;

use super::{Criterion, Network, NetworkRow, at_least, fields};
use crate::error::{Error, Result};
use crate::nn::{Context, ConvNorm, ConvShape, Dropout, InitScheme, LayerOp, Linear, VarBuilder};
use crate::ops::{self, Activation, PoolWindow};
use crate::spec::{Choice, Field, FieldKind};

pub(super) const ROW: NetworkRow = NetworkRow {
    kind: "vgg16",
    title: "VGG16",
    summary: "Thirteen 3x3 convolutions with batch normalisation in five stages, then fully connected layers.",
    fields: &[
        Field::new(
            "network.head",
            "Head",
            FieldKind::Choice {
                options: &[
                    Choice {
                        value: "classic",
                        label: "Classic",
                    },
                    Choice {
                        value: "compact",
                        label: "Compact",
                    },
                ],
            },
            "\"classic\"",
            "Classic: three layers of 120 million parameters. Compact: the mean over the image and one layer.",
        ),
        Field::new(
            "network.norm",
            "Normalisation",
            FieldKind::Choice {
                options: &[
                    Choice {
                        value: "batch",
                        label: "Batch",
                    },
                    Choice {
                        value: "none",
                        label: "None",
                    },
                ],
            },
            "\"batch\"",
            "After each convolution: over the batch, or none, as in the original network, which is hard to train from the start.",
        )
        .advanced(),
        fields::activation("\"relu\""),
        Field::new(
            "network.width",
            "Width",
            FieldKind::Number {
                min: 0.0625,
                max: 2.0,
                min_open: false,
            },
            "1.0",
            "Channels of the convolutions, in parts of the usual 64 to 512: a quarter is sixteen times less to compute.",
        )
        .advanced(),
        fields::dropout("0.5"),
        fields::INIT,
    ],
    defaults: &[
        ("data.size", "32"),
        ("training.epochs", "5"),
        ("training.optimizer.weight_decay", "0.0005"),
    ],
    dimensions: &[3],
    criterion: Criterion::CrossEntropy,
    needs_batches: |_| false,
    build: |vb, spec, input, classes| {
        at_least(input, 32, "VGG16")?;
        Ok(Box::new(Vgg16::new(
            vb,
            &spec.options()?,
            input[0],
            classes,
        )?))
    },
};

/// Widths of the convolutions of each stage.
const STAGES: [&[usize]; 5] = [
    &[64, 64],
    &[128, 128],
    &[256, 256, 256],
    &[512, 512, 512],
    &[512, 512, 512],
];

/// Cells along a side of the classic head's image.
const CELLS: usize = 7;

/// Width of the classic head.
const WIDTH: usize = 4096;

#[derive(Deserialize)]
struct Options {
    head: HeadKind,
    /// Earlier runs do not have this option.
    #[serde(default)]
    norm: Norm,
    activation: Activation,
    width: f64,
    dropout: f64,
    init: InitScheme,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HeadKind {
    Classic,
    Compact,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Norm {
    #[default]
    Batch,
    None,
}

struct Vgg16 {
    /// Convolutions, then the name of the pool, of each stage.
    stages: Vec<(Vec<ConvNorm>, String)>,
    head: Head,
}

enum Head {
    Classic {
        /// Layers with the name of the activation and the dropout after them.
        hidden: Vec<(Linear, String, Dropout)>,
        activation: Activation,
        scores: Linear,
    },
    Compact(Linear),
}

impl Vgg16 {
    fn new(
        mut vb: VarBuilder<'_>,
        options: &Options,
        channels: usize,
        classes: usize,
    ) -> Result<Self> {
        let (init, activation) = (options.init, options.activation);
        let mut features = vb.pp("features");
        let mut stages = Vec::new();
        let (mut place, mut inputs) = (0, channels);
        for widths in STAGES {
            let mut convolutions = Vec::new();
            for &usual in widths {
                let outputs = ((usual as f64 * options.width).round() as usize).max(1);
                let shape = ConvShape {
                    inputs,
                    outputs,
                    kernel: 3,
                    bias: true,
                };
                let new = match options.norm {
                    Norm::Batch => ConvNorm::new,
                    Norm::None => ConvNorm::without_norm,
                };
                let conv = new(&mut features, place, shape, init, activation)?;
                place += conv.modules();
                convolutions.push(conv);
                inputs = outputs;
            }
            stages.push((convolutions, features.pp(place).path().to_owned()));
            place += 1;
        }
        let head = match options.head {
            HeadKind::Compact => Head::Compact(Linear::new(
                vb.pp("classifier"),
                inputs,
                classes,
                init,
                None,
            )?),
            HeadKind::Classic => {
                let mut classifier = vb.pp("classifier");
                let mut hidden = Vec::new();
                for (first, inputs) in [(0, inputs * CELLS * CELLS), (3, WIDTH)] {
                    let next = Some(activation);
                    hidden.push((
                        Linear::new(classifier.pp(first), inputs, WIDTH, init, next)?,
                        classifier.pp(first + 1).path().to_owned(),
                        Dropout::new(&classifier.pp(first + 2), options.dropout),
                    ));
                }
                Head::Classic {
                    hidden,
                    activation,
                    scores: Linear::new(classifier.pp(6), WIDTH, classes, init, None)?,
                }
            }
        };
        Ok(Self { stages, head })
    }
}

impl Network for Vgg16 {
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let mut x = ops::channels_last(x)?;
        for (stage, (convolutions, pool)) in self.stages.iter().enumerate() {
            context.enter(format_args!("features stage {}", stage + 1));
            for conv in convolutions {
                x = conv.forward(&x, context)?;
            }
            let halved = ops::max_pool2d(&x, PoolWindow::HALVING);
            x = context.pass(pool, LayerOp::Pool, &[&x], halved)?;
        }
        let cells = match self.head {
            Head::Classic { .. } => CELLS,
            Head::Compact(_) => 1,
        };
        context.enter("classifier");
        let means = ops::adaptive_avg_pool2d(&x, cells, cells);
        x = context.pass("pool", LayerOp::Pool, &[&x], means)?;
        x = ops::flatten_channels_first(&x).map_err(|source| Error::Layer {
            layer: "classifier".to_owned(),
            source,
        })?;
        match &self.head {
            Head::Compact(scores) => scores.forward(&x, context),
            Head::Classic {
                hidden,
                activation,
                scores,
            } => {
                for (linear, name, dropout) in hidden {
                    x = linear.forward(&x, context)?;
                    let active = ops::activate(&x, *activation);
                    x = context.pass(name, LayerOp::Activation(*activation), &[&x], active)?;
                    x = dropout.forward(x, context)?;
                }
                scores.forward(&x, context)
            }
        }
    }
}
