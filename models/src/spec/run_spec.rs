//! The checked form of a RunSpec. Values come from [`check`](crate::form::check()), so they are in range.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Everything a run is asked to do. Serialised, it is the full document with every default filled in, and
/// checking that document gives the same RunSpec again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// A name for people; at most 200 characters.
    pub name: String,
    /// What is learnt from.
    pub data: DataSpec,
    /// What learns.
    pub network: NetworkSpec,
    /// How it learns.
    pub training: TrainingSpec,
    /// Where it is computed: `cpu`.
    pub device: String,
    /// What it asks of a cluster.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
}

/// What a run asks of a cluster's scheduler; what is `None` is left to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor cores.
    pub cpus: Option<u64>,
    /// Memory in MiB.
    pub memory: Option<u64>,
    /// GPUs.
    pub gpus: Option<u64>,
    /// The time limit in minutes.
    pub time: Option<u64>,
}

impl Resources {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    /// The data set's name in the [`Library`](crate::data::Library).
    pub set: String,
    /// The share of the samples outside the test split that is held back to validate on, 0 to 0.5.
    pub validation: f64,
    /// The most training samples; `None` for all.
    pub limit: Option<u64>,
    /// In how many folds the samples outside the test split are divided; `None` for a share by `validation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<u64>,
    /// The fold that is the validation split, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u64>,
    /// What this data set takes beside.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// What learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// The name of a network in [`NETWORKS`](crate::networks::NETWORKS), or of a text.
    pub kind: String,
    /// The text, unless the network is built in. It is not serialised: a run has it in a file of its own.
    #[serde(default, skip_serializing)]
    pub source: Option<String>,
    /// What tells the text from others of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What this network takes.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// How it learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingSpec {
    /// How often every training sample is seen.
    pub epochs: u64,
    /// Samples a step.
    pub batch_size: u64,
    /// The rule that changes the parameters.
    pub optimizer: OptimizerSpec,
    /// How the learning rate goes over the run.
    pub schedule: ScheduleSpec,
    /// The share of the truth that is spread evenly over all classes; `None` for networks without cross-entropy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
    /// What each class counts in the loss.
    #[serde(default, skip_serializing_if = "is_default")]
    pub class_weights: ClassWeights,
    /// Which samples an epoch has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sampling: Sampling,
    /// Mixup; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixup: Option<MixSpec>,
    /// CutMix; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutmix: Option<MixSpec>,
    /// The average of the weights over the steps; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaSpec>,
    /// The greatest norm of all gradients together; `None` for any.
    pub clip: Option<f64>,
    /// When to end before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// Which weights it starts from, and what of the network is trained; `None` for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// What initialisation, order and dropout are drawn from.
    pub seed: u64,
    /// Threads to compute with; `None` for as many as the machine has.
    pub threads: Option<u64>,
}

/// Whether a setting is left out of a document, as earlier ones did not have it.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What each class counts in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// `n / (k·n_c)` for the `n_c` of `n` training samples that are of one of `k` classes.
    Balanced,
}

/// Which samples an epoch has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Each once, in a random order.
    #[default]
    Shuffled,
    /// As many, drawn with replacement, each class equally often on average.
    Balanced,
}

/// Mixup or CutMix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixSpec {
    /// Both parameters of the beta distribution of the shares.
    pub alpha: f64,
}

/// The exponential moving average of the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmaSpec {
    /// The share of the average that stays at each step, after the warm-up.
    pub decay: f64,
}

/// The rule that changes the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerSpec {
    /// Stochastic gradient descent.
    Sgd {
        /// Learning rate.
        lr: f64,
        /// The share of the previous step that is kept.
        momentum: f64,
        /// The pull of every parameter towards 0.
        weight_decay: f64,
        /// Whether the gradient is taken after the momentum's step.
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Learning rate.
        lr: f64,
        /// Decay of the gradient's mean.
        beta1: f64,
        /// Decay of the squared gradient's mean.
        beta2: f64,
        /// Keeps the division away from 0.
        eps: f64,
        /// The pull of every parameter towards 0, times the learning rate.
        weight_decay: f64,
    },
}

impl OptimizerSpec {
    /// The learning rate that the schedule starts from.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd { lr, .. } | Self::AdamW { lr, .. } => *lr,
        }
    }
}

