//! The transforms of images and kernels, tile by tile, between the order of the tensors and planes: for each place of a
//! tile the values of all tiles.
#![allow(
    clippy::needless_range_loop,
    reason = "rows and columns of a tile are numbered as in the formulas"
)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::super::Sizes;
use super::tile::{LANES, Lanes, Tile, both_ways};
use crate::ops::kernel::widest;
use crate::ops::real::Real;

/// Some channels of a pixel; fewer than a block at the end of a pixel's channels.
#[inline(always)]
fn load<T: Real>(values: &[T], lanes: usize) -> Lanes<T> {
    let mut block = [T::ZERO; LANES];
    if lanes == LANES {
        block.copy_from_slice(&values[..LANES]);
    } else {
        block[..lanes].copy_from_slice(&values[..lanes]);
    }
    block
}

#[inline(always)]
fn store<T: Real>(block: &Lanes<T>, lanes: usize, values: &mut [MaybeUninit<T>]) {
    if lanes == LANES {
        for (value, lane) in values[..LANES].iter_mut().zip(block) {
            value.write(*lane);
        }
    } else {
        for (value, lane) in values[..lanes].iter_mut().zip(block) {
            value.write(*lane);
        }
    }
}

/// A tile's channels from the planes.
#[inline(always)]
fn from_planes<T: Real, W: Tile>(planes: &[&[T]], at: usize, lanes: usize) -> [[Lanes<T>; 6]; 6] {
    let mut square = [[[T::ZERO; LANES]; 6]; 6];
    for i in 0..W::PLACES {
        for j in 0..W::PLACES {
            square[i][j] = load(&planes[i * W::PLACES + j][at..], lanes);
        }
    }
    square
}

/// A tile's channels to the planes.
#[inline(always)]
fn to_planes<T: Real, W: Tile>(
    square: &[[Lanes<T>; 6]; 6],
    planes: &mut [&mut [MaybeUninit<T>]],
    at: usize,
    lanes: usize,
) {
    for i in 0..W::PLACES {
        for j in 0..W::PLACES {
            store(&square[i][j], lanes, &mut planes[i * W::PLACES + j][at..]);
        }
    }
}

/// An image cut into tiles.
#[derive(Clone, Copy)]
pub(in crate::ops::conv) struct Grid {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Tiles across and down.
    pub(super) across: usize,
    pub(super) down: usize,
}

impl Grid {
    pub(super) fn new<W: Tile>(sizes: &Sizes) -> Self {
        let [height, width, _] = sizes.image;
        Self {
            height,
            width,
            across: width.div_ceil(W::RESULTS),
            down: height.div_ceil(W::RESULTS),
        }
    }

    pub(super) fn tiles(&self) -> usize {
        self.across * self.down
    }

    /// The place of a pixel in an image of `channels`; `None` past the edge.
    #[inline(always)]
    fn pixel(&self, y: usize, x: usize, channels: usize) -> Option<usize> {
        (y < self.height && x < self.width).then(|| (y * self.width + x) * channels)
    }
}

widest! {
    /// `V` of one row of tiles of an image: `planes` has for each place the row's tiles.
    fn transform_inputs[T: Real, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        for tile in 0..grid.across {
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let mut square = [[[T::ZERO; LANES]; 6]; 6];
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        let (y, x) = ((row * W::RESULTS + i).wrapping_sub(W::KERNEL / 2), (tile * W::RESULTS + j).wrapping_sub(W::KERNEL / 2));
                        if let Some(pixel) = grid.pixel(y, x, channels) {
                            square[i][j] = load(&image[pixel + c..], lanes);
                        }
                    }
                }
                let v = both_ways(&square, W::PLACES, W::PLACES, W::input);
                to_planes::<T, W>(&v, planes, tile * channels + c, lanes);
                c += lanes;
            }
        }
    }
}

widest! {
    /// Adds `B·dV·Bᵀ` of all tiles of an image to its gradient. `planes` has for each place the image's tiles.
    fn scatter_inputs[T: Real, W: Tile](_by: W, grid: Grid, planes: &[&[T]], channels: usize, image: &mut [T]) {
        for tile in 0..grid.tiles() {
            let (row, column) = (tile / grid.across, tile % grid.across);
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let square = from_planes::<T, W>(planes, tile * channels + c, lanes);
                let dx = both_ways(&square, W::PLACES, W::PLACES, W::input_back);
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        let (y, x) = ((row * W::RESULTS + i).wrapping_sub(W::KERNEL / 2), (column * W::RESULTS + j).wrapping_sub(W::KERNEL / 2));
                        if let Some(pixel) = grid.pixel(y, x, channels) {
                            let sums = &mut image[pixel + c..pixel + c + lanes];
                            for (sum, part) in sums.iter_mut().zip(&dx[i][j]) {
                                *sum += *part;
                            }
                        }
                    }
                }
                c += lanes;
            }
        }
    }
}

widest! {
    /// The results of one row of tiles, from `M`.
    fn transform_results[T: Real, W: Tile](_by: W, grid: Grid, planes: &[&[T]], channels: usize, bias: Option<&[T]>, rows: &mut [MaybeUninit<T>]) {
        let height = rows.len() / (grid.width * channels);
        for tile in 0..grid.across {
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let square = from_planes::<T, W>(planes, tile * channels + c, lanes);
                let mut y = both_ways(&square, W::PLACES, W::RESULTS, W::result);
                if let Some(bias) = bias {
                    let bias = load(&bias[c..], lanes);
                    for value in y.iter_mut().flatten() {
                        for (value, bias) in value.iter_mut().zip(bias) {
                            *value += bias;
                        }
                    }
                }
                for (i, row) in y.iter().enumerate().take(W::RESULTS.min(height)) {
                    for (j, value) in row.iter().enumerate().take(W::RESULTS) {
                        let x = tile * W::RESULTS + j;
                        if x < grid.width {
                            store(value, lanes, &mut rows[(i * grid.width + x) * channels + c..]);
                        }
                    }
                }
                c += lanes;
            }
        }
    }
}

