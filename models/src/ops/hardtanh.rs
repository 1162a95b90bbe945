//! Values between two bounds. PyTorch's `hardtanh`: the gradient is 0 at the bounds, and at NaN.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use super::float::Float;
use super::kernel::{contiguous_slice, map, map_pairs, storage_slice};
use super::reference;
use super::tape::{SaveForBackward, apply1};

/// Replaces values less than `min` by `min`, and values greater than `max` by `max`. NaN stays NaN.
///
/// # Errors
/// When the tensor does not lie in one piece on the CPU.
pub fn hardtanh(x: &Tensor, min: f64, max: f64) -> Result<Tensor> {
    if reference::selected() {
        return reference::hardtanh(x, min, max);
    }
    apply1(x, Hardtanh { min, max }, SaveForBackward::Values)
}

struct Hardtanh {
    min: f64,
    max: f64,
}

impl Hardtanh {
    fn forward<T: Float>(&self, x: &[T]) -> Vec<T> {
        let (min, max) = (T::of(self.min), T::of(self.max));
        map(x, move |x| {
            let x = if x < min { min } else { x };
            if x > max { max } else { x }
        })
    }

    fn backward<T: Float>(&self, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let dy = dy.contiguous()?;
        let (x_held, x_layout) = x.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let (min, max) = (T::of(self.min), T::of(self.max));
        let dx = map_pairs(
            storage_slice::<T>(&x_held, x_layout)?,
            storage_slice::<T>(&dy_held, dy_layout)?,
            move |x, dy| if (x > min) & (x < max) { dy } else { T::ZERO },
        )?;
        Tensor::from_vec(dx, x.shape(), x.device())
    }
}

impl CustomOp1 for Hardtanh {
    fn name(&self) -> &'static str {
        "hardtanh"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(self.forward(contiguous_slice(x, layout)?)),
            _ => CpuStorage::F32(self.forward(contiguous_slice(x, layout)?)),
        };
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = match x.dtype() {
            DType::F64 => self.backward::<f64>(x, dy),
            _ => self.backward::<f32>(x, dy),
        };
        dx.map(Some)
    }
}
