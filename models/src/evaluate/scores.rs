//! The scores of a split, row by row, and what they mean.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::graph::Criterion;
use crate::ops::argmax;

/// Values that are read at a time.
const VALUES_AT_A_TIME: usize = 1 << 18;

/// What the values of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// Logits: their softmax are probabilities.
    Logits,
    /// Probabilities.
    Probabilities,
    /// Scores that order the classes and are no probabilities, as those of a perceptron. Accuracy, precision and recall
    /// follow from them. So do rankings, by a class's lead over the best other class. There is no calibration.
    Margins,
}

impl ScoreKind {
    /// The kind of the scores of a network that is trained by this loss.
    pub fn of(criterion: Criterion) -> Self {
        match criterion {
            Criterion::CrossEntropy => Self::Logits,
            Criterion::Perceptron => Self::Margins,
        }
    }

    /// Whether probabilities can be told.
    pub fn are_probable(self) -> bool {
        self != Self::Margins
    }

    /// A value as a logit; the logarithm of a probability is one.
    pub(super) fn logit(self, value: f32) -> f64 {
        match self {
            Self::Probabilities => f64::from(value).ln(),
            Self::Logits | Self::Margins => f64::from(value),
        }
    }
}

/// Scores [samples, classes], in memory or in a file.
pub trait Scores {
    /// The number of rows.
    fn samples(&self) -> usize;

    /// The number of values in a row.
    fn classes(&self) -> usize;

    /// What the values are.
    fn kind(&self) -> ScoreKind;

    /// Copies rows into a slice of their size.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()>;
}

/// Scores in memory, row after row.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The values.
    pub values: &'a [f32],
    /// The number of values in a row.
    pub classes: usize,
    /// What they are.
    pub kind: ScoreKind,
}

impl Scores for Matrix<'_> {
    fn samples(&self) -> usize {
        self.values.len() / self.classes.max(1)
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn kind(&self) -> ScoreKind {
        self.kind
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        into.copy_from_slice(&self.values[rows.start * self.classes..rows.end * self.classes]);
        Ok(())
    }
}

/// Calls a function with the index and the values of every row. Memory does not grow with the number of rows.
///
/// # Errors
/// When the rows cannot be read, and those of the function.
pub fn for_each_row(
    scores: &dyn Scores,
    mut each: impl FnMut(usize, &[f32]) -> Result<()>,
) -> Result<()> {
    let (samples, classes) = (scores.samples(), scores.classes());
    let rows = (VALUES_AT_A_TIME / classes.max(1)).max(1);
    let mut values = vec![0.0; rows.min(samples) * classes];
    for start in (0..samples).step_by(rows) {
        let end = (start + rows).min(samples);
        let values = &mut values[..(end - start) * classes];
        scores.read(start..end, values)?;
        for (index, row) in (start..end).zip(values.chunks_exact(classes)) {
            each(index, row)?;
        }
    }
    Ok(())
}

/// The predicted class of every row: the one with the highest score, the first of equals.
///
/// # Errors
/// When the rows cannot be read.
pub fn predictions(scores: &dyn Scores) -> Result<Vec<u32>> {
    let mut predicted = Vec::with_capacity(scores.samples());
    for_each_row(scores, |_, row| {
        predicted.push(argmax(row) as u32);
        Ok(())
    })?;
    Ok(predicted)
}

/// Checks that there is a target for every row, and that every target is a class.
pub(super) fn check(scores: &dyn Scores, targets: &[u32]) -> Result<()> {
    let (samples, classes) = (scores.samples(), scores.classes());
    if samples == 0 || classes < 2 {
        let message = "must have at least one sample and two classes";
        return Err(Error::setting("scores", message));
    }
    if targets.len() != samples {
        let message = format!("must be {samples} classes, and are {}", targets.len());
        return Err(Error::setting("targets", message));
    }
    match targets.iter().find(|target| **target as usize >= classes) {
        None => Ok(()),
        Some(target) => {
            let message = format!("must be below {classes}, and one is {target}");
            Err(Error::setting("targets", message))
        }
    }
}

