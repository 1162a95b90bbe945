//! 3x3 and 5x5 convolutions with stride 1 after Winograd (1980) and Lavin and Gray (2016): an image is cut into tiles,
//! tiles and kernels are transformed, multiplied elementwise, and transformed back. For each pair of channels, a tile
//! of 4x4 results of a 3x3 convolution takes 36 multiplications instead of 144, one of 2x2 takes 16 instead of 36; a
//! tile of 2x2 results of a 5x5 convolution takes 36 instead of 100.
//!
//! With `V = Bᵀ·x·B`, `U = G·w·Gᵀ` and `M = V ⊙ U` the result is `y = Aᵀ·M·A`. The gradients follow from these
//! formulas: `dM = A·dy·Aᵀ`, then `dU = Vᵀ·dM` and `dV = dM·Uᵀ` for each place of a tile, `dw = Gᵀ·dU·G`, and `dx =
//! B·dV·Bᵀ`, where overlapping tiles are summed. Both gradients use the same transform of `dy`.
//!
//! Work alternates between transforms, which threads share by rows of tiles, and matrix products, which they share by
//! places of a tile. So no thread needs partial sums, and the result does not depend on the number of threads. The
//! transforms run over blocks of channels, which the compiler vectorises.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

mod tile;
mod transform;

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::Result;

use self::tile::{F2x3, F2x5, F4x3, Tile};
use self::transform::{
    Grid, KernelMatrix, scatter_inputs, transform_inputs, transform_kernels, transform_results,
    untransform_kernels, untransform_results,
};
use super::super::float::Float;
use super::super::kernel::{assume_init, uninit_vec, zero_init};
use super::super::matmul::{
    Matrix, single_threaded_by_rows, single_threaded_uninit, single_threaded_uninit_strided,
};
use super::super::threads;
use super::ConvShape;

/// The measured number of input and output channels from which Winograd is faster; `None` for unsupported kernels.
pub(super) fn fewest_channels(kernel: [usize; 2]) -> Option<usize> {
    match kernel {
        [3, 3] => Some(16),
        [5, 5] => Some(32),
        _ => None,
    }
}

/// Values of `V` and `M` together per block: 3 MB of f32, which fit in the caches of two cores.
const BLOCK: usize = 3 << 18;

/// Channels per part of `U` when all images are processed at once: each part is used while it is in the cache, and `U`
/// takes the memory of one part only.
const PART: usize = 64;

/// A buffer `[places, units, …]`: a plane for each place of a tile. Planes at distances of a power of two would map to
/// the same cache sets, so there is padding between them.
struct Planes<T> {
    memory: Vec<MaybeUninit<T>>,
    places: usize,
}

/// The padding between two planes, in values: three cache lines of f32.
const GAP: usize = 48;

impl<T: Float> Planes<T> {
    /// Allocates planes of so many values.
    fn new(places: usize, plane: usize) -> Self {
        Self {
            memory: uninit_vec(places * (plane + GAP)),
            places,
        }
    }

    /// The planes, limited to their first so many values.
    fn all(&self, plane: usize) -> impl Iterator<Item = &[MaybeUninit<T>]> {
        let apart = self.memory.len() / self.places;
        self.memory
            .chunks_exact(apart)
            .map(move |memory| &memory[..plane])
    }

    /// The planes, for writing.
    fn all_mut(&mut self, plane: usize) -> impl Iterator<Item = &mut [MaybeUninit<T>]> {
        let apart = self.memory.len() / self.places;
        self.memory
            .chunks_exact_mut(apart)
            .map(move |memory| &mut memory[..plane])
    }

    /// Splits the planes, each of `units` of `unit` values, into tasks, each with a range of units of every plane.
    /// Returns each with its first unit.
    fn parts(&mut self, units: usize, unit: usize) -> Vec<(usize, Vec<&mut [MaybeUninit<T>]>)> {
        let some = threads::units_per_chunk(units, self.places * unit);
        let mut parts: Vec<_> = (0..units)
            .step_by(some)
            .map(|first| (first, Vec::with_capacity(self.places)))
            .collect();
        for plane in self.all_mut(units * unit) {
            for (part, (_, planes)) in plane.chunks_mut(some * unit).zip(&mut parts) {
                planes.push(part);
            }
        }
        parts
    }

