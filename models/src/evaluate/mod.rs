//! What predictions are worth: figures of a split from the scores of its samples, with intervals. Pure functions.
//!
//! | module | what it is |
//! |---|---|
//! | here | [`evaluate`], which puts the figures together |
//! | `scores` | the scores of a split, in memory or in a file |
//! | `figure` | intervals: Wilson's, and the bootstrap |
//! | `classes` | precision, recall and F1 |
//! | `ranking` | average precision, area under the ROC curve, and the curves |
//! | `calibration`, `temperature` | reliability, and a temperature that improves it |
//! | `threshold` | accuracy against the share that is answered |
//! | `mcnemar` | a test of two classifiers on the same samples |
//! | `label_issues` | labels that may be wrong |
//! | `out_of_fold` | probabilities of samples by networks that did not learn from them |
//! | `thin` | curves with as many points as a chart shows |
//!
//! Invariants: a figure that is undefined is `None`, never 0 or NaN; each figure is that of scikit-learn 1.9, which
//! `tests/models/evaluate.rs` checks; and memory grows with the samples and with the classes, not with their product.
//! `docs/evaluation.md` has the definitions.

mod calibration;
mod classes;
mod figure;
mod label_issues;
mod mcnemar;
mod out_of_fold;
mod ranking;
mod scores;
mod temperature;
#[cfg(test)]
mod tests;
mod thin;
mod threshold;

pub use calibration::{Reliability, ReliabilityBin};
pub use figure::Figure;
pub use label_issues::{LabelQuality, Suspect, suspects};
pub use mcnemar::McNemar;
pub use out_of_fold::OutOfFold;
pub use ranking::{ClassCurves, curves};
pub use scores::{Matrix, ScoreKind, Scores, for_each_row, predictions};
pub use temperature::{Fit, fit_temperature};
pub use threshold::{CoveragePoint, Selective, ThresholdChoice};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Result;
use classes::{Counts, Resampled};
use figure::Resamples;
use ranking::{AllAreas, Areas};
use scores::Rows;

/// The number of resamples of the bootstrap.
const RESAMPLES: usize = 1000;

/// With at most this many classes the confusion matrix is told whole.
const MATRIX_CLASSES: usize = 200;

/// The most frequent mistakes, and the most confident ones, that are told.
const MOST_MISTAKES: usize = 60;

/// Classes in which a target counts as found.
const TOP: u32 = 5;

/// All figures of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// The number of samples.
    pub samples: usize,
    /// What the network's scores are.
    pub scores: ScoreKind,
    /// The number of resamples behind the intervals that are not Wilson's.
    pub resamples: usize,
    /// The share of samples whose target has the highest score.
    pub accuracy: Figure,
    /// The share of samples whose target is among the five highest scores; `null` with five classes or fewer.
    pub top_5: Option<Figure>,
    /// The mean over the classes with samples.
    pub macro_average: Averages,
    /// The mean over the classes, weighted by their samples.
    pub weighted_average: Averages,
    /// Over all pairs of sample and class at once. Precision, recall and F1 are then the accuracy.
    pub micro_average: Averages,
    /// The figures of each class.
    pub per_class: Vec<ClassFigures>,
    /// The confusion matrix, rows: target, columns: prediction; `null` with more than 200 classes.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// The most frequent mistakes, at most 60.
    pub confusions: Vec<Confusion>,
    /// How well the probabilities can be believed; `null` where scores are no probabilities.
    pub calibration: Option<Calibration>,
    /// Accuracy against the share that is answered.
    pub selective: Selective,
    /// The mistakes of which the network is most certain, at most 60.
    pub mistakes: Vec<Mistake>,
}

/// Figures averaged over classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Averages {
    /// Precision; 0 for classes that are never predicted.
    pub precision: Figure,
    /// Recall.
    pub recall: Figure,
    /// F1.
    pub f1: Figure,
    /// Average precision, over the classes for which it is defined; `null` where it is not computed.
    pub average_precision: Option<Figure>,
    /// The area under the ROC curve of one class against the rest, over the classes for which it is defined.
    pub auc: Option<Figure>,
}

impl Averages {
    fn new([precision, recall, f1]: [Figure; 3], [average_precision, auc]: Areas) -> Self {
        Self {
            precision,
            recall,
            f1,
            average_precision,
            auc,
        }
    }
}

