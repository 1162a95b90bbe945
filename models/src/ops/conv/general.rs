//! Any convolution, by im2col (Chellapilla and others 2006): the patches under the kernel become the rows of a matrix,
//! which is multiplied by the weights; a few images at a time, so that the patches stay in the cache.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::Result;

use super::super::float::Float;
use super::super::kernel::zero_init;
use super::super::matmul::{Matrix, single_threaded_by_rows, single_threaded_uninit_strided};
use super::super::threads;
use super::ConvShape;

/// Values of patches that a thread makes at a time: 1 MB of f32.
const PATCHES: usize = 1 << 18;

/// The shape of a convolution, shared by all tasks.
struct Plan {
    shape: ConvShape,
    /// Input and output channels of a group.
    inputs: usize,
    outputs: usize,
    /// Values of a patch.
    patch: usize,
    /// Rows of the result per block of patches.
    rows: usize,
}

impl Plan {
    fn new(shape: &ConvShape) -> Self {
        let groups = shape.params.groups;
        let (inputs, outputs) = (shape.image[2] / groups, shape.result[2] / groups);
        let patch = shape.kernel[0] * shape.kernel[1] * inputs;
        let rows = (PATCHES / (patch * shape.result[1])).clamp(1, shape.result[0]);
        Self {
            shape: *shape,
            inputs,
            outputs,
            patch,
            rows,
        }
    }

    /// The weights of the groups, each `[patch, outputs]`, with patches in the order of [`Plan::each_tap`].
    fn matrices<T: Float>(&self, weight: &[T]) -> Vec<T> {
        let taps = self.patch / self.inputs;
        let group = self.patch * self.outputs;
        weight
            .chunks_exact(group)
            .flat_map(|weight| super::weights::taps_first(weight, self.outputs, self.inputs, taps))
            .collect()
    }

    /// Calls `each` for every tap of every pixel of some rows of the result, with the index of the tap in the patches
    /// and that of the pixel under it, `None` in the padding.
    fn each_tap(&self, rows: std::ops::Range<usize>, mut each: impl FnMut(usize, Option<usize>)) {
        let [height, width, channels] = self.shape.image;
        let [kh, kw] = self.shape.kernel;
        let params = &self.shape.params;
        let mut place = 0;
        for row in rows {
            for column in 0..self.shape.result[1] {
                for ky in 0..kh {
                    let y = (row * params.stride[0] + ky * params.dilation[0])
                        .wrapping_sub(params.padding[0]);
                    for kx in 0..kw {
                        let x = (column * params.stride[1] + kx * params.dilation[1])
                            .wrapping_sub(params.padding[1]);
                        let inside = y < height && x < width;
                        each(place, inside.then(|| (y * width + x) * channels));
                        place += self.inputs;
                    }
                }
            }
        }
    }

    /// The rows of the result, in blocks.
    fn row_blocks(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (all, step) = (self.shape.result[0], self.rows);
        (0..all)
            .step_by(step)
            .map(move |start| start..(start + step).min(all))
    }

    fn gather<T: Float>(
        &self,
        image: &[T],
        group: usize,
        rows: std::ops::Range<usize>,
        patches: &mut [T],
    ) {
        let first = group * self.inputs;
        self.each_tap(rows, |place, pixel| {
            let tap = &mut patches[place..place + self.inputs];
            match pixel {
                Some(pixel) => {
                    tap.copy_from_slice(&image[pixel + first..pixel + first + self.inputs])
                }
                None => tap.fill(T::ZERO),
            }
        });
    }

    fn scatter<T: Float>(
        &self,
        patches: &[T],
        group: usize,
        rows: std::ops::Range<usize>,
        image: &mut [T],
    ) {
        let first = group * self.inputs;
        self.each_tap(rows, |place, pixel| {
            if let Some(pixel) = pixel {
                let sums = &mut image[pixel + first..pixel + first + self.inputs];
                for (sum, part) in sums.iter_mut().zip(&patches[place..place + self.inputs]) {
                    *sum += *part;
                }
            }
        });
    }
}