    /// The values `from..to` of each plane.
    ///
    /// # Safety
    /// They must have been written.
    unsafe fn slices(&self, from: usize, to: usize) -> Vec<&[T]> {
        // SAFETY: as the caller promises.
        self.all(to)
            .map(|plane| unsafe { assume_init(&plane[from..]) })
            .collect()
    }
}

/// One unit of every plane of a task.
fn unit<'a, T>(
    planes: &'a mut [&mut [MaybeUninit<T>]],
    unit: usize,
    len: usize,
) -> Vec<&'a mut [MaybeUninit<T>]> {
    planes
        .iter_mut()
        .map(|plane| &mut plane[unit * len..(unit + 1) * len])
        .collect()
}

/// The tile with the fewest multiplications for a 3x3 convolution.
fn prefers_f4x3(shape: &ConvShape) -> bool {
    let [height, width, _] = shape.image;
    let cost =
        |results: usize| (results + 2).pow(2) * height.div_ceil(results) * width.div_ceil(results);
    cost(4) < cost(2)
}

pub(super) fn forward<T: Float>(
    shape: &ConvShape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) -> Result<()> {
    if shape.kernel == [5, 5] {
        Plan::new(F2x5, shape).forward(x, weight, bias, y)
    } else if prefers_f4x3(shape) {
        Plan::new(F4x3, shape).forward(x, weight, bias, y)
    } else {
        Plan::new(F2x3, shape).forward(x, weight, bias, y)
    }
}

pub(super) fn gradients<T: Float>(
    shape: &ConvShape,
    arguments: (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    if shape.kernel == [5, 5] {
        Plan::new(F2x5, shape).gradients(arguments, dx, dweight)
    } else if prefers_f4x3(shape) {
        Plan::new(F4x3, shape).gradients(arguments, dx, dweight)
    } else {
        Plan::new(F2x3, shape).gradients(arguments, dx, dweight)
    }
}

/// Transforms a row of tiles of an image to planes.
type Fill<W, T> = fn(W, Grid, usize, &[T], usize, &mut [&mut [MaybeUninit<T>]]);

/// The planes of the backward pass; those of kernels only for the requested gradients.
struct BackwardPlanes<'a, T> {
    v: &'a mut Planes<T>,
    dm: &'a Planes<T>,
    u: Option<&'a Planes<T>>,
    du: Option<&'a mut Planes<T>>,
}

/// The plan of a convolution.
struct Plan<W> {
    grid: Grid,
    inputs: usize,
    outputs: usize,
    /// Images per block.
    images: usize,
    /// Channels per part of `U`.
    part: usize,
    tile: W,
}

impl<W: Tile> Plan<W> {
    const PLACES: usize = W::PLACES * W::PLACES;

    fn new(tile: W, shape: &ConvShape) -> Self {
        let grid = Grid::new::<W>(shape);
        let (inputs, outputs) = (shape.image[2], shape.result[2]);
        let image = Self::PLACES * grid.tiles() * (inputs + outputs);
        // Matrix products of few rows are slow.
        let fewest = 128usize.div_ceil(grid.tiles());
        let images = (BLOCK / image).max(fewest).clamp(1, shape.n.max(1));
        Self {
            grid,
            inputs,
            outputs,
            images,
            part: if images < shape.n { usize::MAX } else { PART },
            tile,
        }
    }

    /// The parts of channels.
    fn channel_parts(&self, channels: usize) -> impl Iterator<Item = Range<usize>> + use<W> {
        let part = self.part;
        let starts = (0..channels).step_by(part);
        starts.map(move |start| start..channels.min(start.saturating_add(part)))
    }

    /// Computes `U` for some columns of a matrix of kernels.
    fn transform<T: Float>(
        &self,
        kernels: KernelMatrix<'_, T>,
        rows: usize,
        columns: &Range<usize>,
        u: &mut Planes<T>,
    ) {
        threads::for_each(u.parts(rows, columns.len()), |(first, mut planes)| {
            let kernels = kernels.from(first, columns.start);
            transform_kernels(self.tile, kernels, columns.len(), &mut planes);
        });
    }

