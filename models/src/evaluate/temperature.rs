//! A temperature for a network's logits (Guo et al. 2017, "On Calibration of Modern Neural Networks").

use super::scores::{Scores, check, for_each_row, log_sum_exp};
use crate::error::Result;

/// The range of temperatures. Where every sample is predicted correctly, the loss falls all the way to temperature 0.
const LEAST: f64 = 0.05;
const MOST: f64 = 20.0;

/// The most steps of the search; each halves the interval at least.
const STEPS: usize = 60;

/// The search ends when the interval of 1/T is narrower than this part of it.
const PRECISE: f64 = 1e-10;

/// A fitted temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The temperature by which logits are divided.
    pub temperature: f64,
    /// Whether it is the least or the greatest that is looked for.
    pub at_limit: bool,
    /// The mean negative log-likelihood at temperature 1.
    pub nll_before: f64,
    /// The mean negative log-likelihood at the temperature; never more than before.
    pub nll_after: f64,
}

/// The loss at 1/T, its slope and its curvature.
struct Loss {
    value: f64,
    slope: f64,
    curvature: f64,
}

/// Fits the temperature with the least negative log-likelihood. The loss is convex in b = 1/T: its slope is the mean of
/// the expected logit less the target's, its curvature the mean variance of the logits, both under softmax(b z). The
/// root of the slope is looked for by Newton's steps, kept in an interval that holds it.
///
/// # Errors
/// When the scores cannot be read or do not fit the targets.
pub fn fit_temperature(scores: &dyn Scores, targets: &[u32]) -> Result<Fit> {
    check(scores, targets)?;
    let before = loss(scores, targets, 1.0)?;
    let (mut low, mut high) = (1.0 / MOST, 1.0 / LEAST);
    let at_limit = if before.slope > 0.0 {
        (loss(scores, targets, low)?.slope >= 0.0).then_some(low)
    } else {
        (loss(scores, targets, high)?.slope <= 0.0).then_some(high)
    };
    let mut best = at_limit.unwrap_or(1.0);
    if at_limit.is_none() {
        let mut here = Loss { ..before };
        for _ in 0..STEPS {
            match here.slope {
                0.0 => break,
                slope if slope > 0.0 => high = best,
                _ => low = best,
            }
            let newton = best - here.slope / here.curvature;
            let next = if low < newton && newton < high {
                newton
            } else {
                (low + high) / 2.0
            };
            let moved = (next - best).abs();
            best = next;
            if moved <= PRECISE * best {
                break;
            }
            here = loss(scores, targets, best)?;
        }
    }
    let after = loss(scores, targets, best)?.value;
    // At the root, rounding alone may be left to decide.
    let (best, nll_after) = if after <= before.value {
        (best, after)
    } else {
        (1.0, before.value)
    };
    Ok(Fit {
        temperature: 1.0 / best,
        at_limit: at_limit.is_some(),
        nll_before: before.value,
        nll_after,
    })
}

fn loss(scores: &dyn Scores, targets: &[u32], inverse: f64) -> Result<Loss> {
    let kind = scores.kind();
    let (mut value, mut slope, mut curvature) = (0.0, 0.0, 0.0);
    for_each_row(scores, |index, row| {
        let sum = log_sum_exp(row, kind, 1.0 / inverse);
        let (mut mean, mut square) = (0.0, 0.0);
        for score in row {
            let logit = kind.logit(*score);
            let probability = (logit * inverse - sum).exp();
            // A probability of 0 has the logit -inf.
            if probability > 0.0 {
                mean += probability * logit;
                square += probability * logit * logit;
            }
        }
        let target = kind.logit(row[targets[index] as usize]);
        value += sum - inverse * target;
        slope += mean - target;
        curvature += (square - mean * mean).max(0.0);
        Ok(())
    })?;
    let n = targets.len() as f64;
    Ok(Loss {
        value: value / n,
        slope: slope / n,
        curvature: curvature / n,
    })
}

#[cfg(test)]
mod tests {
    use super::super::scores::{Matrix, ScoreKind};
    use super::*;

    fn fit(values: &[f32], targets: &[u32]) -> Fit {
        let scores = Matrix {
            values,
            classes: 2,
            kind: ScoreKind::Logits,
        };
        fit_temperature(&scores, targets).unwrap()
    }

    #[test]
    fn two_classes_have_the_temperature_at_which_confidence_is_accuracy() {
        // Three of four are right at a logit of 3: 1/(1 + exp(-3/T)) = 3/4 at T = 3 / ln 3.
        let of = fit(&[3.0, 0.0, 3.0, 0.0, 3.0, 0.0, 3.0, 0.0], &[0, 0, 0, 1]);
        assert!((of.temperature - 3.0 / 3f64.ln()).abs() < 1e-7, "{of:?}");
        assert!(of.nll_after < of.nll_before && !of.at_limit);
        // The same logits a tenth as large.
        let of = fit(&[0.3, 0.0, 0.3, 0.0, 0.3, 0.0, 0.3, 0.0], &[0, 0, 0, 1]);
        assert!((of.temperature - 0.3 / 3f64.ln()).abs() < 1e-7, "{of:?}");
    }

    #[test]
    fn without_a_mistake_and_without_a_hit_the_temperature_is_at_its_limits() {
        let right = fit(&[3.0, 0.0, 2.0, 0.0], &[0, 0]);
        assert_eq!((right.temperature, right.at_limit), (LEAST, true));
        let wrong = fit(&[3.0, 0.0, 2.0, 0.0], &[1, 1]);
        assert_eq!((wrong.temperature, wrong.at_limit), (MOST, true));
        assert!(right.nll_after <= right.nll_before && wrong.nll_after <= wrong.nll_before);
        let flat = fit(&[0.0; 4], &[0, 1]);
        assert_eq!(flat.nll_after, flat.nll_before);
    }
}
