//! The table of networks. A network is one file and one row; the form, the check, the benchmark and the conformance
//! tests read the row.

mod fields;
mod file_kind;
mod inception;
mod mlp;
mod model;
mod perceptron;
mod prefixes;
mod pretrained;
mod residual;
mod state_dict;
mod vgg16;

pub use crate::tensor_file::TensorValues;
pub use model::Model;
pub use pretrained::{WeightsInfo, weights_info};

use candle_core::Tensor;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::nn::{Context, VarBuilder};
use crate::ops::{self, Loss};
use crate::spec::{CROSS_ENTROPY, Field, NetworkSpec};

/// A network that a run can train.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkRow {
    /// The name in a RunSpec.
    pub kind: &'static str,
    /// The name that users see.
    pub title: &'static str,
    /// A description in one or two sentences.
    pub summary: &'static str,
    /// Its options, as fields under `network.`.
    pub fields: &'static [Field],
    /// Its defaults for other fields, as path and JSON literal.
    pub defaults: &'static [(&'static str, &'static str)],
    /// The data it takes: 2 for points, 3 for images.
    pub dimensions: &'static [usize],
    /// The loss function of its training.
    pub criterion: Criterion,
    /// Whether it needs batches of several samples, as with batch normalisation.
    #[serde(skip)]
    pub(crate) needs_batches: NeedsBatches,
    #[serde(skip)]
    build: Build,
}

/// Whether batches of one sample tell a network nothing, given its options.
type NeedsBatches = fn(&NetworkSpec) -> bool;

/// Builds a network from its options, the shape of a sample and the number of classes.
type Build = fn(VarBuilder<'_>, &NetworkSpec, &[usize], usize) -> Result<Box<dyn Network>>;

/// All networks.
pub static NETWORKS: &[NetworkRow] = &[
    perceptron::ROW,
    mlp::ROW,
    mlp::WIDE,
    vgg16::ROW,
    residual::SMALL,
    residual::DEEP,
    inception::ROW,
];

/// A network: a function from samples to scores.
pub trait Network: Send + Sync {
    /// The scores [n, classes] of `x` [n, …]. The class with the highest score is the prediction.
    ///
    /// # Errors
    /// When `x` has another shape than the network was built for.
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor>;
}

/// Fails for images that are too small for the network's pooling layers.
fn at_least(input: &[usize], side: usize, title: &str) -> Result<()> {
    match input {
        [_, height, width] if *height < side || *width < side => Err(Error::setting(
            "data.size",
            format!("must be at least {side} for {title}, which halves the image that often"),
        )),
        _ => Ok(()),
    }
}

/// A loss function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// [`ops::cross_entropy`]; scores are logits.
    CrossEntropy,
    /// [`ops::perceptron_loss`]; scores are not logits.
    Perceptron,
}

impl Criterion {
    /// The settings that a run has because its network is trained by this criterion.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::CrossEntropy => CROSS_ENTROPY,
            Self::Perceptron => &[],
        }
    }

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

/// The row of a network.
pub fn row(kind: &str) -> Option<&'static NetworkRow> {
    NETWORKS.iter().find(|row| row.kind == kind)
}

impl NetworkSpec {
    /// The row of this network.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such network.
    pub fn row(&self) -> Result<&'static NetworkRow> {
        row(&self.kind).ok_or_else(|| {
            Error::setting(
                "network.kind",
                format!("there is no network {:?}", self.kind),
            )
        })
    }
}
