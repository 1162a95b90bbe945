//! An Inception network (Szegedy and others 2015): blocks of four branches that see the image at different widths and
//! are joined on their channels; a stem before them, two pools between them, two layers behind.

use candle_core::Tensor;
use serde::Deserialize;

use super::{Criterion, Network, NetworkRow, at_least, fields, residual};
use crate::error::Result;
use crate::nn::{Context, ConvNorm, ConvShape, Dropout, InitScheme, LayerOp, Linear, VarBuilder};
use crate::ops::{self, Activation, PoolWindow};
use crate::spec::{Field, FieldKind};

pub(super) const ROW: NetworkRow = NetworkRow {
    kind: "inception",
    title: "Inception",
    summary: "Four blocks of four branches, 1x1, 3x3 and 5x5 convolutions and a pool, joined on their channels.",
    fields: &[
        fields::activation("\"relu\""),
        Field::new(
            "network.hidden",
            "Width of the head",
            FieldKind::Integer {
                min: 1,
                max: 16_384,
                step: 1,
            },
            "1024",
            "How many values the layer before the scores has.",
        )
        .advanced(),
        fields::dropout("0.4"),
        fields::INIT,
    ],
    defaults: &[
        ("data.size", "32"),
        ("training.epochs", "10"),
        ("training.optimizer.weight_decay", "0.0005"),
    ],
    dimensions: &[3],
    criterion: Criterion::CrossEntropy,
    needs_batches: |_| false,
    build: |vb, spec, input, classes| {
        at_least(input, 8, "Inception")?;
        Ok(Box::new(Inception::new(
            vb,
            &spec.options()?,
            input[0],
            classes,
        )?))
    },
};

#[derive(Deserialize)]
struct Options {
    activation: Activation,
    hidden: usize,
    dropout: f64,
    init: InitScheme,
}

/// Channels of a block's branches: 1x1; before and after 3x3; before and after 5x5; after the pool.
struct Widths {
    one: usize,
    three: [usize; 2],
    five: [usize; 2],
    pool: usize,
}

const STEM: usize = 64;

const BLOCKS: [Widths; 4] = [
    Widths {
        one: 64,
        three: [96, 128],
        five: [16, 32],
        pool: 32,
    },
    Widths {
        one: 128,
        three: [128, 192],
        five: [32, 96],
        pool: 64,
    },
    Widths {
        one: 192,
        three: [96, 208],
        five: [16, 48],
        pool: 64,
    },
    Widths {
        one: 256,
        three: [160, 320],
        five: [32, 128],
        pool: 128,
    },
];

/// Blocks that a pool stands before.
const POOLED: [usize; 2] = [2, 3];

impl Widths {
    fn outputs(&self) -> usize {
        self.one + self.three[1] + self.five[1] + self.pool
    }
}

struct Block {
    name: String,
    one: ConvNorm,
    three: [ConvNorm; 2],
    five: [ConvNorm; 2],
    pool: ConvNorm,
}

impl Block {
    fn new(
        mut vb: VarBuilder<'_>,
        inputs: usize,
        widths: &Widths,
        options: &Options,
    ) -> Result<Self> {
        let conv = |sequence: &mut VarBuilder<'_>, inputs, outputs, kernel| {
            let shape = ConvShape {
                inputs,
                outputs,
                kernel,
                bias: false,
            };
            ConvNorm::new(sequence, 0, shape, options.init, options.activation)
        };
        let pair = |branch: &mut VarBuilder<'_>, [between, outputs]: [usize; 2], kernel| {
            let first = conv(&mut branch.pp(0), inputs, between, 1)?;
            Ok::<_, crate::Error>([first, conv(&mut branch.pp(1), between, outputs, kernel)?])
        };
        Ok(Self {
            name: vb.path().to_owned(),
            one: conv(&mut vb.pp("branch1"), inputs, widths.one, 1)?,
            three: pair(&mut vb.pp("branch3"), widths.three, 3)?,
            five: pair(&mut vb.pp("branch5"), widths.five, 5)?,
            pool: conv(&mut vb.pp("branch_pool").pp(1), inputs, widths.pool, 1)?,
        })
    }

    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        context.enter(&self.name);
        let [before_three, three] = &self.three;
        let [before_five, five] = &self.five;
        let firsts = [&self.one, before_three, before_five];
        let [one, before_three, before_five] = ConvNorm::branches(firsts, x, context)?;
        let one = one.forward(context)?;
        let between = before_three.forward(context)?;
        let three = three.forward(&between, context)?;
        let between = before_five.forward(context)?;
        let five = five.forward(&between, context)?;
        let name = format!("{}.branch_pool.0", self.name);
        let around = PoolWindow {
            kernel: 3,
            stride: 1,
            padding: 1,
        };
        let pooled = context.pass(&name, LayerOp::Pool, &[x], ops::max_pool2d(x, around))?;
        let pool = self.pool.forward(&pooled, context)?;
        let branches = [&one, &three, &five, &pool];
        context.pass(&self.name, LayerOp::Concat, &branches, ops::cat(&branches))
    }
}

struct Inception {
    stem: ConvNorm,
    blocks: Vec<Block>,
    hidden: Linear,
    dropout: Dropout,
    scores: Linear,
}

impl Inception {
    fn new(
        mut vb: VarBuilder<'_>,
        options: &Options,
        channels: usize,
        classes: usize,
    ) -> Result<Self> {
        let stem = ConvShape {
            inputs: channels,
            outputs: STEM,
            kernel: 3,
            bias: false,
        };
        let stem = ConvNorm::new(
            &mut vb.pp("stem"),
            0,
            stem,
            options.init,
            options.activation,
        )?;
        let mut blocks = Vec::new();
        let mut inputs = STEM;
        for (place, widths) in BLOCKS.iter().enumerate() {
            let name = format!("block{}", place + 1);
            blocks.push(Block::new(vb.pp(name), inputs, widths, options)?);
            inputs = widths.outputs();
        }
        let mut head = vb.pp("classifier");
        let relu = Some(Activation::Relu);
        Ok(Self {
            stem,
            blocks,
            hidden: Linear::new(head.pp(0), inputs, options.hidden, options.init, relu)?,
            dropout: Dropout::new(&head.pp(2), options.dropout),
            scores: Linear::new(head.pp(3), options.hidden, classes, options.init, None)?,
        })
    }
}

impl Network for Inception {
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        context.enter("stem");
        let x = self.stem.forward(&ops::channels_last(x)?, context)?;
        let halved = ops::max_pool2d(&x, PoolWindow::HALVING);
        let mut x = context.pass("stem.3", LayerOp::Pool, &[&x], halved)?;
        for (place, block) in self.blocks.iter().enumerate() {
            if let Some(pool) = POOLED.iter().position(|pooled| *pooled == place) {
                let name = format!("pool.{pool}");
                let halved = ops::max_pool2d(&x, PoolWindow::HALVING);
                x = context.pass(&name, LayerOp::Pool, &[&x], halved)?;
            }
            x = block.forward(&x, context)?;
        }
        residual::head(&x, &self.hidden, &self.dropout, &self.scores, context)
    }
}
