//! 1x1 convolutions: one product over all pixels of all images.

use std::mem::MaybeUninit;

use candle_core::Result;
use rayon::prelude::*;

use super::super::kernel::zeroed;
use super::super::product::{Matrix, alone_by_rows, fresh_product, product};
use super::super::real::Real;
use super::super::threads;
use super::{Sizes, weights};

pub(super) fn forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) -> Result<()> {
    let (rows, inputs, outputs) = dims(sizes);
    // gemm would turn the weights itself, and slower.
    let weight = weights::taps_first(weight, outputs, inputs, 1);
    let (x, weight) = (Matrix::rows(x, inputs), Matrix::rows(&weight, outputs));
    let dims = (rows, inputs, outputs);
    match bias {
        None => fresh_product(x, weight, dims, y),
        Some(bias) => {
            let y = zeroed(y);
            y.chunks_exact_mut(outputs)
                .for_each(|row| row.copy_from_slice(bias));
            product(x, weight, dims, y, false, true)
        }
    }
}

pub(super) fn gradients<T: Real>(
    sizes: &Sizes,
    (x, weight, dy): (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    let (rows, inputs, outputs) = dims(sizes);
    let (x, dy) = (Matrix::rows(x, inputs), Matrix::rows(dy, outputs));
    if let Some(dx) = dx {
        let weight = Matrix::rows(weight, inputs);
        fresh_product(dy, weight, (rows, outputs, inputs), dx)?;
    }
    match dweight {
        Some(dweight) => long_product(dy, x, (outputs, rows, inputs), dweight),
        None => Ok(()),
    }
}

/// Values of a result up to which threads share the rows of a long product and not its result.
const SMALL_RESULT: usize = 1 << 18;

/// Puts `aᵀ` `[m, rows]` times `b` `[rows, n]` into `out`. gemm leaves threads idle where the result is small and the
/// rows are many, so then each thread takes a part of the rows.
pub(super) fn long_product<T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, rows, n): (usize, usize, usize),
    out: &mut [T],
) -> Result<()> {
    let parts = threads::threads().min(rows / 256);
    if parts < 2 || m * n > SMALL_RESULT {
        return product(a.transposed(), b, (m, rows, n), out, false, false);
    }
    let length = rows.div_ceil(parts);
    let sums: Vec<_> = (0..parts)
        .into_par_iter()
        .map(|part| {
            let start = part * length;
            let dims = (m, length.min(rows - start), n);
            let mut sums = vec![T::ZERO; m * n];
            alone_by_rows(
                a.rows_from(start).transposed(),
                b.rows_from(start),
                dims,
                &mut sums,
                false,
            )?;
            Ok(sums)
        })
        .collect::<Result<_>>()?;
    out.fill(T::ZERO);
    for part in sums {
        out.iter_mut()
            .zip(part)
            .for_each(|(sum, part)| *sum += part);
    }
    Ok(())
}

/// Pixels of all images, inputs, outputs.
fn dims(sizes: &Sizes) -> (usize, usize, usize) {
    (
        sizes.n * sizes.image_pixels(),
        sizes.image[2],
        sizes.result[2],
    )
}
