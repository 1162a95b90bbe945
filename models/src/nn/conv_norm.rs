//! A convolution, optional batch normalisation, and an activation in sequence.

use candle_core::Tensor;

use super::batch_norm::BatchNorm;
use super::context::{Context, LayerOp};
use super::conv2d::{Conv2d, ConvShape};
use super::init::InitScheme;
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::ops::{self, Activation, ConvParams};

/// Convolution, batch normalisation and activation: three neighbours in a PyTorch `Sequential`.
#[derive(Clone, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    activation: (String, Activation),
}

impl ConvNorm {
    /// Layers that keep the size of the image, at the indices `first`, `first + 1` and `first + 2` of a sequence.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(
        sequence: &mut VarBuilder<'_>,
        first: usize,
        shape: ConvShape,
        scheme: InitScheme,
        activation: Activation,
    ) -> Result<Self> {
        let conv = Self::conv(sequence, first, shape, scheme, activation)?;
        let norm = BatchNorm::new(sequence.pp(first + 1), shape.outputs)?;
        let name = sequence.pp(first + 2).path().to_owned();
        Ok(Self {
            conv,
            norm: Some(norm),
            activation: (name, activation),
        })
    }

    /// Layers without normalisation, at the indices `first` and `first + 1`.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn without_norm(
        sequence: &mut VarBuilder<'_>,
        first: usize,
        shape: ConvShape,
        scheme: InitScheme,
        activation: Activation,
    ) -> Result<Self> {
        let conv = Self::conv(sequence, first, shape, scheme, activation)?;
        let name = sequence.pp(first + 1).path().to_owned();
        Ok(Self {
            conv,
            norm: None,
            activation: (name, activation),
        })
    }

    fn conv(
        sequence: &mut VarBuilder<'_>,
        first: usize,
        shape: ConvShape,
        scheme: InitScheme,
        activation: Activation,
    ) -> Result<Conv2d> {
        let params = ConvParams::same(shape.kernel);
        Conv2d::new(sequence.pp(first), shape, params, scheme, Some(activation))
    }

    /// The number of modules in the sequence.
    pub fn modules(&self) -> usize {
        if self.norm.is_some() { 3 } else { 2 }
    }

    /// The images after all modules.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let x = self.conv.forward(x, context)?;
        self.after_conv(&x, context)
    }

    /// Several layers with 1x1 kernels over the same images. While training their convolutions are one operation.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub fn branches<'a, const N: usize>(
        layers: [&'a Self; N],
        x: &'a Tensor,
        context: &Context<'_>,
    ) -> Result<[Branch<'a>; N]> {
        let convs = layers.map(|layer| &layer.conv);
        let mut convolved = Conv2d::forward_branches(&convs, x, context)?.into_iter();
        Ok(layers.map(|layer| Branch {
            layer,
            x,
            convolved: convolved.next(),
        }))
    }

    fn after_conv(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let (name, activation) = &self.activation;
        match &self.norm {
            Some(norm) => norm.forward_activated(&x.into(), name, *activation, context),
            None => {
                let active = ops::activate(x, *activation);
                context.pass(name, LayerOp::Activation(*activation), &[x], active)
            }
        }
    }
}

/// One of several layers over the same images. Its convolution may already be computed.
#[derive(Debug)]
pub struct Branch<'a> {
    layer: &'a ConvNorm,
    x: &'a Tensor,
    convolved: Option<Tensor>,
}

impl Branch<'_> {
    /// As [`ConvNorm::forward`].
    ///
    /// # Errors
    /// As [`ConvNorm::forward`].
    pub fn forward(self, context: &mut Context<'_>) -> Result<Tensor> {
        match self.convolved {
            Some(convolved) => self.layer.after_conv(&convolved, context),
            None => self.layer.forward(self.x, context),
        }
    }
}
