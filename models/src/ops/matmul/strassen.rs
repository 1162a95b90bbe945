//! The three products of a 1x1 convolution by Strassen's algorithm (1969), in Winograd's form with few sums (1971):
//! seven products of half the size instead of eight.
//!
//! Images `x` [rows, in], weights `w` [in, out] and results `y` [rows, out] are cut into four blocks. Seven sums of the
//! blocks of each, `u` of the images, `v` of the weights and `g` of the gradients of the results, satisfy
//!
//! ```text
//! trace(x·w·dyᵀ) = Σᵢ trace(uᵢ·vᵢ·gᵢᵀ)
//! ```
//!
//! Its derivatives are the three products, each with the same sums: by `dy` it is `y = x·w`, by `x` it is `dx = dy·wᵀ`,
//! by `w` it is `dw = xᵀ·dy`. So the backward pass computes the sums of `dy` once for both gradients, and adds up the
//! seven products `uᵢᵀ·gᵢ` over all rows before it scatters them to `dw`.
//!
//! Rows are processed in blocks that fit a core's cache together with their sums. The sums of the weights are computed
//! once for all blocks and packed as the kernels read them. An odd row is paired with a row of zeros. A pixel is paired
//! with another one, so a NaN in one pixel also reaches the results of the other.

use std::mem::MaybeUninit;

use candle_core::Result;

use super::super::float::Float;
use super::super::instructions;
use super::super::kernel::{assume_init, assume_init_vec, check_len, simd_dispatch, uninit_vec};
use super::super::threads;
use super::blocks::{
    Combination, Inputs, Layout, OutputGradients, PRODUCTS, TransposedWeights, Weights, sum_piece,
    sums,
};
use super::panels::{Microkernels, Panels, WriteMode};
use super::{Accumulator, Matrix};

/// The fewest channels on either side, and the fewest rows, for which this is faster, as measured.
const CHANNELS: usize = 256;
const ROWS: usize = 256;

simd_dispatch! {
    /// Writes `f` of the values of two matrices to a block of a third, whose rows are twice as long.
    fn zip_into_block[T: Float, F: Fn(T, T) -> T](f: F, a: &[T], b: &[T], out: &mut [MaybeUninit<T>], apart: usize) {
        let half = apart / 2;
        let inputs = a.chunks_exact(half).zip(b.chunks_exact(half));
        for (out, (a, b)) in out.chunks_mut(apart).zip(inputs) {
            let (out, a, b) = (&mut out[..half], &a[..half], &b[..half]);
            for j in 0..half {
                out[j].write(f(a[j], b[j]));
            }
        }
    }
}

/// Whether a 1x1 convolution over `rows` pixels uses Strassen's algorithm.
pub(in crate::ops) fn is_worthwhile<T: Float>(rows: usize, inputs: usize, outputs: usize) -> bool {
    microkernels_for::<T>(rows, inputs, outputs).is_some()
}

/// The machine's kernels, if the matrices have even sides and are large enough.
fn microkernels_for<T: Float>(
    rows: usize,
    inputs: usize,
    outputs: usize,
) -> Option<Microkernels<T>> {
    let even = inputs.is_multiple_of(2) && outputs.is_multiple_of(2);
    let large = inputs.min(outputs) >= CHANNELS && rows >= ROWS;
    T::microkernels(instructions::in_use()).filter(|_| even && large)
}

/// The packed sums of the weights for the products of one direction, from `depth` channels to `columns`.
struct PackedWeights<T: 'static> {
    microkernels: Microkernels<T>,
    layout: Layout,
    values: Vec<T>,
}

impl<T: Float> PackedWeights<T> {
    /// Computes the sums; threads share the panels.
    fn new(
        microkernels: Microkernels<T>,
        combination: impl Combination,
        weight: &[T],
        (depth, columns): (usize, usize),
    ) -> Result<Self> {
        check_len(depth * columns, weight.len())?;
        let layout = Layout::panels(microkernels, depth, columns);
        let mut values = uninit_vec(layout.len());
        let pieces = values.chunks_exact_mut(layout.piece()).enumerate();
        threads::for_each(pieces, |(number, piece)| {
            sum_piece(combination, weight, &layout, number, piece);
        });
        // SAFETY: `sum_piece` wrote every piece.
        let values = unsafe { assume_init_vec(values) };
        Ok(Self {
            microkernels,
            layout,
            values,
        })
    }

