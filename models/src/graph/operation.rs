//! What a node computes.

use serde::{Deserialize, Serialize};

use super::InitScheme;
use crate::ops::Activation;

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
    BatchNorm,
    /// An activation function.
    Activation {
        /// The function.
        function: Activation,
    },
    /// The maximum under a window.
    MaxPool2d {
        /// Pixels along a side of the window.
        kernel: usize,
        /// Pixels from one position of the window to the next.
        stride: usize,
        /// Rows and columns around the image, which are never the maximum.
        padding: usize,
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
    /// The sum of the inputs.
    Sum,
    /// The inputs one after another, on channels.
    Concat,
}

impl Operation {
    /// Its name in a text, which is that of the PyTorch module.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Conv2d { .. } => "Conv2d",
            Self::Linear { .. } => "Linear",
            Self::BatchNorm => "BatchNorm",
            Self::Activation { function } => match function {
                Activation::Relu => "ReLU",
                Activation::Silu => "SiLU",
                Activation::Sigmoid => "Sigmoid",
                Activation::Tanh => "Tanh",
            },
            Self::MaxPool2d { .. } => "MaxPool2d",
            Self::AdaptiveAvgPool2d { .. } => "AdaptiveAvgPool2d",
            Self::Mean => "Mean",
            Self::Dropout { .. } => "Dropout",
            Self::Flatten => "Flatten",
            Self::Identity => "Identity",
            Self::ZeroPad1d { .. } => "ZeroPad1d",
            Self::Sum => "Sum",
            Self::Concat => "Concat",
        }
    }

    /// Whether it only moves values: it computes nothing, and is no layer of a picture.
    pub fn moves_only(&self) -> bool {
        matches!(
            self,
            Self::Input | Self::Flatten | Self::Identity | Self::ZeroPad1d { .. }
        )
    }
}
