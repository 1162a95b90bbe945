//! Precision, recall and F1 of each class, and their averages: what follows from the confusion matrix.

use super::figure::{Figure, LANES, Lanes, Resamples};

/// Of each class: samples, predictions, and predictions that are right.
pub(super) struct Counts<T> {
    pub(super) support: Vec<T>,
    pub(super) predicted: Vec<T>,
    pub(super) right: Vec<T>,
}

impl Counts<u64> {
    pub(super) fn of(targets: &[u32], predicted: &[u32], classes: usize) -> Self {
        let mut counts = Self {
            support: vec![0; classes],
            predicted: vec![0; classes],
            right: vec![0; classes],
        };
        for (target, predicted) in targets.iter().zip(predicted) {
            counts.support[*target as usize] += 1;
            counts.predicted[*predicted as usize] += 1;
            counts.right[*target as usize] += u64::from(target == predicted);
        }
        counts
    }

    /// Precision, recall and F1 of a class; `None` where they are undefined.
    pub(super) fn of_class(&self, class: usize) -> [Option<f64>; 3] {
        let [support, predicted, right] =
            [&self.support, &self.predicted, &self.right].map(|of| of[class] as f64);
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        [
            share(right, predicted),
            share(right, support),
            share(2.0 * right, support + predicted),
        ]
    }

    /// The averages over the classes with samples.
    pub(super) fn averages(&self) -> [Means; 2] {
        let classes = 0..self.support.len();
        average(classes.map(|class| (self.support[class] as f64, self.of_class(class))))
    }
}

/// Precision, recall and F1, averaged over classes.
pub(super) type Means = [f64; 3];

/// The plain and the weighted average over the classes with samples, from each class's support and figures. A
/// precision without predictions counts as 0, as scikit-learn's `zero_division=0`.
fn average(classes: impl Iterator<Item = (f64, [Option<f64>; 3])>) -> [Means; 2] {
    let (mut plain, mut weighted) = ([0.0; 3], [0.0; 3]);
    let (mut count, mut weight) = (0.0, 0.0);
    for (support, figures) in classes.filter(|(support, _)| *support > 0.0) {
        count += 1.0;
        weight += support;
        for (i, figure) in figures.into_iter().enumerate() {
            plain[i] += figure.unwrap_or(0.0);
            weighted[i] += support * figure.unwrap_or(0.0);
        }
    }
    [
        plain.map(|sum| sum / count),
        weighted.map(|sum: f64| sum / weight),
    ]
}

/// The figures of all resamples.
pub(super) struct Resampled {
    /// F1 of each class; NaN where it is undefined.
    pub(super) f1: Vec<Vec<f64>>,
    /// The plain averages.
    pub(super) plain: Vec<Means>,
    /// The weighted averages.
    pub(super) weighted: Vec<Means>,
}

impl Resampled {
    pub(super) fn of(
        resamples: &Resamples,
        targets: &[u32],
        predicted: &[u32],
        classes: usize,
    ) -> Self {
        let mut all = Self {
            f1: vec![Vec::with_capacity(resamples.count()); classes],
            plain: Vec::with_capacity(resamples.count()),
            weighted: Vec::with_capacity(resamples.count()),
        };
        for block in resamples.blocks() {
            let zero: Vec<Lanes<u32>> = vec![[0; LANES]; classes];
            let mut of = Counts {
                support: zero.clone(),
                predicted: zero.clone(),
                right: zero,
            };
            for ((weights, target), predicted) in block.iter().zip(targets).zip(predicted) {
                let add = |into: &mut Lanes<u32>| {
                    for (sum, weight) in into.iter_mut().zip(weights.0) {
                        *sum += u32::from(weight);
                    }
                };
                add(&mut of.support[*target as usize]);
                add(&mut of.predicted[*predicted as usize]);
                if target == predicted {
                    add(&mut of.right[*target as usize]);
                }
            }
            let lanes = LANES.min(resamples.count() - all.plain.len());
            for lane in 0..lanes {
                let take = |of: &[Lanes<u32>]| of.iter().map(|of| u64::from(of[lane])).collect();
                let counts = Counts::<u64> {
                    support: take(&of.support),
                    predicted: take(&of.predicted),
                    right: take(&of.right),
                };
                let [plain, weighted] = counts.averages();
                all.plain.push(plain);
                all.weighted.push(weighted);
                for (class, f1) in all.f1.iter_mut().enumerate() {
                    f1.push(counts.of_class(class)[2].unwrap_or(f64::NAN));
                }
            }
        }
        all
    }
}

/// Averages with the intervals of their resamples.
pub(super) fn with_intervals(means: Means, resampled: &[Means]) -> [Figure; 3] {
    [0, 1, 2].map(|i| Figure::bootstrap(means[i], resampled.iter().map(|of| of[i]).collect()))
}
