//! Two runs on the same samples.

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::data::Split;
use vivarium_models::evaluate::{McNemar, predictions};

use super::cache::Entry;
use super::compute::RunEvaluation;
use super::{Evaluations, Subject};
use crate::blocking::on_thread;
use crate::error::{Error, Result};

/// Two runs on the same samples. The first is the one that the address names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationComparison)]
pub struct Comparison {
    /// The split.
    pub split: Split,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// On all samples.
    pub all: McNemar,
    /// On the samples of each class.
    pub per_class: Vec<McNemar>,
}

impl Evaluations {
    /// Compares the predictions of two evaluations.
    ///
    /// # Errors
    /// [`Error::Conflict`] when they are not of the same samples.
    pub async fn compare(
        &self,
        first: (&Subject, Entry),
        second: (&Subject, Entry),
    ) -> Result<Comparison> {
        let _permit = self.light().await?;
        let (split, entries) = (first.0.split, [first.1, second.1]);
        on_thread("comparison", move || compare(split, &entries)).await
    }
}

fn compare(split: Split, entries: &[Entry; 2]) -> Result<Comparison> {
    let read = |entry: &Entry| -> Result<RunEvaluation> {
        serde_json::from_slice(&entry.evaluation(split)?)
            .map_err(|e| Error::json("an evaluation", e))
    };
    let [first, second] = [read(&entries[0])?, read(&entries[1])?];
    if let Some(reason) = differences(&first, &second) {
        return Err(Error::Conflict(format!(
            "The two runs are not evaluated on the same {} samples: {reason}.",
            split.name()
        )));
    }
    let scores = [entries[0].scores(split)?, entries[1].scores(split)?];
    let targets = scores[0].targets();
    let [a, b] = [predictions(&scores[0])?, predictions(&scores[1])?];
    let of_class = |class: usize| {
        let mut kept = [Vec::new(), Vec::new(), Vec::new()];
        for ((target, a), b) in targets.iter().zip(&a).zip(&b) {
            if *target as usize == class {
                for (kept, value) in kept.iter_mut().zip([target, a, b]) {
                    kept.push(*value);
                }
            }
        }
        McNemar::of(&kept[0], &kept[1], &kept[2])
    };
    Ok(Comparison {
        split,
        all: McNemar::of(targets, &a, &b),
        per_class: (0..first.classes.len()).map(of_class).collect(),
        classes: first.classes,
    })
}

/// Why two evaluations are not of the same samples.
fn differences(first: &RunEvaluation, second: &RunEvaluation) -> Option<String> {
    let [a, b] = [first, second];
    if a.data_set != b.data_set {
        return Some(format!(
            "they are of the data sets “{}” and “{}”",
            a.data_set, b.data_set
        ));
    }
    if a.figures.samples != b.figures.samples {
        return Some(format!(
            "there are {} and {}",
            a.figures.samples, b.figures.samples
        ));
    }
    (a.sample_set != b.sample_set)
        .then(|| "the data set was changed between them, or its settings differ".to_owned())
}
