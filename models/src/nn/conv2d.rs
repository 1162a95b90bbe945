//! The convolution layer.

use candle_core::Tensor;

use super::context::{Context, LayerOp};
use super::deferred_norm::DeferredNorm;
use super::init::{Init, InitScheme};
use super::var_store::VarBuilder;
use crate::error::{Error, Result};
use crate::ops::{self, Activation, ConvParams, WithStats};

/// A convolution of channels-last images: `[n, height, width, inputs]` to `[n, height', width', outputs]`. PyTorch's
/// `Conv2d`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    name: String,
    weight: Tensor,
    bias: Option<Tensor>,
    params: ConvParams,
}

/// The shape of a convolution layer.
#[derive(Clone, Copy, Debug)]
pub struct ConvShape {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Pixels along a side of the kernel.
    pub kernel: usize,
    /// Whether there is a bias. It has no effect before a normalisation.
    pub bias: bool,
}

impl Conv2d {
    /// A layer whose weights are initialised by `scheme` for the activation that follows; its bias starts at 0.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(
        mut vb: VarBuilder<'_>,
        shape: ConvShape,
        params: ConvParams,
        scheme: InitScheme,
        next: Option<Activation>,
    ) -> Result<Self> {
        let ConvShape {
            inputs,
            outputs,
            kernel,
            bias,
        } = shape;
        let groups = params.groups.max(1);
        let taps = kernel * kernel;
        let start = scheme.weights(inputs / groups * taps, outputs / groups * taps, next);
        let weight = vb.parameter("weight", &[outputs, inputs / groups, kernel, kernel], start)?;
        let bias = if bias {
            Some(vb.parameter("bias", &[outputs], Init::Constant(0.0))?)
        } else {
            None
        };
        Ok(Self {
            name: vb.path().to_owned(),
            weight,
            bias,
            params,
        })
    }

    /// The convolved images.
    ///
    /// # Errors
    /// When `x` has another number of channels, or is smaller than the kernel.
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let weight = context.parameter(&self.weight);
        let bias = self.bias.as_ref().map(|bias| context.parameter(bias));
        let y = ops::conv2d(x, &weight, bias.as_ref(), self.params);
        context.pass(&self.name, self.op(), &[x], y)
    }

    /// Convolves images whose normalisation is deferred. While training both are one operation, unless the context
    /// records.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub fn forward_deferred(
        &self,
        x: &DeferredNorm<'_>,
        context: &mut Context<'_>,
    ) -> Result<WithStats> {
        if !context.is_training() || context.is_recording() || self.bias.is_some() {
            return Ok(self.forward(&x.forward(context)?, context)?.into());
        }
        x.norm
            .forward_norm_conv(&x.x, x.activation, &self.weight, self.params)
            .map_err(|source| Error::Layer {
                layer: self.name.clone(),
                source,
            })
    }

    /// Applies several 1x1 convolutions to the same images, as one operation. Returns no tensors where each layer must
    /// run by itself: in evaluation, with a recorder, or with a bias.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub(super) fn forward_branches(
        branches: &[&Self],
        x: &Tensor,
        context: &Context<'_>,
    ) -> Result<Vec<Tensor>> {
        let biased = branches.iter().any(|branch| branch.bias.is_some());
        if !context.is_training() || context.is_recording() || biased {
            return Ok(Vec::new());
        }
        let weights: Vec<_> = branches.iter().map(|branch| &branch.weight).collect();
        ops::conv2d_branches(x, &weights).map_err(|source| {
            let names: Vec<_> = branches.iter().map(|branch| &*branch.name).collect();
            Error::Layer {
                layer: names.join(", "),
                source,
            }
        })
    }

    fn op(&self) -> LayerOp<'_> {
        LayerOp::Conv {
            weight: &self.weight,
            bias: self.bias.as_ref(),
            params: self.params,
        }
    }
}
