//! The reference of operations that change a tensor in place.

use candle_core::{DType, Result, Tensor};

use crate::ops::inplace::CopySource;

/// Overwrites the values of a tensor.
pub(super) fn set(tensor: &Tensor, values: &Tensor) -> Result<()> {
    let values = values.reshape(tensor.shape())?.to_dtype(tensor.dtype())?;
    tensor
        .unsqueeze(0)?
        .slice_set(&values.unsqueeze(0)?.contiguous()?, 0, 0)
}

pub(in crate::ops) fn lerp_(tensor: &Tensor, target: &[f64], weight: f64) -> Result<()> {
    let target = Tensor::from_slice(target, tensor.shape(), tensor.device())?;
    let values = (tensor.to_dtype(DType::F64)? * (1.0 - weight))?;
    set(tensor, &(values + (target * weight)?)?)
}

pub(in crate::ops) fn ema_(average: &Tensor, current: &Tensor, weight: f64) -> Result<()> {
    if average.dtype() == DType::I64 {
        return set(average, current);
    }
    set(average, &(average + ((current - average)? * weight)?)?)
}

pub(in crate::ops) fn add_one_(tensor: &Tensor) -> Result<()> {
    set(tensor, &(tensor + tensor.ones_like()?)?)
}

pub(in crate::ops) fn copy_(tensor: &Tensor, values: CopySource<'_>) -> Result<()> {
    let values = match values {
        CopySource::F32(values) => Tensor::from_slice(values, values.len(), tensor.device())?,
        CopySource::I64(values) => Tensor::from_slice(values, values.len(), tensor.device())?,
    };
    set(tensor, &values)
}
