//! 1x1 convolutions: a matrix product over all pixels of all images, in blocks of pixels, each on one thread.

use std::mem::MaybeUninit;

use candle_core::Result;

use super::super::float::Float;
use super::super::kernel::{uninit_vec, zip_mut};
use super::super::matmul::{
    Accumulator, Matrix, matmul, matmul_uninit, single_threaded_uninit, strassen,
};
use super::super::threads;
use super::{BLOCK, ConvShape, weights};

pub(super) fn forward<T: Float>(
    shape: &ConvShape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) -> Result<()> {
    let (rows, inputs, outputs) = dims(shape);
    let weight = ForwardWeights::new(weight, rows, inputs, outputs)?;
    let block = if rows * inputs * outputs < threads::MIN_MATMUL {
        rows.max(1)
    } else {
        block(rows, inputs)
    };
    let parts = y.chunks_mut(block * outputs).zip(x.chunks(block * inputs));
    let _: Vec<()> = threads::try_map(parts, |(y, x)| {
        let mut memory = uninit_vec(weight.memory(block));
        weight.block(x, (inputs, outputs), y, &mut memory)?;
        if let Some(bias) = bias {
            // SAFETY: the product wrote all of it.
            let y = unsafe { y.assume_init_mut() };
            y.chunks_exact_mut(outputs).for_each(|row| {
                row.iter_mut().zip(bias).for_each(|(y, bias)| *y += *bias);
            });
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) fn gradients<T: Float>(
    shape: &ConvShape,
    (x, weight, dy): (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    let (rows, inputs, outputs) = dims(shape);
    let (dx, dweight) = match (dx, dweight) {
        (Some(dx), Some(dweight)) if strassen::is_worthwhile::<T>(rows, inputs, outputs) => {
            let weight = BackwardWeights::new(weight, rows, inputs, outputs)?;
            let share = rows.div_ceil(threads::threads());
            let block = block(rows, inputs);
            let shares = dx
                .chunks_mut(share * inputs)
                .zip(x.chunks(share * inputs))
                .zip(dy.chunks(share * outputs));
            let mut parts: Vec<_> = threads::try_map(shares, |((dx, x), dy)| {
                let mut sums = weight.sums();
                let mut memory = uninit_vec(weight.memory(block));
                let blocks = x.chunks(block * inputs).zip(dy.chunks(block * outputs));
                for (factors, dx) in blocks.zip(dx.chunks_mut(block * inputs)) {
                    weight.block(factors, (inputs, outputs), dx, &mut sums, &mut memory)?;
                }
                Ok(sums)
            })?;
            let parts: Vec<_> = parts.iter_mut().map(|part| &*part.values()).collect();
            add_up(&parts, (rows, inputs, outputs), dweight, false);
            return Ok(());
        }
        asked => asked,
    };
    let (x, dy) = (Matrix::rows(x, inputs), Matrix::rows(dy, outputs));
    if let Some(dx) = dx {
        let weight = Matrix::rows(weight, inputs);
        matmul_uninit(dy, weight, (rows, outputs, inputs), dx)?;
    }
    match dweight {
        Some(dweight) => split_k_matmul(dy, x, (outputs, rows, inputs), dweight),
        None => Ok(()),
    }
}

/// Rows per block of a matrix product.
fn block(rows: usize, inputs: usize) -> usize {
    (BLOCK / inputs).clamp(1, rows.div_ceil(threads::threads()))
}

/// The weights `[outputs, inputs]` of a 1x1 convolution, prepared for matrix products over blocks of rows.
pub(super) enum ForwardWeights<T: 'static> {
    /// `[inputs, outputs]`: gemm would transpose them itself, but slower.
    Whole(Vec<T>),
    Halves(strassen::Forward<T>),
}

impl<T: Float> ForwardWeights<T> {
    /// `rows`: the rows of all products together.
    pub(super) fn new(weight: &[T], rows: usize, inputs: usize, outputs: usize) -> Result<Self> {
        let turned = weights::taps_first(weight, outputs, inputs, 1);
        let halves = strassen::Forward::new(&turned, (rows, inputs, outputs))?;
        Ok(halves.map_or(Self::Whole(turned), Self::Halves))
    }

    /// Values of scratch memory for a block of rows.
    pub(super) fn memory(&self, rows: usize) -> usize {
        match self {
            Self::Whole(_) => 0,
            Self::Halves(weight) => weight.memory(rows),
        }
    }

    /// Writes the results of a block of rows.
    pub(super) fn block(
        &self,
        x: &[T],
        (inputs, outputs): (usize, usize),
        y: &mut [MaybeUninit<T>],
        memory: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        match self {
            Self::Whole(weight) => {
                let dims = (x.len() / inputs, inputs, outputs);
                single_threaded_uninit(
                    Matrix::rows(x, inputs),
                    Matrix::rows(weight, outputs),
                    dims,
                    y,
                )
            }
            Self::Halves(weight) => weight.block(x, y, memory),
        }
    }
}

/// As [`ForwardWeights`], for both gradients.
pub(super) enum BackwardWeights<'a, T: 'static> {
    Whole(&'a [T]),
    Halves(strassen::Backward<T>),
}

impl<'a, T: Float> BackwardWeights<'a, T> {
    /// As [`ForwardWeights::new`].
    pub(super) fn new(weight: &'a [T], rows: usize, inputs: usize, outputs: usize) -> Result<Self> {
        let halves = strassen::Backward::new(weight, (rows, inputs, outputs))?;
        Ok(halves.map_or(Self::Whole(weight), Self::Halves))
    }

    /// Values of scratch memory for a block of rows.
    pub(super) fn memory(&self, rows: usize) -> usize {
        match self {
            Self::Whole(_) => 0,
            Self::Halves(weight) => weight.memory(rows),
        }
    }

    /// Memory for the partial sums of the weights' gradient.
    pub(super) fn sums(&self) -> Accumulator<T> {
        match self {
            Self::Whole(weight) => Accumulator::new(weight.len()),
            Self::Halves(weight) => weight.products(),
        }
    }

    /// Writes the gradient of a block of rows, and adds to the partial sums.
    pub(super) fn block(
        &self,
        (x, dy): (&[T], &[T]),
        (inputs, outputs): (usize, usize),
        dx: &mut [MaybeUninit<T>],
        sums: &mut Accumulator<T>,
        memory: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        match self {
            Self::Whole(weight) => {
                let rows = x.len() / inputs;
                let dy = Matrix::rows(dy, outputs);
                let dims = (rows, outputs, inputs);
                single_threaded_uninit(dy, Matrix::rows(weight, inputs), dims, dx)?;
                let dims = (outputs, rows, inputs);
                sums.add(dy.transposed(), Matrix::rows(x, inputs), dims)
            }
            Self::Halves(weight) => weight.block((x, dy), dx, sums, memory),
        }
    }
}

/// Writes the gradient of the weights, or adds to it, from the partial sums of [`BackwardWeights`] of each task.
pub(super) fn add_up<T: Float>(
    parts: &[&[T]],
    (rows, inputs, outputs): (usize, usize, usize),
    out: &mut [T],
    add: bool,
) {
    if strassen::is_worthwhile::<T>(rows, inputs, outputs) {
        strassen::scatter(parts, inputs, out, add);
    } else {
        add_parts(parts, out, add);
    }
}

/// Writes the sum of slices to another slice, or adds it to that.
pub(super) fn add_parts<T: Float>(parts: &[&[T]], out: &mut [T], add: bool) {
    if !add {
        out.fill(T::ZERO);
    }
    for part in parts {
        zip_mut(out, part, |sum, part| *sum += part);
    }
}

/// The most values of a result for split-K: above this, threads share the result instead.
const SMALL_RESULT: usize = 1 << 18;

/// Puts `aᵀ` `[m, rows]` times `b` `[rows, n]` into `out`. gemm leaves threads idle for a small result with many rows,
/// so then each thread takes a part of the rows (split-K).
pub(super) fn split_k_matmul<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, rows, n): (usize, usize, usize),
    out: &mut [T],
) -> Result<()> {
    let parts = threads::threads().min(rows / 256);
    if parts < 2 || m * n > SMALL_RESULT {
        return matmul(a.transposed(), b, (m, rows, n), out, false, false);
    }
    let length = rows.div_ceil(parts);
    let mut sums: Vec<_> = threads::try_map((0..rows).step_by(length), |start| {
        let dims = (m, length.min(rows - start), n);
        let mut sums = Accumulator::new(m * n);
        sums.add(a.rows_from(start).transposed(), b.rows_from(start), dims)?;
        Ok(sums)
    })?;
    let parts: Vec<_> = sums.iter_mut().map(|part| &*part.values()).collect();
    add_parts(&parts, out, false);
    Ok(())
}

/// Pixels of all images, input channels, output channels.
pub(super) fn dims(shape: &ConvShape) -> (usize, usize, usize) {
    (
        shape.n * shape.image_pixels(),
        shape.image[2],
        shape.result[2],
    )
}
