//! The fully connected layer.

use candle_core::{Result as CandleResult, Tensor};

use super::context::{Context, LayerOp};
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::graph::Init;
use crate::ops;

/// `x·Wᵀ + b`: `[n, inputs]` to `[n, outputs]`. PyTorch's `Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer with a weight of `shape` `[outputs, inputs]`. Its bias, if any, starts at 0.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(
        mut vb: VarBuilder<'_>,
        shape: &[usize],
        has_bias: bool,
        init: Init,
    ) -> Result<Self> {
        Ok(Self {
            weight: vb.parameter("weight", shape, init)?,
            bias: if has_bias {
                Some(vb.parameter("bias", &shape[..1], Init::Constant(0.0))?)
            } else {
                None
            },
        })
    }

    /// Applies the layer to `x` `[n, inputs]`.
    ///
    /// # Errors
    /// When `x` has another shape.
    pub fn forward(&self, x: &Tensor, context: &Context<'_>) -> CandleResult<Tensor> {
        let weight = context.parameter(&self.weight);
        let bias = match &self.bias {
            Some(bias) => context.parameter(bias),
            None => Tensor::zeros(weight.dim(0)?, weight.dtype(), weight.device())?,
        };
        ops::linear(x, &weight, &bias)
    }

    /// The operation, for a recorder.
    pub(super) fn op(&self) -> LayerOp<'_> {
        LayerOp::Linear {
            weight: &self.weight,
            bias: self.bias.as_ref(),
        }
    }
}