widest! {
    /// `dM` of one row of tiles of an image's gradient.
    fn untransform_results[T: Real, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        for tile in 0..grid.across {
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let mut square = [[[T::ZERO; LANES]; 4]; 4];
                for i in 0..W::RESULTS {
                    for j in 0..W::RESULTS {
                        if let Some(pixel) = grid.pixel(row * W::RESULTS + i, tile * W::RESULTS + j, channels) {
                            square[i][j] = load(&image[pixel + c..], lanes);
                        }
                    }
                }
                let dm = both_ways(&square, W::RESULTS, W::PLACES, W::result_back);
                to_planes::<T, W>(&dm, planes, tile * channels + c, lanes);
                c += lanes;
            }
        }
    }
}

/// Inputs whose kernels are turned at a time: `LANES` outputs of them stay in the nearest cache.
const TURNED: usize = 16;

/// The most taps of a kernel.
const TAPS: usize = 25;

/// Kernels of some inputs, tap by tap, each with a block of outputs.
type Turned<T> = [Lanes<T>; TURNED * TAPS];

/// A matrix of kernels: how far it is in the weights, `[outputs, inputs, taps]`, to the kernel of the next row and to that
/// of the next column.
#[derive(Clone, Copy)]
pub(super) struct Kernels<'a, T> {
    weight: &'a [T],
    down: usize,
    across: usize,
}

impl<'a, T> Kernels<'a, T> {
    /// `[inputs, outputs]`, for the results.
    pub(super) fn by_inputs<W: Tile>(weight: &'a [T], inputs: usize) -> Self {
        let taps = W::KERNEL * W::KERNEL;
        Self {
            weight,
            down: taps,
            across: inputs * taps,
        }
    }

    /// `[outputs, inputs]`, for the gradient of the image.
    pub(super) fn by_outputs<W: Tile>(weight: &'a [T], inputs: usize) -> Self {
        let Self { down, across, .. } = Self::by_inputs::<W>(weight, inputs);
        Self {
            weight,
            down: across,
            across: down,
        }
    }

    /// From some row and column on.
    pub(super) fn from(self, row: usize, column: usize) -> Self {
        let start = row * self.down + column * self.across;
        Self {
            weight: &self.weight[start..],
            ..self
        }
    }
}

widest! {
    /// `U`, some rows of it: for each place `planes` has rows of `columns` values.
    fn transform_kernels[T: Real, W: Tile](_by: W, from: Kernels<'_, T>, columns: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        let (side, taps) = (W::KERNEL, W::KERNEL * W::KERNEL);
        let some = planes[0].len() / columns;
        let Kernels { weight, down, across } = from;
        let mut kernels: Turned<T> = [[T::ZERO; LANES]; TURNED * TAPS];
        let mut c = 0;
        while c < columns {
            let lanes = LANES.min(columns - c);
            let mut start = 0;
            while start < some {
                let turned = TURNED.min(some - start);
                for lane in 0..lanes {
                    for (i, kernel) in kernels.chunks_exact_mut(taps).enumerate().take(turned) {
                        let at = (start + i) * down + (c + lane) * across;
                        for (kernel, value) in kernel.iter_mut().zip(&weight[at..at + taps]) {
                            kernel[lane] = *value;
                        }
                    }
                }
                for (i, kernel) in kernels.chunks_exact(taps).enumerate().take(turned) {
                    let mut square = [[[T::ZERO; LANES]; 5]; 5];
                    for tap in 0..taps {
                        square[tap / side][tap % side] = kernel[tap];
                    }
                    let u = both_ways(&square, side, W::PLACES, W::kernel);
                    to_planes::<T, W>(&u, planes, (start + i) * columns + c, lanes);
                }
                start += turned;
            }
            c += lanes;
        }
    }
}

widest! {
    /// `Gᵀ·dU·G` for some outputs, from `first` on, and the inputs `part`, which are those of the planes.
    fn untransform_kernels[T: Real, W: Tile](_by: W, planes: &[&[T]], first: usize, outputs: usize, part: Range<usize>, inputs: usize, dweight: &mut [T]) {
        let (side, taps) = (W::KERNEL, W::KERNEL * W::KERNEL);
        let some = dweight.len() / (inputs * taps);
        let mut kernels: Turned<T> = [[T::ZERO; LANES]; TURNED * TAPS];
        let mut o = 0;
        while o < some {
            let lanes = LANES.min(some - o);
            let mut start = 0;
            while start < part.len() {
                let turned = TURNED.min(part.len() - start);
                for (i, kernel) in kernels.chunks_exact_mut(taps).enumerate().take(turned) {
                    let square = from_planes::<T, W>(planes, (start + i) * outputs + first + o, lanes);
                    let dw = both_ways(&square, W::PLACES, side, W::kernel_back);
                    for tap in 0..taps {
                        kernel[tap] = dw[tap / side][tap % side];
                    }
                }
                for lane in 0..lanes {
                    let values = &mut dweight[((o + lane) * inputs + part.start + start) * taps..][..turned * taps];
                    for (value, kernel) in values.iter_mut().zip(&kernels) {
                        *value = kernel[lane];
                    }
                }
                start += turned;
            }
            o += lanes;
        }
    }
}
