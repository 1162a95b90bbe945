//! Products of matrices, on the `gemm` crate, whose kernels use AVX-512 where the machine has it.
#![allow(unsafe_code, reason = "gemm takes pointers and strides")]

use candle_core::{Result, bail};
use gemm::{Parallelism, gemm};

use super::kernel::same_length;
use super::real::Real;
use super::threads;

/// A matrix in memory: where it starts in `values`, and how far it is to the next row and the next column.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub(super) values: &'a [T],
    row: usize,
    column: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Rows one after the other.
    pub(super) fn rows(values: &'a [T], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    pub(super) fn rows_from(self, row: usize) -> Self {
        Self {
            values: self.values.get(row * self.row..).unwrap_or_default(),
            ..self
        }
    }

    pub(super) fn columns_from(self, column: usize) -> Self {
        self.transposed().rows_from(column).transposed()
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows * columns == 0
            || self.values.len() > (rows - 1) * self.row + (columns - 1) * self.column
    }
}

/// Puts `a` [m, k] times `b` [k, n] into `out`, or adds it to what is there. `out` has rows one after the other, or
/// columns where `by_columns` says so.
pub(super) fn product<T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: &mut [T],
    by_columns: bool,
    add: bool,
) -> Result<()> {
    let parallelism = threads::for_product(m, n, k);
    product_on(parallelism, a, b, (m, k, n), out, by_columns, add)
}

/// As [`product`], on this thread, by columns.
pub(super) fn alone<T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [T],
) -> Result<()> {
    product_on(Parallelism::None, a, b, dims, out, true, false)
}

pub(super) fn product_on<T: Real>(
    parallelism: Parallelism,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: &mut [T],
    by_columns: bool,
    add: bool,
) -> Result<()> {
    if !a.holds(m, k) || !b.holds(k, n) {
        bail!("a product of {m}x{k} and {k}x{n} reaches past its factors")
    }
    same_length(m * n, out.len())?;
    let (column, row) = if by_columns { (m, 1) } else { (1, n) };
    // SAFETY: `a`, `b` and `out` hold all that the product reads and writes, as checked.
    unsafe {
        gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            column as isize,
            row as isize,
            add,
            a.values.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.values.as_ptr(),
            b.column as isize,
            b.row as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
    Ok(())
}
