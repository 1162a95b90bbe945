//! Whether probabilities can be believed: reliability bins, the expected calibration error, and proper scores.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figure::{Figure, LANES, Resamples};
use super::scores::{Scores, for_each_row, log_sum_exp};
use crate::error::Result;
use crate::ops::argmax;

/// The number of bins.
const BINS: usize = 15;

/// The samples whose confidence lies in an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReliabilityBin {
    /// The interval's lower end, which belongs to it.
    pub low: f64,
    /// The interval's upper end, which belongs to the next one.
    pub high: f64,
    /// The number of samples.
    pub count: u64,
    /// Their mean confidence; `null` without samples.
    pub confidence: Option<f64>,
    /// The share of them that is predicted correctly.
    pub accuracy: Option<Figure>,
}

/// How well probabilities tell what happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reliability {
    /// The expected calibration error (Naeini et al. 2015): the mean over all samples of the distance between accuracy
    /// and mean confidence in the sample's bin. Confidence is the probability of the predicted class. Bin k of 15 holds
    /// confidences from k/15 up to but not including (k+1)/15; the last one holds 1 too.
    pub ece: Figure,
    /// The mean negative logarithm of the target's probability: the test loss.
    pub nll: Figure,
    /// The Brier score: the mean of the squared distances between the probabilities of all classes and 1 for the target,
    /// 0 for the others; from 0 to 2.
    pub brier: Figure,
    /// The bins, in order.
    pub bins: Vec<ReliabilityBin>,
}

/// The bin of a confidence.
fn bin_of(confidence: f64) -> usize {
    // NumPy's `linspace` makes its edges so; a division rounds some of them the other way.
    let edge = |bin: usize| bin as f64 * (1.0 / BINS as f64);
    let near = (confidence * BINS as f64) as usize;
    let bin = match near {
        _ if confidence < edge(near) => near.saturating_sub(1),
        _ if confidence >= edge(near + 1) => near + 1,
        _ => near,
    };
    bin.min(BINS - 1)
}

impl Reliability {
    /// Reads all rows once, as logits divided by a temperature; 1 changes nothing.
    pub(super) fn of(
        scores: &dyn Scores,
        targets: &[u32],
        resamples: &Resamples,
        temperature: f64,
    ) -> Result<Self> {
        let kind = scores.kind();
        let n = targets.len();
        let (mut nll, mut brier) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut placed = Vec::with_capacity(n);
        for_each_row(scores, |index, row| {
            let target = targets[index] as usize;
            let sum = log_sum_exp(row, kind, temperature);
            let log_probability = |value: f32| kind.logit(value) / temperature - sum;
            nll.push(-log_probability(row[target]));
            let distance = |(class, value): (usize, &f32)| {
                let aim = f64::from(u8::from(class == target));
                (log_probability(*value).exp() - aim).powi(2)
            };
            brier.push(row.iter().enumerate().map(distance).sum::<f64>());
            let predicted = argmax(row);
            // As f32, so that a third lies in the same bin in whatever order it is summed.
            let confidence = f64::from(log_probability(row[predicted]).exp() as f32).min(1.0);
            placed.push(Placed {
                bin: bin_of(confidence),
                confidence,
                right: predicted == target,
            });
            Ok(())
        })?;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
        let figure = |values: &[f64]| Figure::bootstrap(mean(values), resamples.means(values));
        let bins = bins(&placed);
        Ok(Self {
            ece: Figure::bootstrap(ece(&bins), resampled_ece(&placed, resamples)),
            nll: figure(&nll),
            brier: figure(&brier),
            bins,
        })
    }
}

/// A sample in its bin.
struct Placed {
    bin: usize,
    confidence: f64,
    right: bool,
}

fn bins(placed: &[Placed]) -> Vec<ReliabilityBin> {
    let bin = |bin: usize| {
        let inside = placed.iter().filter(|placed| placed.bin == bin);
        let count = inside.clone().count() as u64;
        let confidence: f64 = inside.clone().map(|placed| placed.confidence).sum();
        let right = inside.filter(|placed| placed.right).count() as u64;
        ReliabilityBin {
            low: bin as f64 / BINS as f64,
            high: (bin + 1) as f64 / BINS as f64,
            count,
            confidence: (count > 0).then(|| confidence / count as f64),
            accuracy: Figure::wilson(right, count),
        }
    };
    (0..BINS).map(bin).collect()
}

fn ece(bins: &[ReliabilityBin]) -> f64 {
    let samples: u64 = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &ReliabilityBin| {
        let (confidence, accuracy) = bin.confidence.zip(bin.accuracy)?;
        Some(bin.count as f64 * (accuracy.value - confidence).abs())
    };
    bins.iter().filter_map(distance).sum::<f64>() / samples as f64
}

fn resampled_ece(placed: &[Placed], resamples: &Resamples) -> Vec<f64> {
    resamples.map(|block| {
        // Of each bin, the sum of confidences less the number of right predictions.
        let mut distances = [[0.0; LANES]; BINS];
        for (weights, placed) in block.iter().zip(placed) {
            let value = placed.confidence - f64::from(u8::from(placed.right));
            for (sum, weight) in distances[placed.bin].iter_mut().zip(weights.0) {
                *sum += f64::from(weight) * value;
            }
        }
        std::array::from_fn(|lane| {
            let all = distances.iter().map(|bin| bin[lane].abs());
            all.sum::<f64>() / placed.len() as f64
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_on_an_edge_is_in_the_upper_bin_and_1_in_the_last() {
        for bin in 0..BINS {
            assert_eq!(bin_of(bin as f64 * (1.0 / 15.0)), bin);
            assert_eq!(bin_of(bin as f64 / 15.0 + 0.03), bin);
        }
        assert_eq!([bin_of(0.0), bin_of(1.0)], [0, 14]);
        assert_eq!([bin_of(0.2), bin_of(0.4), bin_of(0.6)], [3, 6, 9]);
    }
}
