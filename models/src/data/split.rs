//! Splits samples into training, validation and test, stratified by class.

use serde::{Deserialize, Serialize};
use serde_json::Map;
use utoipa::ToSchema;

use super::versions::Corrections;
use crate::random::Key;
use crate::spec::DataSpec;

/// The share of the test split.
const TEST: f64 = 0.2;

/// The default share of the validation split, as in the field `data.validation`.
const VALIDATION: f64 = 0.1;

/// A split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Training.
    Train,
    /// Validation, evaluated after every epoch.
    Validation,
    /// Test, evaluated once at the end.
    Test,
}

impl Split {
    /// Its name in requests and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The samples of each split, by index. No sample is in two.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SplitIndices {
    train: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
}

impl SplitIndices {
    /// The samples of a split, by index.
    pub(super) fn of(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
            Split::Test => &self.test,
        }
    }
}

/// Splits samples by class: a fifth for the test, unless the set defines its first `train` samples as training and the
/// rest as test; then the requested share or fold of the rest for validation; then the training split is cut to the
/// limit. The test split does not depend on the share of validation, and the folds of all runs are the same.
///
/// `labels` are those that were imported, so that the splits of all versions of a set are the same; samples that a
/// version excludes are taken out at the end.
pub(super) fn split(
    spec: &DataSpec,
    labels: &[u32],
    classes: usize,
    train: Option<usize>,
    corrections: &Corrections,
) -> SplitIndices {
    let mut generator = Key::new(0, &format!("split {}", spec.set)).generator();
    let mut groups = vec![Vec::new(); classes];
    let shared = train.unwrap_or(labels.len()).min(labels.len());
    for (index, label) in labels[..shared].iter().enumerate() {
        groups[*label as usize].push(index as u32);
    }
    groups.iter_mut().for_each(|group| generator.shuffle(group));
    let mut test = match train {
        Some(_) => (shared as u32..labels.len() as u32).collect(),
        None => take(&mut groups, TEST),
    };
    let mut validation = match spec.folds {
        Some(folds) => take_fold(&mut groups, folds, spec.fold.unwrap_or(0)),
        None => take(&mut groups, spec.validation),
    };
    let mut train = groups.concat();
    // The order only matters for which training samples a limit keeps.
    for part in [&mut test, &mut validation, &mut train] {
        part.sort_unstable();
        generator.shuffle(part);
        part.retain(|index| corrections.get(index) != Some(&None));
    }
    let limit = spec.limit.and_then(|limit| usize::try_from(limit).ok());
    train.truncate(limit.unwrap_or(usize::MAX).max(1));
    SplitIndices {
        train,
        validation,
        test,
    }
}

/// The splits with default settings. Which classes lose their last image does not depend on the set's name.
pub(super) fn by_default(labels: &[u32], classes: usize, train: Option<usize>) -> SplitIndices {
    let spec = DataSpec {
        set: String::new(),
        validation: VALIDATION,
        limit: None,
        folds: None,
        fold: None,
        options: Map::new(),
    };
    split(&spec, labels, classes, train, &Corrections::new())
}

/// A note on classes without training samples; `None` if there are none.
pub(super) fn note_on_untrained_classes(
    parts: &SplitIndices,
    labels: &[u32],
    classes: &[String],
) -> Option<String> {
    const NAMED: usize = 10;
    let mut learnt = vec![false; classes.len()];
    for index in &parts.train {
        if let Some(learnt) = labels
            .get(*index as usize)
            .and_then(|label| learnt.get_mut(*label as usize))
        {
            *learnt = true;
        }
    }
    let missing: Vec<&str> = classes
        .iter()
        .zip(learnt)
        .filter(|(_, learnt)| !learnt)
        .map(|(class, _)| class.as_str())
        .collect();
    let more = match missing.len() {
        0 => return None,
        n if n > NAMED => format!(" and {} more", n - NAMED),
        _ => String::new(),
    };
    let named = missing[..missing.len().min(NAMED)].join(", ");
    Some(format!(
        "{} of {} classes {} no sample to learn from, as too few are left beside those for the test and for validation \
         and within the limit: {named}{more}. They will never be learnt.",
        missing.len(),
        classes.len(),
        if missing.len() == 1 { "has" } else { "have" },
    ))
}

