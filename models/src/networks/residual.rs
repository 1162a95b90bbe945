//! Residual networks (He and others 2016) of separable convolutions (Chollet 2017): a stem, blocks of separable
//! convolutions with a skip around each and a pool after every second, optionally a longer skip over each pair of
//! blocks, the mean over the image, and two layers.

use candle_core::Tensor;
use serde::Deserialize;

use super::{Criterion, Network, NetworkRow, at_least, fields};
use crate::error::{Error, Result};
use crate::nn::{
    BatchNorm, Context, Conv2d, ConvNorm, ConvShape, DeferredNorm, Dropout, InitScheme, LayerOp,
    Linear, VarBuilder,
};
use crate::ops::{self, Activation, ConvParams, PoolWindow, WithStats};
use crate::spec::{Field, FieldKind, NetworkSpec};

pub(super) const SMALL: NetworkRow = NetworkRow {
    kind: "residual-small",
    title: "Residual network, small",
    summary: "Five blocks of four separable convolutions, each with a skip around it.",
    defaults: DEFAULTS,
    ..DEEP
};

pub(super) const DEEP: NetworkRow = NetworkRow {
    kind: "residual-deep",
    title: "Residual network, deep",
    summary: "Eight blocks of three to five separable convolutions, with skips around each block and around each pair.",
    fields: &[
        Field::new(
            "network.plan",
            "Widths",
            FieldKind::Integers {
                min: 1,
                max: 4096,
                min_len: 2,
                max_len: 17,
            },
            "[64,128,128,256,512,1024]",
            "Channels after the stem, then after each block.",
        ),
        Field::new(
            "network.depth",
            "Convolutions per block",
            FieldKind::Integers {
                min: 1,
                max: 16,
                min_len: 1,
                max_len: 16,
            },
            "[4,4,4,4,4]",
            "How many separable convolutions each block has; one number for each block, or one for all.",
        ),
        Field::new(
            "network.long_skips",
            "Long skips",
            FieldKind::Switch,
            "false",
            "Adds a skip over each pair of blocks.",
        ),
        fields::activation("\"relu\""),
        Field::new(
            "network.hidden",
            "Width of the head",
            FieldKind::Integer {
                min: 1,
                max: 16_384,
                step: 1,
            },
            "512",
            "How many values the layer before the scores has.",
        )
        .advanced(),
        fields::dropout("0.3"),
        fields::INIT,
    ],
    defaults: &[
        ("network.plan", "[64,128,128,256,256,512,512,1024,1024]"),
        ("network.depth", "[3,3,4,4,5,5,3,3]"),
        ("network.long_skips", "true"),
        ("network.activation", "\"silu\""),
        ("data.size", "32"),
        ("training.epochs", "10"),
        ("training.optimizer.weight_decay", "0.0005"),
    ],
    dimensions: &[3],
    criterion: Criterion::CrossEntropy,
    needs_batches: |_| false,
    build,
};

const DEFAULTS: &[(&str, &str)] = &[
    ("data.size", "32"),
    ("training.epochs", "10"),
    ("training.optimizer.weight_decay", "0.0005"),
];

#[derive(Deserialize)]
struct Options {
    plan: Vec<usize>,
    depth: Vec<usize>,
    long_skips: bool,
    activation: Activation,
    hidden: usize,
    dropout: f64,
    init: InitScheme,
}

fn build(
    vb: VarBuilder<'_>,
    spec: &NetworkSpec,
    input: &[usize],
    classes: usize,
) -> Result<Box<dyn Network>> {
    let mut options: Options = spec.options()?;
    let blocks = options.plan.len() - 1;
    if let [depth] = options.depth[..] {
        options.depth = vec![depth; blocks];
    }
    if options.depth.len() != blocks {
        let message = format!(
            "must have one number, or {blocks}: one for each block of the widths, not {}",
            options.depth.len()
        );
        return Err(Error::setting("network.depth", message));
    }
    let pools = u32::try_from(1 + blocks / 2).unwrap_or(u32::MAX);
    at_least(
        input,
        2usize.saturating_pow(pools),
        "this many residual blocks",
    )?;
    Ok(Box::new(Residual::new(vb, &options, input[0], classes)?))
}

