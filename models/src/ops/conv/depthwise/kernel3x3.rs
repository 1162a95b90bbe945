//! Depthwise 3x3 convolutions with stride 1 and padding 1, the common case: each value of the image is read once for
//! the three taps of a kernel row that use it, and the taps or their sums stay in registers.
#![allow(
    clippy::needless_range_loop,
    reason = "rows and columns of a kernel are numbered as in the formulas"
)]

use std::mem::MaybeUninit;

use super::super::super::float::Float;
use super::super::super::kernel::simd_dispatch;
use super::super::ConvShape;

/// Channels per block.
const LANES: usize = 16;

type Lanes<T> = [T; LANES];

/// Whether a convolution is of this kind, with a multiple of the block of channels.
pub(super) fn fits(shape: &ConvShape) -> bool {
    shape.kernel == [3, 3]
        && shape.params.stride == [1, 1]
        && shape.params.padding == [1, 1]
        && shape.params.dilation == [1, 1]
        && shape.image[2].is_multiple_of(LANES)
}

#[inline(always)]
fn load<T: Float>(values: &[T], at: usize) -> Lanes<T> {
    let mut lanes = [T::ZERO; LANES];
    lanes.copy_from_slice(&values[at..at + LANES]);
    lanes
}

#[inline(always)]
fn add_product<T: Float>(sum: &mut Lanes<T>, a: &Lanes<T>, b: &Lanes<T>) {
    for lane in 0..LANES {
        sum[lane] += a[lane] * b[lane];
    }
}

/// The kernel rows inside the image, for a row of the result: all three except for the first and the last row.
#[inline(always)]
fn kernel_rows(row: usize, height: usize) -> (usize, usize) {
    (usize::from(row == 0), 3 - usize::from(row + 1 == height))
}

/// Computes a block of channels of a row of the result, from the kernel rows `FIRST..END`.
#[inline(always)]
fn convolve_row<T: Float, const FIRST: usize, const END: usize>(
    x: &[T],
    taps: &[[Lanes<T>; 3]; 3],
    bias: &Lanes<T>,
    (row, width, channels, c): (usize, usize, usize, usize),
    y: &mut [MaybeUninit<T>],
) {
    let zero = [T::ZERO; LANES];
    // The results before, at and after the current column.
    let (mut before, mut at, mut after) = (zero, *bias, *bias);
    for column in 0..width {
        for down in FIRST..END {
            let x = load(x, ((row + down - 1) * width + column) * channels + c);
            add_product(&mut before, &x, &taps[down][2]);
            add_product(&mut at, &x, &taps[down][1]);
            add_product(&mut after, &x, &taps[down][0]);
        }
        if column > 0 {
            put(&before, y, ((row * width) + column - 1) * channels + c);
        }
        (before, at, after) = (at, after, *bias);
    }
    put(&before, y, (row * width + width - 1) * channels + c);
}

#[inline(always)]
fn put<T: Float>(lanes: &Lanes<T>, y: &mut [MaybeUninit<T>], at: usize) {
    for (y, lane) in y[at..at + LANES].iter_mut().zip(lanes) {
        y.write(*lane);
    }
}

simd_dispatch! {
    /// One image.
    fn convolve[T: Float](shape: &ConvShape, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [MaybeUninit<T>]) {
        let [height, width, channels] = shape.image;
        for row in 0..height {
            for c in (0..channels).step_by(LANES) {
                let mut taps = [[[T::ZERO; LANES]; 3]; 3];
                for down in 0..3 {
                    for across in 0..3 {
                        taps[down][across] = load(weight, (3 * down + across) * channels + c);
                    }
                }
                let bias = bias.map_or([T::ZERO; LANES], |bias| load(bias, c));
                let place = (row, width, channels, c);
                match kernel_rows(row, height) {
                    (0, 3) => convolve_row::<T, 0, 3>(x, &taps, &bias, place, y),
                    (1, 3) => convolve_row::<T, 1, 3>(x, &taps, &bias, place, y),
                    (0, _) => convolve_row::<T, 0, 2>(x, &taps, &bias, place, y),
                    _ => convolve_row::<T, 1, 2>(x, &taps, &bias, place, y),
                }
            }
        }
    }
}

/// Adds the contribution of a row of the result's gradient to the gradient of the kernel rows `FIRST..END`.
#[inline(always)]
fn add_row_gradient<T: Float, const FIRST: usize, const END: usize>(
    x: &[T],
    dy: &[T],
    (row, width, channels, c): (usize, usize, usize, usize),
    sums: &mut [[Lanes<T>; 3]; 3],
) {
    let mut all = *sums;
    // The gradients of the results before, at and after the current column. Columns outside the row are left out rather
    // than taken as zero, because zero times infinity is NaN.
    let mut before = [T::ZERO; LANES];
    let mut at = load(dy, row * width * channels + c);
    for column in 0..width {
        let (first, last) = (column == 0, column + 1 == width);
        let after = if last {
            at
        } else {
            load(dy, (row * width + column + 1) * channels + c)
        };
        for down in FIRST..END {
            let x = load(x, ((row + down - 1) * width + column) * channels + c);
            if !first {
                add_product(&mut all[down][2], &x, &before);
            }
            add_product(&mut all[down][1], &x, &at);
            if !last {
                add_product(&mut all[down][0], &x, &after);
            }
        }
        (before, at) = (at, after);
    }
    *sums = all;
}

simd_dispatch! {
    /// Adds one image's contribution to the gradient `[taps, channels]` of the weights.
    fn weight_gradient[T: Float](shape: &ConvShape, x: &[T], dy: &[T], dweight: &mut [T]) {
        let [height, width, channels] = shape.image;
        for c in (0..channels).step_by(LANES) {
            let mut sums = [[[T::ZERO; LANES]; 3]; 3];
            for row in 0..height {
                let place = (row, width, channels, c);
                match kernel_rows(row, height) {
                    (0, 3) => add_row_gradient::<T, 0, 3>(x, dy, place, &mut sums),
                    (1, 3) => add_row_gradient::<T, 1, 3>(x, dy, place, &mut sums),
                    (0, _) => add_row_gradient::<T, 0, 2>(x, dy, place, &mut sums),
                    _ => add_row_gradient::<T, 1, 2>(x, dy, place, &mut sums),
                }
            }
            for (tap, sum) in sums.iter().flatten().enumerate() {
                let out = &mut dweight[tap * channels + c..][..LANES];
                out.iter_mut().zip(sum).for_each(|(out, sum)| *out += *sum);
            }
        }
    }
}