    /// Fills `[places, tiles, channels]` from some images, by rows of tiles.
    fn fill<T: Float>(
        &self,
        images: &[T],
        channels: usize,
        out: &mut Planes<T>,
        transform: Fill<W, T>,
    ) {
        let grid = self.grid;
        let image_len = grid.height * grid.width * channels;
        let rows = images.len() / image_len * grid.down;
        let len = grid.across * channels;
        threads::for_each(out.parts(rows, len), |(first, mut planes)| {
            for row in 0..planes[0].len() / len {
                let mut planes = unit(&mut planes, row, len);
                let (image, row) = ((first + row) / grid.down, (first + row) % grid.down);
                let image = &images[image * image_len..][..image_len];
                transform(self.tile, grid, row, image, channels, &mut planes);
            }
        });
    }

    fn forward<T: Float>(
        &self,
        x: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        y: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let (grid, inputs, outputs) = (self.grid, self.inputs, self.outputs);
        let kernels = KernelMatrix::by_inputs::<W>(weight, inputs);
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let mut u = Planes::new(Self::PLACES, inputs * self.part.min(outputs));
        let mut v = Planes::new(Self::PLACES, tiles * inputs);
        let mut m = Planes::new(Self::PLACES, tiles * outputs);
        let blocks = x
            .chunks(self.images * pixels * inputs)
            .zip(y.chunks_mut(self.images * pixels * outputs));
        for (block, (x, y)) in blocks.enumerate() {
            let images = x.len() / (pixels * inputs);
            let tiles = images * grid.tiles();
            self.fill(x, inputs, &mut v, transform_inputs);
            for part in self.channel_parts(outputs) {
                // With several blocks there is only one part.
                if block == 0 {
                    self.transform(kernels, inputs, &part, &mut u);
                }
                let places = m
                    .all_mut(tiles * outputs)
                    .zip(v.all(tiles * inputs))
                    .zip(u.all(inputs * part.len()));
                threads::try_map::<_, _, ()>(places, |((m, v), u)| {
                    // SAFETY: both were filled, `v` for all tiles.
                    let (v, u) = unsafe { (assume_init(v), assume_init(u)) };
                    let (v, u) = (Matrix::rows(v, inputs), Matrix::rows(u, part.len()));
                    let dims = (tiles, inputs, part.len());
                    single_threaded_uninit_strided(v, u, dims, &mut m[part.start..], outputs)
                })?;
            }
            // A row of tiles gives complete rows of the result.
            let units = images * grid.down;
            let mut rest = y;
            let mut jobs = Vec::with_capacity(units);
            for unit in 0..units {
                let row = unit % grid.down;
                let rows = W::RESULTS.min(grid.height - row * W::RESULTS);
                let (rows, after) = rest.split_at_mut(rows * grid.width * outputs);
                rest = after;
                jobs.push((unit, rows));
            }
            let len = grid.across * outputs;
            threads::for_each_item(jobs.into_iter(), Self::PLACES * len, |(unit, rows)| {
                // SAFETY: the matrix products filled all tiles.
                let planes = unsafe { m.slices(unit * len, (unit + 1) * len) };
                transform_results(self.tile, grid, &planes, outputs, bias, rows);
            });
        }
        Ok(())
    }