/// Depthwise 3x3, normalisation, activation, then 1x1, normalisation, activation.
struct SeparableConv {
    depthwise: Conv2d,
    norm1: BatchNorm,
    pointwise: Conv2d,
    norm2: BatchNorm,
    /// The names of the two activations, which are one module in PyTorch.
    names: [String; 2],
    activation: Activation,
}

impl SeparableConv {
    fn new(
        mut vb: VarBuilder<'_>,
        inputs: usize,
        outputs: usize,
        options: &Options,
    ) -> Result<Self> {
        let next = Some(options.activation);
        let conv = |kernel, outputs| ConvShape {
            inputs,
            outputs,
            kernel,
            bias: false,
        };
        let each = ConvParams {
            groups: inputs,
            ..ConvParams::same(3)
        };
        let init = options.init;
        Ok(Self {
            depthwise: Conv2d::new(vb.pp("depthwise"), conv(3, inputs), each, init, next)?,
            norm1: BatchNorm::new(vb.pp("bn1"), inputs)?,
            pointwise: Conv2d::new(
                vb.pp("pointwise"),
                conv(1, outputs),
                ConvParams::same(1),
                init,
                next,
            )?,
            norm2: BatchNorm::new(vb.pp("bn2"), outputs)?,
            names: ["act1", "act2"].map(|name| vb.pp(name).path().to_owned()),
            activation: options.activation,
        })
    }

    /// The layers after the depthwise convolution. The last normalisation is deferred.
    fn after_depthwise(&self, x: WithStats, context: &mut Context<'_>) -> Result<DeferredNorm<'_>> {
        let [first, second] = &self.names;
        let x = self.defer(x, &self.norm1, first);
        let x = self.pointwise.forward_deferred(&x, context)?;
        Ok(self.defer(x, &self.norm2, second))
    }

    fn defer<'a>(&self, x: WithStats, norm: &'a BatchNorm, name: &'a str) -> DeferredNorm<'a> {
        DeferredNorm {
            x,
            norm,
            name,
            activation: self.activation,
        }
    }
}

/// A 1x1 convolution with normalisation on a skip connection, if the number of channels changes.
struct Project(Option<(Conv2d, BatchNorm)>);

impl Project {
    fn new(
        mut vb: VarBuilder<'_>,
        inputs: usize,
        outputs: usize,
        init: InitScheme,
    ) -> Result<Self> {
        if inputs == outputs {
            return Ok(Self(None));
        }
        let shape = ConvShape {
            inputs,
            outputs,
            kernel: 1,
            bias: false,
        };
        let conv = Conv2d::new(vb.pp("conv"), shape, ConvParams::same(1), init, None)?;
        Ok(Self(Some((conv, BatchNorm::new(vb.pp("bn"), outputs)?))))
    }

    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        match &self.0 {
            None => Ok(x.clone()),
            Some((conv, norm)) => norm.forward(&conv.forward(x, context)?, context),
        }
    }
}

struct Block {
    name: String,
    convs: Vec<SeparableConv>,
    skip: Project,
    /// The skip over this block and the one before it, and the name of its sum.
    long: Option<(String, Project)>,
    /// The name of the pooling layer after the block.
    pool: Option<String>,
}

impl Block {
    /// The block's convolutions, without the skips.
    fn convolved(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let mut y: Option<DeferredNorm<'_>> = None;
        for conv in &self.convs {
            let x = match &y {
                None => conv.depthwise.forward(x, context)?.into(),
                Some(y) => conv.depthwise.forward_deferred(y, context)?,
            };
            y = Some(conv.after_depthwise(x, context)?);
        }
        match y {
            None => Ok(x.clone()),
            Some(y) => y.forward(context),
        }
    }
}

struct Residual {
    stem: ConvNorm,
    blocks: Vec<Block>,
    hidden: Linear,
    dropout: Dropout,
    scores: Linear,
}

