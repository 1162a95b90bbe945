//! A run's figures, folded from its events one by one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use vivarium_models::contract::{Event, Scalars, Which};

/// What the pages show of a run without reading its curves. Anything may be unknown yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Summary {
    /// The epoch in progress, or the last one.
    pub epoch: Option<u64>,
    /// Epochs asked for.
    pub epochs: Option<u64>,
    /// The last step.
    pub step: Option<u64>,
    /// Steps in the whole run.
    pub steps: Option<u64>,
    /// Training samples that went through the network.
    pub samples_seen: Option<u64>,
    /// Seconds of training, pauses not counted.
    pub seconds: Option<f64>,
    /// Speed of late.
    pub images_per_s: Option<f64>,
    /// Estimate of what remains.
    pub seconds_left: Option<f64>,
    /// The mean over the steps of the last whole epoch; in the first epoch, over its steps so far.
    /// Of an imported run the last value.
    pub train_loss: Option<f64>,
    /// As `train_loss`.
    pub train_accuracy: Option<f64>,
    /// Of the last epoch.
    pub validation_loss: Option<f64>,
    /// Of the last epoch.
    pub validation_accuracy: Option<f64>,
    /// Over the epochs.
    pub best_validation_accuracy: Option<f64>,
    /// The epoch of the best weights; until they are written, the first one that had the best accuracy.
    pub best_epoch: Option<u64>,
    /// On the test split.
    pub test_loss: Option<f64>,
    /// On the test split.
    pub test_accuracy: Option<f64>,
    /// Trainable numbers.
    pub parameters: Option<u64>,
    /// The worker's peak.
    pub peak_memory_bytes: Option<u64>,
    /// Class names.
    pub classes: Option<Vec<String>>,
    /// Samples of the training split.
    pub train_samples: Option<u64>,
    /// Steps in an epoch.
    pub steps_per_epoch: Option<u64>,
    /// Events in the log.
    #[schema(required)]
    pub events: u64,
}

impl Summary {
    /// Takes the next event in.
    pub fn apply(&mut self, event: &Event) {
        self.events += 1;
        match event {
            Event::Started(started) => {
                self.parameters = Some(started.parameters);
                self.classes = Some(started.classes.clone());
                self.train_samples = Some(started.train_samples);
                self.steps_per_epoch = Some(started.steps_per_epoch);
                self.steps = Some(started.total_steps);
                self.epoch = self.epoch.or(Some(1));
                self.step = self.step.or(Some(0));
            }
            Event::Steps(steps) => {
                self.epoch = Some(steps.epoch);
                self.step = Some(steps.last_step());
                self.samples_seen = Some(steps.samples_seen);
                self.images_per_s = steps.images_per_s.or(self.images_per_s);
                self.tell_time(steps.seconds);
                if steps.epoch == 1 {
                    let done = steps.first_step.saturating_sub(1);
                    self.train_loss = mean_with(self.train_loss, done, &steps.loss);
                    self.train_accuracy = mean_with(self.train_accuracy, done, &steps.accuracy);
                }
            }
            Event::Epoch(end) => {
                self.epoch = Some(end.epoch);
                self.train_loss = finite(end.train.loss);
                self.train_accuracy = finite(end.train.accuracy);
                self.peak_memory_bytes = end.peak_memory_bytes.max(self.peak_memory_bytes);
                self.tell_time(end.elapsed);
                if let Some(score) = &end.validation {
                    self.validation_loss = finite(score.loss);
                    self.validation_accuracy = finite(score.accuracy);
                    if self.validation_accuracy > self.best_validation_accuracy {
                        self.best_validation_accuracy = self.validation_accuracy;
                        self.best_epoch = Some(end.epoch);
                    }
                }
            }
            Event::Scalars(scalars) => self.take_scalars(scalars),
            Event::Test(test) => {
                self.test_loss = finite(test.score.loss);
                self.test_accuracy = finite(test.score.accuracy);
            }
            // Of equally accurate epochs the one with the lower loss is the best, and the metric of early stopping decides.
            Event::Checkpoint {
                which: Which::Best,
                epoch,
                ..
            } if self.best_epoch.is_some() => self.best_epoch = Some(*epoch),
            Event::Finished { .. } => self.seconds_left = None,
            _ => {}
        }
    }

