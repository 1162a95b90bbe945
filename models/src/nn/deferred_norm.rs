//! Images that are still to be normalised.

use candle_core::Tensor;

use super::batch_norm::BatchNorm;
use super::context::Context;
use crate::error::Result;
use crate::ops::{Activation, WithStats};

/// Images before batch normalisation and the activation `name`, both of which whatever takes them does as it reads: a
/// [convolution](super::Conv2d::forward_deferred) need not have them written first.
#[derive(Debug)]
pub struct DeferredNorm<'a> {
    /// `[n, height, width, channels]`, not normalised.
    pub x: WithStats,
    /// The normalisation.
    pub norm: &'a BatchNorm,
    /// The name of the activation.
    pub name: &'a str,
    /// The activation.
    pub activation: Activation,
}

impl DeferredNorm<'_> {
    /// The images themselves, normalised and activated.
    ///
    /// # Errors
    /// As [`BatchNorm::forward`].
    pub fn forward(&self, context: &mut Context<'_>) -> Result<Tensor> {
        self.norm
            .forward_activated(&self.x, self.name, self.activation, context)
    }
}
