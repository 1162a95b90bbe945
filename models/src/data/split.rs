//! Who is learnt from, who is measured on. Each class is cut in the same proportions.

use serde::Serialize;

use crate::random::Key;
use crate::spec::DataSpec;

/// The share of all samples that is only measured on, once.
const TEST: f64 = 0.2;

/// Which part of the data a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Learnt from.
    Train,
    /// Measured on after every epoch.
    Validation,
    /// Measured on once, at the end.
    Test,
}

/// The samples of each split, by index. No sample is in two.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parts {
    train: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
}

impl Parts {
    /// The samples of a split, by index.
    pub(super) fn of(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
            Split::Test => &self.test,
        }
    }
}

/// Splits samples by their classes: a fifth for the test, unless the set itself says that all but its first `train`
/// samples are; then the asked share of the rest for validation, then no more training samples than the limit. Another
/// share for validation leaves the test split as it is.
pub(super) fn split(
    spec: &DataSpec,
    labels: &[u32],
    classes: usize,
    train: Option<usize>,
) -> Parts {
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
    let mut validation = take(&mut groups, spec.validation);
    let mut train = groups.concat();
    // Any order would do for measuring; for training it decides what a limit keeps.
    for part in [&mut test, &mut validation, &mut train] {
        part.sort_unstable();
        generator.shuffle(part);
    }
    let limit = spec.limit.and_then(|limit| usize::try_from(limit).ok());
    train.truncate(limit.unwrap_or(usize::MAX).max(1));
    Parts {
        train,
        validation,
        test,
    }
}

/// Takes a share out of every group: of the whole the nearest number to the share, at least 1 when the share is not 0;
/// of each group its part rounded down, and one more where most was cut off.
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
