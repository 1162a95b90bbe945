//! Labels that may be wrong, by the predictions of networks that did not learn them: those of the folds of a sweep.

use serde::Deserialize;
use vivarium_models::data::{Split, split_samples};
use vivarium_models::evaluate::{LabelQuality, OutOfFold, Suspect};

use super::cache::Entry;
use super::compute::content_of;
use super::{Evaluations, Subject};
use crate::blocking::on_thread;
use crate::data_dir::library_of_run;
use crate::error::{Error, Result};

/// A sample whose label may be wrong.
#[derive(Clone, Copy, Debug)]
pub struct LabelIssue {
    /// The sample, by its place in the set.
    pub suspect: Suspect,
    /// Its split; all folds have the same test split.
    pub is_test: bool,
}

/// The samples of a set, the most suspicious first.
#[derive(Clone, Debug)]
pub struct LabelIssues {
    /// All samples that a fold was held out from: those that confident learning counts to another class, then the others.
    pub ranked: Vec<LabelIssue>,
    /// How many of them confident learning counts to another class than their label.
    pub likely: usize,
}

/// What is read of a fold's evaluation.
#[derive(Deserialize)]
struct Judged {
    data_sha256: Option<String>,
}

impl Evaluations {
    /// Ranks the samples that the folds of a sweep did not learn from.
    ///
    /// # Errors
    /// [`Error::Conflict`] for networks without probabilities; when scores cannot be read.
    pub async fn label_issues(
        &self,
        folds: Vec<(Subject, Entry)>,
        quality: LabelQuality,
    ) -> Result<LabelIssues> {
        let _permit = self.light().await?;
        on_thread("labels", move || rank(&folds, quality)).await
    }
}

fn rank(folds: &[(Subject, Entry)], quality: LabelQuality) -> Result<LabelIssues> {
    let classes = folds
        .first()
        .map_or(0, |(subject, _)| subject.target.started.classes.len());
    let mut out_of_fold = OutOfFold::new(classes);
    let mut test = Vec::new();
    for (subject, entry) in folds {
        let (target, spec) = (&subject.target, &subject.target.spec);
        let library = library_of_run(target.dir.path());
        let judged: Judged = serde_json::from_slice(&entry.evaluation(subject.split)?)
            .map_err(|e| Error::json("an evaluation", e))?;
        if judged.data_sha256 != content_of(&library, &spec.data.set) {
            return Err(Error::Conflict(
                "The data set was replaced after the folds had judged it: its images are no longer the same. Search again."
                    .to_owned(),
            ));
        }
        for split in [Split::Validation, Split::Test] {
            let samples = split_samples(&spec.data, &library, split)?;
            if samples.is_empty() {
                continue;
            }
            let scores = entry.scores(split)?;
            out_of_fold.add(&scores, &samples, scores.targets())?;
            if split == Split::Test {
                test = samples;
            }
        }
    }
    test.sort_unstable();
    if out_of_fold.is_empty() {
        return Err(Error::Conflict("The folds have no samples.".to_owned()));
    }
    let suspects = suspected_first(out_of_fold.suspects(quality)?);
    let issue = |suspect: Suspect| LabelIssue {
        is_test: test.binary_search(&(suspect.index as u32)).is_ok(),
        suspect,
    };
    Ok(LabelIssues {
        likely: suspects.iter().filter(|suspect| suspect.confident).count(),
        ranked: suspects.into_iter().map(issue).collect(),
    })
}

/// Those that confident learning counts to another class, then the others, each in their order.
fn suspected_first(mut suspects: Vec<Suspect>) -> Vec<Suspect> {
    suspects.sort_by_key(|suspect| !suspect.confident);
    suspects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suspected_comes_first_and_each_part_keeps_its_order() {
        let suspect = |index, confident| Suspect {
            index,
            label: 0,
            suggested: 1,
            suggested_probability: 0.5,
            suggested_mean: 0.5,
            label_mean: 0.5,
            quality: 0.1,
            confident,
        };
        let ranked = [(7, false), (2, true), (9, false), (4, true)];
        let suspects = ranked.map(|(index, confident)| suspect(index, confident));
        let order: Vec<_> = suspected_first(suspects.to_vec())
            .iter()
            .map(|suspect| suspect.index)
            .collect();
        assert_eq!(order, [2, 4, 7, 9]);
    }
}