/// How the learning rate goes over the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleSpec {
    /// The same at every step.
    Constant {
        /// Epochs in which the rate rises to its value.
        warmup_epochs: f64,
    },
    /// Falls by a factor every so many epochs.
    Step {
        /// Epochs between the falls.
        every_epochs: u64,
        /// What is left of the rate at each.
        gamma: f64,
        /// Epochs in which the rate rises to its value.
        warmup_epochs: f64,
    },
    /// Falls by a factor after certain epochs.
    Milestones {
        /// The epochs after which it falls.
        milestones: Vec<u64>,
        /// What is left of the rate at each.
        gamma: f64,
        /// Epochs in which the rate rises to its value.
        warmup_epochs: f64,
    },
    /// Falls along half a cosine until the end of the run.
    Cosine {
        /// What it falls to.
        min_lr: f64,
        /// Epochs in which the rate rises to its value.
        warmup_epochs: f64,
    },
    /// Rises to the rate and falls far below where it started, both along half a cosine.
    OneCycle {
        /// The share of the run in which it rises.
        pct_start: f64,
        /// The rate over the first one.
        div_factor: f64,
        /// The first rate over the last.
        final_div_factor: f64,
    },
}

impl ScheduleSpec {
    /// Epochs in which the rate rises to its value before the schedule takes over.
    pub fn warmup_epochs(&self) -> f64 {
        match self {
            Self::Constant { warmup_epochs }
            | Self::Step { warmup_epochs, .. }
            | Self::Milestones { warmup_epochs, .. }
            | Self::Cosine { warmup_epochs, .. } => *warmup_epochs,
            Self::OneCycle { .. } => 0.0,
        }
    }
}

/// The start from weights that were trained before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// The id of a run whose weights are taken, or [`Transfer::IMPORTED`].
    pub from: String,
    /// Whether the last layer starts anew even where its classes are the same.
    pub fresh_head: bool,
    /// How many blocks are trained, counted from the output; `None` for all.
    pub trainable_blocks: Option<u64>,
    /// What the learning rate of all layers but the last is multiplied by.
    pub backbone_lr: f64,
    /// The epoch from which on all blocks are trained, from 1; `None` for never.
    pub unfreeze_at: Option<u64>,
}

impl Transfer {
    /// The start from the weights that were imported with the network.
    pub const IMPORTED: &str = "imported";

    /// How many of a run's epochs have frozen blocks, if any block is frozen at all.
    pub fn frozen_epochs(&self, epochs: u64) -> u64 {
        let unfrozen = self.unfreeze_at.map(|epoch| epoch.saturating_sub(1));
        unfrozen.map_or(epochs, |frozen| frozen.min(epochs))
    }
}

/// When to end before the last epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// What must get better.
    pub metric: Metric,
    /// After how many epochs without a better value the run ends.
    pub patience: u64,
    /// By how much a value must be better to count.
    pub min_delta: f64,
}

/// What early stopping and the choice of the best checkpoint go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Loss over the validation split; less is better.
    ValidationLoss,
    /// Share of the validation split that is classified right; more is better.
    ValidationAccuracy,
    /// Loss over the epoch's batches as they were trained on; less is better.
    TrainLoss,
    /// Share of the epoch's batches that was classified right as they were trained on; more is better.
    TrainAccuracy,
}

impl Metric {
    /// Whether it is measured on the validation split.
    pub fn needs_validation(self) -> bool {
        matches!(self, Self::ValidationLoss | Self::ValidationAccuracy)
    }

    /// Its name in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::ValidationLoss => "validation loss",
            Self::ValidationAccuracy => "validation accuracy",
            Self::TrainLoss => "training loss",
            Self::TrainAccuracy => "training accuracy",
        }
    }
}

impl NetworkSpec {
    /// The options as the network's own type.
    ///
    /// # Errors
    /// [`Error::Setting`] when they are not of that type, which a checked specification never shows.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T> {
        typed("network", &self.options)
    }
}

impl DataSpec {
    /// Whether there is a validation split.
    pub fn has_validation(&self) -> bool {
        self.folds.is_some() || self.validation > 0.0
    }

    /// Whether the test takes the mean over an image and its mirror.
    pub fn test_time_flip(&self) -> bool {
        let flip = self.options.get("test_time_flip");
        flip.and_then(Value::as_bool).unwrap_or(false)
    }

    /// The options as the data set's own type.
    ///
    /// # Errors
    /// [`Error::Setting`] when they are not of that type, which a checked specification never shows.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T> {
        typed("data", &self.options)
    }
}

fn typed<T: DeserializeOwned>(path: &str, options: &Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(options.clone()))
        .map_err(|e| Error::setting(path, e.to_string()))
}
