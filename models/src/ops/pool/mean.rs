//! Means of channels-last images: under a window, and over a grid of parts.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::super::float::Float;
use super::super::kernel::{
    assume_init_vec, contiguous_slice, simd_dispatch, storage_slice, uninit_vec, zero_init,
};
use super::super::reference;
use super::super::tape::{SaveForBackward, apply1};
use super::super::threads;
use super::{PoolPart, PoolWindow};

/// The mean of each channel under the window: `[n, height, width, channels]` to `[n, height', width', channels]`.
/// PyTorch's `avg_pool2d`: with `count_include_pad` the padding counts, as zeros.
///
/// # Errors
/// When the window does not fit the image, or more than half of it can lie in the padding.
pub fn avg_pool2d(x: &Tensor, window: PoolWindow, count_include_pad: bool) -> Result<Tensor> {
    let op = MeanPool::Window {
        window,
        count_include_pad,
    };
    if reference::selected() {
        op.shape(x.shape())?;
        return reference::avg_pool2d(x, window, count_include_pad);
    }
    apply1(x, op, SaveForBackward::Shapes)
}

/// Means over a grid of `rows` x `columns` cells. Cells overlap where they do not divide the image: `[n, height, width,
/// channels]` to `[n, rows, columns, channels]`. PyTorch's `adaptive_avg_pool2d`; with 1x1 the global mean.
///
/// # Errors
/// When there are no cells or no pixels.
pub fn adaptive_avg_pool2d(x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    let op = MeanPool::Cells([rows, columns]);
    if reference::selected() {
        op.shape(x.shape())?;
        return reference::adaptive_avg_pool2d(x, rows, columns);
    }
    apply1(x, op, SaveForBackward::Shapes)
}

/// Which means are taken.
#[derive(Clone, Copy, Debug)]
enum MeanPool {
    /// Of a grid of cells: rows and columns.
    Cells([usize; 2]),
    /// Of a window that moves.
    Window {
        window: PoolWindow,
        count_include_pad: bool,
    },
}

/// What the means are taken of.
pub(super) struct PoolShape {
    n: usize,
    width: usize,
    channels: usize,
    /// The parts of the image, down and across.
    rows: Vec<PoolPart>,
    columns: Vec<PoolPart>,
    /// Values of an image and of its result.
    image: usize,
    result: usize,
}

simd_dispatch! {
    /// Adds the means of one image to `y`.
    fn average[T: Float](shape: &PoolShape, x: &[T], y: &mut [T]) {
        let channels = shape.channels;
        let mut means = y.chunks_exact_mut(channels);
        for row in &shape.rows {
            for column in &shape.columns {
                let Some(means) = means.next() else { return };
                let share = T::of(1.0 / (row.count * column.count) as f64);
                for y in row.start..row.end {
                    let pixels = (y * shape.width + column.start) * channels..(y * shape.width + column.end) * channels;
                    for pixel in x[pixels].chunks_exact(channels) {
                        for (mean, value) in means.iter_mut().zip(pixel) {
                            *mean += *value * share;
                        }
                    }
                }
            }
        }
    }
}

simd_dispatch! {
    /// Adds the gradient of one image to `dx`.
    fn spread[T: Float](shape: &PoolShape, dy: &[T], dx: &mut [T]) {
        let channels = shape.channels;
        let mut parts = dy.chunks_exact(channels);
        for row in &shape.rows {
            for column in &shape.columns {
                let Some(part) = parts.next() else { return };
                let share = T::of(1.0 / (row.count * column.count) as f64);
                for y in row.start..row.end {
                    let pixels = (y * shape.width + column.start) * channels..(y * shape.width + column.end) * channels;
                    for pixel in dx[pixels].chunks_exact_mut(channels) {
                        for (sum, part) in pixel.iter_mut().zip(part) {
                            *sum += *part * share;
                        }
                    }
                }
            }
        }
    }
}

impl MeanPool {
    fn shape(&self, x: &Shape) -> Result<PoolShape> {
        let (n, height, width, channels) = x.dims4()?;
        let (rows, columns) = match *self {
            Self::Cells([rows, columns]) => {
                (adaptive_parts(rows, height), adaptive_parts(columns, width))
            }
            Self::Window {
                window,
                count_include_pad,
            } if window.positions([height, width]).is_some() => (
                window.parts(0, height, count_include_pad),
                window.parts(1, width, count_include_pad),
            ),
            Self::Window { .. } => (Vec::new(), Vec::new()),
        };
        if rows.len() * columns.len() * height * width * channels == 0 {
            bail!("mean-pool: {self:?} does not fit an image {x:?}")
        }
        Ok(PoolShape {
            n,
            width,
            channels,
            image: height * width * channels,
            result: rows.len() * columns.len() * channels,
            rows,
            columns,
        })
    }

    fn forward<T: Float>(&self, shape: &PoolShape, x: &[T]) -> Vec<T> {
        let mut means = uninit_vec(shape.n * shape.result);
        let images = means
            .chunks_exact_mut(shape.result)
            .zip(x.chunks_exact(shape.image));
        threads::for_each_item(images, shape.image, |(means, x)| {
            average(shape, x, zero_init(means));
        });
        // SAFETY: set to zero, image by image.
        unsafe { assume_init_vec(means) }
    }

    fn backward<T: Float>(&self, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let shape = self.shape(x.shape())?;
        let dy = dy.contiguous()?;
        let (storage, layout) = dy.storage_and_layout();
        let dy = storage_slice::<T>(&storage, layout)?;
        let mut dx = uninit_vec::<T>(x.elem_count());
        let images = dx
            .chunks_exact_mut(shape.image)
            .zip(dy.chunks_exact(shape.result));
        threads::for_each_item(images, shape.image, |(dx, dy)| {
            spread(&shape, dy, zero_init(dx));
        });
        // SAFETY: set to zero, image by image.
        Tensor::from_vec(unsafe { assume_init_vec(dx) }, x.shape(), x.device())
    }
}

/// The parts of a side that `count` cells cover.
pub(crate) fn adaptive_parts(count: usize, side: usize) -> Vec<PoolPart> {
    let cell = |cell: usize| {
        let (start, end) = (cell * side / count, ((cell + 1) * side).div_ceil(count));
        PoolPart {
            start,
            end,
            count: end - start,
        }
    };
    (0..count).map(cell).collect()
}

impl CustomOp1 for MeanPool {
    fn name(&self) -> &'static str {
        "mean-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = self.shape(layout.shape())?;
        let y = match x {
            CpuStorage::F64(_) => {
                CpuStorage::F64(self.forward(&shape, contiguous_slice(x, layout)?))
            }
            _ => CpuStorage::F32(self.forward(&shape, contiguous_slice(x, layout)?)),
        };
        let (rows, columns) = (shape.rows.len(), shape.columns.len());
        Ok((y, (shape.n, rows, columns, shape.channels).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = match x.dtype() {
            DType::F64 => self.backward::<f64>(x, dy),
            _ => self.backward::<f32>(x, dy),
        };
        dx.map(Some)
    }
}
