//! The fully connected layer.

use candle_core::Tensor;

use super::context::{Context, Does};
use super::init::{Init, Scheme};
use super::store::Scope;
use crate::error::Result;
use crate::ops::{self, Activation};

/// `x·Wᵀ + b`: [n, inputs] to [n, outputs]. PyTorch's `Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    name: String,
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// A layer whose weights start by a scheme, for the activation that follows; its bias starts at 0.
    ///
    /// # Errors
    /// As [`Scope::parameter`].
    pub fn new(
        mut at: Scope<'_>,
        inputs: usize,
        outputs: usize,
        scheme: Scheme,
        next: Option<Activation>,
    ) -> Result<Self> {
        let weights = scheme.weights(inputs, outputs, next);
        Self::starting_from(&mut at, inputs, outputs, weights)
    }

    /// A layer whose weights start as said; its bias starts at 0.
    ///
    /// # Errors
    /// As [`Scope::parameter`].
    pub fn starting_from(
        at: &mut Scope<'_>,
        inputs: usize,
        outputs: usize,
        weights: Init,
    ) -> Result<Self> {
        Ok(Self {
            weight: at.parameter("weight", &[outputs, inputs], weights)?,
            bias: at.parameter("bias", &[outputs], Init::Constant(0.0))?,
            name: at.path().to_owned(),
        })
    }

    /// The same layer, shown under another name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The sums for every row of `x` [n, inputs].
    ///
    /// # Errors
    /// When `x` has another shape.
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let y = ops::linear(
            x,
            &context.parameter(&self.weight),
            &context.parameter(&self.bias),
        );
        let does = Does::Linear {
            weight: &self.weight,
            bias: &self.bias,
        };
        context.pass(&self.name, does, &[x], y)
    }
}
