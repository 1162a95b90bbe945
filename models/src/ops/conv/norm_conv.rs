//! Batch normalisation, activation and convolution as one operation, for memory-bound convolutions: 1x1 and depthwise.
//! The normalised images are never in memory as a whole. A thread computes those of a few images in its cache,
//! convolves them, and recomputes them in the backward pass; so a layer keeps one tensor instead of two, and neither
//! writes nor reads the second.

use std::mem::MaybeUninit;
use std::ops::Range;

use candle_core::{DType, Result, Tensor, bail};
use rayon::prelude::*;

use super::super::activation::{Activation, ActivationFn, dispatch_activation};
use super::super::batch_norm::{Affine, BatchNormOp, batch_norm, normalise, write_rounded};
use super::super::float::Float;
use super::super::gradient_sink::accumulate_grad;
use super::super::kernel::{
    PARTIAL_ROWS, assume_init, simd_dispatch, storage_slice, try_init_vec, uninit_vec,
};
use super::super::matmul::Accumulator;
use super::super::reference;
use super::super::statistics::{BatchStatistics, Moments, WithStats};
use super::super::tape::{SaveForBackward, push, recorded, requires_grad};
use super::super::threads;
use super::pointwise::{self, add_parts};
use super::{BLOCK, ConvAlgorithm, ConvParams, ConvShape, conv2d, depthwise, weights};

/// Normalises images `x` `[n, height, width, channels]` by their own statistics as [`batch_norm`], applies the
/// activation, and convolves as [`conv2d`] without a bias. Equal to the separate operations up to rounding.
///
/// # Errors
/// When the shapes do not match.
pub fn norm_conv2d(
    x: impl Into<WithStats>,
    (scale, shift, epsilon): (&Tensor, &Tensor, f64),
    activation: Activation,
    weight: &Tensor,
    params: ConvParams,
) -> Result<(WithStats, BatchStatistics)> {
    let x = x.into();
    let fused = match ConvShape::new(x.values.shape(), weight.shape(), params) {
        Ok(shape) if recorded(&[&x.values, scale, shift, weight]) && !reference::selected() => {
            NormConv::new(&shape, activation)
        }
        _ => None,
    };
    let Some(fused) = fused else {
        let (y, statistics) = batch_norm(x, scale, shift, epsilon, Some(activation))?;
        return Ok((conv2d(&y, weight, None, params)?.into(), statistics));
    };
    let (x, statistics) = x.into_parts()?;
    let norm = BatchNormOp::new(&statistics, epsilon, Some(activation), true);
    norm.check(x.shape(), scale.shape(), shift.shape())?;
    let y = match x.dtype() {
        DType::F64 => fused.apply::<f64>(norm, [&x, scale, shift, weight]),
        _ => fused.apply::<f32>(norm, [&x, scale, shift, weight]),
    }?;
    Ok((y, statistics))
}

simd_dispatch! {
    /// Replaces the gradient after the activation by the one before it, and sums it and its product with the deviation
    /// from the mean.
    fn activation_backward[T: Float, F: ActivationFn<T>](_f: F, x: &[T], dy: &mut [T], affine: &Affine<T>, sums: &mut [T], products: &mut [T]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift, sums, products) = (&scale[..channels], &shift[..channels], &mut sums[..channels], &mut products[..channels]);
        for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let distance = x[c] - mean[c];
                let g = F::backward(distance * scale[c] + shift[c], dy[c]);
                dy[c] = g;
                sums[c] += g;
                products[c] += g * distance;
            }
        }
    }
}

