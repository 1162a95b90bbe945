//! The table of data sets that are embedded, generated, or known where to fetch.

use std::borrow::Cow;

use serde::Serialize;

use super::image::Pixels;
use super::samples::PhotoSamples;
use super::versions::Corrections;
use super::{augment, digits, known, normalise, toy2d};
use crate::error::Result;
use crate::spec::{DataSpec, Field, FieldKind, Topic};

/// A row of the table.
#[derive(Debug, Serialize)]
pub struct DataSetRow {
    /// The name in a RunSpec.
    pub set: &'static str,
    /// The name that users see.
    pub title: &'static str,
    /// A description in one or two sentences.
    pub summary: &'static str,
    /// Source and licence.
    pub licence: &'static str,
    /// 2 for points, 3 for images.
    pub dimensions: usize,
    /// The default number of classes.
    pub classes: usize,
    /// Its options, as fields under `data.`.
    pub fields: &'static [Field],
    /// Its defaults for other fields, as path and JSON literal.
    pub defaults: &'static [(&'static str, &'static str)],
    /// The source of its samples.
    #[serde(skip)]
    pub(super) source: Source,
}

/// The source of a data set's samples.
#[derive(Debug)]
pub(super) enum Source {
    /// Embedded or generated.
    BuiltIn {
        /// The shape of a sample and the number of classes, before anything is loaded.
        shape: fn(&DataSpec) -> Result<Shape>,
        load: fn(&DataSpec) -> Result<RawSamples>,
    },
    /// The library, once fetched or imported.
    Known(&'static known::KnownDataSet),
}

/// The shape of a sample, `[2]` or `[channels, height, width]`, and the number of classes.
pub type Shape = (Vec<usize>, usize);

/// All data sets of the table.
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
    /// Whether it needs no fetching.
    pub fn is_built_in(&self) -> bool {
        matches!(self.source, Source::BuiltIn { .. })
    }
}

/// The row of a data set.
pub fn row(set: &str) -> Option<&'static DataSetRow> {
    DATA_SETS.iter().find(|row| row.set == set)
}

/// The samples of a data set in its own units, before splitting and normalisation.
pub(super) struct RawSamples {
    pub(super) classes: Vec<String>,
    pub(super) values: SampleValues,
    pub(super) labels: Vec<u32>,
    /// What the version of the labels changes in them.
    pub(super) corrections: Corrections,
    /// The number of training samples, which come first, if the set has its own test split.
    pub(super) train: Option<usize>,
}

/// The samples' values.
pub(super) enum SampleValues {
    /// Coordinate after coordinate, point after point.
    Points(Vec<f32>),
    Images(Pixels),
    Photos(PhotoSamples),
}

/// Options of all image data sets.
pub(super) const fn image_fields(size: &'static str, channels: &'static str) -> [Field; 5] {
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
                options: Cow::Borrowed(augment::CHOICES),
            },
            "\"none\"",
            "How training images are varied from epoch to epoch.",
        )
        .under(Topic::Augmentation),
        Field::new(
            "data.test_time_flip",
            "Test-time flip",
            FieldKind::Switch,
            "false",
            "Tests by the mean of an image's probabilities and its mirror's; takes twice the time.",
        )
        .under(Topic::Augmentation),
        Field::new(
            "data.normalisation",
            "Pixel normalisation",
            FieldKind::Choice {
                options: Cow::Borrowed(normalise::CHOICES),
            },
            "\"measured\"",
            "The mean and the standard deviation that pixels are scaled by: those of the training split, or those of ImageNet, for weights that were trained on it.",
        )
        .under(Topic::Augmentation),
    ]
}
