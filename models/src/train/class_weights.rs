//! What each class counts in the loss of a run.

use crate::data::Splits;
use crate::spec::{ClassWeights, TrainingSpec};

/// The weight of each class, if the run weighs them.
pub(super) fn class_weights(training: &TrainingSpec, data: &Splits) -> Option<Vec<f64>> {
    match training.class_weights {
        ClassWeights::None => None,
        ClassWeights::Balanced => Some(balanced(data.train.labels(), data.classes.len())),
    }
}

/// `n / (k·n_c)` for each class, with `n_c` of the `n` samples in one of the `k` classes that occur: scikit-learn's
/// `compute_class_weight("balanced")`. A class that does not occur has the weight 0: label smoothing then expects nothing
/// of it.
fn balanced(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0u64; classes];
    for label in labels {
        counts[*label as usize] += 1;
    }
    let occurring = counts.iter().filter(|count| **count > 0).count() as f64;
    let weight = |count: u64| match count {
        0 => 0.0,
        _ => labels.len() as f64 / (occurring * count as f64),
    };
    counts.into_iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::balanced;

    // sklearn.utils.class_weight.compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=[0, 0, 0, 0, 1, 1, 3])
    #[test]
    fn weights_are_those_of_scikit_learn_and_0_for_classes_that_do_not_occur() {
        let weights = balanced(&[0, 0, 0, 0, 1, 1, 3], 4);
        let expected = [7.0 / 12.0, 7.0 / 6.0, 0.0, 7.0 / 3.0];
        assert_eq!(weights, expected);
    }
}
