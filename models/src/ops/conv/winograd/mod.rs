//! 3x3 convolutions with stride 1 after Winograd (1980) and Lavin and Gray (2016): an image is cut into tiles, tiles and
//! kernels are transformed, multiplied place by place, and transformed back. A tile of 4x4 results takes 36
//! multiplications for each pair of channels where the definition takes 144, one of 2x2 takes 16 for 36.
//!
//! With `V = Bᵀ·x·B`, `U = G·w·Gᵀ` and `M = V ⊙ U` the result is `y = Aᵀ·M·A`. The gradients are those of these very
//! formulas: `dM = A·dy·Aᵀ`, then `dU = Vᵀ·dM` and `dV = dM·Uᵀ`, place by place, `dw = Gᵀ·dU·G`, `dx = B·dV·Bᵀ`, in
//! which tiles overlap and add up. One transform of `dy` serves both.
//!
//! Work alternates between transforms, which threads share by rows of tiles, and products, which they share by place:
//! so no thread needs sums of its own, and the result does not depend on their number. The transforms run over blocks
//! of channels, which the compiler turns into vectors.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

mod tile;
mod transform;

use std::mem::MaybeUninit;

use candle_core::Result;
use rayon::prelude::*;

use self::tile::{Four, Tile, Two};
use self::transform::{
    Grid, scatter_inputs, transform_inputs, transform_kernels, transform_results,
    untransform_kernels, untransform_results,
};
use super::super::kernel::{all_filled, filled, scratch, zeroed};
use super::super::product::{Matrix, alone_by_rows, fresh_alone};
use super::super::real::Real;
use super::super::threads;
use super::Sizes;

/// Channels from which the products are worth the transforms.
pub(super) const FEWEST_CHANNELS: usize = 16;

/// Values of `V` and `M` together that are worked on at a time: 3 MB of f32, which two cores' caches hold.
const BLOCK: usize = 3 << 18;

/// A buffer `[places, units, …]` cut into as many parts as there are threads, each with its units of every place.
/// Gives the first unit of each part with the part.
fn parts<T>(buffer: &mut [T], places: usize, units: usize) -> Vec<(usize, Vec<&mut [T]>)> {
    let plane = buffer.len() / places;
    let unit = plane / units.max(1);
    let some = units.div_ceil(threads::threads()).max(1);
    let mut parts: Vec<_> = (0..units)
        .step_by(some)
        .map(|first| (first, Vec::with_capacity(places)))
        .collect();
    for plane in buffer.chunks_exact_mut(plane) {
        for (part, (_, planes)) in plane.chunks_mut(some * unit).zip(&mut parts) {
            planes.push(part);
        }
    }
    parts
}

/// The part of every plane that belongs to the units `from..to` of `units`.
fn narrow<T>(buffer: &[T], places: usize, units: usize, from: usize, to: usize) -> Vec<&[T]> {
    let plane = buffer.len() / places;
    let unit = plane / units.max(1);
    buffer
        .chunks_exact(plane)
        .map(|plane| &plane[from * unit..to * unit])
        .collect()
}

/// The same of planes that can be written, one unit further on.
fn advance<'a, T>(planes: &'a mut [&mut [T]], unit: usize, len: usize) -> Vec<&'a mut [T]> {
    planes
        .iter_mut()
        .map(|plane| &mut plane[unit * len..(unit + 1) * len])
        .collect()
}

/// The tile that takes the fewest multiplications.
fn by_four(sizes: &Sizes) -> bool {
    let [height, width, _] = sizes.image;
    let cost =
        |results: usize| (results + 2).pow(2) * height.div_ceil(results) * width.div_ceil(results);
    cost(4) < cost(2)
}

pub(super) fn forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) -> Result<()> {
    if by_four(sizes) {
        Plan::new(Four, sizes).forward(x, weight, bias, y)
    } else {
        Plan::new(Two, sizes).forward(x, weight, bias, y)
    }
}