simd_dispatch! {
    /// As [`activation_backward`], with known derivatives of the activation.
    fn activation_backward_by_slopes[T: Float](x: &[T], slopes: &[T], dy: &mut [T], affine: &Affine<T>, sums: &mut [T], products: &mut [T]) {
        let mean = &affine.mean;
        let channels = mean.len();
        let (sums, products) = (&mut sums[..channels], &mut products[..channels]);
        let rows = x.chunks_exact(channels).zip(slopes.chunks_exact(channels));
        for ((x, slopes), dy) in rows.zip(dy.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let g = slopes[c] * dy[c];
                dy[c] = g;
                sums[c] += g;
                products[c] += g * (x[c] - mean[c]);
            }
        }
    }
}

simd_dispatch! {
    /// The normalised values after the activation, and its derivatives.
    fn normalise_with_slopes[T: Float, F: ActivationFn<T>](_f: F, x: &[T], affine: &Affine<T>, y: &mut [MaybeUninit<T>], slopes: &mut [MaybeUninit<T>]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift) = (&scale[..channels], &shift[..channels]);
        let rows = y.chunks_exact_mut(channels).zip(slopes.chunks_exact_mut(channels));
        for ((y, slopes), x) in rows.zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                let (value, slope) = F::forward_and_slope((x[c] - mean[c]) * scale[c] + shift[c]);
                y[c].write(value);
                slopes[c].write(slope);
            }
        }
    }
}

simd_dispatch! {
    /// Replaces `g` by `scale·(g - offset - (x - mean)·slope)`.
    fn norm_backward[T: Float](x: &[T], g: &mut [T], affine: &Affine<T>, offset: &[T], slope: &[T]) {
        let Affine { mean, scale, .. } = affine;
        let channels = mean.len();
        let (scale, offset, slope) = (&scale[..channels], &offset[..channels], &slope[..channels]);
        for (x, g) in x.chunks_exact(channels).zip(g.chunks_exact_mut(channels)) {
            for c in 0..channels {
                g[c] = scale[c] * (g[c] - offset[c] - (x[c] - mean[c]) * slope[c]);
            }
        }
    }
}

/// Weights for the forward pass.
enum ForwardWeights<T: 'static> {
    Pointwise(pointwise::ForwardWeights<T>),
    /// `[taps, channels]`.
    Depthwise(Vec<T>),
}

/// Weights for the backward pass.
enum BackwardWeights<'a, T: 'static> {
    Pointwise(pointwise::BackwardWeights<'a, T>),
    /// The convolution from the result's gradient to the image's gradient, and its weights `[taps, channels]`.
    Depthwise(ConvShape, Vec<T>),
}

impl<T: Float> BackwardWeights<'_, T> {
    fn sums(&self) -> Accumulator<T> {
        match self {
            Self::Pointwise(weight) => weight.sums(),
            Self::Depthwise(_, taps) => Accumulator::new(taps.len()),
        }
    }

    fn memory(&self, rows: usize) -> usize {
        match self {
            Self::Pointwise(weight) => weight.memory(rows),
            Self::Depthwise(..) => 0,
        }
    }
}

/// The partial sums of a task.
struct Part<T> {
    /// The partial sums of the weights' gradient, in the layout of the convolution's algorithm.
    dweight: Accumulator<T>,
    shift: Vec<f64>,
    along: Vec<f64>,
}

#[derive(Clone, Copy)]
struct NormConv {
    shape: ConvShape,
    activation: Activation,
    /// Images per task of the backward pass.
    images_per_part: usize,
    /// Images whose normalised values a thread has in memory.
    block: usize,
    pointwise: bool,
}

impl NormConv {
    /// `None` if the convolution's algorithm reads its images more than once.
    fn new(shape: &ConvShape, activation: Activation) -> Option<Self> {
        let pointwise = match shape.algorithm() {
            ConvAlgorithm::Pointwise => true,
            ConvAlgorithm::Depthwise if depthwise::gradient_is_convolution(shape) => false,
            _ => return None,
        };
        if shape.n == 0 {
            return None;
        }
        let images_per_part = shape.images_per_part();
        Some(Self {
            shape: *shape,
            activation,
            images_per_part,
            block: (BLOCK / shape.image_len()).clamp(1, images_per_part),
            pointwise,
        })
    }

