//! Batch normalisation (Ioffe and Szegedy 2015) of the last dimension: by the statistics of the batch while training,
//! by the running statistics in evaluation. The activation that follows is part of the same pass over memory.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};

use super::activation::{Activation, ActivationFn, dispatch_activation};
use super::float::Float;
use super::gradient_sink::accumulate_grad;
use super::kernel::{
    PARTIAL_ROWS, check_len, contiguous_slice, init_vec, simd_dispatch, storage_slice,
};
use super::reference;
use super::statistics::{BatchStatistics, WithStats};
use super::tape::{apply3, requires_grad};
use super::threads;

/// Normalises `x` `[…, channels]` by its own mean and variance, then scales by `weight` and shifts by `bias`, each
/// `[channels]`, then applies an activation if there is one. A batch of one row gives `bias`, because its variance is
/// 0.
///
/// # Errors
/// When the shapes do not match, or there are no rows.
pub fn batch_norm(
    x: impl Into<WithStats>,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
    activation: Option<Activation>,
) -> Result<(Tensor, BatchStatistics)> {
    let x = x.into();
    if reference::selected() {
        return reference::batch_norm(&x.values, weight, bias, epsilon, activation);
    }
    let (x, statistics) = x.into_parts()?;
    let op = BatchNormOp::new(&statistics, epsilon, activation, true);
    Ok((apply3(&x, weight, bias, op)?, statistics))
}

/// Normalises by a mean and a variance that do not depend on `x`, then scales and shifts as [`batch_norm`].
///
/// # Errors
/// When the shapes do not go together.
pub fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    statistics: &BatchStatistics,
    epsilon: f64,
    activation: Option<Activation>,
) -> Result<Tensor> {
    if reference::selected() {
        return reference::batch_norm_eval(x, weight, bias, statistics, epsilon, activation);
    }
    apply3(
        x,
        weight,
        bias,
        BatchNormOp::new(statistics, epsilon, activation, false),
    )
}

pub(super) struct BatchNormOp {
    mean: Vec<f64>,
    /// One over the standard deviation.
    inv_std: Vec<f64>,
    activation: Option<Activation>,
    /// Whether mean and variance depend on `x`, so that the gradient goes through them too.
    of_batch: bool,
}

/// The parameters of `y = (x - mean)·scale + shift`, by channel.
#[derive(Clone)]
pub(super) struct Affine<T> {
    pub(super) mean: Vec<T>,
    pub(super) scale: Vec<T>,
    pub(super) shift: Vec<T>,
}

simd_dispatch! {
    fn normalise[T: Float, F: ActivationFn<T>](_f: F, x: &[T], affine: &Affine<T>, y: &mut [MaybeUninit<T>]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift) = (&scale[..channels], &shift[..channels]);
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                y[c].write(F::forward((x[c] - mean[c]) * scale[c] + shift[c]));
            }
        }
    }
}

simd_dispatch! {
    /// Sums of the gradient before the activation, and of its product with the distance from the mean.
    fn add_gradients[T: Float, F: ActivationFn<T>](_f: F, x: &[T], dy: &[T], affine: &Affine<T>, sums: &mut [T], products: &mut [T]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift, sums, products) = (&scale[..channels], &shift[..channels], &mut sums[..channels], &mut products[..channels]);
        for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
            for c in 0..channels {
                let distance = x[c] - mean[c];
                let g = F::backward(distance * scale[c] + shift[c], dy[c]);
                sums[c] += g;
                products[c] += g * distance;
            }
        }
    }
}

simd_dispatch! {
    /// `dx = scale·(g - offset - (x - mean)·slope)` with `g` the gradient before the activation.
    fn gradient[T: Float, F: ActivationFn<T>](_f: F, x: &[T], dy: &[T], affine: &Affine<T>, offset: &[T], slope: &[T], dx: &mut [MaybeUninit<T>]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift, offset, slope) = (&scale[..channels], &shift[..channels], &offset[..channels], &slope[..channels]);
        let rows = x.chunks_exact(channels).zip(dy.chunks_exact(channels));
        for (dx, (x, dy)) in dx.chunks_exact_mut(channels).zip(rows) {
            for c in 0..channels {
                let distance = x[c] - mean[c];
                let g = F::backward(distance * scale[c] + shift[c], dy[c]);
                dx[c].write(scale[c] * (g - offset[c] - distance * slope[c]));
            }
        }
    }
}

