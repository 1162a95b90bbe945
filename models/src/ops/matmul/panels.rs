//! Factors that gemm's kernels read in place, so that a product packs neither of its factors: factors of many products,
//! packed once, and matrices whose rows are whole vectors. `gemm::gemm` packs the weights of a 1x1 convolution again
//! for every block of its rows.

use std::mem::MaybeUninit;

use candle_core::{Result, bail};
use gemm_common::microkernel::MicroKernelFn;

use super::super::float::Float;
use super::super::instructions;
use super::super::threads;
use super::Matrix;

/// gemm's microkernels for some instructions. Each computes a tile of a result: some of its rows, and some vectors of
/// its columns.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Microkernels<T: 'static> {
    vector: usize,
    /// Indexed by vectors, then by rows.
    kernels: &'static [MicroKernelFn<T>],
    rows: usize,
}

impl<T> Microkernels<T> {
    /// `vector` is the number of values in a vector, `rows` the most rows of a tile.
    pub(super) fn new(vector: usize, kernels: &'static [MicroKernelFn<T>], rows: usize) -> Self {
        Self {
            vector,
            kernels,
            rows,
        }
    }

    /// The most columns of a tile.
    pub(in crate::ops) fn columns(&self) -> usize {
        self.vector * (self.kernels.len() / self.rows)
    }

    fn kernel(&self, rows: usize, columns: usize) -> MicroKernelFn<T> {
        self.kernels[(columns.div_ceil(self.vector) - 1) * self.rows + rows - 1]
    }
}

/// How a product is written to the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum WriteMode {
    Assign,
    Add,
    Subtract,
}

/// A matrix [depth, columns] cut into panels as wide as a tile. The last panel may be narrower; it is padded to a whole
/// vector.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Panels<'a, T: 'static> {
    pub(in crate::ops) microkernels: Microkernels<T>,
    pub(in crate::ops) values: &'a [T],
    pub(in crate::ops) depth: usize,
    pub(in crate::ops) columns: usize,
    /// Values from one panel to the next.
    pub(in crate::ops) panel_stride: usize,
    /// Values from one row of a panel to the next.
    pub(in crate::ops) row_stride: usize,
}

/// Rows of a panel that are multiplied at a time: 128 KiB of f32 with AVX-512, a part of a core's second-level cache.
const DEPTH: usize = 512;

/// A pointer to a result. Each of its columns is written by one thread.
struct OutPtr<T>(*mut T);

impl<T> OutPtr<T> {
    /// The pointer to value `place`.
    ///
    /// # Safety
    /// The value must be a part of the result.
    unsafe fn at(&self, place: usize) -> *mut T {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(place) }
    }
}

// SAFETY: threads write into columns of their own.
unsafe impl<T: Send> Sync for OutPtr<T> {}

impl<'a, T: Float> Panels<'a, T> {
    /// The panels of a matrix, in place. `None` if its rows are not whole vectors, it has no rows, or there are no
    /// single kernels for this machine.
    pub(super) fn from_matrix(matrix: Matrix<'a, T>, depth: usize, columns: usize) -> Option<Self> {
        let microkernels = T::microkernels(instructions::in_use())?;
        let whole =
            depth > 0 && matrix.column_stride == 1 && columns.is_multiple_of(microkernels.vector);
        whole.then_some(Self {
            microkernels,
            values: matrix.values,
            depth,
            columns,
            panel_stride: microkernels.columns(),
            row_stride: matrix.row_stride,
        })
    }

    /// Whether `values` holds all panels, including their last vectors.
    fn fits(&self) -> bool {
        let width = self.microkernels.columns();
        let last = (self.columns - 1) / width;
        let across = (self.columns - last * width).next_multiple_of(self.microkernels.vector);
        let below = self.depth.saturating_sub(1) * self.row_stride;
        self.depth > 0 && self.values.len() >= last * self.panel_stride + below + across
    }

    /// `a` [rows, depth] times the matrix; the rows of the result start `apart` values apart. Idle threads take panels
    /// from this one.
    ///
    /// # Errors
    /// When it would reach past its factors or its result.
    ///
    /// # Safety
    /// Unless `mode` is [`WriteMode::Assign`], the result must be initialised.
    pub(in crate::ops) unsafe fn product(
        &self,
        a: Matrix<'_, T>,
        rows: usize,
        out: &mut [MaybeUninit<T>],
        apart: usize,
        mode: WriteMode,
    ) -> Result<()> {
        let (depth, columns) = (self.depth, self.columns);
        if rows * columns == 0 {
            return Ok(());
        }
        let fits_all = a.holds(rows, depth)
            && self.fits()
            && apart >= columns
            && out.len() >= (rows - 1) * apart + columns;
        if !fits_all {
            bail!(
                "a product of {rows}x{depth} and {depth}x{columns} reaches past its factors or its result"
            )
        }
        let out = OutPtr(out.as_mut_ptr().cast::<T>());
        // SAFETY: the factors and the result hold all panels, as checked above, and the result numbers where it is added
        // to, as the caller promises.
        let panel = |panel| unsafe { self.panel(panel, a, rows, &out, apart, mode) };
        let panels = columns.div_ceil(self.microkernels.columns());
        if rows * depth * columns >= threads::MIN_MATMUL {
            threads::parallel_for(panels, &panel);
        } else {
            (0..panels).for_each(panel);
        }
        Ok(())
    }

