//! The progress of a run: all state of a checkpoint besides weights and the optimizer's state. There is no random
//! state, because every random number depends only on the seed and its purpose.

use serde::{Deserialize, Serialize};

use crate::contract::Score;
use crate::spec::{EarlyStopping, Metric};

/// The progress of a run. Floats survive JSON without loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Complete epochs, whose ends were reported.
    pub(super) epoch: u64,
    /// Steps of the current epoch.
    pub(super) batch: u64,
    /// Steps in all.
    pub(super) step: u64,
    /// Training samples in all.
    pub(super) samples_seen: u64,
    /// Of the current epoch: the sum of loss times batch size.
    pub(super) loss: f64,
    /// Of the current epoch: correctly classified samples.
    pub(super) correct: u64,
    /// Of the current epoch: samples.
    pub(super) samples: u64,
    /// Of the current epoch: training seconds.
    pub(super) epoch_seconds: f64,
    /// Training seconds.
    pub(super) elapsed: f64,
    /// The best epoch so far.
    pub(super) best: Option<Best>,
    /// The best value of early stopping's metric so far; higher is better.
    pub(super) watched: Option<f64>,
    /// Epochs since then.
    pub(super) stale: u64,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) epoch: u64,
    pub(super) step: u64,
    /// Its metrics; higher is better, and the second decides between equals.
    merit: [f64; 2],
}

impl Progress {
    /// Adds a batch.
    pub(super) fn add(&mut self, loss: f64, correct: u64, samples: u64) {
        self.batch += 1;
        self.step += 1;
        self.samples_seen += samples;
        self.loss += loss * samples as f64;
        self.correct += correct;
        self.samples += samples;
    }

    /// The training metrics of the current epoch, over its batches.
    pub(super) fn train_score(&self) -> Score {
        let samples = self.samples.max(1) as f64;
        Score::new(self.loss / samples, self.correct as f64 / samples)
    }

    /// Ends the current epoch and returns whether it is the best so far.
    pub(super) fn end_epoch(
        &mut self,
        validation: Option<Score>,
        stopping: Option<&EarlyStopping>,
    ) -> bool {
        let train = self.train_score();
        self.epoch += 1;
        self.batch = 0;
        (self.loss, self.correct, self.samples, self.epoch_seconds) = (0.0, 0, 0, 0.0);

        let by_loss = |score: Score| [-score.loss, score.accuracy];
        let by_accuracy = |score: Score| [score.accuracy, -score.loss];
        let merit = match (validation, stopping.map(|stopping| stopping.metric)) {
            (_, Some(Metric::TrainLoss)) => by_loss(train),
            (_, Some(Metric::TrainAccuracy)) => by_accuracy(train),
            (Some(score), Some(Metric::ValidationLoss)) => by_loss(score),
            (Some(score), _) => by_accuracy(score),
            (None, _) => by_loss(train),
        };
        // The validation split may be empty.
        if let Some(stopping) = stopping
            && (validation.is_some() || !stopping.metric.needs_validation())
        {
            let value = merit[0];
            if self
                .watched
                .is_none_or(|best| value > best + stopping.min_delta)
            {
                self.watched = Some(value);
                self.stale = 0;
            } else {
                self.stale += 1;
            }
        }
        let better = self.best.as_ref().is_none_or(|best| merit > best.merit);
        if better {
            self.best = Some(Best {
                epoch: self.epoch,
                step: self.step,
                merit,
            });
        }
        better
    }

    /// Whether early stopping has run out of patience.
    pub(super) fn out_of_patience(&self, stopping: Option<&EarlyStopping>) -> bool {
        stopping.is_some_and(|stopping| self.stale >= stopping.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(loss: f64, accuracy: f64) -> Option<Score> {
        Some(Score::new(loss, accuracy))
    }

    #[test]
    fn the_best_epoch_has_the_best_accuracy_and_of_equals_the_least_loss() {
        let mut progress = Progress::default();
        let ends = [
            score(0.5, 0.8),
            score(0.6, 0.9),
            score(0.4, 0.9),
            score(0.1, 0.85),
            score(0.4, 0.9),
        ];
        let better: Vec<_> = ends
            .into_iter()
            .map(|end| progress.end_epoch(end, None))
            .collect();
        assert_eq!(better, [true, true, true, false, false]);
        assert_eq!(progress.best.unwrap().epoch, 3);
    }

    #[test]
    fn without_validation_the_best_epoch_has_the_least_training_loss() {
        let mut progress = Progress::default();
        let mut end = |loss| {
            progress.add(loss, 1, 2);
            progress.end_epoch(None, None)
        };
        assert_eq!([end(0.5), end(0.7), end(0.3)], [true, false, true]);
    }

    #[test]
    fn patience_is_counted_in_epochs_that_bring_nothing_better() {
        let stopping = EarlyStopping {
            metric: Metric::ValidationLoss,
            patience: 2,
            min_delta: 0.0,
        };
        let mut progress = Progress::default();
        let mut end = |loss| {
            progress.end_epoch(score(loss, 0.5), Some(&stopping));
            progress.out_of_patience(Some(&stopping))
        };
        assert_eq!(
            [end(0.5), end(0.5), end(0.4), end(0.6), end(0.5)],
            [false, false, false, false, true]
        );
    }

    #[test]
    fn a_value_that_is_hardly_better_uses_up_patience_and_is_the_best_all_the_same() {
        let stopping = EarlyStopping {
            metric: Metric::ValidationLoss,
            patience: 2,
            min_delta: 0.25,
        };
        let mut progress = Progress::default();
        let mut end = |loss| {
            let best = progress.end_epoch(score(loss, 0.5), Some(&stopping));
            (best, progress.out_of_patience(Some(&stopping)))
        };
        // Compared with 1.0, not with 0.875, which was no improvement.
        assert_eq!(end(1.0), (true, false));
        assert_eq!(end(0.875), (true, false));
        assert_eq!(end(0.625), (true, false));
        assert_eq!(end(0.5), (true, false));
        assert_eq!(end(0.375), (true, true));
    }

    #[test]
    fn training_metrics_are_watched_with_a_validation_split_and_without() {
        for (metric, values) in [
            (Metric::TrainLoss, [(0.5, 0), (0.5, 2)]),
            (Metric::TrainAccuracy, [(0.5, 1), (0.2, 1)]),
        ] {
            for validation in [None, score(0.1, 0.9)] {
                let stopping = EarlyStopping {
                    metric,
                    patience: 1,
                    min_delta: 0.0,
                };
                let mut progress = Progress::default();
                let ends = values.map(|(loss, correct)| {
                    progress.add(loss, correct, 2);
                    progress.end_epoch(validation, Some(&stopping));
                    progress.out_of_patience(Some(&stopping))
                });
                assert_eq!(ends, [false, true], "{metric:?}");
            }
        }
    }

    #[test]
    fn an_empty_validation_split_stops_nothing() {
        let stopping = EarlyStopping {
            metric: Metric::ValidationLoss,
            patience: 1,
            min_delta: 0.0,
        };
        let mut progress = Progress::default();
        for loss in [0.1, 0.2, 0.3] {
            progress.add(loss, 1, 2);
            progress.end_epoch(None, Some(&stopping));
            assert!(!progress.out_of_patience(Some(&stopping)));
        }
    }
}
