//! Suspected label errors by confident learning (Northcutt, Jiang and Chuang 2021), from probabilities of a network
//! that was not trained on the samples.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scores::{Scores, check, for_each_row, log_sum_exp};
use crate::error::{Error, Result};
use crate::ops::argmax;

/// How likely a label is right, by the probabilities of its sample. Both are cleanlab's, of the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelQuality {
    /// The probability of the label.
    SelfConfidence,
    /// The probability of the label less that of the likeliest other class, scaled to 0 to 1.
    #[default]
    NormalizedMargin,
}

/// A sample whose label may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Suspect {
    /// The sample.
    pub index: usize,
    /// Its label.
    pub label: u32,
    /// The likeliest class.
    pub suggested: u32,
    /// The probability of that class.
    pub suggested_probability: f64,
    /// The mean probability of that class over the samples with that label; infinite without any.
    pub suggested_mean: f64,
    /// The mean probability of the label over the samples with it.
    pub label_mean: f64,
    /// How likely the label is right, 0 to 1.
    pub quality: f64,
    /// Whether confident learning counts the sample to another class: its probability is at least as high as that of the
    /// samples with that label on average.
    pub confident: bool,
}

/// All samples, the most suspicious first: the lowest quality first, equals in order.
///
/// A class counts as confident for a sample if its probability is at least the mean probability of the class over the
/// samples with that label. With one such class the sample counts to it, with several to the likeliest class of all. The
/// samples that count to another class than their label, and are predicted as another, are cleanlab's
/// `find_label_issues(filter_by="confident_learning")`.
///
/// # Errors
/// When the scores are no probabilities, cannot be read, or do not fit the labels.
pub fn suspects(
    scores: &dyn Scores,
    labels: &[u32],
    quality: LabelQuality,
) -> Result<Vec<Suspect>> {
    check(scores, labels)?;
    if !scores.kind().are_probable() {
        let message = "must be probabilities or logits: margins do not say how likely a label is";
        return Err(Error::setting("scores", message));
    }
    let thresholds = thresholds(scores, labels)?;
    let mut suspects = Vec::with_capacity(labels.len());
    for_each_probability(scores, |index, row| {
        let label = labels[index] as usize;
        let of_label = row[label];
        let others = row.iter().enumerate().filter(|(class, _)| *class != label);
        let other = others.fold(0.0f64, |most, (_, probability)| most.max(*probability));
        let is_confident =
            |(class, probability): &(usize, &f64)| **probability >= thresholds[*class] - CLOSE;
        let mut confident = row.iter().enumerate().filter(is_confident);
        let best = argmax(row);
        let counted = match (confident.next(), confident.next()) {
            (None, _) => label,
            (Some((class, _)), None) => class,
            _ => best,
        };
        suspects.push(Suspect {
            index,
            label: label as u32,
            suggested: best as u32,
            suggested_probability: row[best],
            suggested_mean: thresholds[best],
            label_mean: thresholds[label],
            quality: match quality {
                LabelQuality::SelfConfidence => of_label,
                LabelQuality::NormalizedMargin => (of_label - other + 1.0) / 2.0,
            },
            confident: counted != label && best != label,
        });
        Ok(())
    })?;
    suspects.sort_by(|a, b| a.quality.total_cmp(&b.quality));
    Ok(suspects)
}

/// A probability this much below a threshold reaches it, as in cleanlab.
const CLOSE: f64 = 1e-6;

/// The mean probability of each class over the samples with that label; infinite without any.
fn thresholds(scores: &dyn Scores, labels: &[u32]) -> Result<Vec<f64>> {
    let mut sums = vec![(0.0, 0.0); scores.classes()];
    for_each_probability(scores, |index, row| {
        let label = labels[index] as usize;
        sums[label].0 += row[label];
        sums[label].1 += 1.0;
        Ok(())
    })?;
    let mean = |(sum, count): (f64, f64)| {
        if count > 0.0 {
            sum / count
        } else {
            f64::INFINITY
        }
    };
    Ok(sums.into_iter().map(mean).collect())
}

pub(super) fn for_each_probability(
    scores: &dyn Scores,
    mut each: impl FnMut(usize, &[f64]) -> Result<()>,
) -> Result<()> {
    let kind = scores.kind();
    let mut probabilities = vec![0.0; scores.classes()];
    for_each_row(scores, |index, row| {
        let sum = log_sum_exp(row, kind, 1.0);
        for (into, value) in probabilities.iter_mut().zip(row) {
            *into = (kind.logit(*value) - sum).exp();
        }
        each(index, &probabilities)
    })
}
