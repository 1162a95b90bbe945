//! The classes of an image, the likeliest first.

use candle_core::{Device, Tensor};
use serde::Serialize;
use utoipa::ToSchema;

use crate::graph::Criterion;
use crate::ops::softmax;

/// A class with its score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClassScore {
    /// The class, from 0.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Its probability; `null` if the network's scores are not logits.
    pub probability: Option<f32>,
    /// Its score.
    pub score: f32,
}

/// The `top` classes with the highest scores; of equal scores the first class comes first.
pub(crate) fn ranked(
    scores: &[f32],
    classes: &[String],
    criterion: Criterion,
    top: usize,
) -> Vec<ClassScore> {
    let row = Tensor::from_slice(scores, (1, scores.len()), &Device::Cpu);
    let probabilities = match criterion {
        Criterion::CrossEntropy => row.and_then(|row| softmax(&row)).ok(),
        Criterion::Perceptron => None,
    };
    let probabilities = probabilities.and_then(|mut rows| rows.pop());
    let mut order: Vec<_> = (0..scores.len().min(classes.len())).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(top);
    let of = |class: usize| ClassScore {
        class,
        name: classes[class].clone(),
        probability: probabilities.as_ref().map(|all| all[class]),
        score: scores[class],
    };
    order.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| format!("c{class}")).collect()
    }

    #[test]
    fn the_likeliest_classes_come_first_with_their_softmax() {
        let top = ranked(&[1.0, 3.0, 2.0], &names(3), Criterion::CrossEntropy, 2);
        let classes: Vec<_> = top.iter().map(|one| one.class).collect();
        assert_eq!(classes, [1, 2]);
        // torch.softmax(torch.tensor([1., 3., 2.]), 0)
        assert!((top[0].probability.unwrap() - 0.665_240_94).abs() < 1e-6);
        assert!((top[1].probability.unwrap() - 0.244_728_47).abs() < 1e-6);
    }

    #[test]
    fn huge_scores_give_probabilities_and_a_perceptron_gives_none() {
        let top = ranked(&[3e38, -3e38], &names(2), Criterion::CrossEntropy, 5);
        assert_eq!(top[0].probability, Some(1.0));
        assert_eq!(top[1].probability, Some(0.0));
        let top = ranked(&[0.5, 0.25], &names(2), Criterion::Perceptron, 5);
        assert_eq!(top[0].probability, None);
        assert_eq!(top[0].score, 0.5);
    }
}
