//! The functions between layers, with the gradients PyTorch gives them: ReLU'(0) is 0.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

use super::kernel::{held, map, map_pairs, numbers};
use super::real::Real;
use super::tape::{Needs, apply1};

/// A function applied to every value between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, x)`
    Relu,
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)`
    Tanh,
}

/// Applies an activation to every value.
///
/// # Errors
/// When the tensor does not lie in one piece on the CPU.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    apply1(x, activation, Needs::Values)
}

/// Never overflows: the exponent is of the number's negated size.
#[inline(always)]
pub(super) fn sigmoid<T: Real>(x: T) -> T {
    let e = Real::exp(T::ZERO - Real::abs(x));
    let s = T::ONE / (T::ONE + e);
    if x < T::ZERO { e * s } else { s }
}

/// NaN stays NaN: a run that diverges must be seen to.
#[inline(always)]
pub(super) fn relu<T: Real>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

fn forward<T: Real>(activation: Activation, x: &[T]) -> Vec<T> {
    match activation {
        Activation::Relu => map(x, relu),
        Activation::Silu => map(x, |x| x * sigmoid(x)),
        Activation::Sigmoid => map(x, sigmoid),
        Activation::Tanh => map(x, Real::tanh),
    }
}

/// The gradient from that of the result; from the result alone where that is enough.
fn backward<T: Real>(
    activation: Activation,
    x: &Tensor,
    y: &Tensor,
    dy: &Tensor,
) -> Result<Tensor> {
    let dy = dy.contiguous()?;
    let given = if activation == Activation::Silu { x } else { y };
    let (given_held, given_layout) = given.storage_and_layout();
    let (dy_held, dy_layout) = dy.storage_and_layout();
    let (given, dy) = (
        held::<T>(&given_held, given_layout)?,
        held::<T>(&dy_held, dy_layout)?,
    );
    let dx = match activation {
        Activation::Relu => map_pairs(given, dy, |y, dy| if y <= T::ZERO { T::ZERO } else { dy }),
        Activation::Silu => map_pairs(given, dy, |x, dy| {
            let s = sigmoid(x);
            dy * s * (T::ONE + x * (T::ONE - s))
        }),
        Activation::Sigmoid => map_pairs(given, dy, |y, dy| dy * y * (T::ONE - y)),
        Activation::Tanh => map_pairs(given, dy, |y, dy| dy * (T::ONE - y * y)),
    }?;
    Tensor::from_vec(dx, x.shape(), x.device())
}

impl CustomOp1 for Activation {
    fn name(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
        }
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(forward(*self, numbers(x, layout)?)),
            _ => CpuStorage::F32(forward(*self, numbers(x, layout)?)),
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
