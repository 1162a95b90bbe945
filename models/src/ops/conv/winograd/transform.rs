//! The transforms of images and kernels, tile by tile, between tensors and planes; a plane has the values of all tiles
//! for one place of a tile.
#![allow(
    clippy::needless_range_loop,
    reason = "rows and columns of a tile are numbered as in the formulas"
)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::super::ConvShape;
use super::tile::{Intermediate, LANES, Lanes, Tile, transform_2d};
use crate::ops::float::Float;
use crate::ops::kernel::simd_dispatch;

/// Writes the used lanes of a block.
#[inline(always)]
fn store<T: Float>(block: &Lanes<T>, lanes: usize, values: &mut [MaybeUninit<T>]) {
    values[..lanes].write_copy_of_slice(&block[..lanes]);
}

/// Runs code for all blocks of channels, with the first channel and the number of channels of each. The code is
/// compiled twice: once for complete blocks, whose constant size allows vectorisation, and once for the rest.
macro_rules! each_block {
    ($channels:expr, |$first:ident, $lanes:ident| $body:block) => {
        let mut $first = 0;
        while $first + LANES <= $channels {
            let $lanes = LANES;
            $body
            $first += LANES;
        }
        if $first < $channels {
            let $lanes = $channels - $first;
            $body
        }
    };
}

/// The tiles of an image.
#[derive(Clone, Copy)]
pub(in crate::ops::conv) struct Grid {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Tiles across and down.
    pub(super) across: usize,
    pub(super) down: usize,
}

impl Grid {
    pub(super) fn new<W: Tile>(shape: &ConvShape) -> Self {
        let [height, width, _] = shape.image;
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

    /// The indices of the pixels of a square in an image of `channels`, from a row and a column on, which may be
    /// negative; `None` outside the image.
    #[inline(always)]
    fn pixels<const SIDE: usize>(
        &self,
        y: usize,
        x: usize,
        channels: usize,
    ) -> [[Option<usize>; SIDE]; SIDE] {
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                let (y, x) = (y.wrapping_add(i), x.wrapping_add(j));
                (y < self.height && x < self.width).then(|| (y * self.width + x) * channels)
            })
        })
    }

    /// The indices of the places of a tile, as above.
    #[inline(always)]
    fn places<W: Tile>(
        &self,
        row: usize,
        column: usize,
        channels: usize,
    ) -> [[Option<usize>; 6]; 6] {
        let first = |tile: usize| (tile * W::RESULTS).wrapping_sub(W::KERNEL / 2);
        self.pixels(first(row), first(column), channels)
    }
}

simd_dispatch! {
    /// Computes `V` for one row of tiles of an image; each of the `planes` has the row's tiles.
    fn transform_inputs[T: Float, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        let mut between = Intermediate::new();
        for tile in 0..grid.across {
            let pixels = grid.places::<W>(row, tile, channels);
            each_block!(channels, |c, lanes| {
                let at = tile * channels + c;
                transform_2d(
                    (W::PLACES, W::PLACES),
                    lanes,
                    &mut between,
                    W::input,
                    |i, j| pixels[i][j].map(|pixel| &image[pixel + c..]),
                    |i, j, v| store(v, lanes, &mut planes[i * W::PLACES + j][at..]),
                );
            });
        }
    }
}

simd_dispatch! {
    /// Adds `B·dV·Bᵀ` of all tiles of an image to its gradient. Each of the `planes` has the image's tiles.
    fn scatter_inputs[T: Float, W: Tile](_by: W, grid: Grid, planes: &[&[T]], channels: usize, image: &mut [T]) {
        let mut between = Intermediate::new();
        for tile in 0..grid.tiles() {
            let pixels = grid.places::<W>(tile / grid.across, tile % grid.across, channels);
            each_block!(channels, |c, lanes| {
                let at = tile * channels + c;
                transform_2d(
                    (W::PLACES, W::PLACES),
                    lanes,
                    &mut between,
                    W::input_back,
                    |i, j| Some(&planes[i * W::PLACES + j][at..]),
                    |i, j, dx| {
                        if let Some(pixel) = pixels[i][j] {
                            let sums = &mut image[pixel + c..pixel + c + lanes];
                            for (sum, part) in sums.iter_mut().zip(dx) {
                                *sum += *part;
                            }
                        }
                    },
                );
            });
        }
    }
}

