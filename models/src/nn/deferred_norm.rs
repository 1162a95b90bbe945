//! Normalisation that is deferred to the next layer.

use candle_core::Tensor;

use super::batch_norm::BatchNorm;
use super::context::Context;
use crate::error::Result;
use crate::ops::{Activation, WithStats};

/// Images before batch normalisation and the activation `name`. The next layer applies both as it reads the images, so
/// a [convolution](super::Conv2d::forward_deferred) does not need the normalised images in memory.
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
