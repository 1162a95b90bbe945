//! The transforms of a tile: their formulas along one dimension, and their application to both.
#![allow(
    clippy::needless_range_loop,
    reason = "rows and columns of a tile are numbered as in the formulas"
)]

use crate::ops::float::Float;

/// Channels per block.
pub(super) const LANES: usize = 16;

/// A block of neighbouring channels.
pub(super) type Lanes<T> = [T; LANES];

/// The transforms along one dimension of a tile. Values that a smaller tile or kernel does not use are unchanged.
pub(in crate::ops::conv) trait Tile: Copy + Send + Sync {
    /// Results along one dimension.
    const RESULTS: usize;
    /// Places along one dimension.
    const PLACES: usize;
    /// Kernel taps along one dimension.
    const KERNEL: usize;

    fn input<T: Float>(d: [T; 6]) -> [T; 6];
    fn input_back<T: Float>(d: [T; 6]) -> [T; 6];
    fn kernel<T: Float>(g: [T; 5]) -> [T; 6];
    fn kernel_back<T: Float>(u: [T; 6]) -> [T; 5];
    fn result<T: Float>(m: [T; 6]) -> [T; 4];
    fn result_back<T: Float>(y: [T; 4]) -> [T; 6];
}

/// F(4x4, 3x3), with the points 0, 1, -1, 2, -2 and infinity.
#[derive(Clone, Copy)]
pub(super) struct F4x3;

impl Tile for F4x3 {
    const RESULTS: usize = 4;
    const PLACES: usize = 6;
    const KERNEL: usize = 3;

    #[inline(always)]
    fn input<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 6] {
        let (two, four, five) = (T::of(2.0), T::of(4.0), T::of(5.0));
        let (p, q) = (e - four * c, d - four * b);
        let (r, s) = (e - c, two * (d - b));
        [
            four * a - five * c + e,
            p + q,
            p - q,
            r + s,
            r - s,
            four * b - five * d + f,
        ]
    }

    #[inline(always)]
    fn input_back<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 6] {
        let (two, four, five) = (T::of(2.0), T::of(4.0), T::of(5.0));
        let (sum, difference) = (b + c, b - c);
        let (wide, apart) = (d + e, two * (d - e));
        [
            four * a,
            four * f - four * difference - apart,
            T::ZERO - five * a - four * sum - wide,
            difference + apart - five * f,
            a + sum + wide,
            f,
        ]
    }

    #[inline(always)]
    fn kernel<T: Float>([a, b, c, ..]: [T; 5]) -> [T; 6] {
        let (p, q) = (T::of(-1.0 / 6.0) * (a + c), T::of(-1.0 / 6.0) * b);
        let r = T::of(1.0 / 24.0) * a + T::of(1.0 / 6.0) * c;
        let s = T::of(1.0 / 12.0) * b;
        [T::of(0.25) * a, p + q, p - q, r + s, r - s, c]
    }

    #[inline(always)]
    fn kernel_back<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 5] {
        let (sum, difference) = (b + c, b - c);
        let (wide, apart) = (d + e, d - e);
        let sixth = T::of(1.0 / 6.0);
        [
            T::of(0.25) * a - sixth * sum + T::of(1.0 / 24.0) * wide,
            T::of(1.0 / 12.0) * apart - sixth * difference,
            sixth * (wide - sum) + f,
            T::ZERO,
            T::ZERO,
        ]
    }

    #[inline(always)]
    fn result<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 4] {
        let (sum, difference) = (b + c, b - c);
        let (wide, apart) = (d + e, d - e);
        [
            a + sum + wide,
            difference + T::of(2.0) * apart,
            sum + T::of(4.0) * wide,
            difference + T::of(8.0) * apart + f,
        ]
    }

    #[inline(always)]
    fn result_back<T: Float>([a, b, c, d]: [T; 4]) -> [T; 6] {
        let (even, odd) = (a + c, b + d);
        let (wide, apart) = (a + T::of(4.0) * c, T::of(2.0) * b + T::of(8.0) * d);
        [a, even + odd, even - odd, wide + apart, wide - apart, d]
    }
}

/// F(2x2, 3x3), with the points 0, 1, -1 and infinity. The last two places are not used.
#[derive(Clone, Copy)]
pub(super) struct F2x3;

impl Tile for F2x3 {
    const RESULTS: usize = 2;
    const PLACES: usize = 4;
    const KERNEL: usize = 3;

