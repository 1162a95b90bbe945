//! Products of two tensors, where one may have a single value for each channel of the other: the gates of
//! squeeze-and-excitation (Hu and others 2018).
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

use super::float::Float;
use super::kernel::{
    PARTIAL_ROWS, assume_init_vec, contiguous_slice, map_pairs, simd_dispatch, storage_slice,
    uninit_vec,
};
use super::reference;
use super::tape::{apply2, requires_grad};
use super::threads;

/// The product of two tensors of one shape, or of images `[n, height, width, channels]` and gates `[n, 1, 1, channels]`.
///
/// # Errors
/// When the shapes do not match.
pub fn mul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a, b) = if a.elem_count() < b.elem_count() {
        (b, a)
    } else {
        (a, b)
    };
    let op = Product::new(a.shape(), b.shape())?;
    if reference::selected() {
        return reference::mul(a, b);
    }
    apply2(a, b, op)
}

/// The product of `a` and the gates `b`.
struct Product {
    /// Rows of an image, each with a value for every channel; 1 where the shapes are the same.
    pixels: usize,
    channels: usize,
}

simd_dispatch! {
    /// Multiplies the rows of one image by its gates.
    fn scale[T: Float](x: &[T], gates: &[T], y: &mut [MaybeUninit<T>]) {
        let channels = gates.len();
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                y[c].write(x[c] * gates[c]);
            }
        }
    }
}

simd_dispatch! {
    /// Adds the products of some rows.
    fn add_products[T: Float](a: &[T], b: &[T], sums: &mut [T]) {
        let channels = sums.len();
        for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
            for c in 0..channels {
                sums[c] += a[c] * b[c];
            }
        }
    }
}

impl Product {
    fn new(a: &Shape, b: &Shape) -> Result<Self> {
        let (pixels, channels) = match (a.dims(), b.dims()) {
            (a, b) if a == b => (1, a.last().copied().unwrap_or(1)),
            ([n, height, width, channels], [m, 1, 1, gates]) if (n, channels) == (m, gates) => {
                (height * width, *channels)
            }
            _ => bail!("a product of {a:?} and {b:?}"),
        };
        Ok(Self { pixels, channels })
    }

    fn image(&self) -> usize {
        (self.pixels * self.channels).max(1)
    }

    fn forward<T: Float>(&self, a: &[T], b: &[T]) -> Result<Vec<T>> {
        if self.pixels == 1 {
            return map_pairs(a, b, |a, b| a * b);
        }
        let mut y = uninit_vec(a.len());
        let images = y
            .chunks_exact_mut(self.image())
            .zip(a.chunks_exact(self.image()))
            .zip(b.chunks_exact(self.channels.max(1)));
        threads::for_each_item(images, self.image(), |((y, a), b)| scale(a, b, y));
        // SAFETY: written, image by image.
        Ok(unsafe { assume_init_vec(y) })
    }

    /// The sums of `a` times `dy` over the pixels of each image, a few rows at a time in the precision of `T`.
    fn gate_gradient<T: Float>(&self, a: &[T], dy: &[T]) -> Vec<T> {
        let rows = PARTIAL_ROWS * self.channels.max(1);
        let images = a
            .chunks_exact(self.image())
            .zip(dy.chunks_exact(self.image()));
        let parts = threads::map(images, |(a, dy)| {
            let (mut sums, mut short) = (vec![0.0; self.channels], vec![T::ZERO; self.channels]);
            for (a, dy) in a.chunks(rows).zip(dy.chunks(rows)) {
                short.fill(T::ZERO);
                add_products(a, dy, &mut short);
                for (sum, short) in sums.iter_mut().zip(&short) {
                    *sum += short.to_f64();
                }
            }
            sums.into_iter().map(T::of).collect::<Vec<_>>()
        });
        parts.concat()
    }

    fn backward<T: Float>(
        &self,
        a: &Tensor,
        b: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let (a_held, a_layout) = a.storage_and_layout();
        let (b_held, b_layout) = b.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let dy = storage_slice::<T>(&dy_held, dy_layout)?;
        let da = if requires_grad(a) {
            let da = self.forward(dy, storage_slice::<T>(&b_held, b_layout)?)?;
            Some(Tensor::from_vec(da, a.shape(), a.device())?)
        } else {
            None
        };
        let db = if requires_grad(b) {
            let a = storage_slice::<T>(&a_held, a_layout)?;
            let db = if self.pixels == 1 {
                map_pairs(a, dy, |a, dy| a * dy)?
            } else {
                self.gate_gradient(a, dy)
            };
            Some(Tensor::from_vec(db, b.shape(), b.device())?)
        } else {
            None
        };
        Ok((da, db))
    }
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = match a {
            CpuStorage::F64(_) => CpuStorage::F64(self.forward(
                contiguous_slice(a, a_layout)?,
                contiguous_slice(b, b_layout)?,
            )?),
            _ => CpuStorage::F32(self.forward(
                contiguous_slice(a, a_layout)?,
                contiguous_slice(b, b_layout)?,
            )?),
        };
        Ok((y, a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        match a.dtype() {
            DType::F64 => self.backward::<f64>(a, b, dy),
            _ => self.backward::<f32>(a, b, dy),
        }
    }
}