simd_dispatch! {
    /// Computes the results of one row of tiles from `M`.
    fn transform_results[T: Float, W: Tile](_by: W, grid: Grid, planes: &[&[T]], channels: usize, bias: Option<&[T]>, rows: &mut [MaybeUninit<T>]) {
        let mut between = Intermediate::new();
        let height = rows.len() / (grid.width * channels);
        for tile in 0..grid.across {
            each_block!(channels, |c, lanes| {
                let at = tile * channels + c;
                let bias = bias.map(|bias| &bias[c..]);
                transform_2d(
                    (W::PLACES, W::RESULTS),
                    lanes,
                    &mut between,
                    W::result,
                    |i, j| Some(&planes[i * W::PLACES + j][at..]),
                    |i, j, y| {
                        let x = tile * W::RESULTS + j;
                        if i < height && x < grid.width {
                            let mut y = *y;
                            if let Some(bias) = bias {
                                y.iter_mut().zip(bias).for_each(|(y, bias)| *y += *bias);
                            }
                            store(&y, lanes, &mut rows[(i * grid.width + x) * channels + c..]);
                        }
                    },
                );
            });
        }
    }
}

simd_dispatch! {
    /// Computes `dM` for one row of tiles of an image's gradient.
    fn untransform_results[T: Float, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        let mut between = Intermediate::new();
        for tile in 0..grid.across {
            let pixels: [[_; 4]; 4] = grid.pixels(row * W::RESULTS, tile * W::RESULTS, channels);
            each_block!(channels, |c, lanes| {
                let at = tile * channels + c;
                transform_2d(
                    (W::RESULTS, W::PLACES),
                    lanes,
                    &mut between,
                    W::result_back,
                    |i, j| pixels[i][j].map(|pixel| &image[pixel + c..]),
                    |i, j, dm| store(dm, lanes, &mut planes[i * W::PLACES + j][at..]),
                );
            });
        }
    }
}

/// Inputs whose kernels are transposed at a time, such that `LANES` outputs of them stay in the L1 cache.
const TURNED: usize = 16;

/// The most taps of a kernel.
const TAPS: usize = 25;

/// Kernels of some inputs, by tap, each with a block of outputs.
type Turned<T> = [Lanes<T>; TURNED * TAPS];

/// A matrix of kernels: the strides in the weights, `[outputs, inputs, taps]`, to the kernel of the next row and of the
/// next column.
#[derive(Clone, Copy)]
pub(super) struct KernelMatrix<'a, T> {
    weight: &'a [T],
    down: usize,
    across: usize,
}

impl<'a, T> KernelMatrix<'a, T> {
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

    /// The matrix from some row and column on.
    pub(super) fn from(self, row: usize, column: usize) -> Self {
        let start = row * self.down + column * self.across;
        Self {
            weight: &self.weight[start..],
            ..self
        }
    }
}

simd_dispatch! {
    /// Computes some rows of `U`: each of the `planes` has rows of `columns` values.
    fn transform_kernels[T: Float, W: Tile](_by: W, from: KernelMatrix<'_, T>, columns: usize, planes: &mut [&mut [MaybeUninit<T>]]) {
        let (side, taps) = (W::KERNEL, W::KERNEL * W::KERNEL);
        let some = planes[0].len() / columns;
        let KernelMatrix { weight, down, across } = from;
        let mut kernels: Turned<T> = [[T::ZERO; LANES]; TURNED * TAPS];
        let mut between = Intermediate::new();
        each_block!(columns, |c, lanes| {
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
                    let at = (start + i) * columns + c;
                    transform_2d(
                        (side, W::PLACES),
                        lanes,
                    &mut between,
                        W::kernel,
                        |i, j| Some(&kernel[i * side + j]),
                        |i, j, u| store(u, lanes, &mut planes[i * W::PLACES + j][at..]),
                    );
                }
                start += turned;
            }
        });
    }
}

simd_dispatch! {
    /// Computes `Gᵀ·dU·G` for some outputs, from `first` on, and the inputs `part`, which are those of the planes.
    fn untransform_kernels[T: Float, W: Tile](_by: W, planes: &[&[T]], first: usize, outputs: usize, part: Range<usize>, inputs: usize, dweight: &mut [T]) {
        let (side, taps) = (W::KERNEL, W::KERNEL * W::KERNEL);
        let some = dweight.len() / (inputs * taps);
        let mut kernels: Turned<T> = [[T::ZERO; LANES]; TURNED * TAPS];
        let mut between = Intermediate::new();
        each_block!(some, |o, lanes| {
            let mut start = 0;
            while start < part.len() {
                let turned = TURNED.min(part.len() - start);
                for (i, kernel) in kernels.chunks_exact_mut(taps).enumerate().take(turned) {
                    let at = (start + i) * outputs + first + o;
                    transform_2d(
                        (W::PLACES, side),
                        lanes,
                    &mut between,
                        W::kernel_back,
                        |i, j| Some(&planes[i * W::PLACES + j][at..]),
                        |i, j, dw| kernel[i * side + j] = *dw,
                    );
                }
                for lane in 0..lanes {
                    let values = &mut dweight[((o + lane) * inputs + part.start + start) * taps..][..turned * taps];
                    for (value, kernel) in values.iter_mut().zip(&kernels) {
                        *value = kernel[lane];
                    }
                }
                start += turned;
            }
        });
    }
}