    fn panels(&self, i: usize) -> Panels<'_, T> {
        panels(self.microkernels, &self.layout, &self.values, i)
    }
}

/// Sum `i` of sums in panels.
fn panels<'a, T: Float>(
    microkernels: Microkernels<T>,
    layout: &Layout,
    values: &'a [T],
    i: usize,
) -> Panels<'a, T> {
    Panels {
        microkernels,
        values: &values[i * layout.each()..],
        depth: layout.depth,
        columns: layout.columns,
        panel_stride: layout.piece(),
        row_stride: layout.row_stride,
    }
}

/// Sum `i` of row-major sums.
fn row_matrix<'a, T: Float>(layout: &Layout, values: &'a [T], i: usize) -> Matrix<'a, T> {
    Matrix::rows_apart(
        &values[i * layout.each()..][..layout.each()],
        layout.row_stride,
    )
}

/// Weights prepared for `y = x·w`.
pub(in crate::ops) struct Forward<T: 'static>(PackedWeights<T>);

impl<T: Float> Forward<T> {
    /// Prepares `weight` `[inputs, outputs]` for `rows` rows; `None` where plain products are as fast.
    ///
    /// # Errors
    /// When `weight` has another length.
    pub(in crate::ops) fn new(
        weight: &[T],
        (rows, inputs, outputs): (usize, usize, usize),
    ) -> Result<Option<Self>> {
        microkernels_for(rows, inputs, outputs)
            .map(|microkernels| Self::by(microkernels, weight, inputs, outputs))
            .transpose()
    }

    fn by(
        microkernels: Microkernels<T>,
        weight: &[T],
        inputs: usize,
        outputs: usize,
    ) -> Result<Self> {
        PackedWeights::new(microkernels, Weights, weight, (inputs, outputs)).map(Self)
    }

    /// The scratch memory of a block of rows, in values.
    pub(in crate::ops) fn memory(&self, rows: usize) -> usize {
        let Layout { depth, columns, .. } = self.0.layout;
        Layout::rows(rows, 2 * depth).len() + 2 * rows.div_ceil(2) * columns
    }

    /// Computes `y` of a block of rows.
    ///
    /// # Errors
    /// When the lengths do not match.
    pub(in crate::ops) fn block(
        &self,
        x: &[T],
        y: &mut [MaybeUninit<T>],
        memory: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let factor = &self.0;
        let (inputs, half) = (2 * factor.layout.depth, factor.layout.columns);
        let outputs = 2 * half;
        let count = x.len() / inputs;
        check_len(count * outputs, y.len())?;
        let (upper, lower) = (count.div_ceil(2), count / 2);
        let layout = Layout::rows(count, inputs);
        let (u, memory) = memory.split_at_mut(layout.len());
        let u = sums(Inputs, x, &layout, u);
        let (t, memory) = memory.split_at_mut(upper * half);
        let s = &mut memory[..upper * half];
        let (y, y_lower) = y.split_at_mut(upper * outputs);
        // SAFETY: each quarter of `y` is put as a whole, as is each temporary, before it is read or added to.
        unsafe {
            let multiply = |i: usize, rows, out: &mut [MaybeUninit<T>], apart, mode| {
                let u = row_matrix(&layout, u, i);
                factor.panels(i).product(u, rows, out, apart, mode)
            };
            multiply(0, upper, t, half, WriteMode::Assign)?;
            zip_into_block(|t, _| t, assume_init(t), assume_init(t), y, outputs);
            multiply(1, upper, y, outputs, WriteMode::Add)?;
            multiply(5, upper, t, half, WriteMode::Add)?;
            multiply(4, upper, s, half, WriteMode::Assign)?;
            zip_into_block(
                |t, s| t + s,
                assume_init(t),
                assume_init(s),
                &mut y[half..],
                outputs,
            );
            multiply(2, upper, &mut y[half..], outputs, WriteMode::Add)?;
            if lower == 0 {
                return Ok(());
            }
            multiply(6, upper, t, half, WriteMode::Add)?;
            let (t, s) = (
                &assume_init(t)[..lower * half],
                &assume_init(s)[..lower * half],
            );
            zip_into_block(|t, s| t + s, t, s, &mut y_lower[half..], outputs);
            zip_into_block(|t, _| t, t, t, y_lower, outputs);
            multiply(3, lower, y_lower, outputs, WriteMode::Add)
        }
    }
}

