//! In-place operations on what a network keeps beside its parameters, named as PyTorch's: with an underscore at the end.

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};

use super::kernel::check_len;
use super::reference;

/// Moves every value of an f32 tensor towards the value of `target` at its index: `x + weight·(target - x)`.
///
/// # Errors
/// When the tensor is not f32 and contiguous, or `target` has another length.
pub fn lerp_(tensor: &Tensor, target: &[f64], weight: f64) -> Result<()> {
    if reference::selected() {
        return reference::lerp_(tensor, target, weight);
    }
    tensor.inplace_op1(&Lerp { target, weight })
}

struct Lerp<'a> {
    target: &'a [f64],
    weight: f64,
}

impl InplaceOp1 for Lerp<'_> {
    fn name(&self) -> &'static str {
        "lerp_"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("lerp_ takes f32 values in one piece")
        };
        let values = &mut values[start..end];
        check_len(values.len(), self.target.len())?;
        for (value, target) in values.iter_mut().zip(self.target) {
            *value = ((1.0 - self.weight) * f64::from(*value) + self.weight * target) as f32;
        }
        Ok(())
    }
}

/// Adds 1 to every value of an i64 tensor.
///
/// # Errors
/// When the tensor is not i64 and contiguous.
pub fn add_one_(tensor: &Tensor) -> Result<()> {
    if reference::selected() {
        return reference::add_one_(tensor);
    }
    tensor.inplace_op1(&AddOne)
}

struct AddOne;

impl InplaceOp1 for AddOne {
    fn name(&self) -> &'static str {
        "add_one_"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::I64(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("add_one_ takes i64 values in one piece")
        };
        values[start..end].iter_mut().for_each(|value| *value += 1);
        Ok(())
    }
}

/// Values for [`copy_`].
#[derive(Clone, Copy, Debug)]
pub enum CopySource<'a> {
    /// For a tensor of f32 or f64.
    F32(&'a [f32]),
    /// For an i64 tensor.
    I64(&'a [i64]),
}

/// Copies values into a tensor of as many, whose type is that of the values or a wider one.
///
/// # Errors
/// When the tensor is not contiguous, or has another length or type.
pub fn copy_(tensor: &Tensor, values: CopySource<'_>) -> Result<()> {
    if reference::selected() {
        return reference::copy_(tensor, values);
    }
    tensor.inplace_op1(&values)
}

impl InplaceOp1 for CopySource<'_> {
    fn name(&self) -> &'static str {
        "copy_"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("copy_ takes values in one piece")
        };
        match (storage, self) {
            (CpuStorage::F32(old), Self::F32(new)) => {
                check_len(end - start, new.len())?;
                old[start..end].copy_from_slice(new);
            }
            (CpuStorage::F64(old), Self::F32(new)) => {
                check_len(end - start, new.len())?;
                for (old, new) in old[start..end].iter_mut().zip(*new) {
                    *old = f64::from(*new);
                }
            }
            (CpuStorage::I64(old), Self::I64(new)) => {
                check_len(end - start, new.len())?;
                old[start..end].copy_from_slice(new);
            }
            _ => bail!("copy_ takes values of the tensor's own type"),
        }
        Ok(())
    }
}
