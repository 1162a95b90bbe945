//! Figures with their intervals: Wilson's for proportions, the bootstrap's percentiles for the rest.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::random::Key;

/// The standard normal distribution's quantile at 97.5 %.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// The interval's lower quantile; the upper one lies as far from 1.
const TAIL: f64 = 0.025;

/// The most weights of resamples, in bytes: with more samples there are fewer resamples.
const MOST_WEIGHTS: usize = 1 << 27;

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figure {
    /// The figure, computed on all samples.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Figure {
    /// A proportion of which nothing is known.
    pub(super) const NONE: Self = Self {
        value: 0.0,
        low: 0.0,
        high: 1.0,
    };

    /// A proportion with the score interval of Wilson (1927); `None` of no trials.
    pub fn wilson(successes: u64, trials: u64) -> Option<Self> {
        if trials == 0 {
            return None;
        }
        let n = trials as f64;
        let value = successes as f64 / n;
        let z2 = Z * Z;
        let middle = (value + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (value * (1.0 - value) / n + z2 / (4.0 * n * n)).sqrt();
        // Rounding must not push an end past the proportion.
        Some(Self {
            value,
            low: (middle - half).clamp(0.0, value),
            high: (middle + half).clamp(value, 1.0),
        })
    }

    /// A figure with the percentiles of its values in the resamples (Efron 1979). Resamples in which it is undefined,
    /// as NaN, are left out; so where it is defined in none, the interval is the figure itself.
    pub(super) fn bootstrap(value: f64, mut resampled: Vec<f64>) -> Self {
        resampled.retain(|value| value.is_finite());
        resampled.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| quantile(&resampled, share).unwrap_or(value);
        Self {
            value,
            low: at(TAIL),
            high: at(1.0 - TAIL),
        }
    }
}

/// A quantile of sorted values, interpolated linearly as by NumPy; `None` of no values.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    Some(below + (above - below) * place.fract())
}

/// Resamples that are computed side by side, so that one walk over the samples serves all of them.
pub(super) const LANES: usize = 64;

/// A number for each of the resamples of a block.
pub(super) type Lanes<T> = [T; LANES];

/// How often a sample is in each resample of a block.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Weights(pub(super) Lanes<u8>);

/// Resamples with replacement: how often each sample is drawn.
pub(super) struct Resamples {
    samples: usize,
    count: usize,
    /// Block after block, each with the weights of all samples.
    weights: Vec<Weights>,
}

impl Resamples {
    /// At most `count` resamples of so many samples, drawn from `seed`.
    pub(super) fn new(samples: usize, count: usize, seed: u64) -> Self {
        let count = count.min((MOST_WEIGHTS / samples.max(1)).max(LANES));
        let mut weights = vec![Weights([0; LANES]); samples * count.div_ceil(LANES)];
        let key = Key::new(seed, "bootstrap");
        for resample in 0..count {
            let mut generator = key.stream(resample as u64);
            let (block, lane) = (resample / LANES, resample % LANES);
            let block = &mut weights[block * samples..(block + 1) * samples];
            for _ in 0..samples {
                let drawn = &mut block[generator.below(samples as u64) as usize].0[lane];
                // A sample that is drawn 256 times does not happen: the chance is below 1e-500.
                *drawn = drawn.saturating_add(1);
            }
        }
        Self {
            samples,
            count,
            weights,
        }
    }

    /// One resample of the first block alone.
    #[cfg(test)]
    pub(super) fn only(&self, lane: usize) -> Self {
        let of = |weights: &Weights| {
            let mut one = Weights([0; LANES]);
            one.0[0] = weights.0[lane];
            one
        };
        Self {
            samples: self.samples,
            count: 1,
            weights: self.weights[..self.samples].iter().map(of).collect(),
        }
    }

    /// The number of resamples.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The weights of all samples, block by block.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[Weights]> {
        self.weights.chunks_exact(self.samples.max(1))
    }

    /// Collects a number of every resample, computed block by block.
    pub(super) fn map(&self, lanes: impl FnMut(&[Weights]) -> Lanes<f64>) -> Vec<f64> {
        let mut all: Vec<f64> = self.blocks().flat_map(lanes).collect();
        all.truncate(self.count);
        all
    }

    /// The mean of a value of the samples in every resample.
    pub(super) fn means(&self, values: &[f64]) -> Vec<f64> {
        self.map(|block| {
            let mut sums = [0.0; LANES];
            for (weights, value) in block.iter().zip(values) {
                for (sum, weight) in sums.iter_mut().zip(weights.0) {
                    *sum += f64::from(weight) * value;
                }
            }
            sums.map(|sum| sum / values.len() as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_that_of_the_literature_and_holds_its_proportion() {
        // Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let of = Figure::wilson(successes, trials).unwrap();
            assert!((of.low - low).abs() < 6e-5, "{of:?}");
            assert!((of.high - high).abs() < 6e-5, "{of:?}");
            assert!(of.low <= of.value && of.value <= of.high);
        }
        assert_eq!(Figure::wilson(7, 7).unwrap().high, 1.0);
        assert_eq!(Figure::wilson(0, 0), None);
    }

    #[test]
    fn every_resample_has_as_many_samples_as_the_split() {
        let resamples = Resamples::new(100, 100, 1);
        let sizes = resamples.map(|block| {
            let mut sums = [0.0; LANES];
            for weights in block {
                for (sum, weight) in sums.iter_mut().zip(weights.0) {
                    *sum += f64::from(weight);
                }
            }
            sums
        });
        assert_eq!(sizes, vec![100.0; 100]);
        let again = Resamples::new(100, 100, 1);
        assert_eq!(again.means(&[1.0; 100]), resamples.means(&[1.0; 100]));
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let mean = values.iter().sum::<f64>() / 400.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 400.0;
        let of = Figure::bootstrap(mean, Resamples::new(400, 1000, 0).means(&values));
        let half = Z * (variance / 400.0).sqrt();
        assert!((of.high - mean - half).abs() < 0.1 * half, "{of:?} {half}");
        assert!((mean - of.low - half).abs() < 0.1 * half, "{of:?} {half}");
    }
}
