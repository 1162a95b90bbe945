//! The table of data sets, and what becomes of a data set before a network sees it: a part of it is set aside for the
//! test and for validation, then every value is normalised by what the training part shows.
//!
//! Nothing here depends on a run's seed: runs with different seeds see the same samples in the same splits.
//!
//! | module | what it is |
//! |---|---|
//! | `digits`, `plane` | the data sets |
//! | `image` | images made larger, smaller, coloured |
//! | `split` | who is learnt from, who is measured on |
//! | `normalise` | values of mean 0 and deviation 1 |
//! | `samples` | samples in memory, gathered into batches |

mod digits;
mod image;
mod normalise;
mod plane;
mod samples;
mod split;

pub use normalise::Normalisation;
pub use samples::{Samples, Splits};
pub use split::Split;

use serde::Serialize;

use crate::error::{Error, Result};
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
    /// The shape of a sample and the number of classes, known before anything is loaded.
    #[serde(skip)]
    shape: fn(&DataSpec) -> Result<Shape>,
    #[serde(skip)]
    load: fn(&DataSpec) -> Result<Raw>,
}

/// The shape of a sample, `[2]` or `[channels, height, width]`, and the number of classes.
pub type Shape = (Vec<usize>, usize);

/// All data sets.
pub static DATA_SETS: &[DataSetRow] = &[
    digits::ROW,
    plane::BLOBS,
    plane::MOONS,
    plane::CIRCLES,
    plane::SPIRAL,
    plane::XOR,
];

/// A data set as it comes: all samples, in its own units.
struct Raw {
    classes: Vec<String>,
    /// The shape of a sample.
    input: Vec<usize>,
    /// Sample after sample.
    values: Vec<f32>,
    labels: Vec<u32>,
}

/// The row of a name.
pub fn row(set: &str) -> Option<&'static DataSetRow> {
    DATA_SETS.iter().find(|row| row.set == set)
}

impl DataSpec {
    fn row(&self) -> Result<&'static DataSetRow> {
        row(&self.set).ok_or_else(|| {
            Error::setting("data.set", format!("there is no data set {:?}", self.set))
        })
    }
}

/// The shape of a sample and the number of classes, without loading anything.
///
/// # Errors
/// When there is no such data set.
pub fn shape(spec: &DataSpec) -> Result<Shape> {
    (spec.row()?.shape)(spec)
}

/// Loads a data set, splits it and normalises it.
///
/// # Errors
/// When there is no such data set, or it cannot be read.
pub fn load(spec: &DataSpec) -> Result<Splits> {
    let raw = (spec.row()?.load)(spec)?;
    let parts = split::split(spec, &raw.labels, raw.classes.len());
    Splits::new(raw, &parts)
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

/// The points of two-dimensional data in raw coordinates; `None` for images. Training samples beyond `data.limit` are
/// in no split and not among them.
///
/// # Errors
/// When there is no such data set.
pub fn points(spec: &DataSpec) -> Result<Option<Vec<Point>>> {
    let row = spec.row()?;
    if row.dimensions != 2 {
        return Ok(None);
    }
    let raw = (row.load)(spec)?;
    let parts = split::split(spec, &raw.labels, raw.classes.len());
    let point = |split, index: &u32| {
        let i = *index as usize;
        let (x, y) = (raw.values[2 * i].into(), raw.values[2 * i + 1].into());
        Point {
            x,
            y,
            class: raw.labels[i] as usize,
            split,
        }
    };
    let mut points = Vec::new();
    for split in [Split::Train, Split::Validation, Split::Test] {
        points.extend(parts.of(split).iter().map(|index| point(split, index)));
    }
    Ok(Some(points))
}
