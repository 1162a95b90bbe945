//! Factors that many products share, laid out once as gemm's kernels read them: then a product copies neither of its
//! factors. `gemm::gemm` copies the weights of a 1x1 convolution anew for every block of its rows.

use std::mem::MaybeUninit;

use candle_core::{Result, bail};
use gemm_common::microkernel::MicroKernelFn;

use super::super::real::Real;
use super::super::threads;
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

/// Where a result starts, each of whose columns one thread writes.
struct Start<T>(*mut T);

impl<T> Start<T> {
    /// The place so many values on.
    ///
    /// # Safety
    /// It must be a part of the result.
    unsafe fn at(&self, place: usize) -> *mut T {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(place) }
    }
}

// SAFETY: threads write into columns of their own.
unsafe impl<T: Send> Sync for Start<T> {}

impl<T: Real> Panels<'_, T> {
    /// `a` [rows, depth] times the matrix; the result's rows start `apart` values from each other. Threads that have
    /// nothing else to do take panels off this one.
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
        let out = Start(out.as_mut_ptr().cast::<T>());
        // SAFETY: the factors and the result hold all panels, as checked above, and the result numbers where it is added
        // to, as the caller promises.
        let panel = |panel| unsafe { self.panel(panel, a, rows, &out, apart, how) };
        if rows * depth * columns >= threads::PRODUCT {
            threads::below(panels, &panel);
        } else {
            (0..panels).for_each(panel);
        }
        Ok(())
    }

    /// A panel's columns of the product.
    ///
    /// # Safety
    /// The factors and the result must hold all that belongs to the panel; the result numbers, unless it is only put.
    unsafe fn panel(
        &self,
        panel: usize,
        a: Matrix<'_, T>,
        rows: usize,
        out: &Start<T>,
        apart: usize,
        how: How,
    ) {
        let width = self.tiles.columns();
        let first = panel * width;
        let across = width.min(self.columns - first);
        let sign = match how {
            How::Subtract => T::ZERO - T::ONE,
            _ => T::ONE,
        };
        for start in (0..self.depth).step_by(DEPTH) {
            let length = DEPTH.min(self.depth - start);
            let add = how != How::Put || start > 0;
            let values = &self.values[panel * self.apart + start * width..];
            for row in (0..rows).step_by(self.tiles.rows) {
                let down = self.tiles.rows.min(rows - row);
                let factor = &a.values[row * a.row + start * a.column..];
                // SAFETY: the factors and the result hold the tile's part of them, and the result numbers where it is
                // added to, as the caller promises.
                unsafe {
                    self.tiles.kernel(down, across)(
                        across,
                        down,
                        length,
                        out.at(row * apart + first),
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
}
