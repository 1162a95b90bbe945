//! Predictions with probabilities.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Inspector, Recording};
use crate::graph::Criterion;
use crate::ops::softmax;

/// The most classes of a prediction.
const MOST: usize = 100;

/// A class with its score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClassScore {
    /// The class, from 0.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Its probability; `null` if the network's scores are not logits.
    pub probability: Option<f64>,
    /// Its score.
    pub score: f32,
}

impl Inspector {
    /// The classes, the most probable first; at most a hundred.
    pub fn predict(&self, recording: &Recording) -> Vec<ClassScore> {
        let scores = &recording.scores;
        let probabilities: Option<Vec<f32>> = match self.model.criterion() {
            Criterion::CrossEntropy => {
                let row = candle_core::Tensor::from_slice(
                    scores,
                    (1, scores.len()),
                    &candle_core::Device::Cpu,
                );
                row.and_then(|row| softmax(&row))
                    .ok()
                    .and_then(|mut rows| rows.pop())
            }
            Criterion::Perceptron => None,
        };
        let mut top: Vec<_> = scores
            .iter()
            .zip(&self.classes)
            .enumerate()
            .map(|(class, (score, name))| ClassScore {
                class,
                name: name.clone(),
                probability: probabilities.as_ref().map(|all| f64::from(all[class])),
                score: *score,
            })
            .collect();
        top.sort_by(|a, b| b.score.total_cmp(&a.score));
        top.truncate(MOST);
        top
    }
}