    fn apply<T: Float>(
        self,
        norm: BatchNormOp,
        [x, scale, shift, weight]: [&Tensor; 4],
    ) -> Result<WithStats> {
        let (y, parts) = {
            let (x_held, x_layout) = x.storage_and_layout();
            let (weight_held, weight_layout) = weight.storage_and_layout();
            let affine = norm.affine_of::<T>(scale, shift)?;
            let (x, weight) = (
                storage_slice(&x_held, x_layout)?,
                storage_slice(&weight_held, weight_layout)?,
            );
            dispatch_activation!(Some(self.activation), f => self.forward(f, x, &affine, weight))?
        };
        let [height, width, channels] = self.shape.result;
        let y = Tensor::from_vec(y, (self.shape.n, height, width, channels), x.device())?;
        let kept = [x, scale, shift, weight].map(Tensor::clone);
        let back = move |_: &Tensor, dy: &Tensor| self.backward::<T>(&norm, &kept, dy);
        push(
            &[x, scale, shift, weight],
            &y,
            SaveForBackward::Shapes,
            Box::new(back),
        )?;
        Ok(WithStats::from_parts(y, &parts))
    }

    /// Calls `work` with the normalised values of the images `x`.
    fn normalised<T: Float, R>(
        function: impl ActivationFn<T>,
        x: &[T],
        affine: &Affine<T>,
        memory: &mut [MaybeUninit<T>],
        work: impl FnOnce(&[T]) -> R,
    ) -> R {
        let memory = &mut memory[..x.len()];
        normalise(function, x, affine, memory);
        // SAFETY: `x` has complete images, and all their rows were just written.
        work(unsafe { assume_init(memory) })
    }

    /// The results, and their moments by task: computed while they are in the cache.
    fn forward<T: Float>(
        &self,
        function: impl ActivationFn<T>,
        x: &[T],
        affine: &Affine<T>,
        weight: &[T],
    ) -> Result<(Vec<T>, Vec<Moments<T>>)> {
        let shape = &self.shape;
        let (image, result) = (shape.image_len(), shape.result_len());
        let (inputs, outputs) = (shape.image[2], shape.result[2]);
        let rows = shape.image_pixels();
        let weight = if self.pointwise {
            ForwardWeights::Pointwise(pointwise::ForwardWeights::new(
                weight,
                shape.n * rows,
                inputs,
                outputs,
            )?)
        } else {
            ForwardWeights::Depthwise(depthwise::transposed(weight, outputs))
        };
        let memory = match &weight {
            ForwardWeights::Pointwise(weight) => weight.memory(self.block * rows),
            ForwardWeights::Depthwise(_) => 0,
        };
        let mut parts = Vec::new();
        // SAFETY: the tasks cover all images, and each convolution writes all of its result, or fails.
        let y = unsafe {
            try_init_vec(shape.n * result, |y| {
                parts = y
                    .par_chunks_mut(self.block * result)
                    .zip(x.par_chunks(self.block * image))
                    .with_max_len(1)
                    .map_init(
                        || (uninit_vec(self.block * image), uninit_vec(memory)),
                        |(normalised, memory), (y, x)| {
                            let mut moments = Moments::new(outputs);
                            Self::normalised(function, x, affine, normalised, |x| match &weight {
                                ForwardWeights::Pointwise(weight) => {
                                    weight.block(x, (inputs, outputs), y, memory)?;
                                    moments.add(assume_init(y));
                                    Ok(())
                                }
                                ForwardWeights::Depthwise(weight) => {
                                    let images = y.chunks_exact_mut(result);
                                    for (y, x) in images.zip(x.chunks_exact(image)) {
                                        depthwise::convolve(shape, x, weight, None, y);
                                        moments.add(assume_init(y));
                                    }
                                    Ok(())
                                }
                            })
                            .map(|()| moments)
                        },
                    )
                    .collect::<Result<_>>()?;
                Ok(())
            })
        }?;
        Ok((y, parts))
    }

