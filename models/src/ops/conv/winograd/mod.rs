//! 3x3 and 5x5 convolutions with stride 1 after Winograd (1980) and Lavin and Gray (2016): an image is cut into tiles,
//! tiles and kernels are transformed, multiplied place by place, and transformed back. Of a 3x3 convolution a tile of 4x4
//! results takes 36 multiplications for each pair of channels where the definition takes 144, one of 2x2 takes 16 for 36;
//! of a 5x5 convolution a tile of 2x2 takes 36 for 100.
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

/// Channels on either side from which the products are worth the transforms, as was measured; `None` for kernels that
/// have none.
pub(super) fn fewest_channels(kernel: [usize; 2]) -> Option<usize> {
    match kernel {
        [3, 3] => Some(16),
        [5, 5] => Some(32),
        _ => None,
    }
}

/// Values of `V` and `M` together that are worked on at a time: 3 MB of f32, which two cores' caches hold.
const BLOCK: usize = 3 << 18;

/// Channels of whose kernels `U` is made at a time where all images are worked on at once: each part is used while it is
/// in the cache, and `U` takes no more memory than one.
const PART: usize = 64;

/// A buffer `[places, units, …]`: a plane for each place. Planes that start a power of two apart would fall into the
/// same lines of the caches, each pushing the others out, so there is something between them.
struct Planes<T> {
    memory: Vec<MaybeUninit<T>>,
    places: usize,
}

/// Values between two planes: three lines of a cache of f32.
const GAP: usize = 48;

impl<T: Float> Planes<T> {
    /// Room for planes of so many values.
    fn new(places: usize, plane: usize) -> Self {
        Self {
            memory: uninit_vec(places * (plane + GAP)),
            places,
        }
    }

    /// The planes, of which the first so many values are in use.
    fn all(&self, plane: usize) -> impl Iterator<Item = &[MaybeUninit<T>]> {
        let apart = self.memory.len() / self.places;
        self.memory
            .chunks_exact(apart)
            .map(move |memory| &memory[..plane])
    }

    /// The same, to be written.
    fn all_mut(&mut self, plane: usize) -> impl Iterator<Item = &mut [MaybeUninit<T>]> {
        let apart = self.memory.len() / self.places;
        self.memory
            .chunks_exact_mut(apart)
            .map(move |memory| &mut memory[..plane])
    }

    /// Cuts the planes, each of `units` of `unit` values, into the parts that threads share, each with its units of
    /// every place. Gives the first unit of each part with the part.
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

    /// The values `from..to` of every plane.
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

/// A unit of every plane of a part.
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

/// The tile of a 3x3 convolution that takes the fewest multiplications.
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

/// Transforms a row of tiles of an image with so many channels into planes.
type Fill<W, T> = fn(W, Grid, usize, &[T], usize, &mut [&mut [MaybeUninit<T>]]);

/// The planes of the way back; those of kernels where their gradients, or those of images, are asked for.
struct BackwardPlanes<'a, T> {
    v: &'a mut Planes<T>,
    dm: &'a Planes<T>,
    u: Option<&'a Planes<T>>,
    du: Option<&'a mut Planes<T>>,
}

/// How a convolution is carried out.
struct Plan<W> {
    grid: Grid,
    inputs: usize,
    outputs: usize,
    /// Images worked on at a time.
    images: usize,
    /// Channels of whose kernels `U` is made at a time.
    part: usize,
    tile: W,
}

impl<W: Tile> Plan<W> {
    const PLACES: usize = W::PLACES * W::PLACES;

    fn new(tile: W, shape: &ConvShape) -> Self {
        let grid = Grid::new::<W>(shape);
        let (inputs, outputs) = (shape.image[2], shape.result[2]);
        let image = Self::PLACES * grid.tiles() * (inputs + outputs);
        // Products of few rows are slow.
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

    /// The channels whose kernels are made together.
    fn channel_parts(&self, channels: usize) -> impl Iterator<Item = Range<usize>> + use<W> {
        let part = self.part;
        let starts = (0..channels).step_by(part);
        starts.map(move |start| start..channels.min(start.saturating_add(part)))
    }

    /// `U` for some columns of a matrix of kernels that has so many rows.
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

    /// Fills `[places, tiles, channels]` from some images, row of tiles by row of tiles.
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
                // Where there are several blocks, there is one part.
                if block == 0 {
                    self.transform(kernels, inputs, &part, &mut u);
                }
                let places = m
                    .all_mut(tiles * outputs)
                    .zip(v.all(tiles * inputs))
                    .zip(u.all(inputs * part.len()));
                threads::try_map::<_, _, ()>(places, |((m, v), u)| {
                    // SAFETY: both were filled, `v` as far as there are tiles.
                    let (v, u) = unsafe { (assume_init(v), assume_init(u)) };
                    let (v, u) = (Matrix::rows(v, inputs), Matrix::rows(u, part.len()));
                    let dims = (tiles, inputs, part.len());
                    single_threaded_uninit_strided(v, u, dims, &mut m[part.start..], outputs)
                })?;
            }
            // A row of tiles makes whole rows of the result.
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
                // SAFETY: the products filled all tiles.
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
                // Where there are several blocks, there is one part.
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
                    // SAFETY: the gradients took the place of `V`.
                    let planes = unsafe { v.slices(i * len, (i + 1) * len) };
                    scatter_inputs(self.tile, grid, &planes, inputs, zero_init(dx));
                });
            }
        }
        Ok(())
    }

    /// `dU = Vᵀ·dM` for a part of the inputs, or adds it to what is there, and `dV = dM·Uᵀ`, which takes the place of
    /// that part of `V`.
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
            // SAFETY: filled as far as there are tiles.
            let dm = Matrix::rows(unsafe { assume_init(dm) }, outputs);
            let v = &mut v[part.start..];
            if let Some(du) = du {
                // SAFETY: filled, because kernels are asked for.
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

/// Planes, or as many times nothing as are asked for.
fn planes_or_none<P>(planes: Option<impl Iterator<Item = P>>) -> impl Iterator<Item = Option<P>> {
    let mut planes = planes;
    std::iter::from_fn(move || match &mut planes {
        Some(planes) => planes.next().map(Some),
        None => Some(None),
    })
}