pub(super) fn gradients<T: Real>(
    sizes: &Sizes,
    arguments: (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    if by_four(sizes) {
        Plan::new(Four, sizes).gradients(arguments, dx, dweight)
    } else {
        Plan::new(Two, sizes).gradients(arguments, dx, dweight)
    }
}

/// Transforms a row of tiles of an image with so many channels into planes.
type Fill<W, T> = fn(W, Grid, usize, &[T], usize, &mut [&mut [MaybeUninit<T>]]);

/// How a convolution is carried out.
struct Plan<W> {
    grid: Grid,
    inputs: usize,
    outputs: usize,
    /// Images worked on at a time.
    images: usize,
    tile: W,
}

impl<W: Tile> Plan<W> {
    const PLACES: usize = W::PLACES * W::PLACES;

    fn new(tile: W, sizes: &Sizes) -> Self {
        let grid = Grid::new::<W>(sizes);
        let (inputs, outputs) = (sizes.image[2], sizes.result[2]);
        let image = Self::PLACES * grid.tiles() * (inputs + outputs);
        // Products of few rows are slow.
        let fewest = 128usize.div_ceil(grid.tiles());
        Self {
            grid,
            inputs,
            outputs,
            images: (BLOCK / image).max(fewest).clamp(1, sizes.n.max(1)),
            tile,
        }
    }

    fn kernels<T: Real>(&self, weight: &[T]) -> Vec<T> {
        let mut u = scratch(Self::PLACES * self.inputs * self.outputs);
        parts(&mut u, Self::PLACES, self.inputs)
            .into_par_iter()
            .for_each(|(first, mut planes)| {
                transform_kernels(
                    self.tile,
                    weight,
                    first,
                    self.inputs,
                    self.outputs,
                    &mut planes,
                );
            });
        // SAFETY: the parts cover all inputs of all places, and each is filled.
        unsafe { all_filled(u) }
    }

    /// Fills `[places, tiles, channels]` from some images, row of tiles by row of tiles.
    fn fill<'a, T: Real>(
        &self,
        images: &[T],
        channels: usize,
        out: &'a mut [MaybeUninit<T>],
        transform: Fill<W, T>,
    ) -> &'a mut [T] {
        let grid = self.grid;
        let image_len = grid.height * grid.width * channels;
        let rows = images.len() / image_len * grid.down;
        parts(out, Self::PLACES, rows)
            .into_par_iter()
            .for_each(|(first, mut planes)| {
                let len = grid.across * channels;
                for unit in 0..planes[0].len() / len {
                    let (image, row) = ((first + unit) / grid.down, (first + unit) % grid.down);
                    let image = &images[image * image_len..][..image_len];
                    let mut planes = advance(&mut planes, unit, len);
                    transform(self.tile, grid, row, image, channels, &mut planes);
                }
            });
        // SAFETY: the parts cover all rows of tiles of all places, and each transform fills a row.
        unsafe { out.assume_init_mut() }
    }

    fn forward<T: Real>(
        &self,
        x: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        y: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let (grid, inputs, outputs) = (self.grid, self.inputs, self.outputs);
        let u = self.kernels(weight);
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let mut v = scratch(Self::PLACES * tiles * inputs);
        let mut m = scratch(Self::PLACES * tiles * outputs);
        let blocks = x
            .chunks(self.images * pixels * inputs)
            .zip(y.chunks_mut(self.images * pixels * outputs));
        for (x, y) in blocks {
            let images = x.len() / (pixels * inputs);
            let tiles = images * grid.tiles();
            let v = &mut v[..Self::PLACES * tiles * inputs];
            let m = &mut m[..Self::PLACES * tiles * outputs];
            let v = self.fill(x, inputs, v, transform_inputs);
            m.par_chunks_mut(tiles * outputs)
                .zip(v.par_chunks(tiles * inputs))
                .zip(u.par_chunks(inputs * outputs))
                .try_for_each(|((m, v), u)| {
                    let (v, u) = (Matrix::rows(v, inputs), Matrix::rows(u, outputs));
                    fresh_alone(v, u, (tiles, inputs, outputs), m)
                })?;
            // SAFETY: the products filled it.
            let m = unsafe { filled(m) };
            // The rows of tiles of a thread are whole rows of the result.
            let units = images * grid.down;
            let some = units.div_ceil(threads::threads());
            let mut rest = y;
            let mut jobs = Vec::with_capacity(units);
            for unit in 0..units {
                let row = unit % grid.down;
                let rows = W::RESULTS.min(grid.height - row * W::RESULTS);
                let (rows, after) = rest.split_at_mut(rows * grid.width * outputs);
                rest = after;
                jobs.push((unit, rows));
            }
            jobs.into_par_iter()
                .with_min_len(some)
                .for_each(|(unit, rows)| {
                    let planes = narrow(m, Self::PLACES, units, unit, unit + 1);
                    transform_results(self.tile, grid, &planes, outputs, bias, rows);
                });
        }
        Ok(())
    }

    fn gradients<T: Real>(
        &self,
        (x, weight, dy): (&[T], &[T], &[T]),
        mut dx: Option<&mut [MaybeUninit<T>]>,
        dweight: Option<&mut [T]>,
    ) -> Result<()> {
        let (grid, inputs, outputs) = (self.grid, self.inputs, self.outputs);
        let u = match dx {
            Some(_) => self.kernels(weight),
            None => Vec::new(),
        };
        let u_planes: Vec<_> = match dx {
            Some(_) => u.chunks(inputs * outputs).map(Some).collect(),
            None => vec![None; Self::PLACES],
        };
        let kernels = if dweight.is_some() {
            inputs * outputs
        } else {
            0
        };
        let mut du = scratch(Self::PLACES * kernels);
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let mut v = scratch(Self::PLACES * tiles * inputs);
        let mut dm = scratch(Self::PLACES * tiles * outputs);
        let blocks = x
            .chunks(self.images * pixels * inputs)
            .zip(dy.chunks(self.images * pixels * outputs));
        for (block, (x, dy)) in blocks.enumerate() {
            let images = x.len() / (pixels * inputs);
            let tiles = images * grid.tiles();
            let v = &mut v[..Self::PLACES * tiles * inputs];
            let dm = &mut dm[..Self::PLACES * tiles * outputs];
            if kernels > 0 {
                self.fill(x, inputs, v, transform_inputs);
            }
            let dm = self.fill(dy, outputs, dm, untransform_results);
            let mut sums: Vec<Option<&mut [MaybeUninit<T>]>> = if kernels > 0 {
                du.chunks_mut(kernels).map(Some).collect()
            } else {
                (0..Self::PLACES).map(|_| None).collect()
            };
            sums.par_iter_mut()
                .zip(&u_planes)
                .zip(v.par_chunks_mut(tiles * inputs))
                .zip(dm.par_chunks(tiles * outputs))
                .try_for_each(|(((du, u), v), dm)| {
                    let dm = Matrix::rows(dm, outputs);
                    if let Some(du) = du {
                        // SAFETY: filled above, because kernels are asked for.
                        let v = Matrix::rows(unsafe { filled(v) }, inputs).transposed();
                        let dims = (inputs, tiles, outputs);
                        match block {
                            0 => fresh_alone(v, dm, dims, du)?,
                            // SAFETY: the first block wrote it.
                            _ => alone_by_rows(v, dm, dims, unsafe { du.assume_init_mut() }, true)?,
                        }
                    }
                    // `V` is done with: its gradient takes its place.
                    match u {
                        Some(u) => {
                            let u = Matrix::rows(u, outputs).transposed();
                            fresh_alone(dm, u, (tiles, outputs, inputs), v)
                        }
                        None => Ok(()),
                    }
                })?;
            if let Some(dx) = dx.as_deref_mut() {
                // SAFETY: the gradients took the place of `V`.
                let v = unsafe { filled(v) };
                let image = pixels * inputs;
                let dx = &mut dx[block * self.images * image..][..images * image];
                dx.par_chunks_mut(image)
                    .with_min_len(images.div_ceil(threads::threads()))
                    .enumerate()
                    .for_each(|(i, dx)| {
                        let planes = narrow(v, Self::PLACES, images, i, i + 1);
                        scatter_inputs(self.tile, grid, &planes, inputs, zeroed(dx));
                    });
            }
        }
        if let Some(dweight) = dweight {
            let some = outputs.div_ceil(threads::threads());
            // SAFETY: there is at least one block, and it wrote all of it.
            let planes: Vec<_> = unsafe { filled(&du) }.chunks(kernels).collect();
            dweight
                .par_chunks_mut(some * inputs * 9)
                .enumerate()
                .for_each(|(part, dweight)| {
                    untransform_kernels(self.tile, &planes, part * some, inputs, outputs, dweight);
                });
        }
        Ok(())
    }
}
