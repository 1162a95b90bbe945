//! Permutations between NCHW, the layout of inputs, and NHWC, the layout that operations compute in.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use super::float::Float;
use super::kernel::{contiguous_slice, init_vec, storage_slice};
use super::reference;
use super::tape::{SaveForBackward, apply1};
use super::threads;

/// Images `[n, channels, height, width]` as `[n, height, width, channels]`.
///
/// # Errors
/// When `x` has another rank.
pub fn channels_last(x: &Tensor) -> Result<Tensor> {
    if reference::selected() {
        return reference::channels_last(x);
    }
    apply1(x, Permute::ToLast, SaveForBackward::Shapes)
}

/// Images `[n, height, width, channels]` as `[n, channels · height · width]`: PyTorch's `flatten(1)` of NCHW images.
///
/// # Errors
/// When `x` has another rank.
pub fn flatten_channels_first(x: &Tensor) -> Result<Tensor> {
    if reference::selected() {
        return reference::flatten_channels_first(x);
    }
    apply1(x, Permute::ToRows, SaveForBackward::Shapes)
}

#[derive(Clone, Copy)]
enum Permute {
    ToLast,
    ToRows,
}

/// Transposes each of the images `[rows, columns]`.
fn transpose<T: Float>(x: &[T], rows: usize, columns: usize) -> Vec<T> {
    /// Rows and columns of a block whose cache lines stay in the first-level cache.
    const BLOCK: usize = 16;
    let image = (rows * columns).max(1);
    let turn = |(y, x): (&mut [MaybeUninit<T>], &[T])| {
        for first_row in (0..rows).step_by(BLOCK) {
            for first_column in (0..columns).step_by(BLOCK) {
                for column in first_column..(first_column + BLOCK).min(columns) {
                    for row in first_row..(first_row + BLOCK).min(rows) {
                        y[column * rows + row].write(x[row * columns + column]);
                    }
                }
            }
        }
    };
    // SAFETY: each image is written as a whole, and the images cover all.
    unsafe {
        init_vec(x.len(), |y| {
            let images = y.chunks_mut(image).zip(x.chunks(image));
            threads::for_each_item(images, image, turn);
        })
    }
}

impl Permute {
    /// Rows and columns of an image, and the shape of the result.
    fn dims(self, x: &Shape) -> Result<(usize, usize, Shape)> {
        let (n, a, b, c) = x.dims4()?;
        Ok(match self {
            Self::ToLast => (a, b * c, (n, b, c, a).into()),
            Self::ToRows => (a * b, c, (n, a * b * c).into()),
        })
    }
}

impl CustomOp1 for Permute {
    fn name(&self) -> &'static str {
        match self {
            Self::ToLast => "channels-last",
            Self::ToRows => "flatten",
        }
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, columns, shape) = self.dims(layout.shape())?;
        let y = match x {
            CpuStorage::F64(_) => {
                CpuStorage::F64(transpose(contiguous_slice(x, layout)?, rows, columns))
            }
            _ => CpuStorage::F32(transpose(contiguous_slice(x, layout)?, rows, columns)),
        };
        Ok((y, shape))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (rows, columns, _) = self.dims(x.shape())?;
        let dy = dy.contiguous()?;
        let (storage, layout) = dy.storage_and_layout();
        let dx = match x.dtype() {
            DType::F64 => Tensor::from_vec(
                transpose(storage_slice::<f64>(&storage, layout)?, columns, rows),
                x.shape(),
                x.device(),
            ),
            _ => Tensor::from_vec(
                transpose(storage_slice::<f32>(&storage, layout)?, columns, rows),
                x.shape(),
                x.device(),
            ),
        };
        dx.map(Some)
    }
}
