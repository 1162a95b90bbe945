//! The values of a file's graph while it is read.

use std::rc::Rc;

use super::constant::{Constant, Values};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// The result of a node of the graph.
    Node(usize),
    /// Scores after the softmax at the end, by the node before it.
    Softmax(usize),
    /// Channels of an image, each scaled and shifted. They become a convolution when an operation takes them.
    Affine(Affine),
    /// An image with zeros around it: above, left, below, right.
    Padded { node: usize, pads: [usize; 4] },
    /// A tensor that is known.
    Constant(Rc<Constant>),
    /// Sizes: whole numbers that are known but for that of the batch.
    Sizes(Vec<Size>),
}

/// A whole number of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// The number of samples.
    Batch,
    Known(i64),
}

/// Channels of an image, each scaled and shifted.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub(super) node: usize,
    /// Which channels of the image.
    pub(super) channels: Vec<Channel>,
    /// Whether the dimension of channels is gone: `x[:, 0]`.
    pub(super) without_dimension: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Channel {
    pub(super) index: usize,
    pub(super) scale: f64,
    pub(super) shift: f64,
}

impl Affine {
    /// All channels of an image, as they are.
    pub(super) fn whole(node: usize, channels: usize) -> Self {
        let channel = |index| Channel {
            index,
            scale: 1.0,
            shift: 0.0,
        };
        Self {
            node,
            channels: (0..channels).map(channel).collect(),
            without_dimension: false,
        }
    }

    /// Whether these are all channels in their order.
    pub(super) fn is_in_order(&self, channels: usize) -> bool {
        self.channels.len() == channels
            && self
                .channels
                .iter()
                .enumerate()
                .all(|(at, channel)| at == channel.index)
    }

    /// Whether nothing is changed.
    pub(super) fn is_whole(&self, channels: usize) -> bool {
        let unchanged = |channel: &Channel| channel.scale == 1.0 && channel.shift == 0.0;
        self.is_in_order(channels) && self.channels.iter().all(unchanged) && !self.without_dimension
    }
}

impl Value {
    /// The sizes that a value is, if it is whole numbers in a list or by itself.
    pub(super) fn sizes(&self) -> Option<Vec<Size>> {
        match self {
            Self::Sizes(sizes) => Some(sizes.clone()),
            Self::Constant(constant) => match &constant.values {
                Values::I64(values) if constant.shape.len() <= 1 => {
                    Some(values.iter().copied().map(Size::Known).collect())
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The numbers that a value is, if all are known.
    pub(super) fn numbers(&self) -> Option<Vec<i64>> {
        let number = |size| match size {
            Size::Known(number) => Some(number),
            Size::Batch => None,
        };
        self.sizes()?.into_iter().map(number).collect()
    }
}
