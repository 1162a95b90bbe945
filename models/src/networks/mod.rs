//! The table of networks. A network is one file and one row; the form, the check, the benchmark and the conformance
//! tests read the row.

use serde::Serialize;

use crate::spec::Field;

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
}

/// All networks.
pub static NETWORKS: &[NetworkRow] = &[];
