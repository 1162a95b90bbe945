//! The reference of activation functions.

use candle_core::{Result, Tensor};

use super::apply;
use crate::ops::activation::Activation;

pub(in crate::ops) fn hardtanh(x: &Tensor, min: f64, max: f64) -> Result<Tensor> {
    apply([x], move |[x]| clipped(x, min, max))
}

/// Values between two bounds, with the gradient 0 at the bounds and at NaN, which stays NaN.
fn clipped(x: &Tensor, min: f64, max: f64) -> Result<Tensor> {
    let full = |value: f64| x.zeros_like()?.affine(0.0, value);
    let outside = x.le(min)?.where_cond(&full(min)?, &x.detach())?;
    let outside = x.ge(max)?.where_cond(&full(max)?, &outside)?;
    let is_inside = (x.gt(min)? * x.lt(max)?)?;
    is_inside.where_cond(x, &outside)
}

pub(in crate::ops) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    apply([x], move |[x]| activated(x, activation))
}

pub(super) fn activated(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        // Candle's ReLU has the gradient 1 at 0.
        Activation::Relu => x.le(&x.zeros_like()?)?.where_cond(&x.zeros_like()?, x),
        Activation::Silu => {
            // Candle's gradient loses its digits where x is large. There SiLU is x.
            let is_large = (x.gt(40.0)? * x.lt(f64::INFINITY)?)?;
            is_large.where_cond(x, &candle_nn::ops::silu(x)?)
        }
        Activation::Sigmoid => candle_nn::ops::sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Relu6 => clipped(x, 0.0, 6.0),
        Activation::Hardsigmoid => clipped(x, -3.0, 3.0)?.affine(1.0 / 6.0, 0.5),
        Activation::Hardswish => where_finite(x, hardswish, hardswish_slope),
        Activation::Gelu => where_finite(x, gelu, gelu_slope),
    }
}

/// A function of which Candle's product rule makes two terms, each by itself inf - inf where dy is infinite. Where x is
/// finite its gradient is dy·slope(x), as PyTorch has it; elsewhere it is Candle's.
fn where_finite(
    x: &Tensor,
    function: impl Fn(&Tensor) -> Result<Tensor>,
    slope: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let is_finite = x.abs()?.lt(f64::INFINITY)?;
    let finite = is_finite.where_cond(x, &x.zeros_like()?)?;
    let other = is_finite.where_cond(&x.ones_like()?, x)?;
    let fixed = finite.detach();
    let with_slope = (function(&fixed)? + ((&finite - &fixed)? * slope(&fixed)?)?)?;
    is_finite.where_cond(&with_slope, &function(&other)?)
}

fn hardswish(x: &Tensor) -> Result<Tensor> {
    (x * clipped(&x.affine(1.0, 3.0)?, 0.0, 6.0)?)?.affine(1.0 / 6.0, 0.0)
}

/// 0 up to -3, 1 from 3 on, and x/3 + 1/2 between.
fn hardswish_slope(x: &Tensor) -> Result<Tensor> {
    let between = x.affine(1.0 / 3.0, 0.5)?;
    let up_to_three = x.lt(3.0)?.where_cond(&between, &x.ones_like()?)?;
    x.gt(-3.0)?.where_cond(&up_to_three, &x.zeros_like()?)
}

/// x·Φ(x).
fn gelu(x: &Tensor) -> Result<Tensor> {
    x * normal_cdf(x)?
}

/// The distribution function of the normal distribution.
fn normal_cdf(x: &Tensor) -> Result<Tensor> {
    (x * std::f64::consts::FRAC_1_SQRT_2)?
        .erf()?
        .affine(0.5, 0.5)
}

/// Φ(x) + x·φ(x).
fn gelu_slope(x: &Tensor) -> Result<Tensor> {
    const FACTOR: f64 = 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
    let density = ((x.sqr()? * -0.5)?.exp()? * FACTOR)?;
    normal_cdf(x)? + (x * density)?
}
