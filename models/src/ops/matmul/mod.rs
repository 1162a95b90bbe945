//! Matrix products, on the `gemm` crate, whose kernels use AVX-512 where the machine has it.
//!
//! | module | what it is |
//! |---|---|
//! | `microkernel` | gemm with narrower instructions than the machine has, and its single kernels |
//! | `panels` | factors of many products, packed as the kernels read them |
//! | `blocks` | the sums of a matrix's four blocks that Strassen's products take |
//! | `strassen` | large 1x1 convolutions by Strassen's seven products |
#![allow(unsafe_code, reason = "gemm takes pointers and strides")]

mod blocks;
mod microkernel;
mod panels;
pub(super) mod strassen;

use std::mem::MaybeUninit;

use candle_core::{Result, bail};
use gemm::{Parallelism, gemm};

pub(super) use self::microkernel::GemmKernels;
use self::microkernel::{GemmArgs, StridedPtr};
use self::panels::{Panels, WriteMode};
use super::float::Float;
use super::instructions::narrower;
use super::kernel::{check_len, uninit_vec, zero_init};
use super::threads;

/// A matrix in memory: its values, and the strides of rows and columns.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub(super) values: &'a [T],
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A contiguous row-major matrix.
    pub(super) fn rows(values: &'a [T], columns: usize) -> Self {
        Self {
            values,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// A row-major matrix whose rows start `row_stride` values apart.
    pub(super) fn rows_apart(values: &'a [T], row_stride: usize) -> Self {
        Self {
            values,
            row_stride,
            column_stride: 1,
        }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    pub(super) fn rows_from(self, row: usize) -> Self {
        Self {
            values: self.values.get(row * self.row_stride..).unwrap_or_default(),
            ..self
        }
    }

    pub(super) fn columns_from(self, column: usize) -> Self {
        self.transposed().rows_from(column).transposed()
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows * columns == 0
            || self.values.len() > (rows - 1) * self.row_stride + (columns - 1) * self.column_stride
    }
}

/// Writes `a` [m, k] times `b` [k, n] to `out`, or adds it to `out`. `out` is row-major, or column-major where
/// `by_columns` is true.
pub(super) fn matmul<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: &mut [T],
    by_columns: bool,
    add: bool,
) -> Result<()> {
    let steps = if by_columns { (m, 1) } else { (1, n) };
    let parallelism = threads::gemm_parallelism(m, n, k);
    gemm_into(parallelism, a, b, (m, k, n), out, steps, add)
}

/// As [`matmul`], on this thread, column-major.
pub(super) fn single_threaded<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [T],
) -> Result<()> {
    gemm_into(Parallelism::None, a, b, dims, out, (dims.0, 1), false)
}

/// As [`matmul`], on this thread, row-major.
pub(super) fn single_threaded_by_rows<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [T],
    add: bool,
) -> Result<()> {
    gemm_into(Parallelism::None, a, b, dims, out, (1, dims.2), add)
}

/// Writes `a` [m, k] times `b` [k, n] to uninitialised memory, row-major. All of `out` is written.
pub(super) fn matmul_uninit<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: &mut [MaybeUninit<T>],
) -> Result<()> {
    check_len(m * n, out.len())?;
    let parallelism = threads::gemm_parallelism(m, n, k);
    // SAFETY: nothing of `out` is read.
    unsafe { checked(parallelism, a, b, (m, k, n), out, (1, n), false) }
}

/// As [`matmul_uninit`], on this thread.
pub(super) fn single_threaded_uninit<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [MaybeUninit<T>],
) -> Result<()> {
    check_len(dims.0 * dims.2, out.len())?;
    single_threaded_uninit_strided(a, b, dims, out, dims.2)
}

/// As [`single_threaded_uninit`], with rows that start `apart` values apart; what lies between them is not written.
pub(super) fn single_threaded_uninit_strided<T: Float>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [MaybeUninit<T>],
    apart: usize,
) -> Result<()> {
    // SAFETY: nothing of `out` is read.
    unsafe { checked(Parallelism::None, a, b, dims, out, (1, apart), false) }
}

/// Memory in which a thread adds up products. The first is assigned, so the memory needs no zeros.
pub(super) struct Accumulator<T> {
    values: Vec<MaybeUninit<T>>,
    /// Whether anything was added, so that the memory is initialised.
    any: bool,
}

impl<T: Float> Accumulator<T> {
    pub(super) fn new(len: usize) -> Self {
        Self {
            values: uninit_vec(len),
            any: false,
        }
    }

