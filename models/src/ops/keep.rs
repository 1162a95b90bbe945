//! Small changes in place of what a network keeps beside its parameters.

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, bail};

use super::kernel::same_length;

/// Moves every value of an f32 tensor by a share of the way to a target.
#[derive(Clone, Copy, Debug)]
pub struct MoveTowards<'a> {
    /// Where to, by place.
    pub target: &'a [f64],
    /// How much of the way, 0 to 1.
    pub share: f64,
}

impl InplaceOp1 for MoveTowards<'_> {
    fn name(&self) -> &'static str {
        "move-towards"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("move-towards takes f32 values in one piece")
        };
        let values = &mut values[start..end];
        same_length(values.len(), self.target.len())?;
        for (value, target) in values.iter_mut().zip(self.target) {
            *value = ((1.0 - self.share) * f64::from(*value) + self.share * target) as f32;
        }
        Ok(())
    }
}

/// Counts up an i64 tensor.
#[derive(Clone, Copy, Debug)]
pub struct AddOne;

impl InplaceOp1 for AddOne {
    fn name(&self) -> &'static str {
        "add-one"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::I64(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("add-one takes i64 values in one piece")
        };
        values[start..end].iter_mut().for_each(|value| *value += 1);
        Ok(())
    }
}

/// Puts other values in the place of a tensor's, as many and of the same type or one that the tensor's holds.
#[derive(Clone, Copy, Debug)]
pub enum Overwrite<'a> {
    /// For a tensor of f32 or f64.
    F32(&'a [f32]),
    /// For an i64 tensor.
    I64(&'a [i64]),
}

impl InplaceOp1 for Overwrite<'_> {
    fn name(&self) -> &'static str {
        "overwrite"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("overwrite takes values in one piece")
        };
        match (storage, self) {
            (CpuStorage::F32(old), Self::F32(new)) => {
                same_length(end - start, new.len())?;
                old[start..end].copy_from_slice(new);
            }
            (CpuStorage::F64(old), Self::F32(new)) => {
                same_length(end - start, new.len())?;
                for (old, new) in old[start..end].iter_mut().zip(*new) {
                    *old = f64::from(*new);
                }
            }
            (CpuStorage::I64(old), Self::I64(new)) => {
                same_length(end - start, new.len())?;
                old[start..end].copy_from_slice(new);
            }
            _ => bail!("overwrite takes values of the tensor's own type"),
        }
        Ok(())
    }
}