/// Weights prepared for `dx = dy·wᵀ`, together with `dw = xᵀ·dy`.
pub(in crate::ops) struct Backward<T: 'static>(PackedWeights<T>);

impl<T: Float> Backward<T> {
    /// Prepares `weight` `[outputs, inputs]` for `rows` rows; `None` where plain products are as fast.
    ///
    /// # Errors
    /// When there are not as many weights.
    pub(in crate::ops) fn new(
        weight: &[T],
        (rows, inputs, outputs): (usize, usize, usize),
    ) -> Result<Option<Self>> {
        microkernels_for(rows, inputs, outputs)
            .map(|microkernels| Self::by(microkernels, weight, inputs, outputs))
            .transpose()
    }

    fn by(
        microkernels: Microkernels<T>,
        weight: &[T],
        inputs: usize,
        outputs: usize,
    ) -> Result<Self> {
        PackedWeights::new(microkernels, TransposedWeights, weight, (outputs, inputs)).map(Self)
    }

    /// Values of the memory that a block of rows is computed in.
    pub(in crate::ops) fn memory(&self, rows: usize) -> usize {
        let Layout { depth, columns, .. } = self.0.layout;
        Layout::rows(rows, 2 * depth).len()
            + Layout::panels(self.0.microkernels, rows, 2 * columns).len()
            + 2 * rows.div_ceil(2) * columns
    }

    /// An empty accumulator for the products that make up `dw`.
    pub(in crate::ops) fn products(&self) -> Accumulator<T> {
        let Layout { depth, columns, .. } = self.0.layout;
        Accumulator::new(PRODUCTS * depth * columns)
    }

    /// Computes `dx` of a block of rows, and adds to the products that make up `dw`.
    ///
    /// # Errors
    /// When the lengths do not go together.
    pub(in crate::ops) fn block(
        &self,
        (x, dy): (&[T], &[T]),
        dx: &mut [MaybeUninit<T>],
        products: &mut Accumulator<T>,
        memory: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let factor = &self.0;
        let (half, half_out) = (factor.layout.columns, factor.layout.depth);
        let inputs = 2 * half;
        let count = x.len() / inputs;
        check_len(count * inputs, dx.len())?;
        check_len(count * 2 * half_out, dy.len())?;
        let (upper, lower) = (count.div_ceil(2), count / 2);
        let (g_layout, u_layout) = (
            Layout::rows(count, 2 * half_out),
            Layout::panels(factor.microkernels, count, inputs),
        );
        let (g, memory) = memory.split_at_mut(g_layout.len());
        let (u, memory) = memory.split_at_mut(u_layout.len());
        let (g, u) = (
            sums(OutputGradients, dy, &g_layout, g),
            sums(Inputs, x, &u_layout, u),
        );
        // SAFETY: the seven products write all of theirs.
        unsafe {
            products.update(|products, any| {
                let mode = if any {
                    WriteMode::Add
                } else {
                    WriteMode::Assign
                };
                let products = products.chunks_exact_mut(half_out * half);
                for (i, product) in products.enumerate() {
                    let g = row_matrix(&g_layout, g, i).transposed();
                    let u = panels(factor.microkernels, &u_layout, u, i);
                    u.product(g, half_out, product, half, mode)?;
                }
                Ok(())
            })?;
        }
        let (t, memory) = memory.split_at_mut(upper * half);
        let s = &mut memory[..upper * half];
        let (dx, dx_lower) = dx.split_at_mut(upper * inputs);
        // SAFETY: each quarter of `dx` is put as a whole, as is each temporary, before it is read or added to.
        unsafe {
            let multiply = |i: usize, rows, out: &mut [MaybeUninit<T>], apart, mode| {
                let g = row_matrix(&g_layout, g, i);
                factor.panels(i).product(g, rows, out, apart, mode)
            };
            multiply(2, upper, t, half, WriteMode::Assign)?;
            zip_into_block(
                |t, _| t,
                assume_init(t),
                assume_init(t),
                &mut dx[half..],
                inputs,
            );
            multiply(1, upper, &mut dx[half..], inputs, WriteMode::Add)?;
            multiply(5, upper, t, half, WriteMode::Subtract)?;
            multiply(6, upper, s, half, WriteMode::Assign)?;
            zip_into_block(|t, s| t + s, assume_init(t), assume_init(s), dx, inputs);
            multiply(0, upper, dx, inputs, WriteMode::Add)?;
            if lower == 0 {
                return Ok(());
            }
            multiply(4, upper, t, half, WriteMode::Subtract)?;
            let (t, s) = (
                &assume_init(t)[..lower * half],
                &assume_init(s)[..lower * half],
            );
            zip_into_block(|t, s| T::ZERO - t - s, t, s, dx_lower, inputs);
            zip_into_block(|t, _| T::ZERO - t, t, t, &mut dx_lower[half..], inputs);
            multiply(3, lower, &mut dx_lower[half..], inputs, WriteMode::Add)
        }
    }
}

