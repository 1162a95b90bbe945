//! A convolution, batch normalisation and an activation, as they follow each other in most networks; or without the
//! normalisation, as in older ones.

use candle_core::Tensor;

use super::batch_norm::BatchNorm;
use super::context::{Context, LayerOp};
use super::conv2d::{Conv2d, ConvShape};
use super::init::InitScheme;
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::ops::{self, Activation, ConvParams};

/// Convolution, batch normalisation, activation: three neighbours in PyTorch's `Sequential`, the first at a number.
#[derive(Clone, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    activation: (String, Activation),
}

impl ConvNorm {
    /// Layers whose image keeps its size, at the places `first`, `first + 1` and `first + 2` of a sequence.
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

    /// The same without normalisation, at the places `first` and `first + 1`.
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

    /// How many places of a sequence it takes.
    pub fn modules(&self) -> usize {
        if self.norm.is_some() { 3 } else { 2 }
    }

    /// The images after all of them.
    ///
    /// # Errors
    /// As [`Conv2d::forward`].
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let x = self.conv.forward(x, context)?;
        self.after_conv(&x, context)
    }

    /// Several that take the same images, with kernels of 1x1: while training their convolutions are one operation.
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

/// One of the layers that take the same images, whose convolution may be done.
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
