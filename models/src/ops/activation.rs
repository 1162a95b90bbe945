//! Activation functions, with PyTorch's gradients: ReLU'(0) is 0.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

use super::float::Float;
use super::kernel::{contiguous_slice, map, map_pairs, storage_slice};
use super::reference;
use super::tape::{SaveForBackward, apply1};

/// A function applied to every value between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, x)`
    Relu,
    /// `min(max(0, x), 6)`
    Relu6,
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `x Φ(x)`, with the normal distribution's Φ (Hendrycks and Gimpel 2016)
    Gelu,
    /// `x` times [`Activation::Hardsigmoid`]
    Hardswish,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `min(max(0, x / 6 + 1/2), 1)`
    Hardsigmoid,
    /// `(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)`
    Tanh,
}

impl Activation {
    /// All functions.
    pub const ALL: [Self; 8] = [
        Self::Relu,
        Self::Relu6,
        Self::Silu,
        Self::Gelu,
        Self::Hardswish,
        Self::Sigmoid,
        Self::Hardsigmoid,
        Self::Tanh,
    ];

    /// The name of the PyTorch module.
    pub fn class(self) -> &'static str {
        match self {
            Self::Relu => "ReLU",
            Self::Relu6 => "ReLU6",
            Self::Silu => "SiLU",
            Self::Gelu => "GELU",
            Self::Hardswish => "Hardswish",
            Self::Sigmoid => "Sigmoid",
            Self::Hardsigmoid => "Hardsigmoid",
            Self::Tanh => "Tanh",
        }
    }
}

/// Applies an activation to every value.
///
/// # Errors
/// When the tensor does not lie in one piece on the CPU.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    if reference::selected() {
        return reference::activate(x, activation);
    }
    apply1(x, activation, SaveForBackward::Values)
}

/// An activation function that kernels are compiled for.
pub(super) trait ActivationFn<T>: Copy + Sync {
    /// Whether value and slope share most of their work, an exponential.
    const SHARES_WORK: bool;
    /// The value of the function.
    fn forward(x: T) -> T;
    /// The gradient by the input `x`, from the gradient `dy` by the value.
    fn backward(x: T, dy: T) -> T;
    /// The value, and the slope by which a gradient is multiplied.
    fn forward_and_slope(x: T) -> (T, T);
}

/// No activation.
#[derive(Clone, Copy)]
pub(super) struct Identity;

impl<T: Float> ActivationFn<T> for Identity {
    const SHARES_WORK: bool = false;