    fn backward<T: Float>(
        &self,
        norm: &BatchNormOp,
        [x, scale, shift, weight]: &[Tensor; 4],
        dy: &Tensor,
    ) -> Result<Vec<Option<Tensor>>> {
        let dy = dy.contiguous()?;
        let (x_held, x_layout) = x.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let values = storage_slice::<T>(&x_held, x_layout)?;
        let affine = norm.affine_of::<T>(scale, shift)?;
        let mut parts = Vec::new();
        let dy = storage_slice(&dy_held, dy_layout)?;
        // SAFETY: `before_activation` writes the gradients of all images, or fails.
        let mut dx = unsafe {
            try_init_vec(values.len(), |dx| {
                let (weight_held, weight_layout) = weight.storage_and_layout();
                let weight_values = storage_slice(&weight_held, weight_layout)?;
                parts = dispatch_activation!(Some(self.activation), f => {
                    self.before_activation(f, values, &affine, weight_values, dy, dx)
                })?;
                Ok(())
            })
        }?;
        let channels = self.shape.image[2];
        let sum = |of: fn(&Part<T>) -> &[f64]| -> Vec<f64> {
            let at = |c: usize| parts.iter().map(|part| of(part)[c]).sum();
            (0..channels).map(at).collect()
        };
        let (offset, along) = (sum(|part| &part.shift), sum(|part| &part.along));
        let dx = if requires_grad(x) {
            let (even, slope) = norm.spread::<T>(&offset, &along, values.len() / channels);
            let part = threads::chunk_len(values.len()).div_ceil(channels) * channels;
            let parts = dx.chunks_mut(part).zip(values.chunks(part));
            threads::for_each(parts, |(dx, x)| {
                norm_backward(x, dx, &affine, &even, &slope)
            });
            Some(Tensor::from_vec(dx, x.shape(), x.device())?)
        } else {
            None
        };
        let along = along.iter().zip(norm.inv_std());
        let along = along.map(|(along, inverse)| along * inverse);
        let dscale = accumulate_grad::<T>(scale, |out, add| write_rounded(out, along, add))?;
        let dshift = accumulate_grad::<T>(shift, |out, add| {
            write_rounded(out, offset.iter().copied(), add)
        })?;
        let dweight = accumulate_grad::<T>(weight, |out, add| self.add_up(&mut parts, out, add))?;
        Ok(vec![dx, dscale, dshift, dweight])
    }