pub(super) fn forward<T: Float>(
    shape: &ConvShape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) -> Result<()> {
    let plan = Plan::new(shape);
    let matrices = plan.matrices(weight);
    let part = threads::units_per_chunk(shape.n, shape.image_len() + shape.result_len());
    let channels = shape.result[2];
    let parts = y
        .chunks_mut(part * shape.result_len())
        .zip(x.chunks(part * shape.image_len()));
    let work = |(y, x): (&mut [MaybeUninit<T>], &[T])| {
        let mut patches = vec![T::ZERO; plan.rows * shape.result[1] * plan.patch];
        let images = y
            .chunks_exact_mut(shape.result_len())
            .zip(x.chunks_exact(shape.image_len()));
        for (y, x) in images {
            for rows in plan.row_blocks() {
                let pixels = rows.len() * shape.result[1];
                let y = &mut y[rows.start * shape.result[1] * channels..];
                for group in 0..shape.params.groups {
                    plan.gather(x, group, rows.clone(), &mut patches);
                    let matrix = &matrices[group * plan.patch * plan.outputs..];
                    single_threaded_uninit_strided(
                        Matrix::rows(&patches, plan.patch),
                        Matrix::rows(matrix, plan.outputs),
                        (pixels, plan.patch, plan.outputs),
                        &mut y[group * plan.outputs..],
                        channels,
                    )?;
                }
            }
            if let Some(bias) = bias {
                // SAFETY: the groups of all rows were written.
                let y = unsafe { y.assume_init_mut() };
                for pixel in y.chunks_exact_mut(channels) {
                    pixel.iter_mut().zip(bias).for_each(|(y, bias)| *y += *bias);
                }
            }
        }
        Ok(())
    };
    threads::try_map(parts, work)
}

pub(super) fn gradients<T: Float>(
    shape: &ConvShape,
    (x, weight, dy): (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    let plan = Plan::new(shape);
    let matrices = match &dx {
        Some(_) => plan.matrices(weight),
        None => Vec::new(),
    };
    let part = shape.images_per_part();
    let parts = shape.n.div_ceil(part);
    let dxs: Vec<Option<&mut [MaybeUninit<T>]>> = match dx {
        Some(dx) => dx.chunks_mut(part * shape.image_len()).map(Some).collect(),
        None => (0..parts).map(|_| None).collect(),
    };
    let wanted = dweight.is_some();
    let parts = dxs
        .into_iter()
        .zip(x.chunks(part * shape.image_len()))
        .zip(dy.chunks(part * shape.result_len()));
    let sums: Vec<_> = threads::try_map(parts, |((dx, x), dy)| {
        plan.gradients(x, dy, &matrices, dx, wanted)
    })?;
    if let Some(dweight) = dweight {
        let mut turned = vec![T::ZERO; dweight.len()];
        for part in sums {
            turned
                .iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
        let group = plan.patch * plan.outputs;
        for (turned, dweight) in turned
            .chunks_exact(group)
            .zip(dweight.chunks_exact_mut(group))
        {
            super::weights::taps_last(turned, plan.outputs, plan.inputs, dweight);
        }
    }
    Ok(())
}

impl Plan {
    /// The gradients of some images, and their contribution to the weights' gradient in the order of
    /// [`Plan::matrices`].
    fn gradients<T: Float>(
        &self,
        x: &[T],
        dy: &[T],
        matrices: &[T],
        mut dx: Option<&mut [MaybeUninit<T>]>,
        weights: bool,
    ) -> Result<Vec<T>> {
        let shape = &self.shape;
        let channels = shape.result[2];
        let group_len = self.patch * self.outputs;
        let mut patches = vec![T::ZERO; self.rows * shape.result[1] * self.patch];
        let mut sums = vec![
            T::ZERO;
            if weights {
                group_len * shape.params.groups
            } else {
                0
            }
        ];
        for (i, (x, dy)) in x
            .chunks_exact(shape.image_len())
            .zip(dy.chunks_exact(shape.result_len()))
            .enumerate()
        {
            let mut image = dx
                .as_deref_mut()
                .map(|dx| zero_init(&mut dx[i * shape.image_len()..(i + 1) * shape.image_len()]));
            for rows in self.row_blocks() {
                let pixels = rows.len() * shape.result[1];
                let dy = &dy[rows.start * shape.result[1] * channels..];
                for group in 0..shape.params.groups {
                    let dy = Matrix::rows_apart(&dy[group * self.outputs..], channels);
                    let patches = &mut patches[..pixels * self.patch];
                    if weights {
                        self.gather(x, group, rows.clone(), patches);
                        single_threaded_by_rows(
                            Matrix::rows(patches, self.patch).transposed(),
                            dy,
                            (self.patch, pixels, self.outputs),
                            &mut sums[group * group_len..(group + 1) * group_len],
                            true,
                        )?;
                    }
                    if let Some(image) = image.as_deref_mut() {
                        let matrix = Matrix::rows(&matrices[group * group_len..], self.outputs);
                        single_threaded_by_rows(
                            dy,
                            matrix.transposed(),
                            (pixels, self.outputs, self.patch),
                            patches,
                            false,
                        )?;
                        self.scatter(patches, group, rows.clone(), image);
                    }
                }
            }
        }
        Ok(sums)
    }
}
