//! What a node computes.

use serde::{Deserialize, Serialize};

use super::InitScheme;
use crate::ops::{Activation, PoolWindow};

/// The distribution of a layer's initial weights, where it is not the network's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightInit {
    /// One of the schemes.
    Scheme(InitScheme),
    /// Zeros.
    Zeros,
    /// A normal distribution around 0 with this standard deviation.
    Normal(f64),
}

/// What a node computes: PyTorch's modules, with their settings. Pairs are height and width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation")]
pub enum Operation {
    /// The network's input.
    Input,
    /// A convolution.
    Conv2d {
        /// Output channels.
        out_channels: usize,
        /// Pixels of the kernel.
        kernel: [usize; 2],
        /// Pixels from one position of the kernel to the next.
        stride: [usize; 2],
        /// Rows of zeros above and below, columns of zeros left and right.
        padding: [usize; 2],
        /// Pixels from one tap of the kernel to the next.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: [usize; 2],
        /// The number of groups.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
        /// The initial weights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<WeightInit>,
    },
    /// A fully connected layer.
    Linear {
        /// Output values.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
        /// The initial weights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<WeightInit>,
    },
    /// Batch normalisation of channels or values.
    BatchNorm {
        /// Added to the variance.
        #[serde(default = "eps", skip_serializing_if = "is_eps")]
        eps: f64,
        /// The weight of a batch in the running statistics.
        #[serde(default = "momentum", skip_serializing_if = "is_momentum")]
        momentum: f64,
    },
    /// An activation function.
    Activation {
        /// The function.
        function: Activation,
    },
    /// Values between two bounds.
    Hardtanh {
        /// What is less becomes this.
        min: f64,
        /// What is greater becomes this.
        max: f64,
    },
    /// The maximum under a window. The padding is never the maximum.
    MaxPool2d {
        /// The window.
        #[serde(flatten)]
        window: PoolWindow,
    },
    /// The mean under a window.
    AvgPool2d {
        /// The window.
        #[serde(flatten)]
        window: PoolWindow,
        /// Whether the padding counts, as zeros.
        count_include_pad: bool,
    },
    /// Means over a grid of parts, whatever the size of the image.
    AdaptiveAvgPool2d {
        /// Rows and columns of the result.
        output: [usize; 2],
    },
    /// The mean of each channel over height and width.
    Mean,
    /// Sets values to 0 at random while training.
    Dropout {
        /// The probability that a value is dropped.
        p: f64,
    },
    /// An image as values: channel by channel, row by row.
    Flatten,
    /// The input itself.
    Identity,
    /// Zeros before and after the values.
    ZeroPad1d {
        /// How many before, and how many after.
        padding: [usize; 2],
    },
    /// Zeros around an image, for paddings that differ between the sides.
    ZeroPad2d {
        /// Columns left and right, rows above and below: PyTorch's order.
        padding: [usize; 4],
    },
    /// The sum of the inputs.
    Sum,
    /// The product of the inputs. One value for each channel multiplies all pixels of the channel.
    Mul,
    /// The inputs one after another, on channels.
    Concat,
}

/// No dilation.
fn one() -> [usize; 2] {
    [1, 1]
}

fn is_one(dilation: &[usize; 2]) -> bool {
    *dilation == one()
}

/// PyTorch's default of `eps`.
fn eps() -> f64 {
    Operation::EPS
}

fn is_eps(eps: &f64) -> bool {
    *eps == Operation::EPS
}

/// PyTorch's default of `momentum`.
fn momentum() -> f64 {
    Operation::MOMENTUM
}

fn is_momentum(momentum: &f64) -> bool {
    *momentum == Operation::MOMENTUM
}

impl Operation {
    /// What a batch normalisation adds to the variance by default.
    pub const EPS: f64 = 1e-5;

    /// The default weight of a batch in the running statistics.
    pub const MOMENTUM: f64 = 0.1;

    /// A batch normalisation with the defaults.
    pub const BATCH_NORM: Self = Self::BatchNorm {
        eps: Self::EPS,
        momentum: Self::MOMENTUM,
    };

    /// Whether it joins several inputs: it is written as a module around its branches, and PyTorch has none for it.
    pub fn joins(&self) -> bool {
        matches!(self, Self::Sum | Self::Mul | Self::Concat)
    }

    /// Its name in a text, which is that of the PyTorch module.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Conv2d { .. } => "Conv2d",
            Self::Linear { .. } => "Linear",
            Self::BatchNorm { .. } => "BatchNorm",
            Self::Activation { function } => function.class(),
            Self::Hardtanh { .. } => "Hardtanh",
            Self::MaxPool2d { .. } => "MaxPool2d",
            Self::AvgPool2d { .. } => "AvgPool2d",
            Self::AdaptiveAvgPool2d { .. } => "AdaptiveAvgPool2d",
            Self::Mean => "Mean",
            Self::Dropout { .. } => "Dropout",
            Self::Flatten => "Flatten",
            Self::Identity => "Identity",
            Self::ZeroPad1d { .. } => "ZeroPad1d",
            Self::ZeroPad2d { .. } => "ZeroPad2d",
            Self::Sum => "Sum",
            Self::Mul => "Mul",
            Self::Concat => "Concat",
        }
    }

    /// Whether it only moves values: it computes nothing, and is no layer of a picture.
    pub fn moves_only(&self) -> bool {
        matches!(
            self,
            Self::Input
                | Self::Flatten
                | Self::Identity
                | Self::ZeroPad1d { .. }
                | Self::ZeroPad2d { .. }
        )
    }
}
