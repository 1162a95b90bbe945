//! The convolution layer.

use candle_core::{Result as CandleResult, Tensor};

use super::context::{Context, LayerOp};
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::graph::Init;
use crate::ops::{self, ConvParams};

/// A convolution of channels-last images: `[n, height, width, inputs]` to `[n, height', width', outputs]`. PyTorch's
/// `Conv2d`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    pub(super) weight: Tensor,
    bias: Option<Tensor>,
    pub(super) params: ConvParams,
}

impl Conv2d {
    /// A layer with a weight of `shape` `[outputs, inputs / groups, height, width]`. Its bias, if any, starts at 0.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(
        mut vb: VarBuilder<'_>,
        shape: &[usize],
        params: ConvParams,
        has_bias: bool,
        init: Init,
    ) -> Result<Self> {
        let weight = vb.parameter("weight", shape, init)?;
        let bias = if has_bias {
            Some(vb.parameter("bias", &shape[..1], Init::Constant(0.0))?)
        } else {
            None
        };
        Ok(Self {
            weight,
            bias,
            params,
        })
    }

    /// The convolved images.
    ///
    /// # Errors
    /// When `x` has another number of channels, or is smaller than the kernel.
    pub fn forward(&self, x: &Tensor, context: &Context<'_>) -> CandleResult<Tensor> {
        let weight = context.parameter(&self.weight);
        let bias = self.bias.as_ref().map(|bias| context.parameter(bias));
        ops::conv2d(x, &weight, bias.as_ref(), self.params)
    }

    /// The operation, for a recorder.
    pub(super) fn op(&self) -> LayerOp<'_> {
        LayerOp::Conv {
            weight: &self.weight,
            bias: self.bias.as_ref(),
            params: self.params,
        }
    }
}
