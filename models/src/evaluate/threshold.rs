//! When a network had better not answer: accuracy against coverage (El-Yaniv and Wiener 2010).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figure::Figure;
use super::scores::Rows;
use super::thin::thin;

/// The accuracies for which thresholds are chosen.
const TARGETS: [f64; 4] = [0.9, 0.95, 0.98, 0.99];

/// What is answered from a confidence on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoveragePoint {
    /// The least confidence of what is answered.
    pub threshold: f64,
    /// The share of the samples that is answered.
    pub coverage: f64,
    /// The accuracy of what is answered.
    pub accuracy: f64,
}

/// A threshold for an accuracy, chosen on the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ThresholdChoice {
    /// The accuracy that what is answered ought to have.
    pub target: f64,
    /// The least confidence that reaches it on the validation split, where it answers most; `null` where none does.
    pub threshold: Option<f64>,
    /// The share of this split that is answered.
    pub coverage: Option<Figure>,
    /// The accuracy of what is answered on this split; `null` where nothing is.
    pub accuracy: Option<Figure>,
}

/// "None of these": what a network answers if it must be sure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Selective {
    /// From the most confident sample to all of them, thinned for drawing.
    pub curve: Vec<CoveragePoint>,
    /// Thresholds for some accuracies; empty without a validation split.
    pub choices: Vec<ThresholdChoice>,
}

impl Selective {
    pub(super) fn of(rows: &Rows, validation: Option<&Rows>) -> Self {
        let choices = validation.map(|validation| {
            let curve = whole_curve(validation);
            let choice = |target: &f64| choice(rows, &curve, *target);
            TARGETS.iter().map(choice).collect()
        });
        Self {
            curve: thin(&whole_curve(rows), |point| [point.coverage, point.accuracy]),
            choices: choices.unwrap_or_default(),
        }
    }
}

/// A point for each distinct confidence, the highest first.
fn whole_curve(rows: &Rows) -> Vec<CoveragePoint> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let confidence = |index: &usize| rows.confidence[*index];
    order.sort_unstable_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    let mut points: Vec<CoveragePoint> = Vec::new();
    let mut right = 0u64;
    for (before, index) in order.iter().enumerate() {
        right += u64::from(rows.is_right(*index));
        let answered = before as f64 + 1.0;
        let point = CoveragePoint {
            threshold: confidence(index),
            coverage: answered / rows.len() as f64,
            accuracy: right as f64 / answered,
        };
        match points.last_mut() {
            Some(last) if last.threshold == point.threshold => *last = point,
            _ => points.push(point),
        }
    }
    points
}

/// The threshold that answers most of the curve with the accuracy, and what it does to the rows.
fn choice(rows: &Rows, curve: &[CoveragePoint], target: f64) -> ThresholdChoice {
    let enough = |point: &&CoveragePoint| point.accuracy >= target;
    let threshold = curve.iter().rev().find(enough).map(|point| point.threshold);
    let answered = |threshold: f64| {
        let answered = (0..rows.len()).filter(move |index| rows.confidence[*index] >= threshold);
        let right = answered.clone().filter(|index| rows.is_right(*index));
        (answered.count() as u64, right.count() as u64)
    };
    let counts = threshold.map(answered);
    ThresholdChoice {
        target,
        threshold,
        coverage: counts.and_then(|(answered, _)| Figure::wilson(answered, rows.len() as u64)),
        accuracy: counts.and_then(|(answered, right)| Figure::wilson(right, answered)),
    }
}
