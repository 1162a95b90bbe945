//! The loss functions that a network can be trained by.

use candle_core::{D, DType, Tensor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Result;
use crate::ops::{self, Loss, Targets};

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

    /// The loss that a training step lowers: with label smoothing, class weights and mixed targets, for loss functions
    /// that support them.
    ///
    /// # Errors
    /// As [`Criterion::loss`]; and as [`ops::weighted_cross_entropy`].
    pub fn training_loss(
        self,
        scores: &Tensor,
        targets: Targets<'_>,
        smoothing: f64,
        weights: Option<&[f64]>,
    ) -> Result<Loss> {
        if self == Self::CrossEntropy && (weights.is_some() || targets.mixed.is_some()) {
            return Ok(ops::weighted_cross_entropy(
                scores, targets, smoothing, weights,
            )?);
        }
        match self {
            Self::CrossEntropy if smoothing > 0.0 => Ok(ops::smoothed_cross_entropy(
                scores,
                targets.classes,
                smoothing,
            )?),
            _ => self.loss(scores, targets.classes),
        }
    }

    /// The scores of samples of which the network saw two views: those whose softmax is the mean of the two
    /// probabilities, or the mean of the scores where scores are not logits.
    ///
    /// # Errors
    /// When the two differ in shape.
    pub fn average_scores(self, first: &Tensor, second: &Tensor) -> Result<Tensor> {
        let mean =
            |first: &Tensor, second: &Tensor| -> Result<Tensor> { Ok(((first + second)? * 0.5)?) };
        match self {
            Self::CrossEntropy => {
                // In double precision, so that the logarithm of a small probability keeps its digits.
                let wide = |scores: &Tensor| -> Result<Tensor> {
                    let scores = scores.to_dtype(DType::F64)?;
                    let least = scores
                        .broadcast_sub(&scores.max_keepdim(D::Minus1)?)?
                        .exp()?;
                    Ok(least.broadcast_div(&least.sum_keepdim(D::Minus1)?)?)
                };
                let mean = mean(&wide(first)?, &wide(second)?)?;
                // A probability that is 0 even so becomes the least number, whose logarithm is finite.
                let mean = mean.maximum(f64::MIN_POSITIVE)?;
                Ok(mean.log()?.to_dtype(first.dtype())?)
            }
            Self::Perceptron => mean(first, second),
        }
    }
}