    /// Writes the gradient before the activation, and returns the partial sums of the other gradients, by task.
    fn before_activation<T: Float, F: ActivationFn<T>>(
        &self,
        function: F,
        x: &[T],
        affine: &Affine<T>,
        weight: &[T],
        dy: &[T],
        dx: &mut [MaybeUninit<T>],
    ) -> Result<Vec<Part<T>>> {
        let shape = &self.shape;
        let (image, result) = (shape.image_len(), shape.result_len());
        let channels = shape.image[2];
        let (rows, inputs, outputs) = pointwise::dims(shape);
        let part = self.images_per_part;
        let weight = if self.pointwise {
            BackwardWeights::Pointwise(pointwise::BackwardWeights::new(
                weight, rows, inputs, outputs,
            )?)
        } else {
            match depthwise::rotated(shape, &depthwise::transposed(weight, channels)) {
                Some((turned, taps)) => BackwardWeights::Depthwise(turned, taps),
                None => bail!("a depthwise convolution that does not turn back"),
            }
        };
        let parts = dx
            .chunks_mut(part * image)
            .zip(x.chunks(part * image))
            .zip(dy.chunks(part * result));
        threads::try_map(parts, |((dx, x), dy)| {
            let mut part = Part {
                dweight: weight.sums(),
                shift: vec![0.0; channels],
                along: vec![0.0; channels],
            };
            let mut memory = uninit_vec(self.block * image);
            let mut slopes = uninit_vec(if F::SHARES_WORK { memory.len() } else { 0 });
            let mut products = uninit_vec(weight.memory(self.block * shape.image_pixels()));
            let blocks = x
                .chunks(self.block * image)
                .zip(dy.chunks(self.block * result));
            for ((x, dy), dx) in blocks.zip(dx.chunks_mut(self.block * image)) {
                let memory = &mut memory[..x.len()];
                let slopes = if F::SHARES_WORK {
                    let slopes = &mut slopes[..x.len()];
                    normalise_with_slopes(function, x, affine, memory, slopes);
                    // SAFETY: as the values below.
                    Some(unsafe { assume_init(slopes) })
                } else {
                    normalise(function, x, affine, memory);
                    None
                };
                // SAFETY: `x` has complete images, and all their rows were just written.
                let a = unsafe { assume_init(memory) };
                match &weight {
                    BackwardWeights::Pointwise(weight) => {
                        let (sums, memory) = (&mut part.dweight, &mut products);
                        weight.block((a, dy), (inputs, outputs), dx, sums, memory)?;
                    }
                    BackwardWeights::Depthwise(turned, taps) => {
                        for i in 0..a.len() / image {
                            let (a, dx) = (&a[images(i, image)], &mut dx[images(i, image)]);
                            let dy = &dy[images(i, result)];
                            depthwise::convolve(turned, dy, taps, None, dx);
                            depthwise::weight_gradient(shape, a, dy, part.dweight.values());
                        }
                    }
                }
                // SAFETY: either branch wrote the gradients of all images of the block.
                let dx = unsafe { dx.assume_init_mut() };
                part.activation_backward(function, x, slopes, dx, affine);
            }
            Ok(part)
        })
    }

    /// Writes the gradient of the weights, or adds to it.
    fn add_up<T: Float>(&self, parts: &mut [Part<T>], out: &mut [T], add: bool) -> Result<()> {
        let parts: Vec<_> = parts
            .iter_mut()
            .map(|part| &*part.dweight.values())
            .collect();
        if self.pointwise {
            pointwise::add_up(&parts, pointwise::dims(&self.shape), out, add);
            return Ok(());
        }
        let (mut sums, mut last) = (vec![T::ZERO; out.len()], vec![T::ZERO; out.len()]);
        add_parts(&parts, &mut sums, true);
        weights::taps_last(&sums, self.shape.image[2], 1, &mut last);
        add_parts(&[&last], out, add);
        Ok(())
    }
}

impl<T: Float> Part<T> {
    /// Computes gradients before the activation, whose derivatives may be known, and sums them.
    fn activation_backward(
        &mut self,
        function: impl ActivationFn<T>,
        x: &[T],
        slopes: Option<&[T]>,
        dx: &mut [T],
        affine: &Affine<T>,
    ) {
        let channels = self.shift.len();
        let part = PARTIAL_ROWS * channels;
        let (mut sums, mut products) = (vec![T::ZERO; channels], vec![T::ZERO; channels]);
        for (i, (x, dx)) in x.chunks(part).zip(dx.chunks_mut(part)).enumerate() {
            sums.fill(T::ZERO);
            products.fill(T::ZERO);
            match slopes {
                Some(slopes) => {
                    let slopes = &slopes[i * part..i * part + x.len()];
                    activation_backward_by_slopes(x, slopes, dx, affine, &mut sums, &mut products);
                }
                None => activation_backward(function, x, dx, affine, &mut sums, &mut products),
            }
            for c in 0..channels {
                self.shift[c] += sums[c].to_f64();
                self.along[c] += products[c].to_f64();
            }
        }
    }
}

/// The values of image `i`.
fn images(i: usize, len: usize) -> Range<usize> {
    i * len..(i + 1) * len
}
