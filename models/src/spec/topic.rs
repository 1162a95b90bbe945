//! What the less common settings are about. A form folds them away by topic, below the section that they belong to.

use serde::Serialize;
use utoipa::ToSchema;

/// What a setting that a form folds away is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Which samples are learnt, and how they are divided.
    Samples,
    /// How images are varied and normalised.
    Augmentation,
    /// The details of a network.
    Layers,
    /// The weights that training starts from.
    Transfer,
    /// The details of an optimizer.
    Optimizer,
    /// How the learning rate changes, and when training ends.
    Schedule,
    /// What keeps a network from learning its samples by heart.
    Regularisation,
    /// Where a run is computed, and from which seed.
    Machine,
}

/// A part of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The data set.
    Data,
    /// The network.
    Network,
    /// Its training.
    Training,
}

/// A topic as a form shows it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct TopicRow {
    /// The topic.
    pub topic: Topic,
    /// Its title.
    pub label: &'static str,
    /// The part of the form that it is below.
    pub section: Section,
}

/// The topics, in the order of the form.
pub(crate) static TOPICS: &[TopicRow] = &[
    row(Topic::Samples, "Samples and splits", Section::Data),
    row(
        Topic::Augmentation,
        "Augmentation and normalisation",
        Section::Data,
    ),
    row(Topic::Layers, "Layers in detail", Section::Network),
    row(
        Topic::Transfer,
        "Trained weights to start from",
        Section::Network,
    ),
    row(Topic::Optimizer, "Optimizer in detail", Section::Training),
    row(
        Topic::Schedule,
        "Schedule and early stopping",
        Section::Training,
    ),
    row(Topic::Regularisation, "Regularisation", Section::Training),
    row(Topic::Machine, "Seed and machine", Section::Training),
];

const fn row(topic: Topic, label: &'static str, section: Section) -> TopicRow {
    TopicRow {
        topic,
        label,
        section,
    }
}
