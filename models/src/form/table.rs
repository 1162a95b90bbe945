//! The table of fields as the browser's form reads it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::data::{DataSet, Library};
use crate::networks::NETWORKS;
use crate::spec::{COMMON, Field, GROUPS, Group, literals};

/// Everything that a form for a run needs.
#[derive(Clone, Debug, Serialize)]
pub struct FormTable {
    /// What every run takes.
    pub common: &'static [Field],
    /// The networks.
    pub networks: Vec<FormNetwork>,
    /// The data sets.
    pub data_sets: Vec<DataSet>,
    /// Fields that depend on a choice.
    pub groups: &'static [Group],
}

/// A network that can be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct FormNetwork {
    /// Its name in a document.
    pub kind: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is, in a sentence or two.
    pub summary: &'static str,
    /// What it takes, and what its training does.
    pub fields: Vec<Field>,
    /// Defaults that differ from the fields' own, by path.
    pub defaults: Map<String, Value>,
    /// The kinds of data it takes: 2 for points, 3 for images.
    pub dimensions: &'static [usize],
}

/// The table of fields, of networks and of data sets.
pub fn table(library: &Library) -> FormTable {
    let networks = NETWORKS.iter().map(|row| FormNetwork {
        kind: row.kind,
        title: row.title,
        summary: row.summary,
        fields: [row.fields, row.criterion.fields()].concat(),
        defaults: literals(row.defaults),
        dimensions: row.dimensions,
    });
    FormTable {
        common: COMMON,
        networks: networks.collect(),
        data_sets: library.sets(),
        groups: GROUPS,
    }
}
