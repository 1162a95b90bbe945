//! Max pooling of channels-last images.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;
use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::super::float::Float;
use super::super::kernel::{
    assume_init_vec, contiguous_slice, simd_dispatch, storage_slice, uninit_vec, zero_init,
};
use super::super::reference;
use super::super::tape::{SaveForBackward, apply1};
use super::super::threads;
use super::PoolWindow;

/// The maximum of each channel under the window: `[n, height, width, channels]` to `[n, height', width', channels]`.
/// The first of equal values receives the gradient, and NaN counts as the maximum. PyTorch's `max_pool2d`.
///
/// # Errors
/// When the window does not fit the image, has more than [`PoolWindow::MAX_POSITIONS`] pixels, or more than half of it can
/// lie in the padding.
pub fn max_pool2d(x: &Tensor, window: PoolWindow) -> Result<Tensor> {
    let op = MaxPool {
        window,
        places: Mutex::new(Vec::new()),
    };
    if reference::selected() {
        op.shape(x.shape())?;
        return reference::max_pool2d(x, window);
    }
    apply1(x, op, SaveForBackward::Shapes)
}

struct MaxPool {
    window: PoolWindow,
    /// The position in the window that each value of the result came from.
    places: Mutex<Vec<u8>>,
}

/// The shapes of an image and of its pooling.
#[derive(Clone, Copy)]
pub(super) struct PoolShape {
    image: [usize; 2],
    result: [usize; 2],
    channels: usize,
    window: PoolWindow,
}

impl PoolShape {
    /// The pixels of the image under the window of a result, each with its position there. There is at least one,
    /// because at most half of a window lies in the padding.
    #[inline(always)]
    fn under(self, row: usize, column: usize) -> impl Iterator<Item = (u8, usize)> {
        let (
            [height, width],
            PoolWindow {
                kernel,
                stride,
                padding,
                ..
            },
        ) = (self.image, self.window);
        (0..kernel[0]).flat_map(move |ky| {
            (0..kernel[1]).filter_map(move |kx| {
                let y = (row * stride[0] + ky).wrapping_sub(padding[0]);
                let x = (column * stride[1] + kx).wrapping_sub(padding[1]);
                let inside = y < height && x < width;
                inside.then(|| ((ky * kernel[1] + kx) as u8, y * width + x))
            })
        })
    }
}

simd_dispatch! {
    /// Pools one image, and writes the positions that the maxima came from.
    fn pool[T: Float](shape: PoolShape, x: &[T], y: &mut [MaybeUninit<T>], places: &mut [MaybeUninit<u8>]) {
        let ([rows, columns], channels) = (shape.result, shape.channels);
        for row in 0..rows {
            for column in 0..columns {
                let at = (row * columns + column) * channels;
                let (y, places) = (&mut y[at..at + channels], &mut places[at..at + channels]);
                let mut under = shape.under(row, column);
                let (first, pixel) = under.next().unwrap_or_default();
                let y = y.write_copy_of_slice(&x[pixel * channels..][..channels]);
                places.fill(MaybeUninit::new(first));
                // SAFETY: just filled.
                let places = unsafe { places.assume_init_mut() };
                for (place, pixel) in under {
                    let x = &x[pixel * channels..][..channels];
                    for c in 0..channels {
                        // `x` is greater, or NaN, which is not equal to itself.
                        #[allow(clippy::eq_op, reason = "a number that is not equal to itself is none")]
                        let take = (x[c] > y[c]) | (x[c] != x[c]);
                        y[c] = if take { x[c] } else { y[c] };
                        places[c] = if take { place } else { places[c] };
                    }
                }
            }
        }
    }
}

simd_dispatch! {
    /// Adds one image's gradient to `dx`. Every pixel under a window adds its gradient or 0, so that all channels of a
    /// pixel take the same path although their maxima are at different positions.
    fn unpool[T: Float](shape: PoolShape, dy: &[T], places: &[u8], dx: &mut [T]) {
        let ([rows, columns], channels) = (shape.result, shape.channels);
        for row in 0..rows {
            for column in 0..columns {
                let at = (row * columns + column) * channels;
                let (dy, places) = (&dy[at..at + channels], &places[at..at + channels]);
                for (place, pixel) in shape.under(row, column) {
                    let dx = &mut dx[pixel * channels..][..channels];
                    for c in 0..channels {
                        dx[c] += if places[c] == place { dy[c] } else { T::ZERO };
                    }
                }
            }
        }
    }
}

impl MaxPool {
    fn shape(&self, x: &Shape) -> Result<(usize, PoolShape)> {
        let (n, height, width, channels) = x.dims4()?;
        let window = self.window;
        let is_small =
            window.kernel[0].saturating_mul(window.kernel[1]) <= PoolWindow::MAX_POSITIONS;
        let result = window.positions([height, width]);
        let (Some(result), true, true) = (result, is_small, channels > 0) else {
            bail!("max-pool: {window:?} does not fit an image {x:?}")
        };
        let shape = PoolShape {
            image: [height, width],
            result,
            channels,
            window,
        };
        Ok((n, shape))
    }

    fn forward<T: Float>(&self, shape: PoolShape, n: usize, x: &[T]) -> Vec<T> {
        let result = shape.result[0] * shape.result[1] * shape.channels;
        let image = shape.image[0] * shape.image[1] * shape.channels;
        let (mut y, mut places) = (uninit_vec(n * result), uninit_vec(n * result));
        let images = y
            .chunks_exact_mut(result)
            .zip(places.chunks_exact_mut(result))
            .zip(x.chunks_exact(image));
        threads::for_each_item(images, image, |((y, places), x)| pool(shape, x, y, places));
        // SAFETY: both were written, image by image.
        let (y, places) = unsafe { (assume_init_vec(y), assume_init_vec(places)) };
        if let Ok(mut kept) = self.places.lock() {
            *kept = places;
        }
        y
    }

    fn backward<T: Float>(&self, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let (_, shape) = self.shape(x.shape())?;
        let dy = dy.contiguous()?;
        let (storage, layout) = dy.storage_and_layout();
        let dy = storage_slice::<T>(&storage, layout)?;
        let Ok(places) = self.places.lock() else {
            bail!("max-pool: its forward pass failed")
        };
        let result = shape.result[0] * shape.result[1] * shape.channels;
        let image = shape.image[0] * shape.image[1] * shape.channels;
        let mut dx = uninit_vec::<T>(x.elem_count());
        let images = dx
            .chunks_exact_mut(image)
            .zip(dy.chunks_exact(result))
            .zip(places.chunks_exact(result));
        threads::for_each_item(images, image, |((dx, dy), places)| {
            unpool(shape, dy, places, zero_init(dx))
        });
        // SAFETY: set to zero, image by image.
        Tensor::from_vec(unsafe { assume_init_vec(dx) }, x.shape(), x.device())
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, shape) = self.shape(layout.shape())?;
        let y = match x {
            CpuStorage::F64(_) => {
                CpuStorage::F64(self.forward(shape, n, contiguous_slice(x, layout)?))
            }
            _ => CpuStorage::F32(self.forward(shape, n, contiguous_slice(x, layout)?)),
        };
        let [rows, columns] = shape.result;
        Ok((y, (n, rows, columns, shape.channels).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = match x.dtype() {
            DType::F64 => self.backward::<f64>(x, dy),
            _ => self.backward::<f32>(x, dy),
        };
        dx.map(Some)
    }
}