    /// An imported run has no epochs: the last values of its curves count, and the best of all.
    fn take_scalars(&mut self, scalars: &Scalars) {
        for (step, seconds, value) in scalars.points() {
            let value = finite(value);
            self.step = self.step.max(Some(step));
            // Something may have been noted long after the training.
            if scalars.series.is_some() {
                self.seconds = Some(self.seconds.map_or(seconds, |before| before.max(seconds)));
            }
            match scalars.series.as_deref() {
                Some("train_loss") => self.train_loss = value,
                Some("train_accuracy") => self.train_accuracy = value,
                Some("validation_loss") => self.validation_loss = value,
                Some("validation_accuracy") => {
                    self.validation_accuracy = value;
                    if value > self.best_validation_accuracy {
                        self.best_validation_accuracy = value;
                    }
                }
                _ => {}
            }
        }
    }

    fn tell_time(&mut self, seconds: f64) {
        self.seconds = Some(self.seconds.map_or(seconds, |before| before.max(seconds)));
        self.seconds_left = match (self.step, self.steps) {
            (Some(step), Some(steps)) if step > 0 => {
                Some(seconds / step as f64 * steps.saturating_sub(step) as f64)
            }
            _ => None,
        };
    }
}

/// The mean of `count` values whose mean is known, and of further ones; `None` where one of them is not finite.
fn mean_with(mean: Option<f64>, count: u64, more: &[f64]) -> Option<f64> {
    let before = if count == 0 { Some(0.0) } else { mean };
    let sum = more
        .iter()
        .fold(before? * count as f64, |sum, value| sum + value);
    let all = count + more.len() as u64;
    finite(sum / all.max(1) as f64).filter(|_| all > 0)
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vivarium_models::contract::Record;

    #[test]
    fn a_short_run_folds_into_its_figures() {
        let mut summary = Summary::default();
        for text in [
            r#"{"kind":"started","seq":1,"parameters":42,"classes":["a","b"],"train_samples":6,"steps_per_epoch":2,"total_steps":4}"#,
            r#"{"kind":"steps","seq":2,"first_step":1,"epoch":1,"samples_seen":6,"seconds":0.5,"loss":[0.9,null],"accuracy":[0.5,0.5],"lr":[0.1,0.1],"images_per_s":12,"not_finite":"nan"}"#,
            r#"{"kind":"epoch","seq":3,"epoch":1,"step":2,"train":{"loss":0.8,"accuracy":0.5},"validation":{"loss":0.7,"accuracy":0.6},"seconds":0.5,"elapsed":0.5,"peak_memory_bytes":7}"#,
            r#"{"kind":"epoch","seq":4,"epoch":2,"step":4,"train":{"loss":0.6,"accuracy":0.7},"validation":{"loss":0.9,"accuracy":0.6},"seconds":0.5,"elapsed":1.0,"peak_memory_bytes":6}"#,
            r#"{"kind":"test","seq":5,"loss":0.5,"accuracy":0.75,"confusion":[[1]]}"#,
            r#"{"kind":"checkpoint","seq":6,"which":"last","epoch":3,"step":4}"#,
            r#"{"kind":"something new","seq":7}"#,
        ] {
            summary.apply(&Record::parse(text).unwrap().event);
        }
        assert_eq!(summary.step, Some(2));
        assert_eq!(summary.seconds, Some(1.0));
        assert_eq!(summary.seconds_left, Some(1.0));
        assert_eq!(
            (summary.best_validation_accuracy, summary.best_epoch),
            (Some(0.6), Some(1))
        );
        assert_eq!(
            (summary.validation_loss, summary.train_loss),
            (Some(0.9), Some(0.6))
        );
        assert_eq!(
            (summary.test_accuracy, summary.peak_memory_bytes),
            (Some(0.75), Some(7))
        );
        assert_eq!(summary.events, 7);
    }

    #[test]
    fn the_best_epoch_is_that_of_the_best_weights() {
        let mut summary = Summary::default();
        let mut take = |text: &str| {
            summary.apply(&Record::parse(text).unwrap().event);
            summary.best_epoch
        };
        let best = r#"{"kind":"checkpoint","seq":9,"which":"best","epoch":2,"step":4}"#;
        assert_eq!(
            take(best),
            None,
            "without validation there is no best epoch"
        );
        for epoch in [1, 2] {
            let end = format!(
                r#"{{"kind":"epoch","seq":{epoch},"epoch":{epoch},"step":2,"train":{{"loss":1,"accuracy":1}},"validation":{{"loss":1,"accuracy":1}},"seconds":1,"elapsed":1}}"#
            );
            assert_eq!(take(&end), Some(1));
        }
        assert_eq!(take(best), Some(2));
    }

    #[test]
    fn the_training_loss_is_a_mean_over_steps_in_the_first_epoch_too() {
        let mut summary = Summary::default();
        let mut take = |text: &str| {
            summary.apply(&Record::parse(text).unwrap().event);
            (summary.train_loss, summary.train_accuracy)
        };
        let first = r#"{"kind":"steps","seq":1,"first_step":1,"epoch":1,"samples_seen":8,"seconds":0.5,"loss":[9.0,3.0],"accuracy":[0.0,0.5],"lr":[0.1,0.1]}"#;
        assert_eq!(take(first), (Some(6.0), Some(0.25)));
        let next = r#"{"kind":"steps","seq":2,"first_step":3,"epoch":1,"samples_seen":12,"seconds":0.7,"loss":[0.0],"accuracy":[1.0],"lr":[0.1]}"#;
        assert_eq!(take(next), (Some(4.0), Some(0.5)));
        let end = r#"{"kind":"epoch","seq":3,"epoch":1,"step":3,"train":{"loss":4.1,"accuracy":0.4},"validation":null,"seconds":0.7,"elapsed":0.7}"#;
        assert_eq!(take(end), (Some(4.1), Some(0.4)));
        let second = r#"{"kind":"steps","seq":4,"first_step":4,"epoch":2,"samples_seen":16,"seconds":0.9,"loss":[0.1],"accuracy":[1.0],"lr":[0.1]}"#;
        assert_eq!(take(second), (Some(4.1), Some(0.4)));
        // Killed before its first checkpoint, the run does all of it again.
        let again = r#"{"kind":"steps","seq":5,"first_step":1,"epoch":1,"samples_seen":8,"seconds":0.5,"loss":[8.0,null],"accuracy":[0.0,0.5],"lr":[0.1,0.1],"not_finite":"nan"}"#;
        assert_eq!(take(again), (None, Some(0.25)));
    }

    #[test]
    fn an_imported_run_has_the_last_values_of_its_curves_and_the_best() {
        let mut summary = Summary::default();
        for text in [
            r#"{"kind":"scalars","seq":1,"tag":"val/acc","series":"validation_accuracy","percent":true,"step":[10,20,30],"seconds":[1,2,3],"value":[50,75,60]}"#,
            r#"{"kind":"scalars","seq":2,"tag":"loss","series":"train_loss","step":[40],"seconds":[4],"value":[null],"not_finite":"nan"}"#,
            r#"{"kind":"scalars","seq":3,"tag":"grad_norm","step":[50],"seconds":[5],"value":[7]}"#,
        ] {
            summary.apply(&Record::parse(text).unwrap().event);
        }
        assert_eq!(summary.validation_accuracy, Some(0.6));
        assert_eq!(summary.best_validation_accuracy, Some(0.75));
        assert_eq!((summary.step, summary.seconds), (Some(50), Some(4.0)));
        assert_eq!((summary.train_loss, summary.steps), (None, None));
    }
}
