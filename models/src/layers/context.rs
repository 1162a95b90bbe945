//! What a forward pass is for, and who wants to see activations on the way.

use candle_core::Tensor;

use crate::error::{Error, Result};
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
    /// Anything else: statistics are those kept, nothing is dropped, no gradient of a parameter is wanted.
    Evaluate,
}

/// Receives activations by the name of their layer.
pub type Recorder<'a> = dyn FnMut(&str, &Tensor) -> Result<()> + 'a;

/// What goes along with the data through a network.
pub struct Context<'a> {
    mode: Mode,
    recorder: Option<&'a mut Recorder<'a>>,
}

impl<'a> Context<'a> {
    /// A pass that nobody watches.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            recorder: None,
        }
    }

    /// A pass whose activations are shown to `recorder` as they come.
    pub fn recorded(mode: Mode, recorder: &'a mut Recorder<'a>) -> Self {
        Self {
            mode,
            recorder: Some(recorder),
        }
    }

    /// Whether this is a training step.
    pub fn trains(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// Whether somebody wants to see activations.
    pub fn is_watched(&self) -> bool {
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
        if self.trains() {
            parameter.clone()
        } else {
            parameter.detach()
        }
    }

    /// Shows what the layer `name` gave, and names the layer where it failed.
    pub(crate) fn pass(
        &mut self,
        name: &str,
        result: candle_core::Result<Tensor>,
    ) -> Result<Tensor> {
        let activation = result.map_err(|source| Error::Layer {
            layer: name.to_owned(),
            source,
        })?;
        if let Some(recorder) = &mut self.recorder {
            recorder(name, &activation)?;
        }
        Ok(activation)
    }
}
