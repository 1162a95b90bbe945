//! A line of `events.ndjson`, understood as far as the index needs it.

use serde::Deserialize;
use serde_json::Value;

use crate::run_dir::not_finite;

/// The kinds of events that change a run's figures; the others pass through as they are.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// A worker began, or took the run up again.
    Started {
        /// Trainable numbers.
        parameters: Option<u64>,
        /// Class names.
        classes: Option<Vec<String>>,
        /// Samples of the training split.
        train_samples: Option<u64>,
        /// Steps in an epoch.
        steps_per_epoch: Option<u64>,
        /// Steps in the whole run.
        total_steps: Option<u64>,
    },
    /// Consecutive steps of one epoch.
    Steps(Steps),
    /// An epoch ended.
    Epoch(Epoch),
    /// Values of a curve that was imported.
    Scalars(Scalars),
    /// The result on the test split.
    Test {
        /// Mean loss.
        loss: Option<f64>,
        /// Share of right answers.
        accuracy: Option<f64>,
        /// What the loss is where it is `null`.
        not_finite: Option<String>,
    },
    /// A decision boundary of two-dimensional data.
    Boundary {
        /// After which epoch.
        epoch: u64,
    },
    /// The worker's last word.
    Finished {
        /// Why it ended.
        reason: String,
        /// In words.
        #[serde(default)]
        message: String,
    },
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The kind of a line of steps, and no other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfSteps {
    Steps,
}

/// Consecutive steps of one epoch.
#[derive(Debug, Deserialize)]
pub struct Steps {
    /// Only where a line is read as nothing but steps.
    kind: Option<OfSteps>,
    seq: Option<u64>,
    /// The number of the first, from 1 over the whole run.
    pub first_step: u64,
    /// From 1.
    pub epoch: u64,
    /// After the last step.
    pub samples_seen: u64,
    /// Seconds of training at the last step, pauses not counted.
    #[serde(default)]
    pub seconds: f64,
    /// Per step; `null` where it is not finite.
    pub loss: Vec<Option<f64>>,
    /// Per step.
    pub accuracy: Vec<Option<f64>>,
    /// Per step.
    pub lr: Vec<Option<f64>>,
    /// Speed of late.
    pub images_per_s: Option<f64>,
    /// What the `null`s are: `nan`, `inf` or `-inf`.
    pub not_finite: Option<String>,
}

impl Steps {
    /// The number of the last step.
    pub fn last_step(&self) -> u64 {
        (self.first_step + self.loss.len() as u64).saturating_sub(1)
    }
}

/// Values of one tag of an imported run.
#[derive(Debug, Deserialize)]
pub struct Scalars {
    /// What it is called in its files.
    pub tag: String,
    /// The curve that it is, one of [`SERIES`](super::metrics::SERIES); `None` where it is none.
    pub series: Option<String>,
    /// Whether the values are in percent, where others are shares.
    #[serde(default)]
    pub percent: bool,
    /// The steps, ascending.
    pub step: Vec<u64>,
    /// Of each step: seconds since the first value of the run.
    pub seconds: Vec<f64>,
    /// Of each step; `null` where it is not finite.
    pub value: Vec<Option<f64>>,
    /// What the `null`s are: `nan`, `inf` or `-inf`.
    pub not_finite: Option<String>,
}

impl Scalars {
    /// Step, seconds and value as it is shown, one after the other.
    pub fn shown(&self) -> impl Iterator<Item = (u64, f64, Option<f64>)> {
        let per = if self.percent { 100.0 } else { 1.0 };
        let places = self.step.iter().zip(&self.seconds);
        places
            .zip(&self.value)
            .map(move |((&step, &seconds), value)| (step, seconds, value.map(|value| value / per)))
    }
}

/// The end of an epoch.
#[derive(Debug, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: u64,
    /// The epoch's last step.
    #[serde(default)]
    pub step: u64,
    /// Over the epoch's steps.
    pub train: Score,
    /// On the validation split, when there is one.
    pub validation: Option<Score>,
    /// Seconds of training so far, pauses not counted.
    #[serde(default)]
    pub elapsed: f64,
    /// The process's peak.
    pub peak_memory_bytes: Option<u64>,
    /// What the losses are that are `null`, where they do not say it themselves.
    pub not_finite: Option<String>,
}

impl Epoch {
    /// The loss of one of its scores, which need not be finite.
    pub fn loss(&self, score: &Score) -> f64 {
        let word = score.not_finite.as_ref().or(self.not_finite.as_ref());
        let word = word.map(String::as_str);
        score.loss.unwrap_or_else(|| not_finite::value(word))
    }
}

/// Loss and accuracy.
#[derive(Debug, Deserialize)]
pub struct Score {
    /// Mean loss; `null` when it is not finite.
    pub loss: Option<f64>,
    /// Share of right answers.
    pub accuracy: Option<f64>,
    /// What the loss is where it is `null`.
    pub not_finite: Option<String>,
}

/// Reads a line: its number and what it tells. `None` when it is no event.
pub fn parse(text: &str) -> Option<(u64, Line)> {
    // Nearly all that a long log has are steps: they are read once, and not kept as JSON in between.
    if let Ok(steps) = serde_json::from_str::<Steps>(text)
        && let (Some(OfSteps::Steps), Some(seq)) = (&steps.kind, steps.seq)
    {
        return Some((seq, Line::Steps(steps)));
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let seq = value.get("seq")?.as_u64()?;
    // A line of a known kind that lacks something is shown as it is and counted for nothing.
    Some((seq, Line::deserialize(value).unwrap_or(Line::Other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &str =
        r#""seq":3,"first_step":1,"epoch":1,"samples_seen":4,"loss":[0.5],"accuracy":[1],"lr":[1]"#;

    #[test]
    fn steps_are_read_wherever_their_kind_stands_and_by_whatever_way() {
        for line in [
            format!(r#"{{"kind":"steps",{STEPS}}}"#),
            format!(r#"{{{STEPS},"kind":"steps"}}"#),
        ] {
            let (seq, parsed) = parse(&line).unwrap();
            let value: Value = serde_json::from_str(&line).unwrap();
            for steps in [parsed, Line::deserialize(value).unwrap()] {
                let Line::Steps(steps) = steps else {
                    panic!("{steps:?}");
                };
                assert_eq!((seq, steps.first_step, steps.loss), (3, 1, vec![Some(0.5)]));
            }
        }
    }

    #[test]
    fn a_line_without_a_kind_or_of_another_is_no_steps_and_one_without_a_number_no_event() {
        assert!(parse(&format!("{{{STEPS}}}")).is_none_or(|(_, line)| matches!(line, Line::Other)));
        let note = parse(&format!(r#"{{"kind":"note",{STEPS}}}"#));
        assert!(matches!(note, Some((3, Line::Other))));
        let (_, unnumbered) = STEPS.split_once(',').unwrap();
        assert!(parse(&format!(r#"{{"kind":"steps",{unnumbered}}}"#)).is_none());
        assert!(matches!(
            parse(r#"{"kind":"steps","seq":1}"#),
            Some((1, Line::Other))
        ));
    }
}
