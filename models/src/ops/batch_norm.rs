//! Batch normalisation (Ioffe and Szegedy 2015) of [n, channels]: over the batch while training, by statistics kept
//! from training while evaluating.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};

use super::gradients::deliver;
use super::kernel::{held, numbers, same_length, widest};
use super::real::Real;
use super::tape::apply3;

/// Mean and variance of a batch, by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStatistics {
    /// Means.
    pub mean: Vec<f64>,
    /// Mean squared distances from the mean: divided by the number of rows.
    pub variance: Vec<f64>,
    /// Rows.
    pub rows: usize,
}

/// Normalises `x` `[n, channels]` by its own mean and variance, then scales by `weight` and shifts by `bias`, each
/// `[channels]`. A batch of one row gives `bias`: it has no spread.
///
/// # Errors
/// When the shapes do not go together, or there are no rows.
pub fn batch_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
) -> Result<(Tensor, BatchStatistics)> {
    let statistics = match x.dtype() {
        DType::F64 => statistics::<f64>(x),
        _ => statistics::<f32>(x),
    }?;
    let op = Normalise::new(&statistics, epsilon, true);
    Ok((apply3(x, weight, bias, op)?, statistics))
}

/// Normalises by a mean and a variance that do not depend on `x`, then scales and shifts as [`batch_norm`].
///
/// # Errors
/// When the shapes do not go together.
pub fn batch_norm_fixed(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    statistics: &BatchStatistics,
    epsilon: f64,
) -> Result<Tensor> {
    apply3(x, weight, bias, Normalise::new(statistics, epsilon, false))
}

struct Normalise {
    mean: Vec<f64>,
    /// One over the standard deviation.
    inverse: Vec<f64>,
    /// Whether both were computed from the very batch, so that its gradient goes through them too.
    of_batch: bool,
}

widest! {
    fn add_rows[T: Real](x: &[T], sums: &mut [f64]) {
        for row in x.chunks_exact(sums.len()) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x.to_f64();
            }
        }
    }
}

widest! {
    fn add_squared_distances[T: Real](x: &[T], mean: &[f64], sums: &mut [f64]) {
        for row in x.chunks_exact(sums.len()) {
            for (sum, (x, mean)) in sums.iter_mut().zip(row.iter().zip(mean)) {
                let distance = x.to_f64() - mean;
                *sum += distance * distance;
            }
        }
    }
}

widest! {
    fn add_products[T: Real](x: &[T], mean: &[f64], dy: &[T], sums: &mut [f64]) {
        for (x, dy) in x.chunks_exact(sums.len()).zip(dy.chunks_exact(sums.len())) {
            for (sum, (dy, (x, mean))) in sums.iter_mut().zip(dy.iter().zip(x.iter().zip(mean))) {
                *sum += dy.to_f64() * (x.to_f64() - mean);
            }
        }
    }
}

widest! {
    fn normalise[T: Real](x: &[T], mean: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        let channels = mean.len();
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                y[c] = (x[c] - mean[c]) * scale[c] + shift[c];
            }
        }
    }
}

widest! {
    /// `dx = scale·(dy - offset - (x - mean)·slope)`
    fn gradient[T: Real](x: &[T], dy: &[T], mean: &[T], scale: &[T], offset: &[T], slope: &[T], dx: &mut [T]) {
        let channels = mean.len();
        let rows = x.chunks_exact(channels).zip(dy.chunks_exact(channels));
        for (dx, (x, dy)) in dx.chunks_exact_mut(channels).zip(rows) {
            for c in 0..channels {
                dx[c] = scale[c] * (dy[c] - offset[c] - (x[c] - mean[c]) * slope[c]);
            }
        }
    }
}

