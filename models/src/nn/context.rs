//! The mode of a forward pass, and the recorder of its activations.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::ops::{Activation, ConvParams};
use crate::random::Key;

/// The mode of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A training step: batch statistics, and dropout.
    Train {
        /// The run's seed.
        seed: u64,
        /// The step, from 1. The mask of dropout depends on the seed, the step and the layer's name.
        step: u64,
    },
    /// Evaluation: running statistics, no dropout, no gradients of parameters. A [`Tape`](crate::ops::Tape) over a pass
    /// whose input is a variable gives gradients of activations and of the input.
    Evaluate,
}

/// The operation of a layer, with its parameters.
#[derive(Clone, Copy, Debug)]
pub enum LayerOp<'a> {
    /// Convolves `[n, height, width, channels]`.
    Conv {
        /// `[outputs, inputs / groups, kernel height, kernel width]`.
        weight: &'a Tensor,
        /// `[outputs]`.
        bias: Option<&'a Tensor>,
        /// Stride, padding, dilation and groups.
        params: ConvParams,
    },
    /// A fully connected layer over `[n, inputs]`.
    Linear {
        /// `[outputs, inputs]`.
        weight: &'a Tensor,
        /// `[outputs]`.
        bias: Option<&'a Tensor>,
    },
    /// Batch normalisation.
    BatchNorm {
        /// The scale, `[channels]`.
        weight: &'a Tensor,
        /// The shift, `[channels]`.
        bias: &'a Tensor,
    },
    /// An activation function.
    Activation(Activation),
    /// Values between two bounds.
    Clip,
    /// Max or average pooling.
    Pool,
    /// Dropout.
    Dropout,
    /// The sum of several inputs.
    Sum,
    /// The product of several inputs.
    Mul,
    /// The concatenation of several inputs on their channels.
    Concat,
}

/// One operation of a forward pass, as a recorder sees it.
#[derive(Clone, Copy, Debug)]
pub struct LayerRecord<'a> {
    /// The layer's name: that of its PyTorch module, if it has one.
    pub name: &'a str,
    /// The part of the network, such as `blocks.1`.
    pub group: &'a str,
    /// The operation.
    pub op: LayerOp<'a>,
    /// The inputs.
    pub inputs: &'a [&'a Tensor],
    /// The output.
    pub output: &'a Tensor,
}

/// Called with each operation of a forward pass, in order.
pub type Recorder<'a> = dyn FnMut(&LayerRecord<'_>) -> Result<()> + 'a;

/// The context of a forward pass: its mode and its recorder.
pub struct Context<'a> {
    mode: Mode,
    recorder: Option<&'a mut Recorder<'a>>,
    /// The current part of the network; empty without a recorder.
    group: String,
}

impl<'a> Context<'a> {
    /// A pass without a recorder.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            recorder: None,
            group: String::new(),
        }
    }

    /// A pass that calls `recorder` with every operation.
    pub fn recorded(mode: Mode, recorder: &'a mut Recorder<'a>) -> Self {
        Self {
            mode,
            recorder: Some(recorder),
            group: String::new(),
        }
    }

    /// Whether this is a training step.
    pub fn is_training(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// Whether the pass has a recorder.
    pub fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// The random key of dropout in the layer `name`; `None` in evaluation.
    pub(crate) fn dropout_key(&self, name: &str) -> Option<Key> {
        match self.mode {
            Mode::Train { seed, step } => {
                Some(Key::new(seed, &format!("dropout {name} step {step}")))
            }
            Mode::Evaluate => None,
        }
    }

    /// A parameter for this pass: detached in evaluation.
    pub(crate) fn parameter(&self, parameter: &Tensor) -> Tensor {
        if self.is_training() {
            parameter.clone()
        } else {
            parameter.detach()
        }
    }

    /// Sets the current part of the network.
    pub(crate) fn enter(&mut self, group: impl std::fmt::Display) {
        if self.is_recording() {
            self.group = group.to_string();
        }
    }

    /// Passes the result of the layer `name` to the recorder, and names the layer in an error.
    pub(crate) fn pass(
        &mut self,
        name: &str,
        op: LayerOp<'_>,
        inputs: &[&Tensor],
        result: candle_core::Result<Tensor>,
    ) -> Result<Tensor> {
        let output = result.map_err(|source| Error::Layer {
            layer: name.to_owned(),
            source,
        })?;
        if let Some(recorder) = &mut self.recorder {
            recorder(&LayerRecord {
                name,
                group: &self.group,
                op,
                inputs,
                output: &output,
            })?;
        }
        Ok(output)
    }
}
