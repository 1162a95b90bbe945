//! The seven sums of a matrix's quarters that products of halves are made of, and how they lie in memory.
#![allow(unsafe_code, reason = "takes as written what was written")]

use std::mem::MaybeUninit;

use super::super::float::Float;
use super::super::kernel::{filled, simd_dispatch};
use super::panels::Tiles;

/// Values between rows of sums, which would otherwise start a power of two apart and push each other out of the cache.
const GAP: usize = 16;

/// Products and sums of each family.
pub(super) const SEVEN: usize = 7;

/// The sums of a family, of its quarters in reading order: upper left, upper right, lower left, lower right.
pub(super) trait Family: Copy + Send + Sync {
    fn of<T: Float>(quarters: [T; 4]) -> [T; SEVEN];
}

#[derive(Clone, Copy)]
pub(super) struct Images;

impl Family for Images {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; SEVEN] {
        let s = c + d;
        let t = s - a;
        [a, b, b - t, d, s, t, a - c]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Weights;

impl Family for Weights {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; SEVEN] {
        let s = b - a;
        let t = d - s;
        [a, c, d, c - t, s, t, d - b]
    }
}

/// Weights whose rows are outputs.
#[derive(Clone, Copy)]
pub(super) struct Turned;

impl Family for Turned {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; SEVEN] {
        Weights::of([a, c, b, d])
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gradients;

impl Family for Gradients {
    #[inline(always)]
    fn of<T: Float>([a, b, c, d]: [T; 4]) -> [T; SEVEN] {
        let (s, lower) = (b + d, c + d);
        let t = s + c;
        [t + a, a, b, c, s, t, lower]
    }
}

/// How sums lie: `[pieces, 7, depth, apart]`, the columns of a half in pieces of some width. As panels, or as one piece.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) depth: usize,
    pub(super) columns: usize,
    pub(super) width: usize,
    pub(super) apart: usize,
}

impl Layout {
    /// Of halves of `rows` and `columns`.
    pub(super) fn panels<T>(tiles: Tiles<T>, rows: usize, columns: usize) -> Self {
        Self {
            depth: rows.div_ceil(2),
            columns: columns / 2,
            width: tiles.columns(),
            apart: tiles.columns(),
        }
    }

    pub(super) fn rows(rows: usize, columns: usize) -> Self {
        let columns = columns / 2;
        Self {
            depth: rows.div_ceil(2),
            columns,
            width: columns,
            apart: columns + GAP,
        }
    }

    pub(super) fn each(&self) -> usize {
        self.depth * self.apart
    }

    pub(super) fn piece(&self) -> usize {
        SEVEN * self.each()
    }

    pub(super) fn len(&self) -> usize {
        self.columns.div_ceil(self.width) * self.piece()
    }
}

simd_dispatch! {
    /// Writes the sums of a piece of the columns of `x` `[rows, columns]`.
    fn sum_piece[T: Float, S: Family](_s: S, x: &[T], layout: &Layout, number: usize, out: &mut [MaybeUninit<T>]) {
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
            let place = i * layout.apart..i * layout.apart + width;
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
            if width < layout.apart {
                for o in [&mut *o0, o1, o2, o3, o4, o5, o6] {
                    o[i * layout.apart + width..(i + 1) * layout.apart].fill(MaybeUninit::new(T::ZERO));
                }
            }
        }
    }
}

/// The sums of `x` on this thread, in some memory.
pub(super) fn sums<'a, T: Float>(
    family: impl Family,
    x: &[T],
    layout: &Layout,
    memory: &'a mut [MaybeUninit<T>],
) -> &'a [T] {
    let memory = &mut memory[..layout.len()];
    for (number, piece) in memory.chunks_exact_mut(layout.piece()).enumerate() {
        sum_piece(family, x, layout, number, piece);
    }
    // SAFETY: `sum_piece` wrote every piece.
    unsafe { filled(memory) }
}
