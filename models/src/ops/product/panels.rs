//! Factors that many products share, laid out once as gemm's kernels read them: then a product copies neither of its
//! factors. `gemm::gemm` copies the weights of a 1x1 convolution anew for every block of its rows.

use std::mem::MaybeUninit;

use candle_core::{Result, bail};
use gemm_common::microkernel::MicroKernelFn;

use super::super::real::Real;
use super::Matrix;

/// gemm's kernels for some instructions. Each computes a tile of a result: some rows of it, and so many of its columns
/// as some vectors hold.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Tiles<T: 'static> {
    vector: usize,
    /// By vectors, then by rows.
    kernels: &'static [MicroKernelFn<T>],
    rows: usize,
}

impl<T> Tiles<T> {
    /// `vector`: how many numbers one holds. `rows`: how many a tile has at most.
    pub(super) fn new(vector: usize, kernels: &'static [MicroKernelFn<T>], rows: usize) -> Self {
        Self {
            vector,
            kernels,
            rows,
        }
    }

    /// Columns that a tile has at most.
    pub(in crate::ops) fn columns(&self) -> usize {
        self.vector * (self.kernels.len() / self.rows)
    }

    fn kernel(&self, rows: usize, columns: usize) -> MicroKernelFn<T> {
        self.kernels[(columns.div_ceil(self.vector) - 1) * self.rows + rows - 1]
    }
}

/// What a product does with what is in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum How {
    Put,
    Add,
    Subtract,
}

/// A matrix [depth, columns] cut into panels, each as many columns wide as a tile; the last may have columns that do not
/// count. The rows of a panel lie one after the other, the panels `apart` values from each other.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Panels<'a, T: 'static> {
    pub(in crate::ops) tiles: Tiles<T>,
    pub(in crate::ops) values: &'a [T],
    pub(in crate::ops) depth: usize,
    pub(in crate::ops) columns: usize,
    pub(in crate::ops) apart: usize,
}

/// Rows of a panel that are multiplied at a time: 128 KiB of f32 with AVX-512, a part of a core's second cache.
const DEPTH: usize = 512;

impl<T: Real> Panels<'_, T> {
    /// `a` [rows, depth] times the matrix, on this thread; the result's rows start `apart` values from each other.
    ///
    /// # Errors
    /// When it would reach past its factors or its result.
    ///
    /// # Safety
    /// Unless it is only put, what `out` has in the place of the result must be numbers.
    pub(in crate::ops) unsafe fn product(
        &self,
        a: Matrix<'_, T>,
        rows: usize,
        out: &mut [MaybeUninit<T>],
        apart: usize,
        how: How,
    ) -> Result<()> {
        let (depth, columns, width) = (self.depth, self.columns, self.tiles.columns());
        if rows * columns == 0 {
            return Ok(());
        }
        let panels = columns.div_ceil(width);
        let fits = a.holds(rows, depth)
            && self.values.len() >= (panels - 1) * self.apart + depth * width
            && apart >= columns
            && out.len() >= (rows - 1) * apart + columns;
        if !fits || depth == 0 {
            bail!(
                "a product of {rows}x{depth} and {depth}x{columns} reaches past its factors or its result"
            )
        }
        for start in (0..depth).step_by(DEPTH) {
            let length = DEPTH.min(depth - start);
            let add = how != How::Put || start > 0;
            let sign = match how {
                How::Subtract => T::ZERO - T::ONE,
                _ => T::ONE,
            };
            for panel in 0..panels {
                let first = panel * width;
                let across = width.min(columns - first);
                let values = &self.values[panel * self.apart + start * width..];
                for row in (0..rows).step_by(self.tiles.rows) {
                    let down = self.tiles.rows.min(rows - row);
                    let factor = &a.values[row * a.row + start * a.column..];
                    let out = &mut out[row * apart + first..];
                    // SAFETY: the factors and the result hold the tile's part of them, as checked above, and the
                    // result numbers where it is added to, as the caller promises.
                    unsafe {
                        self.tiles.kernel(down, across)(
                            across,
                            down,
                            length,
                            out.as_mut_ptr().cast(),
                            values.as_ptr(),
                            factor.as_ptr(),
                            apart as isize,
                            1,
                            width as isize,
                            a.column as isize,
                            a.row as isize,
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
        Ok(())
    }
}
