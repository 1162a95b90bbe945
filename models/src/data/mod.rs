//! The table of data sets, and what becomes of a data set before a network sees it.

use serde::Serialize;

use crate::error::Result;
use crate::spec::{DataSpec, Field};

/// A data set that a run can learn from.
#[derive(Debug, Serialize)]
pub struct DataSetRow {
    /// Its name in a RunSpec.
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
    /// What it takes, under `data.`.
    pub fields: &'static [Field],
    /// Defaults of other fields that suit it, as path and JSON literal.
    pub defaults: &'static [(&'static str, &'static str)],
}

/// All data sets.
pub static DATA_SETS: &[DataSetRow] = &[];

/// Which part of the data a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Learnt from.
    Train,
    /// Measured on after every epoch.
    Validation,
    /// Measured on once, at the end.
    Test,
}

/// A sample of two-dimensional data, as it was generated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The first coordinate.
    pub x: f64,
    /// The second coordinate.
    pub y: f64,
    /// The class, from 0.
    pub class: usize,
    /// Where it belongs.
    pub split: Split,
}

/// The points of two-dimensional data in raw coordinates; `None` for images.
///
/// # Errors
/// When the data cannot be made.
pub fn points(spec: &DataSpec) -> Result<Option<Vec<Point>>> {
    let _ = spec;
    todo!()
}
