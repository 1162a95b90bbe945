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

#![allow(
    clippy::needless_range_loop,
    reason = "rows and columns of a tile are numbered as in the formulas"
)]

use candle_core::Result;
use rayon::prelude::*;

use super::super::kernel::widest;
use super::super::product::{Matrix, alone_by_rows};
use super::super::real::Real;
use super::super::threads;
use super::Sizes;

/// Channels from which the products are worth the transforms.
pub(super) const FEWEST_CHANNELS: usize = 16;

/// Channels transformed at a time.
const LANES: usize = 16;

/// Values of `V` and `M` together that are worked on at a time: 3 MB of f32, which two cores' caches hold.
const BLOCK: usize = 3 << 18;

/// A block of neighbouring channels.
type Lanes<T> = [T; LANES];

/// The transforms along one side of a tile.
pub(super) trait Tile: Copy + Send + Sync {
    /// Results along a side.
    const RESULTS: usize;
    /// Places along a side.
    const PLACES: usize;

    fn input<T: Real>(d: [T; 6]) -> [T; 6];
    fn input_back<T: Real>(d: [T; 6]) -> [T; 6];
    fn kernel<T: Real>(g: [T; 3]) -> [T; 6];
    fn kernel_back<T: Real>(u: [T; 6]) -> [T; 3];
    fn result<T: Real>(m: [T; 6]) -> [T; 4];
    fn result_back<T: Real>(y: [T; 4]) -> [T; 6];
}

/// F(4x4, 3x3), by the points 0, 1, -1, 2, -2 and infinity.
#[derive(Clone, Copy)]
struct Four;

impl Tile for Four {
    const RESULTS: usize = 4;
    const PLACES: usize = 6;

