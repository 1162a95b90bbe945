//! Means and variances of the last dimension: of a whole tensor, or collected part by part while an operation writes
//! it.

use candle_core::{DType, Result, Tensor, bail};

use super::float::Float;
use super::kernel::{PARTIAL_ROWS, simd_dispatch, storage_slice};
use super::threads;

/// Mean and variance of a batch, by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStatistics {
    /// Means.
    pub mean: Vec<f64>,
    /// Biased variances: divided by the number of rows.
    pub variance: Vec<f64>,
    /// Rows.
    pub rows: usize,
}

/// A tensor `[…, channels]`, with its statistics if the operation that made it collected them.
#[derive(Clone, Debug)]
pub struct WithStats {
    /// The tensor.
    pub values: Tensor,
    statistics: Option<BatchStatistics>,
}

impl From<Tensor> for WithStats {
    fn from(values: Tensor) -> Self {
        Self {
            values,
            statistics: None,
        }
    }
}

impl From<&Tensor> for WithStats {
    fn from(values: &Tensor) -> Self {
        values.clone().into()
    }
}

impl From<&Self> for WithStats {
    fn from(values: &Self) -> Self {
        values.clone()
    }
}

impl WithStats {
    /// A tensor, with statistics from the moments of its parts.
    pub(super) fn from_parts<T: Float>(values: Tensor, parts: &[Moments<T>]) -> Self {
        Self {
            values,
            statistics: Some(BatchStatistics::from_parts(parts)),
        }
    }

    /// The statistics, if they were collected.
    pub fn known(&self) -> Option<&BatchStatistics> {
        self.statistics.as_ref()
    }

    /// The tensor and its statistics, which are computed now if they were not collected.
    ///
    /// # Errors
    /// When the tensor is empty, or has no channels.
    pub(super) fn into_parts(self) -> Result<(Tensor, BatchStatistics)> {
        let statistics = match (self.statistics, self.values.dtype()) {
            (Some(known), _) => known,
            (None, DType::F64) => BatchStatistics::compute::<f64>(&self.values)?,
            (None, _) => BatchStatistics::compute::<f32>(&self.values)?,
        };
        Ok((self.values, statistics))
    }
}

impl BatchStatistics {
    fn compute<T: Float>(x: &Tensor) -> Result<Self> {
        let channels = x.dims().last().copied().unwrap_or(0);
        let rows = x.elem_count() / channels.max(1);
        if x.rank() < 2 || rows == 0 || channels == 0 {
            bail!(
                "batch norm: no statistics of an empty batch {:?}",
                x.shape()
            )
        }
        let (storage, layout) = x.storage_and_layout();
        let x = storage_slice::<T>(&storage, layout)?;
        let part = threads::chunk_len(x.len()).div_ceil(channels) * channels;
        let parts = threads::map(x.chunks(part), |x| {
            let mut moments = Moments::new(channels);
            moments.add(x);
            moments
        });
        Ok(Self::from_parts(&parts))
    }

    /// Combines the moments of parts, in their order (Chan, Golub and LeVeque 1983).
    fn from_parts<T: Float>(parts: &[Moments<T>]) -> Self {
        let rows = parts.iter().map(|part| part.rows).sum();
        let channels = parts.first().map_or(0, |part| part.start.len());
        let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
        let shares = parts.iter().map(|part| part.rows as f64 / rows as f64);
        let parts: Vec<_> = parts
            .iter()
            .map(Moments::mean_and_variance)
            .zip(shares)
            .collect();
        for ([means, _], share) in &parts {
            for (mean, of_part) in mean.iter_mut().zip(means) {
                *mean += of_part * share;
            }
        }
        for ([means, variances], share) in &parts {
            let of_part = means.iter().zip(variances).zip(&mean);
            for (variance, ((of_part, around), mean)) in variance.iter_mut().zip(of_part) {
                let distance = of_part - mean;
                *variance += (around + distance * distance) * share;
            }
        }
        Self {
            mean,
            variance,
            rows,
        }
    }
}

simd_dispatch! {
    /// Sums of `x - start` and of its square.
    fn add_moments[T: Float](x: &[T], start: &[T], sums: &mut [T], squares: &mut [T]) {
        let channels = start.len();
        let (sums, squares) = (&mut sums[..channels], &mut squares[..channels]);
        for x in x.chunks_exact(channels) {
            for c in 0..channels {
                let distance = x[c] - start[c];
                sums[c] += distance;
                squares[c] += distance * distance;
            }
        }
    }
}

/// Rows whose mean is near that of all.
const NEAR: usize = 8;

/// Sums over the rows of a part, by channel.
pub(super) struct Moments<T> {
    rows: usize,
    /// Distances are measured from a value near the mean; otherwise rounding of their squares would exceed the
    /// variance.
    start: Vec<T>,
    /// Sums of distances and of their squares, in double precision.
    sums: [Vec<f64>; 2],
    /// Sums of a few rows, in the precision of `T`.
    short: [Vec<T>; 2],
}

impl<T: Float> Moments<T> {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            rows: 0,
            start: vec![T::ZERO; channels],
            sums: [vec![0.0; channels], vec![0.0; channels]],
            short: [vec![T::ZERO; channels], vec![T::ZERO; channels]],
        }
    }

    /// Adds rows.
    pub(super) fn add(&mut self, x: &[T]) {
        let channels = self.start.len();
        if self.rows == 0 {
            self.begin(&x[..x.len().min(NEAR * channels)]);
        }
        self.rows += x.len() / channels;
        let [a, b] = &mut self.short;
        for x in x.chunks(PARTIAL_ROWS * channels) {
            a.fill(T::ZERO);
            b.fill(T::ZERO);
            add_moments(x, &self.start, a, b);
            for (sums, short) in self.sums.iter_mut().zip([&*a, &*b]) {
                for (sum, short) in sums.iter_mut().zip(short) {
                    *sum += short.to_f64();
                }
            }
        }
    }

    /// Sets the origin of distances to the mean of these rows.
    fn begin(&mut self, x: &[T]) {
        let rows = (x.len() / self.start.len()) as f64;
        let [sums, squares] = &mut self.short;
        sums.fill(T::ZERO);
        add_moments(x, &self.start, sums, squares);
        for (start, sum) in self.start.iter_mut().zip(sums) {
            *start = T::of(sum.to_f64() / rows);
        }
    }

    /// Means and variances of the rows.
    fn mean_and_variance(&self) -> [Vec<f64>; 2] {
        let each = 1.0 / self.rows as f64;
        let [sums, squares] = &self.sums;
        let mean = self.start.iter().zip(sums);
        let variance = sums.iter().zip(squares).map(|(sum, square)| {
            let distance = sum * each;
            // Rounding may give a negative variance. NaN stays NaN.
            match square * each - distance * distance {
                variance if variance < 0.0 => 0.0,
                variance => variance,
            }
        });
        let mean = mean.map(|(start, sum)| start.to_f64() + sum * each);
        [mean.collect(), variance.collect()]
    }
}