/// Writes the gradient of weights `[outputs, inputs]` to `out`, or adds it to `out`, from the products that each part
/// added up over its rows.
pub(in crate::ops) fn scatter<T: Float>(parts: &[&[T]], inputs: usize, out: &mut [T], add: bool) {
    let quarter = out.len() / 4;
    let (upper, lower) = out.split_at_mut(2 * quarter);
    let rows = threads::units_per_chunk(quarter / (inputs / 2), 7 * inputs / 2);
    let halves = upper
        .chunks_mut(rows * inputs)
        .zip(lower.chunks_mut(rows * inputs));
    threads::for_each(halves.enumerate(), |(i, (upper, lower))| {
        let first = i * rows * inputs / 2;
        scatter_rows(parts, quarter, first, inputs, upper, lower, add);
    });
}

simd_dispatch! {
    /// Computes some rows of the upper and of the lower half, from value `first` of the products on.
    fn scatter_rows[T: Float](parts: &[&[T]], quarter: usize, first: usize, inputs: usize, upper: &mut [T], lower: &mut [T], add: bool) {
        let half = inputs / 2;
        let rows = upper.chunks_exact_mut(inputs).zip(lower.chunks_exact_mut(inputs));
        for (row, (upper, lower)) in rows.enumerate() {
            let ((a, b), (c, d)) = (upper.split_at_mut(half), lower.split_at_mut(half));
            if !add {
                [&mut *a, b, c, d].into_iter().for_each(|quarter| quarter.fill(T::ZERO));
            }
            for part in parts {
                let of = |i: usize| &part[i * quarter + first + row * half..][..half];
                let (r0, r1, r2, r3, r4, r5, r6) = (of(0), of(1), of(2), of(3), of(4), of(5), of(6));
                let (a, b, c, d) = (&mut a[..half], &mut b[..half], &mut c[..half], &mut d[..half]);
                for j in 0..half {
                    let (s, t) = (r4[j] - r5[j], r5[j] + r6[j]);
                    a[j] += r0[j] - r3[j] - s;
                    b[j] += r1[j] + r3[j];
                    c[j] += r3[j] + s - r6[j];
                    d[j] += r2[j] - r3[j] + t;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::instructions::Instructions;
    use super::super::GemmKernels;
    use super::*;

    fn numbers<T: Float>(count: usize, seed: usize) -> Vec<T> {
        (0..count)
            .map(|i| T::of(((i * 37 + seed) as f64 * 0.61).sin()))
            .collect()
    }

    fn transposed<T: Float>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
        let at = |i: usize| values[i % rows * columns + i / rows];
        (0..values.len()).map(at).collect()
    }

    /// `a` [m, k] times `b` [k, n].
    fn product<T: Float>(a: &[T], b: &[T], (m, k, n): (usize, usize, usize)) -> Vec<f64> {
        let mut out = vec![0.0; m * n];
        for row in 0..m {
            for i in 0..k {
                for column in 0..n {
                    out[row * n + column] += a[row * k + i].to_f64() * b[i * n + column].to_f64();
                }
            }
        }
        out
    }

    /// All three products of some sizes, with what plain arithmetic has for them.
    fn all<T: Float>(
        microkernels: Microkernels<T>,
        (rows, inputs, outputs): (usize, usize, usize),
    ) -> [(Vec<T>, Vec<f64>); 3] {
        let x = numbers::<T>(rows * inputs, 1);
        let weight = numbers::<T>(outputs * inputs, 2);
        let dy = numbers::<T>(rows * outputs, 3);
        let ahead = transposed(&weight, outputs, inputs);
        let forward = Forward::by(microkernels, &ahead, inputs, outputs).unwrap();
        let backward = Backward::by(microkernels, &weight, inputs, outputs).unwrap();
        let mut y = uninit_vec(rows * outputs);
        let mut memory = uninit_vec(forward.memory(rows));
        forward.block(&x, &mut y, &mut memory).unwrap();
        let mut dx = uninit_vec(rows * inputs);
        let mut memory = uninit_vec(backward.memory(rows));
        let mut products = backward.products();
        backward
            .block((&x, &dy), &mut dx, &mut products, &mut memory)
            .unwrap();
        let mut dw = vec![T::ONE; weight.len()];
        let products = products.values();
        scatter(&[products, products], inputs, &mut dw, true);
        // SAFETY: the products wrote all of both.
        let (y, dx) = unsafe { (assume_init_vec(y), assume_init_vec(dx)) };
        let twice = product(&transposed(&dy, rows, outputs), &x, (outputs, rows, inputs));
        [
            (y, product(&x, &ahead, (rows, inputs, outputs))),
            (dx, product(&dy, &weight, (rows, outputs, inputs))),
            (dw, twice.iter().map(|sum| 1.0 + 2.0 * sum).collect()),
        ]
    }

    /// `error`: how far a value may be off for each number that is added up.
    fn check<T: Float>(instructions: Instructions, error: f64) {
        let Some(microkernels) = T::microkernels(instructions) else {
            return;
        };
        for dims in [
            (1, 2, 2),
            (2, 2, 4),
            (7, 12, 10),
            (30, 64, 130),
            (64, 256, 128),
            (101, 140, 300),
            // Deeper than a kernel goes at a time.
            (3, 1100, 6),
            (4, 6, 1100),
            (1100, 4, 6),
        ] {
            let largest = dims.0.max(dims.1).max(dims.2) as f64;
            for (got, exact) in all::<T>(microkernels, dims) {
                assert_eq!(got.len(), exact.len());
                for (got, exact) in got.iter().zip(exact) {
                    let far = (got.to_f64() - exact).abs();
                    assert!(
                        far < error * largest,
                        "{dims:?} {instructions}: {got} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn seven_products_of_halves_are_the_product() {
        for instructions in Instructions::supported() {
            check::<f64>(instructions, 1e-14);
            check::<f32>(instructions, 2e-6);
        }
    }

    #[test]
    fn lengths_that_do_not_go_together_are_refused() {
        let Some(microkernels) = <f32 as GemmKernels>::microkernels(instructions::in_use()) else {
            return;
        };
        let forward = Forward::by(microkernels, &[0.0; 8], 2, 4).unwrap();
        let mut memory = uninit_vec(forward.memory(3));
        let mut block = |x: usize, y| forward.block(&vec![0.0; x], &mut uninit_vec(y), &mut memory);
        assert!(block(6, 12).is_ok());
        assert!(block(6, 11).is_err());
        assert!(Forward::by(microkernels, &[0.0; 7], 2, 4).is_err());
        let backward = Backward::by(microkernels, &[0.0; 8], 2, 4).unwrap();
        let mut memory = uninit_vec(backward.memory(3));
        let mut products = backward.products();
        let mut block = |x: usize, dy: usize, dx| {
            let factors = (&*vec![0.0; x], &*vec![0.0; dy]);
            backward.block(factors, &mut uninit_vec(dx), &mut products, &mut memory)
        };
        assert!(block(6, 12, 6).is_ok());
        assert!(block(6, 11, 6).is_err());
        assert!(block(6, 12, 5).is_err());
    }
}
