//! A convolution, batch normalisation and an activation, as they follow each other in most networks.

use candle_core::Tensor;

use super::batch_norm::BatchNorm;
use super::context::Context;
use super::conv2d::{Conv2d, ConvShape};
use super::init::Scheme;
use super::store::Scope;
use crate::error::Result;
use crate::ops::{Activation, Geometry};

/// Convolution, batch normalisation, activation: three neighbours in PyTorch's `Sequential`, the first at a number.
#[derive(Clone, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    activation: (String, Activation),
}

impl ConvNorm {
    /// Layers whose image keeps its size, at the places `first`, `first + 1` and `first + 2` of a sequence.
    ///
    /// # Errors
    /// As [`Scope::parameter`].
    pub fn new(
        sequence: &mut Scope<'_>,
        first: usize,
        shape: ConvShape,
        scheme: Scheme,
        activation: Activation,
    ) -> Result<Self> {
        let conv = Conv2d::new(
            sequence.at(first),
            shape,
            Geometry::same(shape.kernel),
            scheme,
            Some(activation),
        )?;
        let norm = BatchNorm::new(sequence.at(first + 1), shape.outputs)?;
        let name = sequence.at(first + 2).path().to_owned();
        Ok(Self {
            conv,
            norm,
            activation: (name, activation),
        })
    }

    /// The images after all three.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let x = self.conv.forward(x, context)?;
        let (name, activation) = &self.activation;
        self.norm.forward_activated(&x, name, *activation, context)
    }
}