simd_dispatch! {
    /// `dx = scale·g`: the gradient where the statistics do not depend on `x`. A NaN reaches only what depends on it.
    fn gradient_fixed[T: Float, F: ActivationFn<T>](_f: F, x: &[T], dy: &[T], affine: &Affine<T>, dx: &mut [MaybeUninit<T>]) {
        let Affine { mean, scale, shift } = affine;
        let channels = mean.len();
        let (scale, shift) = (&scale[..channels], &shift[..channels]);
        let rows = x.chunks_exact(channels).zip(dy.chunks_exact(channels));
        for (dx, (x, dy)) in dx.chunks_exact_mut(channels).zip(rows) {
            for c in 0..channels {
                dx[c].write(scale[c] * F::backward((x[c] - mean[c]) * scale[c] + shift[c], dy[c]));
            }
        }
    }
}

/// Two sums by channel over rows, in double precision. `add` adds up a few rows in the precision of `T`. Threads share
/// the rows, and the sums of their parts are added up in order.
fn two_sums<T: Float>(
    rows: usize,
    channels: usize,
    add: impl Fn(std::ops::Range<usize>, &mut [T], &mut [T]) + Sync,
) -> [Vec<f64>; 2] {
    let part = threads::chunk_len(rows * channels).div_ceil(channels);
    let part_of = |first: usize| {
        let mut sums = [vec![0.0; channels], vec![0.0; channels]];
        let mut short = [vec![T::ZERO; channels], vec![T::ZERO; channels]];
        let end = (first + part).min(rows);
        for start in (first..end).step_by(PARTIAL_ROWS) {
            let [a, b] = &mut short;
            a.fill(T::ZERO);
            b.fill(T::ZERO);
            add(start..(start + PARTIAL_ROWS).min(end), a, b);
            for (sums, short) in sums.iter_mut().zip(&short) {
                for (sum, short) in sums.iter_mut().zip(short) {
                    *sum += short.to_f64();
                }
            }
        }
        sums
    };
    let parts = threads::map((0..rows).step_by(part), part_of);
    let mut sums = [vec![0.0; channels], vec![0.0; channels]];
    for part in parts {
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
    }
    sums
}

fn rows_of<T>(values: &[T], channels: usize, rows: std::ops::Range<usize>) -> &[T] {
    &values[rows.start * channels..rows.end * channels]
}

/// Writes `len` values in parts of whole rows, which threads share.
fn fill_rows<T: Float>(
    len: usize,
    channels: usize,
    write: impl Fn(std::ops::Range<usize>, &mut [MaybeUninit<T>]) + Sync,
) -> Vec<T> {
    let part = threads::chunk_len(len).div_ceil(channels) * channels;
    // SAFETY: the parts are whole rows and cover everything, and every `write` here writes all of its part.
    unsafe {
        init_vec(len, |out| {
            threads::for_each(out.chunks_mut(part).enumerate(), |(i, out)| {
                let first = i * part / channels;
                write(first..first + out.len() / channels, out);
            });
        })
    }
}

fn rounded<T: Float>(values: &[f64]) -> Vec<T> {
    values.iter().map(|v| T::of(*v)).collect()
}

/// Writes rounded values to `out`, or adds them to it.
pub(super) fn write_rounded<T: Float>(
    out: &mut [T],
    values: impl Iterator<Item = f64>,
    add: bool,
) -> Result<()> {
    for (out, value) in out.iter_mut().zip(values) {
        let before = if add { *out } else { T::ZERO };
        *out = before + T::of(value);
    }
    Ok(())
}