/// Takes a share of every group. The total is the share rounded to the nearest integer, at least 1 when the share is
/// not 0; each group gives its share rounded down, and those with the largest remainders one more.
fn take(groups: &mut [Vec<u32>], share: f64) -> Vec<u32> {
    let total: usize = groups.iter().map(Vec::len).sum();
    if share <= 0.0 || total < 2 {
        return Vec::new();
    }
    let wanted = ((total as f64 * share).round() as usize).max(1);
    let exact: Vec<f64> = groups
        .iter()
        .map(|group| group.len() as f64 * wanted as f64 / total as f64)
        .collect();
    let mut counts: Vec<usize> = exact.iter().map(|n| n.floor() as usize).collect();
    let mut by_rest: Vec<usize> = (0..groups.len()).collect();
    by_rest.sort_by(|a, b| {
        exact[*b]
            .fract()
            .total_cmp(&exact[*a].fract())
            .then(a.cmp(b))
    });
    let missing = wanted.saturating_sub(counts.iter().sum());
    by_rest
        .iter()
        .take(missing)
        .for_each(|group| counts[*group] += 1);
    let mut taken = Vec::with_capacity(wanted);
    for (group, count) in groups.iter_mut().zip(counts) {
        let rest = group.len().saturating_sub(count);
        taken.extend(group.drain(rest..));
    }
    taken
}

/// Takes a fold of every group. The folds of a group differ by one sample at most, and so do those of all groups.
fn take_fold(groups: &mut [Vec<u32>], folds: u64, fold: u64) -> Vec<u32> {
    let mut taken = Vec::new();
    let mut place = 0;
    for group in groups {
        group.retain(|index| {
            let is_taken = place % folds == fold;
            place += 1;
            if is_taken {
                taken.push(*index);
            }
            !is_taken
        });
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_outside_the_test_is_in_one_fold() {
        let labels: Vec<u32> = (0..503)
            .map(|i| if i % 7 == 0 { 1 } else { i % 3 * 2 })
            .collect();
        let of = |folds, fold| {
            let spec = DataSpec {
                set: "any".to_owned(),
                validation: 0.1,
                limit: None,
                folds,
                fold,
                options: Map::new(),
            };
            split(&spec, &labels, 5, None, &Corrections::new())
        };
        let plain = of(None, None);
        let all: Vec<SplitIndices> = (0..4).map(|fold| of(Some(4), Some(fold))).collect();
        let mut seen: Vec<&u32> = Vec::new();
        for parts in &all {
            assert_eq!(parts.test, plain.test);
            let sizes = parts.validation.len() + parts.train.len() + parts.test.len();
            assert_eq!(sizes, labels.len());
            assert!((100..=101).contains(&parts.validation.len()));
            let of_class = |class| {
                let is = |index: &&u32| labels[**index as usize] == class;
                parts.validation.iter().filter(is).count()
            };
            let whole = [0, 1, 2, 4].map(|class| {
                let is = |index: &&u32| labels[**index as usize] == class;
                plain
                    .train
                    .iter()
                    .chain(&plain.validation)
                    .filter(is)
                    .count()
            });
            for (class, whole) in [0, 1, 2, 4].into_iter().zip(whole) {
                assert!((whole / 4..=whole / 4 + 1).contains(&of_class(class)));
            }
            seen.extend(&parts.validation);
        }
        seen.sort_unstable();
        let mut outside: Vec<&u32> = plain.train.iter().chain(&plain.validation).collect();
        outside.sort_unstable();
        assert_eq!(seen, outside);
        assert_eq!(of(Some(4), None), all[0]);
    }
}
