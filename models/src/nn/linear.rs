//! The fully connected layer.

use candle_core::Tensor;

use super::context::{Context, LayerOp};
use super::init::{Init, InitScheme};
use super::var_store::VarBuilder;
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
    /// A layer whose weights are initialised by `scheme` for the activation that follows; its bias starts at 0.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(
        mut vb: VarBuilder<'_>,
        inputs: usize,
        outputs: usize,
        scheme: InitScheme,
        next: Option<Activation>,
    ) -> Result<Self> {
        let weights = scheme.weights(inputs, outputs, next);
        Self::with_init(&mut vb, inputs, outputs, weights)
    }

    /// A layer whose weights are initialised by `weights`; its bias starts at 0.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn with_init(
        vb: &mut VarBuilder<'_>,
        inputs: usize,
        outputs: usize,
        weights: Init,
    ) -> Result<Self> {
        Ok(Self {
            weight: vb.parameter("weight", &[outputs, inputs], weights)?,
            bias: vb.parameter("bias", &[outputs], Init::Constant(0.0))?,
            name: vb.path().to_owned(),
        })
    }

    /// Renames the layer for recorders.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Applies the layer to `x` [n, inputs].
    ///
    /// # Errors
    /// When `x` has another shape.
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let y = ops::linear(
            x,
            &context.parameter(&self.weight),
            &context.parameter(&self.bias),
        );
        let op = LayerOp::Linear {
            weight: &self.weight,
            bias: &self.bias,
        };
        context.pass(&self.name, op, &[x], y)
    }
}
