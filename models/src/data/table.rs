//! The table of data sets: those that this program makes or holds, and those that it knows where to get.

use serde::Serialize;

use super::image::Pixels;
use super::{augment, digits, known, normalise, toy2d};
use crate::error::Result;
use crate::spec::{DataSpec, Field, FieldKind};

/// A data set that is known by name.
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
    /// Where its samples come from.
    #[serde(skip)]
    pub(super) source: Source,
}

/// Where the samples of a data set come from.
#[derive(Debug)]
pub(super) enum Source {
    /// From this program.
    BuiltIn {
        /// The shape of a sample and the number of classes, before anything is loaded.
        shape: fn(&DataSpec) -> Result<Shape>,
        load: fn(&DataSpec) -> Result<RawSamples>,
    },
    /// From the library, once it was fetched or imported.
    Known(&'static known::KnownDataSet),
}

/// The shape of a sample, `[2]` or `[channels, height, width]`, and the number of classes.
pub type Shape = (Vec<usize>, usize);

/// All data sets that are known by name.
pub static DATA_SETS: &[DataSetRow] = &[
    digits::ROW,
    toy2d::BLOBS,
    toy2d::MOONS,
    toy2d::CIRCLES,
    toy2d::SPIRAL,
    toy2d::XOR,
    known::MNIST,
    known::FASHION_MNIST,
    known::CIFAR_10,
    known::CIFAR_100,
];

impl DataSetRow {
    /// Whether its samples are in this program, so that nothing must be fetched.
    pub fn is_built_in(&self) -> bool {
        matches!(self.source, Source::BuiltIn { .. })
    }
}

/// The row of a name.
pub fn row(set: &str) -> Option<&'static DataSetRow> {
    DATA_SETS.iter().find(|row| row.set == set)
}

/// A data set as it comes: all samples, in its own units.
pub(super) struct RawSamples {
    pub(super) classes: Vec<String>,
    pub(super) values: SampleValues,
    pub(super) labels: Vec<u32>,
    /// How many samples, from the first, are for training where the set says itself which are for the test.
    pub(super) train: Option<usize>,
}

/// The samples' values.
pub(super) enum SampleValues {
    /// Coordinate after coordinate, point after point.
    Points(Vec<f32>),
    Images(Pixels),
}

/// What is set for images, whatever the data set.
pub(super) const fn image_fields(size: &'static str, channels: &'static str) -> [Field; 4] {
    [
        Field::new(
            "data.size",
            "Image size",
            FieldKind::Integer {
                min: 8,
                max: super::MOST_SIDE as u64,
                step: 1,
            },
            size,
            "Pixels along a side; other sizes than the images' own are interpolated.",
        ),
        Field::new(
            "data.channels",
            "Channels",
            FieldKind::Integer {
                min: 1,
                max: 3,
                step: 2,
            },
            channels,
            "1 for grey, 3 for colours; grey images repeat their grey, colours are weighed to grey.",
        ),
        Field::new(
            "data.augment",
            "Augmentation",
            FieldKind::Choice {
                options: augment::CHOICES,
            },
            "\"none\"",
            "How training images are varied from epoch to epoch.",
        )
        .advanced(),
        Field::new(
            "data.normalisation",
            "Normalisation",
            FieldKind::Choice {
                options: normalise::CHOICES,
            },
            "\"measured\"",
            "What mean and deviation are taken out of the images: those of the training split, or ImageNet's, for weights that were trained on it.",
        )
        .advanced(),
    ]
}
