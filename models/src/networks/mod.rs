//! The networks that are built in, and how a text becomes a network with its numbers.
//!
//! | module | what it is |
//! |---|---|
//! | [`text`] | networks as texts in Python's syntax |
//! | `model` | a network with its parameters and buffers |
//! | `state_dict`, `pretrained`, `prefixes`, `file_kind` | weights from files, and to files |

mod fields;
mod file_kind;
mod model;
mod prefixes;
mod pretrained;
mod state_dict;
pub mod text;

pub use crate::tensor_file::TensorValues;
pub use model::Model;
pub use pretrained::{WeightsInfo, weights_info};
pub use text::{NetworkText, TextError};

use std::sync::{Arc, LazyLock};

use candle_core::Tensor;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops::{self, Loss};
use crate::spec::{CROSS_ENTROPY, Field, FieldError, NetworkSpec, TextPlace};

/// A network that a run can train.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkRow {
    /// The name in a RunSpec.
    pub kind: String,
    /// The name that users see.
    pub title: String,
    /// A description in one or two sentences.
    pub summary: String,
    /// Its options, as fields under `network.`.
    pub fields: Vec<Field>,
    /// Its defaults for other fields, by path.
    pub defaults: Map<String, Value>,
    /// The data it takes: 2 for points, 3 for images.
    pub dimensions: Vec<usize>,
    /// The loss function of its training.
    pub criterion: Criterion,
    #[serde(skip)]
    text: NetworkText,
}

/// The networks that are built in: each is a text in the folder `networks`.
pub static NETWORKS: LazyLock<Vec<Arc<NetworkRow>>> = LazyLock::new(|| {
    const TEXTS: &[(&str, &str)] = &[
        ("perceptron", include_str!("../../networks/perceptron.py")),
        ("mlp", include_str!("../../networks/mlp.py")),
        ("mlp-wide", include_str!("../../networks/mlp-wide.py")),
        ("vgg16", include_str!("../../networks/vgg16.py")),
        (
            "residual-small",
            include_str!("../../networks/residual-small.py"),
        ),
        (
            "residual-deep",
            include_str!("../../networks/residual-deep.py"),
        ),
        ("inception", include_str!("../../networks/inception.py")),
    ];
    let row = |(kind, source): &(&str, &str)| match NetworkText::read(source) {
        Ok(text) => Arc::new(NetworkRow::new(kind, text)),
        Err(error) => panic!("{kind}.py, which is built in, {error}"),
    };
    TEXTS.iter().map(row).collect()
});

/// The kind of a network whose text is in the RunSpec, under `network.source`.
pub const CUSTOM: &str = "custom";

impl NetworkRow {
    fn new(kind: &str, text: NetworkText) -> Self {
        Self {
            kind: kind.to_owned(),
            title: text.title.clone(),
            summary: text.summary.clone(),
            fields: text.fields.clone(),
            defaults: text.defaults.clone(),
            dimensions: text.dimensions.clone(),
            criterion: text.criterion,
            text,
        }
    }

    /// The network of a person's own text.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn custom(source: &str) -> std::result::Result<Self, TextError> {
        Ok(Self::new(CUSTOM, NetworkText::read(source)?))
    }

    /// The text.
    pub fn source(&self) -> &str {
        self.text.source()
    }

    /// The graph for checked options, samples of a shape and a number of classes.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn graph_of(
        &self,
        options: &Map<String, Value>,
        input: &[usize],
        classes: usize,
    ) -> std::result::Result<Graph, TextError> {
        self.text.graph(options, input, classes)
    }

    /// Checks values of the options. Those that are missing have their defaults.
    ///
    /// # Errors
    /// Options that do not exist, and values that are not allowed.
    pub fn check_options(
        &self,
        given: &Map<String, Value>,
    ) -> std::result::Result<Map<String, Value>, Vec<FieldError>> {
        let (mut checked, mut errors) = (Map::new(), Vec::new());
        for (name, value) in given {
            match self.fields.iter().find(|field| field.key() == name) {
                None => {
                    let path = format!("options.{name}");
                    errors.push(FieldError::new(&path, value, "is no option of the network"));
                }
                Some(field) => match field.check(value) {
                    Ok(value) => drop(checked.insert(name.clone(), value)),
                    Err(refused) => errors.extend(refused),
                },
            }
        }
        if errors.is_empty() {
            Ok(checked)
        } else {
            Err(errors)
        }
    }

    /// The graph for samples of a shape and a number of classes.
    ///
    /// # Errors
    /// [`Error::Setting`] names the option that does not fit, or the size of the data.
    pub fn graph(&self, spec: &NetworkSpec, input: &[usize], classes: usize) -> Result<Graph> {
        // Points are [2], images [channels, height, width].
        let dimensions = if input.len() == 1 { 2 } else { 3 };
        if !self.dimensions.contains(&dimensions) {
            let kind = if dimensions == 2 { "points" } else { "images" };
            return Err(Error::setting(
                "network.kind",
                format!("{} does not take {kind}", self.title),
            ));
        }
        let graph = |input: &[usize]| self.text.graph(&spec.options, input, classes);
        let error = match graph(input) {
            Ok(graph) => return Ok(graph),
            Err(error) => error,
        };
        if error.is_too_small
            && let [channels, height, width] = *input
            && let Some(side) = (height.min(width) + 1..=MAX_SIDE)
                .find(|side| graph(&[channels, height.max(*side), width.max(*side)]).is_ok())
        {
            let message = format!("must be at least {side} for {}: {error}", self.title);
            return Err(Error::setting("data.size", message));
        }
        match &error.option {
            Some(option) => Err(Error::setting(&format!("network.{option}"), error.message)),
            None if self.kind == CUSTOM => Err(Error::setting("network.source", error.to_string())),
            None => Err(Error::setting("network", error.to_string())),
        }
    }
}

/// The greatest size that is proposed for images that are too small.
const MAX_SIDE: usize = 512;

impl FieldError {
    /// A network's text that has a mistake. The value is the line.
    pub fn of_text(path: &str, source: &str, error: &TextError) -> Self {
        const SHOWN: usize = 200;
        let line = source.lines().nth(error.line.saturating_sub(1) as usize);
        let line: String = line.unwrap_or_default().chars().take(SHOWN).collect();
        Self {
            place: Some(TextPlace {
                line: error.line,
                column: error.column,
                layer: error.layer.clone(),
            }),
            ..Self::new(path, &Value::from(line), &error.to_string())
        }
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

/// The row of a network that is built in.
pub fn row(kind: &str) -> Option<Arc<NetworkRow>> {
    NETWORKS.iter().find(|row| row.kind == kind).cloned()
}

impl NetworkSpec {
    /// The row of this network.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such network, or its own text has a mistake.
    pub fn row(&self) -> Result<Arc<NetworkRow>> {
        if self.kind == CUSTOM {
            let source = self.options.get("source").and_then(Value::as_str);
            let row = NetworkRow::custom(source.unwrap_or_default());
            return match row {
                Ok(row) => Ok(Arc::new(row)),
                Err(error) => Err(Error::setting("network.source", error.to_string())),
            };
        }
        row(&self.kind).ok_or_else(|| {
            Error::setting(
                "network.kind",
                format!("there is no network {:?}", self.kind),
            )
        })
    }
}
