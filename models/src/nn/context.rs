//! What a forward pass is for, and who wants to see activations on the way.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::ops::{Activation, ConvParams};
use crate::random::Key;

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A training step: statistics are of the batch, dropout drops.
    Train {
        /// The run's seed.
        seed: u64,
        /// The step, from 1; with the seed and the layer's name it says what dropout drops.
        step: u64,
    },
    /// Anything else: statistics are those kept, nothing is dropped, no gradient of a parameter is wanted. Gradients of
    /// activations and of the input are had by a [`Tape`](crate::ops::Tape) over a pass whose input is a variable.
    Evaluate,
}

/// What a layer does, with the numbers it does it by.
#[derive(Clone, Copy, Debug)]
pub enum LayerOp<'a> {
    /// Convolves `[n, height, width, channels]`.
    Conv {
        /// `[outputs, inputs / groups, kernel height, kernel width]`.
        weight: &'a Tensor,
        /// `[outputs]`.
        bias: Option<&'a Tensor>,
        /// How the kernel moves.
        params: ConvParams,
    },
    /// Takes weighted sums of `[n, inputs]`.
    Linear {
        /// `[outputs, inputs]`.
        weight: &'a Tensor,
        /// `[outputs]`.
        bias: &'a Tensor,
    },
    /// Normalises channels.
    BatchNorm {
        /// `[channels]`: what each is scaled by.
        weight: &'a Tensor,
        /// `[channels]`: what each is shifted by.
        bias: &'a Tensor,
    },
    /// Applies a function to every value.
    Activation(Activation),
    /// Takes the greatest or the mean of neighbours.
    Pool,
    /// Drops values while training.
    Dropout,
    /// Adds several.
    Sum,
    /// Joins several on their channels.
    Concat,
}

/// One step of a forward pass, as it is shown to who watches.
#[derive(Clone, Copy, Debug)]
pub struct LayerRecord<'a> {
    /// The layer's name: that of its module in PyTorch, where there is one.
    pub name: &'a str,
    /// The part of the network that it belongs to, such as `blocks.1`.
    pub group: &'a str,
    /// What it does.
    pub op: LayerOp<'a>,
    /// What it was given.
    pub inputs: &'a [&'a Tensor],
    /// What it gave.
    pub output: &'a Tensor,
}

/// Is shown the steps of a forward pass as they come.
pub type Recorder<'a> = dyn FnMut(&LayerRecord<'_>) -> Result<()> + 'a;

/// What goes along with the data through a network.
pub struct Context<'a> {
    mode: Mode,
    recorder: Option<&'a mut Recorder<'a>>,
    /// The part of the network that the pass is in; empty where nobody watches.
    group: String,
}

impl<'a> Context<'a> {
    /// A pass that nobody watches.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            recorder: None,
            group: String::new(),
        }
    }

    /// A pass whose activations are shown to `recorder` as they come.
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

    /// Whether somebody wants to see activations.
    pub fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// What dropout in the layer `name` draws from; `None` while evaluating.
    pub(crate) fn dropout_key(&self, name: &str) -> Option<Key> {
        match self.mode {
            Mode::Train { seed, step } => {
                Some(Key::new(seed, &format!("dropout {name} step {step}")))
            }
            Mode::Evaluate => None,
        }
    }

    /// A parameter as this pass wants it: without a way back where no gradient is asked for.
    pub(crate) fn parameter(&self, parameter: &Tensor) -> Tensor {
        if self.is_training() {
            parameter.clone()
        } else {
            parameter.detach()
        }
    }

    /// Says which part of the network comes now.
    pub(crate) fn enter(&mut self, group: impl std::fmt::Display) {
        if self.is_recording() {
            self.group = group.to_string();
        }
    }

    /// Shows what the layer `name` made of its `inputs`, and names the layer where it failed.
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