    /// The columns of one panel of the product.
    ///
    /// # Safety
    /// The factors and the result must hold the whole panel; unless `mode` is [`WriteMode::Assign`], the result must be initialised.
    unsafe fn panel(
        &self,
        panel: usize,
        a: Matrix<'_, T>,
        rows: usize,
        out: &OutPtr<T>,
        apart: usize,
        mode: WriteMode,
    ) {
        let width = self.microkernels.columns();
        let first = panel * width;
        let across = width.min(self.columns - first);
        let sign = match mode {
            WriteMode::Subtract => T::ZERO - T::ONE,
            _ => T::ONE,
        };
        for start in (0..self.depth).step_by(DEPTH) {
            let length = DEPTH.min(self.depth - start);
            let add = mode != WriteMode::Assign || start > 0;
            let values = &self.values[panel * self.panel_stride + start * self.row_stride..];
            for row in (0..rows).step_by(self.microkernels.rows) {
                let down = self.microkernels.rows.min(rows - row);
                let factor = &a.values[row * a.row_stride + start * a.column_stride..];
                // SAFETY: the factors and the result hold the tile's part of them, and the result numbers where it is
                // added to, as the caller promises.
                unsafe {
                    self.microkernels.kernel(down, across)(
                        across,
                        down,
                        length,
                        out.at(row * apart + first),
                        values.as_ptr(),
                        factor.as_ptr(),
                        apart as isize,
                        1,
                        self.row_stride as isize,
                        a.column_stride as isize,
                        a.row_stride as isize,
                        T::ONE,
                        sign,
                        u8::from(add),
                        false,
                        false,
                        false,
                        std::ptr::null(),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kernel::uninit_vec;
    use super::super::GemmKernels;
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count)
            .map(|i| ((i * 37 + seed) as f64 * 0.61).sin())
            .collect()
    }

    #[test]
    fn a_matrix_is_multiplied_as_it_lies() {
        let Some(microkernels) = <f64 as GemmKernels>::microkernels(instructions::in_use()) else {
            return;
        };
        for (rows, depth, vectors) in [(1, 1, 1), (7, 5, 3), (13, DEPTH + 9, 4), (100, 200, 21)] {
            let columns = vectors * microkernels.vector;
            let (row, apart) = (columns + 3, columns + 5);
            let a = numbers(rows * depth, 1);
            // The last row ends with its last column.
            let b = numbers((depth - 1) * row + columns, 2);
            let panels = Panels::from_matrix(Matrix::rows_apart(&b, row), depth, columns).unwrap();
            let mut out = uninit_vec((rows - 1) * apart + columns);
            // SAFETY: the first only puts, and wrote what the others add to.
            for (mode, times) in [
                (WriteMode::Assign, 1.0),
                (WriteMode::Add, 2.0),
                (WriteMode::Subtract, 1.0),
            ] {
                unsafe { panels.product(Matrix::rows(&a, depth), rows, &mut out, apart, mode) }
                    .unwrap();
                for i in 0..rows {
                    for j in 0..columns {
                        let exact: f64 =
                            (0..depth).map(|k| a[i * depth + k] * b[k * row + j]).sum();
                        // SAFETY: written.
                        let got = unsafe { out[i * apart + j].assume_init() };
                        let error = (got - times * exact).abs();
                        assert!(
                            error < 1e-13 * depth as f64,
                            "{rows}x{depth}x{columns} {mode:?}"
                        );
                    }
                }
            }
            let short = Matrix::rows_apart(&b[1..], row);
            let panels = Panels::from_matrix(short, depth, columns).unwrap();
            // SAFETY: only put.
            let refused = unsafe {
                panels.product(
                    Matrix::rows(&a, depth),
                    rows,
                    &mut out,
                    apart,
                    WriteMode::Assign,
                )
            };
            assert!(refused.is_err());
        }
    }

    #[test]
    fn rows_that_are_not_whole_vectors_are_left_to_gemm() {
        let values = numbers(100, 1);
        assert!(Panels::from_matrix(Matrix::rows(&values, 3), 4, 3).is_none());
        assert!(Panels::from_matrix(Matrix::rows(&values, 16).transposed(), 4, 16).is_none());
    }
}