impl Residual {
    fn new(
        mut vb: VarBuilder<'_>,
        options: &Options,
        channels: usize,
        classes: usize,
    ) -> Result<Self> {
        let init = options.init;
        let stem = ConvShape {
            inputs: channels,
            outputs: options.plan[0],
            kernel: 3,
            bias: false,
        };
        let stem = ConvNorm::new(&mut vb.pp("stem"), 0, stem, init, Activation::Relu)?;
        let mut blocks: Vec<Block> = Vec::new();
        for (place, depth) in options.depth.iter().enumerate() {
            let (inputs, outputs) = (options.plan[place], options.plan[place + 1]);
            let mut all = vb.pp("blocks");
            let mut block = all.pp(place);
            let mut convs = Vec::new();
            for conv in 0..*depth {
                let inputs = if conv == 0 { inputs } else { outputs };
                let mut sequence = block.pp("convs");
                convs.push(SeparableConv::new(
                    sequence.pp(conv),
                    inputs,
                    outputs,
                    options,
                )?);
            }
            blocks.push(Block {
                name: block.path().to_owned(),
                convs,
                skip: Project::new(block.pp("skip"), inputs, outputs, init)?,
                long: None,
                pool: (place % 2 == 1).then(|| format!("pool.{}", place / 2)),
            });
        }
        if options.long_skips {
            let mut long = vb.pp("long");
            for (pair, blocks) in blocks.chunks_exact_mut(2).enumerate() {
                let (inputs, outputs) = (options.plan[2 * pair], options.plan[2 * pair + 2]);
                let vb = long.pp(pair);
                let sum = format!("{}.sum", vb.path());
                blocks[1].long = Some((sum, Project::new(vb, inputs, outputs, init)?));
            }
        }
        let last = options.plan[options.plan.len() - 1];
        let mut head = vb.pp("classifier");
        let relu = Some(Activation::Relu);
        Ok(Self {
            stem,
            blocks,
            hidden: Linear::new(head.pp(0), last, options.hidden, init, relu)?,
            dropout: Dropout::new(&head.pp(2), options.dropout),
            scores: Linear::new(head.pp(3), options.hidden, classes, init, None)?,
        })
    }
}

impl Network for Residual {
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        context.enter("stem");
        let x = self.stem.forward(&ops::channels_last(x)?, context)?;
        let halved = ops::max_pool2d(&x, PoolWindow::HALVING);
        let mut x = context.pass("stem.3", LayerOp::Pool, &[&x], halved)?;
        let mut start = x.clone();
        for block in &self.blocks {
            context.enter(&block.name);
            let y = block.convolved(&x, context)?;
            let skip = block.skip.forward(&x, context)?;
            let y = context.pass(&block.name, LayerOp::Sum, &[&y, &skip], ops::add(&y, &skip));
            // Only the tape holds what is no longer needed.
            x = y?;
            if let Some((name, long)) = &block.long {
                let skip = long.forward(&start, context)?;
                x = context.pass(name, LayerOp::Sum, &[&x, &skip], ops::add(&x, &skip))?;
            }
            if let Some(pool) = &block.pool {
                let halved = ops::max_pool2d(&x, PoolWindow::HALVING);
                x = context.pass(pool, LayerOp::Pool, &[&x], halved)?;
                start = x.clone();
            }
        }
        head(&x, &self.hidden, &self.dropout, &self.scores, context)
    }
}

/// The mean over the image, a layer, ReLU, dropout, and the last layer: `mean`, then `classifier.0` to `classifier.3`.
pub(super) fn head(
    x: &Tensor,
    hidden: &Linear,
    dropout: &Dropout,
    scores: &Linear,
    context: &mut Context<'_>,
) -> Result<Tensor> {
    context.enter("classifier");
    let means = ops::adaptive_avg_pool2d(x, 1, 1).and_then(|x| ops::flatten_channels_first(&x));
    let x = context.pass("mean", LayerOp::Pool, &[x], means)?;
    let x = hidden.forward(&x, context)?;
    let relu = Activation::Relu;
    let active = ops::activate(&x, relu);
    let x = context.pass("classifier.1", LayerOp::Activation(relu), &[&x], active)?;
    let x = dropout.forward(x, context)?;
    scores.forward(&x, context)
}
