//! In-place operations on what a network keeps beside its parameters, named as PyTorch's: with an underscore at the end.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, Layout, Result, Tensor, bail};

use super::kernel::check_len;
use super::reference;
use super::threads;

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

/// Moves every value of `average` towards that of `current`: `average + weight·(current - average)`, for f32 in single
/// precision as PyTorch's `lerp_`. Values of i64, such as counts of batches, are copied instead.
///
/// # Errors
/// When the tensors are not both f32 or both i64, not contiguous, or differ in length.
pub fn ema_(average: &Tensor, current: &Tensor, weight: f64) -> Result<()> {
    if reference::selected() {
        return reference::ema_(average, current, weight);
    }
    let weight = weight as f32;
    average.inplace_op2(current, &Ema { weight })
}

struct Ema {
    weight: f32,
}

impl InplaceOp2 for Ema {
    fn name(&self) -> &'static str {
        "ema_"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        average_layout: &Layout,
        current: &CpuStorage,
        current_layout: &Layout,
    ) -> Result<()> {
        let (Some((start, end)), Some((from, to))) = (
            average_layout.contiguous_offsets(),
            current_layout.contiguous_offsets(),
        ) else {
            bail!("ema_ takes values in one piece")
        };
        check_len(end - start, to - from)?;
        match (average, current) {
            (CpuStorage::F32(average), CpuStorage::F32(current)) => {
                let (average, current) = (&mut average[start..end], &current[from..to]);
                let part = threads::chunk_len(average.len());
                let parts = average.chunks_mut(part).zip(current.chunks(part));
                let weight = self.weight;
                threads::for_each(parts, |(average, current)| {
                    for (average, current) in average.iter_mut().zip(current) {
                        let way = *current - *average;
                        // Both forms are PyTorch's: each ends exactly at the value that it is near.
                        *average = if weight < 0.5 {
                            *average + weight * way
                        } else {
                            *current - way * (1.0 - weight)
                        };
                    }
                });
            }
            (CpuStorage::I64(average), CpuStorage::I64(current)) => {
                average[start..end].copy_from_slice(&current[from..to]);
            }
            _ => bail!("ema_ takes two tensors of f32 or of i64"),
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