/// The figures of a class. `null` is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClassFigures {
    /// Samples of the class.
    pub support: u64,
    /// Samples that are predicted as the class.
    pub predicted: u64,
    /// The share of the predictions that is right; undefined if the class is never predicted.
    pub precision: Option<Figure>,
    /// The share of the samples that is found; undefined without samples.
    pub recall: Option<Figure>,
    /// The harmonic mean of both; undefined for a class with neither samples nor predictions.
    pub f1: Option<Figure>,
    /// The area under the precision-recall curve as scikit-learn defines it; undefined without samples.
    pub average_precision: Option<Figure>,
    /// The chance that a sample of the class is ranked above a sample of another class; undefined without both.
    pub auc: Option<Figure>,
}

/// How often a class is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Confusion {
    /// The target.
    pub truth: u32,
    /// The prediction.
    pub predicted: u32,
    /// Samples.
    pub count: u64,
}

/// A sample that is predicted wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// The sample, by its place in the split.
    pub index: usize,
    /// The target.
    pub truth: u32,
    /// The prediction.
    pub predicted: u32,
    /// The probability of the prediction, or its lead where scores are no probabilities.
    pub confidence: f64,
}

/// How well probabilities can be believed, as they are and with a temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = EvaluationCalibration)]
pub struct Calibration {
    /// The probabilities as the network gives them.
    pub plain: Reliability,
    /// With a temperature; `null` without a validation split.
    pub temperature: Option<Temperature>,
}

/// A temperature that was fitted on the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Temperature {
    /// The number by which logits are divided; above 1 it lowers confidence.
    pub value: f64,
    /// Whether it is the least or the greatest that is looked for, as where no validation sample is predicted wrongly.
    pub at_limit: bool,
    /// Validation samples.
    pub validation_samples: usize,
    /// The validation loss without a temperature.
    pub validation_nll_before: f64,
    /// The validation loss with it; never more than before.
    pub validation_nll_after: f64,
    /// The probabilities with the temperature, on this split.
    pub calibrated: Reliability,
}

/// Scores and targets of a split.
#[derive(Clone, Copy)]
pub struct SplitScores<'a> {
    /// The scores.
    pub scores: &'a dyn Scores,
    /// The targets, one for each row.
    pub targets: &'a [u32],
}

