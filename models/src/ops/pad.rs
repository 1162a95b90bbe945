//! Zeros around images. PyTorch's `ZeroPad2d`, for paddings that differ between the sides; a convolution pads both sides
//! alike by itself.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::float::Float;
use super::kernel::{contiguous_slice, storage_slice};
use super::reference;
use super::tape::{SaveForBackward, apply1};
use super::threads;

/// Images `[n, height, width, channels]` with `[left, right, top, bottom]` columns and rows of zeros around them.
///
/// # Errors
/// When `x` has another rank or is not contiguous.
pub fn zero_pad2d(x: &Tensor, padding: [usize; 4]) -> Result<Tensor> {
    if reference::selected() {
        return reference::zero_pad2d(x, padding);
    }
    apply1(x, ZeroPad2d { padding }, SaveForBackward::Shapes)
}

struct ZeroPad2d {
    /// Left, right, top, bottom.
    padding: [usize; 4],
}

impl ZeroPad2d {
    /// The sizes `[n, height, width, channels]` without the padding and with it.
    fn dims(&self, x: &Shape) -> Result<([usize; 4], [usize; 4])> {
        let (n, height, width, channels) = x.dims4()?;
        let [left, right, top, bottom] = self.padding;
        let padded = [n, height + top + bottom, width + left + right, channels];
        Ok(([n, height, width, channels], padded))
    }

    /// The offset of a row of the image among the padded values, in values of one image.
    fn offset(&self, row: usize, [_, _, width, channels]: [usize; 4]) -> usize {
        let [left, _, top, _] = self.padding;
        ((row + top) * width + left) * channels
    }

    fn pad<T: Float>(&self, x: &[T], from: [usize; 4], to: [usize; 4]) -> Vec<T> {
        let (inner, outer) = (image(from), image(to));
        let row = from[2] * from[3];
        let mut y = vec![T::ZERO; to[0] * outer];
        let write = |(y, x): (&mut [T], &[T])| {
            for (at, values) in x.chunks_exact(row.max(1)).enumerate() {
                let offset = self.offset(at, to);
                y[offset..offset + row].copy_from_slice(values);
            }
        };
        let images = y.chunks_mut(outer.max(1)).zip(x.chunks(inner.max(1)));
        threads::for_each_item(images, outer, write);
        y
    }

    fn crop<T: Float>(&self, dy: &[T], from: [usize; 4], to: [usize; 4]) -> Vec<T> {
        let (inner, outer) = (image(from), image(to));
        let row = from[2] * from[3];
        let mut dx = vec![T::ZERO; from[0] * inner];
        let read = |(dx, dy): (&mut [T], &[T])| {
            for (at, values) in dx.chunks_exact_mut(row.max(1)).enumerate() {
                let offset = self.offset(at, to);
                values.copy_from_slice(&dy[offset..offset + row]);
            }
        };
        let images = dx.chunks_mut(inner.max(1)).zip(dy.chunks(outer.max(1)));
        threads::for_each_item(images, inner, read);
        dx
    }
}

/// Values of one image.
fn image([_, height, width, channels]: [usize; 4]) -> usize {
    height * width * channels
}

impl CustomOp1 for ZeroPad2d {
    fn name(&self) -> &'static str {
        "zero-pad-2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (from, to) = self.dims(layout.shape())?;
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(self.pad(contiguous_slice(x, layout)?, from, to)),
            _ => CpuStorage::F32(self.pad(contiguous_slice(x, layout)?, from, to)),
        };
        Ok((y, Shape::from(&to)))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (from, to) = self.dims(x.shape())?;
        if dy.dims() != to {
            bail!("a gradient of {:?} for an image of {to:?}", dy.dims())
        }
        let dy = dy.contiguous()?;
        let (storage, layout) = dy.storage_and_layout();
        let dx = match x.dtype() {
            DType::F64 => Tensor::from_vec(
                self.crop(storage_slice::<f64>(&storage, layout)?, from, to),
                x.shape(),
                x.device(),
            ),
            _ => Tensor::from_vec(
                self.crop(storage_slice::<f32>(&storage, layout)?, from, to),
                x.shape(),
                x.device(),
            ),
        };
        dx.map(Some)
    }
}