    #[inline(always)]
    fn input<T: Real>([a, b, c, d, e, f]: [T; 6]) -> [T; 6] {
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
    fn input_back<T: Real>([a, b, c, d, e, f]: [T; 6]) -> [T; 6] {
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
    fn kernel<T: Real>([a, b, c]: [T; 3]) -> [T; 6] {
        let (p, q) = (T::of(-1.0 / 6.0) * (a + c), T::of(-1.0 / 6.0) * b);
        let r = T::of(1.0 / 24.0) * a + T::of(1.0 / 6.0) * c;
        let s = T::of(1.0 / 12.0) * b;
        [T::of(0.25) * a, p + q, p - q, r + s, r - s, c]
    }

    #[inline(always)]
    fn kernel_back<T: Real>([a, b, c, d, e, f]: [T; 6]) -> [T; 3] {
        let (sum, difference) = (b + c, b - c);
        let (wide, apart) = (d + e, d - e);
        let sixth = T::of(1.0 / 6.0);
        [
            T::of(0.25) * a - sixth * sum + T::of(1.0 / 24.0) * wide,
            T::of(1.0 / 12.0) * apart - sixth * difference,
            sixth * (wide - sum) + f,
        ]
    }

    #[inline(always)]
    fn result<T: Real>([a, b, c, d, e, f]: [T; 6]) -> [T; 4] {
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
    fn result_back<T: Real>([a, b, c, d]: [T; 4]) -> [T; 6] {
        let (even, odd) = (a + c, b + d);
        let (wide, apart) = (a + T::of(4.0) * c, T::of(2.0) * b + T::of(8.0) * d);
        [a, even + odd, even - odd, wide + apart, wide - apart, d]
    }
}

/// F(2x2, 3x3), by the points 0, 1, -1 and infinity. The last two places are not used.
#[derive(Clone, Copy)]
struct Two;

impl Tile for Two {
    const RESULTS: usize = 2;
    const PLACES: usize = 4;

    #[inline(always)]
    fn input<T: Real>([a, b, c, d, ..]: [T; 6]) -> [T; 6] {
        [a - c, b + c, c - b, b - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn input_back<T: Real>([a, b, c, d, ..]: [T; 6]) -> [T; 6] {
        [a, b - c + d, b + c - a, T::ZERO - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn kernel<T: Real>([a, b, c]: [T; 3]) -> [T; 6] {
        let half = T::of(0.5);
        let (even, odd) = (half * (a + c), half * b);
        [a, even + odd, even - odd, c, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn kernel_back<T: Real>([a, b, c, d, ..]: [T; 6]) -> [T; 3] {
        let half = T::of(0.5);
        let sum = half * (b + c);
        [a + sum, half * (b - c), sum + d]
    }

    #[inline(always)]
    fn result<T: Real>([a, b, c, d, ..]: [T; 6]) -> [T; 4] {
        [a + b + c, b - c - d, T::ZERO, T::ZERO]
    }

    #[inline(always)]
    fn result_back<T: Real>([a, b, ..]: [T; 4]) -> [T; 6] {
        [a, a + b, a - b, T::ZERO - b, T::ZERO, T::ZERO]
    }
}

/// Applies a transform along one side to a square of blocks of channels: first to each row, then to each column.
#[inline(always)]
fn both_ways<T: Real, const FROM: usize, const TO: usize>(
    square: &[[Lanes<T>; FROM]; FROM],
    from: usize,
    to: usize,
    transform: impl Fn([T; FROM]) -> [T; TO] + Copy,
) -> [[Lanes<T>; TO]; TO] {
    let mut rows = [[[T::ZERO; LANES]; TO]; FROM];
    for row in 0..from {
        for lane in 0..LANES {
            let mut values = [T::ZERO; FROM];
            for place in 0..FROM {
                values[place] = square[row][place][lane];
            }
            let values = transform(values);
            for place in 0..TO {
                rows[row][place][lane] = values[place];
            }
        }
    }
    let mut out = [[[T::ZERO; LANES]; TO]; TO];
    for column in 0..to {
        for lane in 0..LANES {
            let mut values = [T::ZERO; FROM];
            for place in 0..FROM {
                values[place] = rows[place][column][lane];
            }
            let values = transform(values);
            for place in 0..TO {
                out[place][column][lane] = values[place];
            }
        }
    }
    out
}

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
fn store<T: Real>(block: &Lanes<T>, lanes: usize, values: &mut [T]) {
    if lanes == LANES {
        values[..LANES].copy_from_slice(block);
    } else {
        values[..lanes].copy_from_slice(&block[..lanes]);
    }
}

/// An image cut into tiles.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    height: usize,
    width: usize,
    /// Tiles across and down.
    across: usize,
    down: usize,
}

impl Grid {
    fn new<W: Tile>(sizes: &Sizes) -> Self {
        let [height, width, _] = sizes.image;
        Self {
            height,
            width,
            across: width.div_ceil(W::RESULTS),
            down: height.div_ceil(W::RESULTS),
        }
    }

    fn tiles(&self) -> usize {
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
    fn transform_inputs[T: Real, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [T]]) {
        for tile in 0..grid.across {
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let mut square = [[[T::ZERO; LANES]; 6]; 6];
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        let (y, x) = ((row * W::RESULTS + i).wrapping_sub(1), (tile * W::RESULTS + j).wrapping_sub(1));
                        if let Some(pixel) = grid.pixel(y, x, channels) {
                            square[i][j] = load(&image[pixel + c..], lanes);
                        }
                    }
                }
                let v = both_ways(&square, W::PLACES, W::PLACES, W::input);
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        store(&v[i][j], lanes, &mut planes[i * W::PLACES + j][tile * channels + c..]);
                    }
                }
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
                let mut square = [[[T::ZERO; LANES]; 6]; 6];
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        square[i][j] = load(&planes[i * W::PLACES + j][tile * channels + c..], lanes);
                    }
                }
                let dx = both_ways(&square, W::PLACES, W::PLACES, W::input_back);
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        let (y, x) = ((row * W::RESULTS + i).wrapping_sub(1), (column * W::RESULTS + j).wrapping_sub(1));
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
    fn transform_results[T: Real, W: Tile](_by: W, grid: Grid, planes: &[&[T]], channels: usize, bias: Option<&[T]>, rows: &mut [T]) {
        let height = rows.len() / (grid.width * channels);
        for tile in 0..grid.across {
            let mut c = 0;
            while c < channels {
                let lanes = LANES.min(channels - c);
                let mut square = [[[T::ZERO; LANES]; 6]; 6];
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        square[i][j] = load(&planes[i * W::PLACES + j][tile * channels + c..], lanes);
                    }
                }
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
    fn untransform_results[T: Real, W: Tile](_by: W, grid: Grid, row: usize, image: &[T], channels: usize, planes: &mut [&mut [T]]) {
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
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        store(&dm[i][j], lanes, &mut planes[i * W::PLACES + j][tile * channels + c..]);
                    }
                }
                c += lanes;
            }
        }
    }
}

widest! {
    /// `U` of some inputs, from `first` on: `planes` has for each place `[inputs, outputs]`.
    fn transform_kernels[T: Real, W: Tile](_by: W, weight: &[T], first: usize, inputs: usize, outputs: usize, planes: &mut [&mut [T]]) {
        let some = planes[0].len() / outputs;
        let mut o = 0;
        while o < outputs {
            let lanes = LANES.min(outputs - o);
            for input in 0..some {
                let mut square = [[[T::ZERO; LANES]; 3]; 3];
                for lane in 0..lanes {
                    let taps = &weight[((o + lane) * inputs + first + input) * 9..][..9];
                    for tap in 0..9 {
                        square[tap / 3][tap % 3][lane] = taps[tap];
                    }
                }
                let u = both_ways(&square, 3, W::PLACES, W::kernel);
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        store(&u[i][j], lanes, &mut planes[i * W::PLACES + j][input * outputs + o..]);
                    }
                }
            }
            o += lanes;
        }
    }
}

