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

use crate::error::{Error, Result};
use crate::nn::{Context, VarBuilder};
use crate::ops::{self, Loss};
use crate::spec::{CROSS_ENTROPY, Field, NetworkSpec};

/// A network that a run can train.
#[derive(Debug, Serialize)]
pub struct NetworkRow {
    /// Its name in a RunSpec.
    pub kind: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is, in a sentence or two.
    pub summary: &'static str,
    /// What it takes, under `network.`.
    pub fields: &'static [Field],
    /// Defaults of other fields that suit it, as path and JSON literal.
    pub defaults: &'static [(&'static str, &'static str)],
    /// The kinds of data it takes: 2 for points, 3 for images.
    pub dimensions: &'static [usize],
    /// What its training makes small.
    pub criterion: Criterion,
    /// Whether batches of one sample tell it nothing, as with batch normalisation.
    #[serde(skip)]
    pub(crate) needs_batches: fn(&NetworkSpec) -> bool,
    #[serde(skip)]
    build: Build,
}

/// Makes a network in a store: its options, the shape of a sample, the number of classes.
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

/// A function from samples to scores, with parameters.
pub trait Network: Send + Sync {
    /// The scores [n, classes] of `x` [n, …], the greatest of which is the prediction.
    ///
    /// # Errors
    /// When `x` is not of the shape that the network was built for.
    fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor>;
}

/// Refuses images that are too small for a network's poolings.
fn at_least(input: &[usize], side: usize, title: &str) -> Result<()> {
    match input {
        [_, height, width] if *height < side || *width < side => Err(Error::setting(
            "data.size",
            format!("must be at least {side} for {title}, which halves the image that often"),
        )),
        _ => Ok(()),
    }
}

/// What training makes small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// [`ops::cross_entropy`]; scores are logarithms of probabilities up to a constant.
    CrossEntropy,
    /// [`ops::perceptron_loss`]; scores are no probabilities.
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

    /// The mean loss of scores [n, classes] against true classes.
    ///
    /// # Errors
    /// When they do not go together.
    pub fn loss(self, scores: &Tensor, targets: &[u32]) -> Result<Loss> {
        Ok(match self {
            Self::CrossEntropy => ops::cross_entropy(scores, targets),
            Self::Perceptron => ops::perceptron_loss(scores, targets),
        }?)
    }

    /// How sure scores are of their greatest, which is that of `class`: its probability; or, where they are no logarithms
    /// of probabilities, its lead over the second.
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

    /// The mean loss with a share of the truth spread evenly over all classes, where the criterion knows that.
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

/// The row of a name.
pub fn row(kind: &str) -> Option<&'static NetworkRow> {
    NETWORKS.iter().find(|row| row.kind == kind)
}

impl NetworkSpec {
    /// The row of this network.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is none.
    pub fn row(&self) -> Result<&'static NetworkRow> {
        row(&self.kind).ok_or_else(|| {
            Error::setting(
                "network.kind",
                format!("there is no network {:?}", self.kind),
            )
        })
    }
}
