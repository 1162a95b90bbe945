//! Concatenation along the last dimension, and its inverse.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::{DType, Result, Tensor, bail};

use super::float::Float;
use super::kernel::{init_vec, storage_slice};
use super::threads;

/// Concatenates tensors along their last dimension. All other dimensions must be equal.
///
/// # Errors
/// When the shapes do not match, or `parts` is empty.
pub(super) fn cat(parts: &[&Tensor]) -> Result<Tensor> {
    match parts.first().map(|part| part.dtype()) {
        Some(DType::F64) => cat_of::<f64>(parts),
        _ => cat_of::<f32>(parts),
    }
}

fn cat_of<T: Float>(parts: &[&Tensor]) -> Result<Tensor> {
    let Some((first, Some((_, others)))) =
        parts.first().map(|part| (part, part.dims().split_last()))
    else {
        bail!("cat: there is nothing to join")
    };
    let contiguous = parts
        .iter()
        .map(|part| part.contiguous())
        .collect::<Result<Vec<_>>>()?;
    let held_parts: Vec<_> = contiguous.iter().map(Tensor::storage_and_layout).collect();
    let mut slices = Vec::with_capacity(parts.len());
    for (part, (storage, layout)) in parts.iter().zip(&held_parts) {
        match part.dims().split_last() {
            Some((width, rest)) if rest == others => {
                slices.push((*width, storage_slice::<T>(storage, layout)?));
            }
            _ => bail!("cat: {:?} beside {:?}", part.shape(), first.shape()),
        }
    }
    let rows: usize = others.iter().product();
    let width: usize = slices.iter().map(|(width, _)| width).sum();
    // SAFETY: the parts of a row cover it.
    let values = unsafe {
        init_vec(rows * width, |out| {
            in_rows(out, width, |row, mut out| {
                for (width, values) in &slices {
                    let (part, rest) = out.split_at_mut(*width);
                    part.write_copy_of_slice(&values[row * width..(row + 1) * width]);
                    out = rest;
                }
            });
        })
    };
    Tensor::from_vec(values, [others, &[width]].concat(), first.device())
}

/// Calls `write` for every row; threads share the rows.
fn in_rows<T: Float>(
    out: &mut [MaybeUninit<T>],
    width: usize,
    write: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync,
) {
    let width = width.max(1);
    let part = threads::units_per_chunk(out.len() / width, width);
    threads::for_each(out.chunks_mut(part * width).enumerate(), |(i, rows)| {
        for (row, out) in rows.chunks_exact_mut(width).enumerate() {
            write(i * part + row, out);
        }
    });
}

/// Splits a tensor into tensors of these widths. Each has its own memory.
///
/// # Errors
/// When the widths do not add up to the tensor's last dimension.
pub(super) fn split(x: &Tensor, widths: &[usize]) -> Result<Vec<Tensor>> {
    match x.dtype() {
        DType::F64 => split_of::<f64>(x, widths),
        _ => split_of::<f32>(x, widths),
    }
}

fn split_of<T: Float>(x: &Tensor, widths: &[usize]) -> Result<Vec<Tensor>> {
    let Some((all, others)) = x.dims().split_last() else {
        bail!("split: a number has no columns")
    };
    if widths.iter().sum::<usize>() != *all {
        bail!("split: {all} columns are not {widths:?}")
    }
    let rows: usize = others.iter().product();
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let values = storage_slice::<T>(&storage, layout)?;
    let mut start = 0;
    let mut parts = Vec::with_capacity(widths.len());
    for width in widths {
        // SAFETY: every row is written as a whole.
        let part = unsafe {
            init_vec(rows * width, |out| {
                in_rows(out, *width, |row, out| {
                    out.write_copy_of_slice(&values[row * all + start..][..*width]);
                });
            })
        };
        parts.push(Tensor::from_vec(
            part,
            [others, &[*width]].concat(),
            x.device(),
        )?);
        start += width;
    }
    Ok(parts)
}