/// Evaluates a split. The temperature and the thresholds are fitted on `validation`; resamples are drawn from `seed`.
/// `progress` is told the share that is done, from 0 to 1, and may fail to end the evaluation.
///
/// ```
/// use vivarium_models::evaluate::{Matrix, ScoreKind, SplitScores, evaluate};
///
/// let scores = Matrix { values: &[0.9, 0.1, 0.4, 0.6, 0.7, 0.3], classes: 2, kind: ScoreKind::Probabilities };
/// let split = SplitScores { scores: &scores, targets: &[0, 1, 1] };
/// let of = evaluate(split, None, 0, &mut |_| Ok(()))?;
/// assert_eq!(of.accuracy.value, 2.0 / 3.0);
/// assert_eq!(of.per_class[1].recall.unwrap().value, 0.5);
/// # Ok::<(), vivarium_models::Error>(())
/// ```
///
/// # Errors
/// When scores cannot be read, are not finite, or do not fit the targets; and those of `progress`.
pub fn evaluate(
    split: SplitScores<'_>,
    validation: Option<SplitScores<'_>>,
    seed: u64,
    progress: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Evaluation> {
    let SplitScores { scores, targets } = split;
    let classes = scores.classes();
    let rows = Rows::of(scores, targets)?;
    let resamples = Resamples::new(targets.len(), RESAMPLES, seed);
    progress(0.1)?;
    let areas = AllAreas::of(scores, targets, &rows, &resamples, &mut |share| {
        progress(0.1 + 0.7 * share)
    })?;
    let counts = Counts::of(targets, &rows.predicted, classes);
    let resampled = Resampled::of(&resamples, targets, &rows.predicted, classes);
    progress(0.85)?;
    let calibration = match scores.kind().are_probable() {
        true => Some(calibration(split, validation, &resamples)?),
        false => None,
    };
    progress(0.95)?;
    let validation = validation
        .map(|of| Rows::of(of.scores, of.targets))
        .transpose()?;
    let share = |count: usize| {
        let all = targets.len() as u64;
        // There is a sample at least.
        Figure::wilson(count as u64, all).unwrap_or(Figure::NONE)
    };
    let below = |rank: u32| rows.rank.iter().filter(|of| **of < rank).count();
    let accuracy = share(below(1));
    let [plain, weighted] = counts.averages();
    let confusions = confusions(targets, &rows.predicted);
    Ok(Evaluation {
        samples: targets.len(),
        scores: scores.kind(),
        resamples: resamples.count(),
        accuracy,
        top_5: (classes > TOP as usize).then(|| share(below(TOP))),
        macro_average: Averages::new(
            classes::with_intervals(plain, &resampled.plain),
            areas.plain,
        ),
        weighted_average: Averages::new(
            classes::with_intervals(weighted, &resampled.weighted),
            areas.weighted,
        ),
        micro_average: Averages::new([accuracy; 3], areas.pairs),
        per_class: per_class(&counts, resampled.f1, &areas.classes),
        confusion: (classes <= MATRIX_CLASSES).then(|| matrix(targets, &rows.predicted, classes)),
        confusions,
        calibration,
        selective: Selective::of(&rows, validation.as_ref()),
        mistakes: mistakes(targets, &rows),
    })
}

fn calibration(
    split: SplitScores<'_>,
    validation: Option<SplitScores<'_>>,
    resamples: &Resamples,
) -> Result<Calibration> {
    let reliability =
        |temperature| Reliability::of(split.scores, split.targets, resamples, temperature);
    let temperature = validation.map(|validation| -> Result<_> {
        let fit = fit_temperature(validation.scores, validation.targets)?;
        Ok(Temperature {
            value: fit.temperature,
            at_limit: fit.at_limit,
            validation_samples: validation.targets.len(),
            validation_nll_before: fit.nll_before,
            validation_nll_after: fit.nll_after,
            calibrated: reliability(fit.temperature)?,
        })
    });
    Ok(Calibration {
        plain: reliability(1.0)?,
        temperature: temperature.transpose()?,
    })
}

fn per_class(counts: &Counts<u64>, f1: Vec<Vec<f64>>, areas: &[Areas]) -> Vec<ClassFigures> {
    let classes = f1.into_iter().zip(areas).enumerate();
    let figures = classes.map(|(class, (resampled, [average_precision, auc]))| {
        let [.., f1] = counts.of_class(class);
        let [support, predicted, right] =
            [&counts.support, &counts.predicted, &counts.right].map(|of| of[class]);
        ClassFigures {
            support,
            predicted,
            precision: Figure::wilson(right, predicted),
            recall: Figure::wilson(right, support),
            f1: f1.map(|f1| Figure::bootstrap(f1, resampled)),
            average_precision: *average_precision,
            auc: *auc,
        }
    });
    figures.collect()
}

fn matrix(targets: &[u32], predicted: &[u32], classes: usize) -> Vec<Vec<u64>> {
    let mut matrix = vec![vec![0; classes]; classes];
    for (target, predicted) in targets.iter().zip(predicted) {
        matrix[*target as usize][*predicted as usize] += 1;
    }
    matrix
}

/// The most frequent mistakes first; equals by their classes.
fn confusions(targets: &[u32], predicted: &[u32]) -> Vec<Confusion> {
    let mut pairs = std::collections::BTreeMap::new();
    for pair in targets.iter().zip(predicted).filter(|(a, b)| a != b) {
        *pairs.entry(pair).or_insert(0) += 1;
    }
    let confusion = |((truth, predicted), count): ((&u32, &u32), u64)| Confusion {
        truth: *truth,
        predicted: *predicted,
        count,
    };
    let mut all: Vec<_> = pairs.into_iter().map(confusion).collect();
    all.sort_by_key(|confusion| std::cmp::Reverse(confusion.count));
    all.truncate(MOST_MISTAKES);
    all
}

/// The most confident mistakes first; equals in the split's order.
fn mistakes(targets: &[u32], rows: &Rows) -> Vec<Mistake> {
    let mut wrong: Vec<usize> = (0..rows.len())
        .filter(|index| !rows.is_right(*index))
        .collect();
    wrong.sort_by(|a, b| rows.confidence[*b].total_cmp(&rows.confidence[*a]));
    let mistake = |index: &usize| Mistake {
        index: *index,
        truth: targets[*index],
        predicted: rows.predicted[*index],
        confidence: rows.confidence[*index],
    };
    wrong.iter().take(MOST_MISTAKES).map(mistake).collect()
}
