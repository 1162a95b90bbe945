//! The table of fields as the browser's form reads it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Field;

/// Everything that a form for a run needs.
#[derive(Clone, Debug, Serialize)]
pub struct FormTable {
    /// What every run takes.
    pub common: Vec<Field>,
    /// The networks.
    pub networks: Vec<FormNetwork>,
    /// The data sets.
    pub data_sets: Vec<FormDataSet>,
    /// Fields that depend on a choice.
    pub groups: Vec<FormGroup>,
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
    /// What it takes.
    pub fields: &'static [Field],
    /// Defaults that differ from the fields' own, by path.
    pub defaults: Map<String, Value>,
    /// The kinds of data it takes: 2 for points, 3 for images.
    pub dimensions: &'static [usize],
}

/// A data set that can be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct FormDataSet {
    /// Its name in a document.
    pub set: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is, in a sentence or two.
    pub summary: &'static str,
    /// Whose it is and under which terms.
    pub licence: &'static str,
    /// 2 for points, 3 for images.
    pub dimensions: usize,
    /// How many classes it has by default.
    pub classes: usize,
    /// What it takes.
    pub fields: &'static [Field],
    /// Defaults that differ from the fields' own, by path.
    pub defaults: Map<String, Value>,
}

/// Fields that depend on a choice.
#[derive(Clone, Debug, Serialize)]
pub struct FormGroup {
    /// Where it stands.
    pub path: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// The key that chooses the variant.
    pub selector: Option<&'static str>,
    /// The variant taken by default; `null` where that is `null`.
    pub default: Option<&'static str>,
    /// What can be chosen.
    pub variants: &'static [super::Variant],
}

/// The table of fields, of networks and of data sets.
pub fn form() -> FormTable {
    todo!()
}
