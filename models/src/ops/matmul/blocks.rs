//! The seven sums of a matrix's four blocks that Strassen's products take, and their layout in memory.
#![allow(unsafe_code, reason = "takes as written what was written")]

use std::mem::MaybeUninit;

use super::super::float::Float;
use super::super::kernel::{assume_init, simd_dispatch};
use super::panels::Microkernels;

/// Values between rows of sums. Without them rows would start a power of two apart and evict each other from the cache.
const GAP: usize = 16;

/// The number of products, and of sums of each combination.
pub(super) const PRODUCTS: usize = 7;

/// The sums of the four blocks of one of the matrices. Blocks are in reading order: upper left, upper right, lower
/// left, lower right.
pub(super) trait Combination: Copy + Send + Sync {
    fn of<T: Float>(blocks: [T; 4]) -> [T; PRODUCTS];
}

#[derive(Clone, Copy)]
pub(super) struct Inputs;

impl Combination for Inputs {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; PRODUCTS] {
        let s = c + d;
        let t = s - a;
        [a, b, b - t, d, s, t, a - c]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Weights;

impl Combination for Weights {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; PRODUCTS] {
        let s = b - a;
        let t = d - s;
        [a, c, d, c - t, s, t, d - b]
    }
}

/// The sums of weights whose rows are outputs.
#[derive(Clone, Copy)]
pub(super) struct TransposedWeights;

impl Combination for TransposedWeights {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; PRODUCTS] {
        Weights::of([a, c, b, d])
    }
}

#[derive(Clone, Copy)]
pub(super) struct OutputGradients;

impl Combination for OutputGradients {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; PRODUCTS] {
        let (s, lower) = (b + d, c + d);
        let t = s + c;
        [t + a, a, b, c, s, t, lower]
    }
}

/// The layout of sums: `[pieces, 7, depth, row_stride]`. The columns of a half are cut into pieces of some width, which
/// are panels, or are one piece.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) depth: usize,
    pub(super) columns: usize,
    pub(super) width: usize,
    pub(super) row_stride: usize,
}

impl Layout {
    /// The layout in panels of the sums of a matrix of `rows` and `columns`.
    pub(super) fn panels<T>(microkernels: Microkernels<T>, rows: usize, columns: usize) -> Self {
        Self {
            depth: rows.div_ceil(2),
            columns: columns / 2,
            width: microkernels.columns(),
            row_stride: microkernels.columns(),
        }
    }

    pub(super) fn rows(rows: usize, columns: usize) -> Self {
        let columns = columns / 2;
        Self {
            depth: rows.div_ceil(2),
            columns,
            width: columns,
            row_stride: columns + GAP,
        }
    }

    pub(super) fn each(&self) -> usize {
        self.depth * self.row_stride
    }

    pub(super) fn piece(&self) -> usize {
        PRODUCTS * self.each()
    }

    pub(super) fn len(&self) -> usize {
        self.columns.div_ceil(self.width) * self.piece()
    }
}

simd_dispatch! {
    /// Writes the sums of a piece of the columns of `x` `[rows, columns]`.
    fn sum_piece[T: Float, S: Combination](_s: S, x: &[T], layout: &Layout, number: usize, out: &mut [MaybeUninit<T>]) {
        let (half, first) = (layout.columns, number * layout.width);
        let width = layout.width.min(half - first);
        let rows = x.len() / (2 * half);
        let zeros = vec![T::ZERO; width];
        let mut out = out.chunks_exact_mut(layout.each());
        let mut next = || out.next().unwrap_or_default();
        let [o0, o1, o2, o3, o4, o5, o6] = [next(), next(), next(), next(), next(), next(), next()];
        for i in 0..layout.depth {
            let at = |row: usize, column: usize| {
                if row < rows { &x[row * 2 * half + column..][..width] } else { &zeros[..width] }
            };
            let (a, b) = (at(i, first), at(i, half + first));
            let (c, d) = (at(layout.depth + i, first), at(layout.depth + i, half + first));
            let place = i * layout.row_stride..i * layout.row_stride + width;
            let (p0, p1, p2, p3) = (&mut o0[place.clone()], &mut o1[place.clone()], &mut o2[place.clone()], &mut o3[place.clone()]);
            let (p4, p5, p6) = (&mut o4[place.clone()], &mut o5[place.clone()], &mut o6[place]);
            for j in 0..width {
                let sums = S::of([a[j], b[j], c[j], d[j]]);
                p0[j].write(sums[0]);
                p1[j].write(sums[1]);
                p2[j].write(sums[2]);
                p3[j].write(sums[3]);
                p4[j].write(sums[4]);
                p5[j].write(sums[5]);
                p6[j].write(sums[6]);
            }
            if width < layout.row_stride {
                for o in [&mut *o0, o1, o2, o3, o4, o5, o6] {
                    o[i * layout.row_stride + width..(i + 1) * layout.row_stride].fill(MaybeUninit::new(T::ZERO));
                }
            }
        }
    }
}

/// Computes the sums of `x` in `memory`, on this thread.
pub(super) fn sums<'a, T: Float>(
    combination: impl Combination,
    x: &[T],
    layout: &Layout,
    memory: &'a mut [MaybeUninit<T>],
) -> &'a [T] {
    let memory = &mut memory[..layout.len()];
    for (number, piece) in memory.chunks_exact_mut(layout.piece()).enumerate() {
        sum_piece(combination, x, layout, number, piece);
    }
    // SAFETY: `sum_piece` wrote every piece.
    unsafe { assume_init(memory) }
}