    /// Adds `a` [m, k] times `b` [k, n], row-major, on this thread.
    pub(super) fn add(
        &mut self,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        dims: (usize, usize, usize),
    ) -> Result<()> {
        check_len(dims.0 * dims.2, self.values.len())?;
        // SAFETY: the product writes all of it.
        unsafe {
            self.update(|values, add| {
                checked(Parallelism::None, a, b, dims, values, (1, dims.2), add)
            })
        }
    }

    /// Calls `work` with the memory, and with whether to add to it or to initialise it.
    ///
    /// # Safety
    /// Where its second argument is false, `work` must write all of the memory, or fail.
    unsafe fn update(
        &mut self,
        work: impl FnOnce(&mut [MaybeUninit<T>], bool) -> Result<()>,
    ) -> Result<()> {
        work(&mut self.values, self.any)?;
        self.any = true;
        Ok(())
    }

    /// The sums; zeros if nothing was added.
    pub(super) fn values(&mut self) -> &mut [T] {
        if !self.any {
            self.any = true;
            return zero_init(&mut self.values);
        }
        // SAFETY: something was added, which wrote all of them.
        unsafe { self.values.assume_init_mut() }
    }
}

/// A product into initialised memory.
fn gemm_into<T: Float>(
    parallelism: Parallelism,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
    out: &mut [T],
    steps: (usize, usize),
    add: bool,
) -> Result<()> {
    check_len(dims.0 * dims.2, out.len())?;
    // SAFETY: `out` holds numbers, and the product writes nothing else.
    unsafe {
        let out = &mut *(std::ptr::from_mut(out) as *mut [MaybeUninit<T>]);
        checked(parallelism, a, b, dims, out, steps, add)
    }
}

/// A checked product. `(column_stride, row_stride)` are those of `out`.
///
/// # Errors
/// When the product would reach past its factors or its result, or values of the result would overlap.
///
/// # Safety
/// Where `add` is set, the values of `out` that are added to must be initialised.
unsafe fn checked<T: Float>(
    parallelism: Parallelism,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: &mut [MaybeUninit<T>],
    (column_stride, row_stride): (usize, usize),
    add: bool,
) -> Result<()> {
    if m * n == 0 {
        return Ok(());
    }
    let disjoint = row_stride >= n * column_stride || column_stride >= m * row_stride;
    let last = (m - 1) * row_stride + (n - 1) * column_stride;
    if !a.holds(m, k) || !b.holds(k, n) || !disjoint || last >= out.len() {
        bail!("a product of {m}x{k} and {k}x{n} reaches past its factors or its result")
    }
    if matches!(parallelism, Parallelism::None)
        && column_stride == 1
        && let Some(panels) = Panels::from_matrix(b, k, n)
    {
        let mode = if add {
            WriteMode::Add
        } else {
            WriteMode::Assign
        };
        // SAFETY: `out` holds numbers where it is added to, as the caller promises.
        return unsafe { panels.product(a, m, out, row_stride, mode) };
    }
    let out = out.as_mut_ptr().cast();
    // SAFETY: `a`, `b` and `out` hold all that the product reads and writes, as checked.
    unsafe {
        multiply(
            parallelism,
            a,
            b,
            (m, k, n),
            out,
            (column_stride, row_stride),
            add,
        )
    };
    Ok(())
}

/// Calls gemm. `(column_stride, row_stride)` are those of `out`.
///
/// # Safety
/// `a` must hold m x k values, `b` k x n, and `out` must have room for m x n, which are initialised where `add` is set.
unsafe fn multiply<T: Float>(
    parallelism: Parallelism,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (m, k, n): (usize, usize, usize),
    out: *mut T,
    (column_stride, row_stride): (usize, usize),
    add: bool,
) {
    if let Some(instructions) = narrower() {
        let at = |matrix: Matrix<'_, T>| StridedPtr {
            start: matrix.values.as_ptr(),
            column_stride: matrix.column_stride,
            row_stride: matrix.row_stride,
        };
        let args = GemmArgs {
            dims: (m, k, n),
            a: at(a),
            b: at(b),
            out: StridedPtr {
                start: out,
                column_stride,
                row_stride,
            },
            add,
        };
        // SAFETY: as the caller promises.
        return unsafe { T::multiply(args, instructions, parallelism) };
    }
    // SAFETY: as the caller promises.
    unsafe {
        gemm(
            m,
            n,
            k,
            out,
            column_stride as isize,
            row_stride as isize,
            add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}
