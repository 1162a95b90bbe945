//! The table of fields, as JSON for the browser's form.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::rules::training_fields;
use crate::data::{DataSet, Library};
use crate::graph::Criterion;
use crate::networks::{self, NETWORKS, NetworkRow};
use crate::spec::{COMMON, Field, GROUPS, Group, TOPICS, TopicRow};

/// All data of the form for a run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FormTable {
    /// Fields of every run.
    pub common: Vec<Field>,
    /// The networks.
    pub networks: Vec<FormNetwork>,
    /// The data sets.
    pub data_sets: Vec<DataSet>,
    /// A choice and the fields that it brings.
    pub groups: &'static [Group],
    /// What the fields are about that the form folds away, in its order.
    pub topics: &'static [TopicRow],
}

/// A network to choose.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FormNetwork {
    /// The name in a document.
    pub kind: String,
    /// The name that users see.
    pub title: String,
    /// A description in one or two sentences.
    pub summary: String,
    /// Its options and those of its training.
    pub fields: Vec<Field>,
    /// Defaults that differ from those of the fields, by path.
    pub defaults: Map<String, Value>,
    /// The data it takes: 2 for points, 3 for images.
    pub dimensions: Vec<usize>,
    /// What it is trained by.
    pub criterion: Criterion,
    /// Whether it is built in, and not a user's text.
    pub built_in: bool,
    /// The version of a user's text. A document that has it under `network.revision` is refused when the text has changed
    /// since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revision: Option<String>,
    /// The text that a document must have under `network.source`, because the server has no text of this name, or
    /// another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<String>,
}

impl FormNetwork {
    /// A network to choose.
    pub fn of(row: &NetworkRow) -> Self {
        Self {
            kind: row.kind.clone(),
            title: row.title.clone(),
            summary: row.summary.clone(),
            fields: [&row.fields, training_fields(row.criterion)].concat(),
            defaults: row.defaults.clone(),
            dimensions: row.dimensions.clone(),
            criterion: row.criterion,
            built_in: networks::row(&row.kind).is_some(),
            revision: None,
            source: None,
        }
    }
}

impl FormTable {
    /// Leaves out what a run asks of a cluster, where there is none.
    pub fn without_resources(mut self) -> Self {
        self.common
            .retain(|field| !field.path.starts_with("resources."));
        self
    }
}

/// The table of fields, of networks and of data sets.
pub fn table(library: &Library) -> FormTable {
    let networks = NETWORKS.iter().map(|row| FormNetwork::of(row));
    FormTable {
        common: COMMON.to_vec(),
        networks: networks.collect(),
        data_sets: library.sets(),
        groups: GROUPS,
        topics: TOPICS,
    }
}