fn statistics<T: Real>(x: &Tensor) -> Result<BatchStatistics> {
    let (rows, channels) = x.dims2()?;
    if rows == 0 || channels == 0 {
        bail!("batch norm: no statistics of an empty batch {rows}x{channels}")
    }
    let (storage, layout) = x.storage_and_layout();
    let x = held::<T>(&storage, layout)?;
    let mut mean = vec![0.0; channels];
    add_rows(x, &mut mean);
    mean.iter_mut().for_each(|sum| *sum /= rows as f64);
    let mut variance = vec![0.0; channels];
    add_squared_distances(x, &mean, &mut variance);
    variance.iter_mut().for_each(|sum| *sum /= rows as f64);
    Ok(BatchStatistics {
        mean,
        variance,
        rows,
    })
}

fn rounded<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|v| T::of(*v)).collect()
}

/// Writes rounded numbers, or adds them to what is there.
fn put<T: Real>(out: &mut [T], values: impl Iterator<Item = f64>, add: bool) -> Result<()> {
    for (out, value) in out.iter_mut().zip(values) {
        let before = if add { *out } else { T::ZERO };
        *out = before + T::of(value);
    }
    Ok(())
}

type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl Normalise {
    fn new(statistics: &BatchStatistics, epsilon: f64, of_batch: bool) -> Self {
        let inverse = statistics
            .variance
            .iter()
            .map(|v| 1.0 / (v + epsilon).sqrt())
            .collect();
        Self {
            mean: statistics.mean.clone(),
            inverse,
            of_batch,
        }
    }

    fn check(&self, x: &Shape, weight: &Shape, bias: &Shape) -> Result<()> {
        let channels = self.mean.len();
        if x.dims2()?.1 != channels
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

    /// What each channel's distance from the mean is multiplied by.
    fn scale<T: Real>(&self, weight: &[T]) -> Vec<T> {
        let both = weight.iter().zip(&self.inverse);
        both.map(|(w, inverse)| T::of(w.to_f64() * inverse))
            .collect()
    }

    fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let mut y = vec![T::ZERO; x.len()];
        normalise(x, &rounded(&self.mean), &self.scale(weight), bias, &mut y);
        y
    }

    fn backward<T: Real>(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        dy: &Tensor,
    ) -> Result<Gradients> {
        let dy = dy.contiguous()?;
        let (x_held, x_layout) = x.storage_and_layout();
        let (weight_held, weight_layout) = weight.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let values = held::<T>(&x_held, x_layout)?;
        let dy = held::<T>(&dy_held, dy_layout)?;
        same_length(values.len(), dy.len())?;
        let channels = self.mean.len();
        let rows = (values.len() / channels) as f64;

        let mut shift = vec![0.0; channels];
        add_rows(dy, &mut shift);
        let mut along = vec![0.0; channels];
        add_products(values, &self.mean, dy, &mut along);

        let (mut offset, mut slope) = (vec![T::ZERO; channels], vec![T::ZERO; channels]);
        if self.of_batch {
            for c in 0..channels {
                offset[c] = T::of(shift[c] / rows);
                slope[c] = T::of(along[c] * self.inverse[c] * self.inverse[c] / rows);
            }
        }
        let scale = self.scale(held::<T>(&weight_held, weight_layout)?);
        let mean = rounded(&self.mean);
        let dx = deliver(x, |dx, add| {
            let mut part = vec![T::ZERO; if add { dx.len() } else { 0 }];
            let out = if add { &mut part[..] } else { &mut dx[..] };
            gradient(values, dy, &mean, &scale, &offset, &slope, out);
            part.iter().zip(dx).for_each(|(part, dx)| *dx += *part);
            Ok(())
        })?;
        let along = along
            .iter()
            .zip(&self.inverse)
            .map(|(along, inverse)| along * inverse);
        let dweight = deliver::<T>(weight, |dweight, add| put(dweight, along, add))?;
        let dbias = deliver::<T>(bias, |dbias, add| put(dbias, shift.iter().copied(), add))?;
        Ok((dx, dweight, dbias))
    }
}

impl CustomOp3 for Normalise {
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
                numbers(x, lx)?,
                numbers(weight, lw)?,
                numbers(bias, lb)?,
            )),
            _ => CpuStorage::F32(self.forward(
                numbers(x, lx)?,
                numbers(weight, lw)?,
                numbers(bias, lb)?,
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