widest! {
    /// `Gᵀ·dU·G` for some outputs, from `first` on.
    fn untransform_kernels[T: Real, W: Tile](_by: W, planes: &[&[T]], first: usize, inputs: usize, outputs: usize, dweight: &mut [T]) {
        let some = dweight.len() / (inputs * 9);
        let mut o = 0;
        while o < some {
            let lanes = LANES.min(some - o);
            for input in 0..inputs {
                let mut square = [[[T::ZERO; LANES]; 6]; 6];
                for i in 0..W::PLACES {
                    for j in 0..W::PLACES {
                        square[i][j] = load(&planes[i * W::PLACES + j][input * outputs + first + o..], lanes);
                    }
                }
                let dw = both_ways(&square, W::PLACES, 3, W::kernel_back);
                for lane in 0..lanes {
                    let taps = &mut dweight[((o + lane) * inputs + input) * 9..][..9];
                    for tap in 0..9 {
                        taps[tap] = dw[tap / 3][tap % 3][lane];
                    }
                }
            }
            o += lanes;
        }
    }
}

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
    y: &mut [T],
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
    dx: Option<&mut [T]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    if by_four(sizes) {
        Plan::new(Four, sizes).gradients(arguments, dx, dweight)
    } else {
        Plan::new(Two, sizes).gradients(arguments, dx, dweight)
    }
}

/// Transforms a row of tiles of an image with so many channels into planes.
type Fill<W, T> = fn(W, Grid, usize, &[T], usize, &mut [&mut [T]]);

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
        let mut u = vec![T::ZERO; Self::PLACES * self.inputs * self.outputs];
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
        u
    }

    /// Fills `[places, tiles, channels]` from some images, row of tiles by row of tiles.
    fn fill<T: Real>(&self, images: &[T], channels: usize, out: &mut [T], transform: Fill<W, T>) {
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
    }

    fn forward<T: Real>(
        &self,
        x: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        y: &mut [T],
    ) -> Result<()> {
        let (grid, inputs, outputs) = (self.grid, self.inputs, self.outputs);
        let u = self.kernels(weight);
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let mut v = vec![T::ZERO; Self::PLACES * tiles * inputs];
        let mut m = vec![T::ZERO; Self::PLACES * tiles * outputs];
        let blocks = x
            .chunks(self.images * pixels * inputs)
            .zip(y.chunks_mut(self.images * pixels * outputs));
        for (x, y) in blocks {
            let images = x.len() / (pixels * inputs);
            let tiles = images * grid.tiles();
            let v = &mut v[..Self::PLACES * tiles * inputs];
            let m = &mut m[..Self::PLACES * tiles * outputs];
            self.fill(x, inputs, v, transform_inputs);
            m.par_chunks_mut(tiles * outputs)
                .zip(v.par_chunks(tiles * inputs))
                .zip(u.par_chunks(inputs * outputs))
                .try_for_each(|((m, v), u)| {
                    let (v, u) = (Matrix::rows(v, inputs), Matrix::rows(u, outputs));
                    alone_by_rows(v, u, (tiles, inputs, outputs), m, false)
                })?;
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
        mut dx: Option<&mut [T]>,
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
        let mut du = vec![T::ZERO; Self::PLACES * kernels];
        let pixels = grid.height * grid.width;
        let tiles = self.images * grid.tiles();
        let mut v = vec![T::ZERO; Self::PLACES * tiles * inputs];
        let mut dm = vec![T::ZERO; Self::PLACES * tiles * outputs];
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
            self.fill(dy, outputs, dm, untransform_results);
            let mut sums: Vec<Option<&mut [T]>> = if kernels > 0 {
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
                        let v = Matrix::rows(v, inputs).transposed();
                        alone_by_rows(v, dm, (inputs, tiles, outputs), du, block > 0)?;
                    }
                    // `V` is done with: its gradient takes its place.
                    match u {
                        Some(u) => {
                            let u = Matrix::rows(u, outputs).transposed();
                            alone_by_rows(dm, u, (tiles, outputs, inputs), v, false)
                        }
                        None => Ok(()),
                    }
                })?;
            if let Some(dx) = dx.as_deref_mut() {
                let image = pixels * inputs;
                let dx = &mut dx[block * self.images * image..][..images * image];
                dx.par_chunks_mut(image)
                    .with_min_len(images.div_ceil(threads::threads()))
                    .enumerate()
                    .for_each(|(i, dx)| {
                        let planes = narrow(v, Self::PLACES, images, i, i + 1);
                        scatter_inputs(self.tile, grid, &planes, inputs, dx);
                    });
            }
        }
        if let Some(dweight) = dweight {
            let some = outputs.div_ceil(threads::threads());
            let planes: Vec<_> = du.chunks(kernels).collect();
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