/// What is kept of every row.
pub(super) struct Rows {
    /// The predicted class: the first of equals.
    pub(super) predicted: Vec<u32>,
    /// The probability of the predicted class; its lead over the second where scores are margins.
    pub(super) confidence: Vec<f64>,
    /// Classes that come before the target: those with a higher score, and earlier ones with the same.
    pub(super) rank: Vec<u32>,
    /// From a value of the row to what samples are ranked by.
    scales: Vec<Scale>,
    kind: ScoreKind,
}

/// How the values of a row become comparable with those of other rows.
#[derive(Clone, Copy)]
enum Scale {
    /// The logarithm of the sum of the exponentials of all logits.
    LogSumExp(f64),
    /// The highest score and the second.
    Lead(f32, f32),
}

impl Rows {
    /// Reads all rows once.
    ///
    /// # Errors
    /// When they cannot be read, or a value is not finite (or no probability).
    pub(super) fn of(scores: &dyn Scores, targets: &[u32]) -> Result<Self> {
        check(scores, targets)?;
        let kind = scores.kind();
        let mut rows = Self {
            predicted: Vec::with_capacity(targets.len()),
            confidence: Vec::with_capacity(targets.len()),
            rank: Vec::with_capacity(targets.len()),
            scales: Vec::with_capacity(targets.len()),
            kind,
        };
        for_each_row(scores, |index, row| {
            let sound = |value: &f32| match kind {
                ScoreKind::Probabilities => (0.0..=1.0).contains(value),
                _ => value.is_finite(),
            };
            if let Some(value) = row.iter().find(|value| !sound(value)) {
                let message = match kind {
                    ScoreKind::Probabilities => {
                        format!("of sample {index} must be from 0 to 1, and one is {value}")
                    }
                    _ => format!(
                        "of sample {index} must be finite, and one is {value}: the run has diverged"
                    ),
                };
                return Err(Error::setting("scores", message));
            }
            let best = argmax(row);
            let target = targets[index] as usize;
            let before = |(class, value): &(usize, &f32)| {
                **value > row[target] || (**value == row[target] && *class < target)
            };
            rows.rank
                .push(row.iter().enumerate().filter(before).count() as u32);
            let others = row.iter().enumerate().filter(|(class, _)| *class != best);
            let second = others.fold(f32::NEG_INFINITY, |most, (_, value)| most.max(*value));
            let scale = match kind {
                ScoreKind::Logits => Scale::LogSumExp(log_sum_exp(row, kind, 1.0)),
                ScoreKind::Probabilities => Scale::LogSumExp(0.0),
                ScoreKind::Margins => Scale::Lead(row[best], second),
            };
            rows.scales.push(scale);
            rows.predicted.push(best as u32);
            rows.confidence.push(rows.ranked_by(index, best, row[best]));
            Ok(())
        })?;
        Ok(rows)
    }

    /// What samples are ranked by for a class: its probability, or its lead over the best other class.
    pub(super) fn ranked_by(&self, index: usize, class: usize, value: f32) -> f64 {
        match (self.scales[index], self.kind) {
            (_, ScoreKind::Probabilities) => f64::from(value),
            // Probabilities that are equal but for the order of a sum stay equal as f32, in which networks compute.
            (Scale::LogSumExp(sum), _) => f64::from((f64::from(value) - sum).exp() as f32),
            (Scale::Lead(first, second), _) => {
                let other = if self.predicted[index] as usize == class {
                    second
                } else {
                    first
                };
                f64::from(value) - f64::from(other)
            }
        }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.predicted.len()
    }

    /// Whether the prediction of a row is right.
    pub(super) fn is_right(&self, index: usize) -> bool {
        self.rank[index] == 0
    }
}

/// The logarithm of the sum of the exponentials of a row's logits divided by a temperature. That of probabilities is 0:
/// what their rounding lacks must not move one across the edge of a bin.
pub(super) fn log_sum_exp(row: &[f32], kind: ScoreKind, temperature: f64) -> f64 {
    if kind == ScoreKind::Probabilities && temperature == 1.0 {
        return 0.0;
    }
    let logit = |value: &f32| kind.logit(*value) / temperature;
    let most = row.iter().map(logit).fold(f64::NEG_INFINITY, f64::max);
    most + row
        .iter()
        .map(|value| (logit(value) - most).exp())
        .sum::<f64>()
        .ln()
}