    fn gradients<T: Float>(
        &self,
        (x, weight, dy): (&[T], &[T], &[T]),
        mut dx: Option<&mut [MaybeUninit<T>]>,
        mut dweight: Option<&mut [T]>,
    ) -> Result<()> {
        let (grid, inputs, outputs) = (self.grid, self.inputs, self.outputs);
        let kernels = KernelMatrix::by_outputs::<W>(weight, inputs);
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let planes = || Planes::new(Self::PLACES, self.part.min(inputs) * outputs);
        let mut u = dx.is_some().then(planes);
        let mut du = dweight.is_some().then(planes);
        let mut v = Planes::new(Self::PLACES, tiles * inputs);
        let mut dm = Planes::new(Self::PLACES, tiles * outputs);
        let blocks = x
            .chunks(self.images * pixels * inputs)
            .zip(dy.chunks(self.images * pixels * outputs));
        let last = blocks.len().saturating_sub(1);
        for (block, (x, dy)) in blocks.enumerate() {
            let images = x.len() / (pixels * inputs);
            let tiles = images * grid.tiles();
            if du.is_some() {
                self.fill(x, inputs, &mut v, transform_inputs);
            }
            self.fill(dy, outputs, &mut dm, untransform_results);
            for part in self.channel_parts(inputs) {
                // With several blocks there is only one part.
                if let Some(u) = &mut u
                    && block == 0
                {
                    self.transform(kernels, outputs, &part, u);
                }
                let planes = BackwardPlanes {
                    v: &mut v,
                    dm: &dm,
                    u: u.as_ref(),
                    du: du.as_mut(),
                };
                self.matmul_backward(planes, tiles, &part, block > 0)?;
                if let (Some(dweight), Some(du)) = (dweight.as_deref_mut(), &du)
                    && block == last
                {
                    // SAFETY: the first block wrote all of it.
                    let planes = unsafe { du.slices(0, part.len() * outputs) };
                    let some = threads::units_per_chunk(outputs, Self::PLACES * part.len());
                    let kernels = dweight.chunks_mut(some * inputs * W::KERNEL * W::KERNEL);
                    threads::for_each(kernels.enumerate(), |(i, dweight)| {
                        let (first, part) = (i * some, part.clone());
                        untransform_kernels(
                            self.tile, &planes, first, outputs, part, inputs, dweight,
                        );
                    });
                }
            }
            if let Some(dx) = dx.as_deref_mut() {
                let image = pixels * inputs;
                let dx = &mut dx[block * self.images * image..][..images * image];
                let len = grid.tiles() * inputs;
                let images = dx.chunks_exact_mut(image).enumerate();
                threads::for_each_item(images, Self::PLACES * len, |(i, dx)| {
                    // SAFETY: the gradients overwrote `V`.
                    let planes = unsafe { v.slices(i * len, (i + 1) * len) };
                    scatter_inputs(self.tile, grid, &planes, inputs, zero_init(dx));
                });
            }
        }
        Ok(())
    }

    /// Computes `dU = Vᵀ·dM` for a part of the inputs, or adds to it, and `dV = dM·Uᵀ`, which overwrites that part of
    /// `V`.
    fn matmul_backward<T: Float>(
        &self,
        planes: BackwardPlanes<'_, T>,
        tiles: usize,
        part: &Range<usize>,
        add: bool,
    ) -> Result<()> {
        let BackwardPlanes { v, dm, u, du } = planes;
        let (inputs, outputs) = (self.inputs, self.outputs);
        let kernels = part.len() * outputs;
        let mut sums = planes_or_none(du.map(|du| du.all_mut(kernels)));
        let mut us = planes_or_none(u.map(|u| u.all(kernels)));
        let places = v
            .all_mut(tiles * inputs)
            .zip(dm.all(tiles * outputs))
            .map(|(v, dm)| (v, dm, sums.next().flatten(), us.next().flatten()));
        threads::try_map(places, |(v, dm, du, u)| {
            // SAFETY: filled for all tiles.
            let dm = Matrix::rows(unsafe { assume_init(dm) }, outputs);
            let v = &mut v[part.start..];
            if let Some(du) = du {
                // SAFETY: filled, because gradients of kernels are requested.
                let v = Matrix::rows(unsafe { assume_init(v) }, inputs).transposed();
                let dims = (part.len(), tiles, outputs);
                if add {
                    // SAFETY: the first block wrote it.
                    single_threaded_by_rows(v, dm, dims, unsafe { du.assume_init_mut() }, true)?;
                } else {
                    single_threaded_uninit(v, dm, dims, du)?;
                }
            }
            match u {
                Some(u) => {
                    // SAFETY: `transform` filled it.
                    let u = Matrix::rows(unsafe { assume_init(u) }, part.len());
                    single_threaded_uninit_strided(dm, u, (tiles, outputs, part.len()), v, inputs)
                }
                None => Ok(()),
            }
        })
    }
}

/// An iterator over planes, or over so many `None`.
fn planes_or_none<P>(planes: Option<impl Iterator<Item = P>>) -> impl Iterator<Item = Option<P>> {
    let mut planes = planes;
    std::iter::from_fn(move || match &mut planes {
        Some(planes) => planes.next().map(Some),
        None => Some(None),
    })
}
