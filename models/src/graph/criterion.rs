//! The loss functions that a network can be trained by.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Result;
use crate::ops::{self, Loss};

/// A loss function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// [`ops::cross_entropy`]; scores are logits.
    #[default]
    CrossEntropy,
    /// [`ops::perceptron_loss`]; scores are not logits.
    Perceptron,
}

impl Criterion {
    /// The mean loss of scores [n, classes] and target classes.
    ///
    /// # Errors
    /// When their shapes do not match.
    pub fn loss(self, scores: &Tensor, targets: &[u32]) -> Result<Loss> {
        Ok(match self {
            Self::CrossEntropy => ops::cross_entropy(scores, targets),
            Self::Perceptron => ops::perceptron_loss(scores, targets),
        }?)
    }

    /// The confidence in `class`, which has the highest score: its probability, or its lead over the second score where
    /// scores are not logits.
    pub(crate) fn confidence(self, scores: &[f32], class: usize) -> f32 {
        let greatest = scores[class];
        match self {
            Self::CrossEntropy => {
                let sum: f32 = scores.iter().map(|score| (score - greatest).exp()).sum();
                1.0 / sum
            }
            Self::Perceptron => {
                let others = scores
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != class);
                let second = others.fold(f32::NEG_INFINITY, |best, (_, score)| best.max(*score));
                greatest - second
            }
        }
    }

    /// The mean loss with label smoothing, for loss functions that support it.
    ///
    /// # Errors
    /// As [`Criterion::loss`].
    pub fn smoothed_loss(self, scores: &Tensor, targets: &[u32], smoothing: f64) -> Result<Loss> {
        match self {
            Self::CrossEntropy if smoothing > 0.0 => {
                Ok(ops::smoothed_cross_entropy(scores, targets, smoothing)?)
            }
            _ => self.loss(scores, targets),
        }
    }
}