type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl BatchNormOp {
    pub(super) fn new(
        statistics: &BatchStatistics,
        epsilon: f64,
        activation: Option<Activation>,
        of_batch: bool,
    ) -> Self {
        let inv_std = statistics
            .variance
            .iter()
            .map(|v| 1.0 / (v + epsilon).sqrt())
            .collect();
        Self {
            mean: statistics.mean.clone(),
            inv_std,
            activation,
            of_batch,
        }
    }

    pub(super) fn check(&self, x: &Shape, weight: &Shape, bias: &Shape) -> Result<()> {
        let channels = self.mean.len();
        if x.rank() < 2
            || x.dims().last() != Some(&channels)
            || channels == 0
            || weight.dims() != [channels]
            || bias.dims() != [channels]
        {
            bail!(
                "batch norm: x {x:?}, weight {weight:?} and bias {bias:?} do not go together with {channels} channels"
            )
        }
        Ok(())
    }

    fn affine<T: Float>(&self, weight: &[T], bias: &[T]) -> Affine<T> {
        let both = weight.iter().zip(&self.inv_std);
        Affine {
            mean: rounded(&self.mean),
            scale: both
                .map(|(w, inv_std)| T::of(w.to_f64() * inv_std))
                .collect(),
            shift: bias.to_vec(),
        }
    }

    /// As `affine`, from tensors.
    pub(super) fn affine_of<T: Float>(&self, weight: &Tensor, bias: &Tensor) -> Result<Affine<T>> {
        let (weight_held, weight_layout) = weight.storage_and_layout();
        let (bias_held, bias_layout) = bias.storage_and_layout();
        Ok(self.affine(
            storage_slice(&weight_held, weight_layout)?,
            storage_slice(&bias_held, bias_layout)?,
        ))
    }

    /// One over the standard deviation, by channel.
    pub(super) fn inv_std(&self) -> &[f64] {
        &self.inv_std
    }

    /// The terms of the gradient that come through the batch's own statistics, by channel: an offset, and a slope over
    /// the distance from the mean. `shift` and `along` are the sums of the gradient and of its product with that
    /// distance.
    pub(super) fn spread<T: Float>(
        &self,
        shift: &[f64],
        along: &[f64],
        rows: usize,
    ) -> (Vec<T>, Vec<T>) {
        let n = rows as f64;
        let slope = along.iter().zip(&self.inv_std);
        (
            shift.iter().map(|shift| T::of(shift / n)).collect(),
            slope
                .map(|(along, inv_std)| T::of(along * inv_std * inv_std / n))
                .collect(),
        )
    }

    fn forward<T: Float>(&self, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let affine = self.affine(weight, bias);
        let channels = affine.mean.len();
        dispatch_activation!(self.activation, f => fill_rows(x.len(), channels, |rows, y| {
            normalise(f, rows_of(x, channels, rows), &affine, y);
        }))
    }

    fn backward<T: Float>(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        dy: &Tensor,
    ) -> Result<Gradients> {
        dispatch_activation!(self.activation, f => self.backward_by::<T, _>(f, x, weight, bias, dy))
    }

    fn backward_by<T: Float, F: ActivationFn<T>>(
        &self,
        function: F,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        dy: &Tensor,
    ) -> Result<Gradients> {
        let dy = dy.contiguous()?;
        let (x_held, x_layout) = x.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let values = storage_slice::<T>(&x_held, x_layout)?;
        let dy = storage_slice::<T>(&dy_held, dy_layout)?;
        check_len(values.len(), dy.len())?;
        let affine = self.affine_of::<T>(weight, bias)?;
        let channels = self.mean.len();
        let rows = values.len() / channels;
        let [shift, along] = two_sums::<T>(rows, channels, |rows, sums, products| {
            let (x, dy) = (
                rows_of(values, channels, rows.clone()),
                rows_of(dy, channels, rows),
            );
            add_gradients(function, x, dy, &affine, sums, products);
        });
        let (offset, slope) = self.spread::<T>(&shift, &along, rows);
        let dx = if requires_grad(x) {
            let dx = fill_rows(values.len(), channels, |rows, dx| {
                let (x, dy) = (
                    rows_of(values, channels, rows.clone()),
                    rows_of(dy, channels, rows),
                );
                if self.of_batch {
                    gradient(function, x, dy, &affine, &offset, &slope, dx);
                } else {
                    gradient_fixed(function, x, dy, &affine, dx);
                }
            });
            Some(Tensor::from_vec(dx, x.shape(), x.device())?)
        } else {
            None
        };
        let along = along
            .iter()
            .zip(&self.inv_std)
            .map(|(along, inv_std)| along * inv_std);
        let dweight =
            accumulate_grad::<T>(weight, |dweight, add| write_rounded(dweight, along, add))?;
        let dbias = accumulate_grad::<T>(bias, |dbias, add| {
            write_rounded(dbias, shift.iter().copied(), add)
        })?;
        Ok((dx, dweight, dbias))
    }
}

impl CustomOp3 for BatchNormOp {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.check(lx.shape(), lw.shape(), lb.shape())?;
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(self.forward(
                contiguous_slice(x, lx)?,
                contiguous_slice(weight, lw)?,
                contiguous_slice(bias, lb)?,
            )),
            _ => CpuStorage::F32(self.forward(
                contiguous_slice(x, lx)?,
                contiguous_slice(weight, lw)?,
                contiguous_slice(bias, lb)?,
            )),
        };
        Ok((y, lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<Gradients> {
        match x.dtype() {
            DType::F64 => self.backward::<f64>(x, weight, bias, dy),
            _ => self.backward::<f32>(x, weight, bias, dy),
        }
    }
}