    #[inline(always)]
    fn input<T: Float>([a, b, c, d, ..]: [T; 6]) -> [T; 6] {
        [a - c, b + c, c - b, b - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn input_back<T: Float>([a, b, c, d, ..]: [T; 6]) -> [T; 6] {
        [a, b - c + d, b + c - a, T::ZERO - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn kernel<T: Float>([a, b, c, ..]: [T; 5]) -> [T; 6] {
        let half = T::of(0.5);
        let (even, odd) = (half * (a + c), half * b);
        [a, even + odd, even - odd, c, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn kernel_back<T: Float>([a, b, c, d, ..]: [T; 6]) -> [T; 5] {
        let half = T::of(0.5);
        let sum = half * (b + c);
        [a + sum, half * (b - c), sum + d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn result<T: Float>([a, b, c, d, ..]: [T; 6]) -> [T; 4] {
        [a + b + c, b - c - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn result_back<T: Float>([a, b, ..]: [T; 4]) -> [T; 6] {
        [a, a + b, a - b, T::ZERO - b, T::ZERO, T::ZERO]
    }
}

/// F(2x2, 5x5), with the points of [`F4x3`], so image tiles have the same transform.
#[derive(Clone, Copy)]
pub(super) struct F2x5;

impl Tile for F2x5 {
    const RESULTS: usize = 2;
    const PLACES: usize = 6;
    const KERNEL: usize = 5;

    #[inline(always)]
    fn input<T: Float>(d: [T; 6]) -> [T; 6] {
        F4x3::input(d)
    }

    #[inline(always)]
    fn input_back<T: Float>(d: [T; 6]) -> [T; 6] {
        F4x3::input_back(d)
    }

    #[inline(always)]
    fn kernel<T: Float>([a, b, c, d, e]: [T; 5]) -> [T; 6] {
        let (sixth, third) = (T::of(1.0 / 6.0), T::of(1.0 / 3.0));
        let (p, q) = (T::of(-1.0 / 6.0) * (a + c + e), T::of(-1.0 / 6.0) * (b + d));
        let r = T::of(1.0 / 24.0) * a + sixth * c + T::of(2.0 / 3.0) * e;
        let s = T::of(1.0 / 12.0) * b + third * d;
        [T::of(0.25) * a, p + q, p - q, r + s, r - s, e]
    }

    #[inline(always)]
    fn kernel_back<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 5] {
        let (sixth, third) = (T::of(1.0 / 6.0), T::of(1.0 / 3.0));
        let (sum, difference) = (sixth * (b + c), sixth * (b - c));
        let (wide, apart) = (d + e, d - e);
        [
            T::of(0.25) * a - sum + T::of(1.0 / 24.0) * wide,
            T::of(1.0 / 12.0) * apart - difference,
            sixth * wide - sum,
            third * apart - difference,
            T::of(2.0 / 3.0) * wide - sum + f,
        ]
    }

    #[inline(always)]
    fn result<T: Float>([a, b, c, d, e, f]: [T; 6]) -> [T; 4] {
        let (near, far) = (b - c, d - e);
        [
            a + (b + c) + (d + e),
            near + T::of(2.0) * far + f,
            T::ZERO,
            T::ZERO,
        ]
    }

    #[inline(always)]
    fn result_back<T: Float>([a, b, ..]: [T; 4]) -> [T; 6] {
        let twice = T::of(2.0) * b;
        [a, a + b, a - b, a + twice, a - twice, b]
    }
}

/// The intermediate values between the transforms along both dimensions: blocks of channels, by column, then by row.
/// Aligned to cache lines, because vectors across two lines take twice as long.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Intermediate<T>([[Lanes<T>; 6]; 6]);

impl<T: Float> Intermediate<T> {
    pub(super) fn new() -> Self {
        Self([[[T::ZERO; LANES]; 6]; 6])
    }
}

/// Applies a transform along both dimensions of a square of blocks of channels: first to each of `from` rows, then to
/// each of `to` columns. `load` returns the start of the block at a row and a column, or `None` for zeros; `store`
/// takes the result. If a block has fewer than all `lanes`, the others are zeros.
///
/// Blocks are read in place: those of a square do not fit into registers, so copies would go through memory.
#[inline(always)]
pub(super) fn transform_2d<'a, T: Float, const FROM: usize, const TO: usize>(
    (from, to): (usize, usize),
    lanes: usize,
    between: &mut Intermediate<T>,
    transform: impl Fn([T; FROM]) -> [T; TO] + Copy,
    load: impl Fn(usize, usize) -> Option<&'a [T]>,
    mut store: impl FnMut(usize, usize, &Lanes<T>),
) {
    let nothing = &[T::ZERO; LANES];
    for row in 0..from {
        let mut memory = [*nothing; FROM];
        let mut blocks = [nothing; FROM];
        for (column, (block, memory)) in blocks.iter_mut().zip(&mut memory).enumerate().take(from) {
            *block = match load(row, column) {
                None => nothing,
                Some(values) if lanes == LANES => values[..LANES].first_chunk().unwrap_or(nothing),
                Some(values) => {
                    memory[..lanes].copy_from_slice(&values[..lanes]);
                    memory
                }
            };
        }
        let results = transform_1d(blocks, transform);
        for column in 0..to {
            between.0[column][row] = results[column];
        }
    }
    for column in 0..to {
        let mut blocks = [nothing; FROM];
        for row in 0..from {
            blocks[row] = &between.0[column][row];
        }
        let results = transform_1d(blocks, transform);
        for row in 0..to {
            store(row, column, &results[row]);
        }
    }
}

/// Applies a transform along one dimension.
#[inline(always)]
fn transform_1d<T: Float, const FROM: usize, const TO: usize>(
    blocks: [&Lanes<T>; FROM],
    transform: impl Fn([T; FROM]) -> [T; TO] + Copy,
) -> [Lanes<T>; TO] {
    let mut results = [[T::ZERO; LANES]; TO];
    for lane in 0..LANES {
        let values = transform(blocks.map(|block| block[lane]));
        for place in 0..TO {
            results[place][lane] = values[place];
        }
    }
    results
}
