//! The networks that are built in, and how a text becomes a network with its numbers.
//!
//! | module | what it is |
//! |---|---|
//! | [`text`] | networks as texts in Python's syntax |
//! | `model` | a network with its parameters and buffers |
//! | `state_dict`, `pretrained`, `prefixes`, `file_kind` | weights from files, and to files |
//! | `recognise` | the network that a file of weights belongs to |

mod fields;
mod file_kind;
mod model;
mod prefixes;
mod pretrained;
mod recognise;
mod state_dict;
pub mod text;

pub use crate::tensor_file::TensorValues;
pub use file_kind::is_onnx_file;
pub use model::Model;
pub use pretrained::{WeightsInfo, weights_info};
pub use recognise::{Recognised, recognise};
pub use text::{NetworkText, TextError};

use std::sync::{Arc, LazyLock};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::graph::{Criterion, Graph};
use crate::nn::check_parameters;
use crate::spec::{Field, FieldError, NetworkSpec};

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

impl NetworkRow {
    /// A network by its text.
    pub fn new(kind: &str, text: NetworkText) -> Self {
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
    /// [`Error::Setting`] names the option that does not fit, or the size of the data; any other error is of a network
    /// that is too large.
    pub fn graph(
        &self,
        options: &Map<String, Value>,
        input: &[usize],
        classes: usize,
    ) -> Result<Graph> {
        // Points are [2], images [channels, height, width].
        let dimensions = if input.len() == 1 { 2 } else { 3 };
        if !self.dimensions.contains(&dimensions) {
            let kind = if dimensions == 2 { "points" } else { "images" };
            return Err(Error::setting(
                "network.kind",
                format!("{} does not take {kind}", self.title),
            ));
        }
        let options = self.options_as_kept(options)?;
        let graph = |input: &[usize]| self.text.graph(&options, input, classes);
        let error = match graph(input) {
            Ok(graph) => {
                check_parameters(graph.parameters())?;
                return Ok(graph);
            }
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
            None => Err(Error::setting("network", error.to_string())),
        }
    }
}

impl NetworkRow {
    /// The options as a form of today keeps them: earlier versions had one number where now there is a list.
    fn options_as_kept(&self, options: &Map<String, Value>) -> Result<Map<String, Value>> {
        let given = self
            .fields
            .iter()
            .filter_map(|field| Some((field, options.get(field.key())?)));
        given
            .map(|(field, value)| match field.check(value) {
                Ok(value) => Ok((field.key().to_owned(), value)),
                Err(errors) => {
                    let message = errors.first().map_or("", |error| &error.message);
                    Err(Error::setting(&field.path, message))
                }
            })
            .collect()
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
            line: Some(error.line),
            column: Some(error.column),
            layer: error.layer.clone(),
            ..Self::new(path, &Value::from(line), &error.to_string())
        }
    }
}

/// The longest name of a network.
const MAX_NAME: usize = 64;

/// Checks the name of a network that is not built in. It is also the name of a file.
///
/// # Errors
/// What is allowed instead.
pub fn check_name(name: &str) -> std::result::Result<(), String> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    if !first || name.len() > MAX_NAME || !name.chars().all(letters) {
        return Err(format!(
            "must be 1 to {MAX_NAME} of the characters a-z, 0-9, - and _, the first a letter"
        ));
    }
    match row(name) {
        Some(_) => {
            Err("is the name of a built-in network, whose text cannot be changed".to_owned())
        }
        None => Ok(()),
    }
}

/// A text's own name as that of a network: `My Net.py` becomes `my-net`.
pub fn name_of(title: &str) -> String {
    let words = title
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    match &name[..name.len().min(MAX_NAME)] {
        "" => "network".to_owned(),
        name => name.to_owned(),
    }
}

/// What tells a text from others: the beginning of its SHA-256.
pub fn revision(source: &str) -> String {
    let digest = Sha256::digest(source.as_bytes());
    digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The row of a network that is built in.
pub fn row(kind: &str) -> Option<Arc<NetworkRow>> {
    NETWORKS.iter().find(|row| row.kind == kind).cloned()
}

impl NetworkSpec {
    /// The network that this names: one that is built in, or that of its own text.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such network, or the text has a mistake.
    pub fn row(&self) -> Result<Arc<NetworkRow>> {
        if let Some(source) = &self.source {
            return match NetworkText::read(source) {
                Ok(text) => Ok(Arc::new(NetworkRow::new(&self.kind, text))),
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

    /// The file of the weights that a run of this network starts from, as its text names it.
    ///
    /// # Errors
    /// As [`NetworkSpec::row`].
    pub fn weights(&self) -> Result<Option<String>> {
        let chosen = self.options.get("weights").and_then(Value::as_str);
        if chosen != Some(fields::IMPORTED) {
            return Ok(None);
        }
        Ok(self.row()?.text.weights.clone())
    }

    /// The graph for samples of a shape and a number of classes.
    ///
    /// # Errors
    /// As [`NetworkSpec::row`] and [`NetworkRow::graph`].
    pub fn graph(&self, input: &[usize], classes: usize) -> Result<Graph> {
        self.row()?.graph(&self.options, input, classes)
    }
}