    #[inline(always)]
    fn forward(x: T) -> T {
        x
    }

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        (x, T::ONE)
    }

    #[inline(always)]
    fn backward(_: T, dy: T) -> T {
        dy
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu;

impl<T: Float> ActivationFn<T> for Relu {
    const SHARES_WORK: bool = false;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        (
            Self::forward(x),
            if x <= T::ZERO { T::ZERO } else { T::ONE },
        )
    }

    /// NaN stays NaN, so that a diverging run shows.
    #[inline(always)]
    fn forward(x: T) -> T {
        if x < T::ZERO { T::ZERO } else { x }
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        if x <= T::ZERO { T::ZERO } else { dy }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Silu;

impl<T: Float> ActivationFn<T> for Silu {
    const SHARES_WORK: bool = true;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        let s = sigmoid(x);
        (x * s, s * (T::ONE + x * (T::ONE - s)))
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        x * sigmoid(x)
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        let s = sigmoid(x);
        dy * s * (T::ONE + x * (T::ONE - s))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu6;

impl<T: Float> ActivationFn<T> for Relu6 {
    const SHARES_WORK: bool = false;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        (Self::forward(x), Self::backward(x, T::ONE))
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        let x = Relu::forward(x);
        if x > T::of(6.0) { T::of(6.0) } else { x }
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        if (x > T::ZERO) & (x < T::of(6.0)) {
            dy
        } else {
            T::ZERO
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl<T: Float> ActivationFn<T> for Gelu {
    const SHARES_WORK: bool = true;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        let below = T::of(0.5) * (T::ONE + Float::erf(x * T::of(std::f64::consts::FRAC_1_SQRT_2)));
        let density = Float::exp(x * x * T::of(-0.5)) * T::of(0.398_942_280_401_432_7);
        (x * below, below + x * density)
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        x * (T::of(0.5) * (T::ONE + Float::erf(x * T::of(std::f64::consts::FRAC_1_SQRT_2))))
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        dy * <Self as ActivationFn<T>>::forward_and_slope(x).1
    }
}

#[derive(Clone, Copy)]
pub(super) struct Hardswish;

impl<T: Float> ActivationFn<T> for Hardswish {
    const SHARES_WORK: bool = false;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        (Self::forward(x), Self::backward(x, T::ONE))
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        x * Relu6::forward(x + T::of(3.0)) * T::of(1.0 / 6.0)
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        let slope = x * T::of(1.0 / 3.0) + T::of(0.5);
        let slope = if x <= T::of(-3.0) { T::ZERO } else { slope };
        dy * if x >= T::of(3.0) { T::ONE } else { slope }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Hardsigmoid;

impl<T: Float> ActivationFn<T> for Hardsigmoid {
    const SHARES_WORK: bool = false;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        (Self::forward(x), Self::backward(x, T::ONE))
    }

    /// As PyTorch's, from `x + 3`, so that 3 gives 1.
    #[inline(always)]
    fn forward(x: T) -> T {
        Relu6::forward(x + T::of(3.0)) * T::of(1.0 / 6.0)
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        if (x > T::of(-3.0)) & (x < T::of(3.0)) {
            dy * T::of(1.0 / 6.0)
        } else {
            T::ZERO
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

impl<T: Float> ActivationFn<T> for Sigmoid {
    const SHARES_WORK: bool = true;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        let s = sigmoid(x);
        (s, s * (T::ONE - s))
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        sigmoid(x)
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        let s = sigmoid(x);
        dy * s * (T::ONE - s)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl<T: Float> ActivationFn<T> for Tanh {
    const SHARES_WORK: bool = true;

    #[inline(always)]
    fn forward_and_slope(x: T) -> (T, T) {
        let t = Float::tanh(x);
        (t, T::ONE - t * t)
    }

    #[inline(always)]
    fn forward(x: T) -> T {
        Float::tanh(x)
    }

    #[inline(always)]
    fn backward(x: T, dy: T) -> T {
        let t = Float::tanh(x);
        dy * (T::ONE - t * t)
    }
}

/// Evaluates an expression with the [`ActivationFn`] of an `Option<Activation>`.
macro_rules! dispatch_activation {
    ($activation:expr, $f:ident => $value:expr) => {{
        use $crate::ops::activation::{
            Activation, Gelu, Hardsigmoid, Hardswish, Identity, Relu, Relu6, Sigmoid, Silu, Tanh,
        };
        match $activation {
            None => {
                let $f = Identity;
                $value
            }
            Some(Activation::Relu) => {
                let $f = Relu;
                $value
            }
            Some(Activation::Silu) => {
                let $f = Silu;
                $value
            }
            Some(Activation::Sigmoid) => {
                let $f = Sigmoid;
                $value
            }
            Some(Activation::Tanh) => {
                let $f = Tanh;
                $value
            }
            Some(Activation::Relu6) => {
                let $f = Relu6;
                $value
            }
            Some(Activation::Gelu) => {
                let $f = Gelu;
                $value
            }
            Some(Activation::Hardswish) => {
                let $f = Hardswish;
                $value
            }
            Some(Activation::Hardsigmoid) => {
                let $f = Hardsigmoid;
                $value
            }
        }
    }};
}
pub(super) use dispatch_activation;

/// The logistic function. It never overflows, because it takes the exponential of `-|x|`.
#[inline(always)]
fn sigmoid<T: Float>(x: T) -> T {
    let e = Float::exp(T::ZERO - Float::abs(x));
    let s = T::ONE / (T::ONE + e);
    if x < T::ZERO { e * s } else { s }
}

fn forward<T: Float>(activation: Activation, x: &[T]) -> Vec<T> {
    fn each<T: Float, F: ActivationFn<T>>(_: F, x: &[T]) -> Vec<T> {
        map(x, F::forward)
    }
    dispatch_activation!(Some(activation), f => each(f, x))
}

/// The gradient by `x`. ReLU, ReLU6, sigmoid and tanh compute it from the result `y` alone.
fn backward<T: Float>(
    activation: Activation,
    x: &Tensor,
    y: &Tensor,
    dy: &Tensor,
) -> Result<Tensor> {
    let dy = dy.contiguous()?;
    let given = match activation {
        Activation::Relu | Activation::Relu6 | Activation::Sigmoid | Activation::Tanh => y,
        _ => x,
    };
    let (given_held, given_layout) = given.storage_and_layout();
    let (dy_held, dy_layout) = dy.storage_and_layout();
    let (given, dy) = (
        storage_slice::<T>(&given_held, given_layout)?,
        storage_slice::<T>(&dy_held, dy_layout)?,
    );
    let dx = match activation {
        Activation::Relu => map_pairs(given, dy, Relu::backward),
        Activation::Relu6 => map_pairs(given, dy, Relu6::backward),
        Activation::Silu => map_pairs(given, dy, Silu::backward),
        Activation::Gelu => map_pairs(given, dy, Gelu::backward),
        Activation::Hardswish => map_pairs(given, dy, Hardswish::backward),
        Activation::Hardsigmoid => map_pairs(given, dy, Hardsigmoid::backward),
        Activation::Sigmoid => map_pairs(given, dy, |y, dy| dy * y * (T::ONE - y)),
        Activation::Tanh => map_pairs(given, dy, |y, dy| dy * (T::ONE - y * y)),
    }?;
    Tensor::from_vec(dx, x.shape(), x.device())
}

impl CustomOp1 for Activation {
    fn name(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Hardswish => "hardswish",
            Self::Sigmoid => "sigmoid",
            Self::Hardsigmoid => "hardsigmoid",
            Self::Tanh => "tanh",
        }
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(forward(*self, contiguous_slice(x, layout)?)),
            _ => CpuStorage::F32(forward(*self, contiguous_slice(x, layout)?)),
        };
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = match x.dtype() {
            DType::F64 => backward::<f64>(*self, x, y, dy),
            _ => backward::<f32>(*self, x, y, dy),
        };
        dx.map(Some)
    }
}
