//! Data sets: the table of known sets, the library of sets on disk, and the preparation for training: a split into
//! training, validation and test, and normalisation by the statistics of the training split.
//!
//! Only augmentation depends on a run's seed: runs with different seeds see the same samples in the same splits.
//!
//! | module | what it is |
//! |---|---|
//! | `table` | the table of data sets |
//! | `digits`, `toy2d` | data sets that are embedded or generated |
//! | `known` | data sets that must be fetched, and the content of their files |
//! | `library` | the folder of data sets; `stored` is one of them, `versions` are its corrected labels |
//! | `photos` | sets that are kept as photos, and their preparation for a run |
//! | `read` | imports files as a stored set, or refuses them with `fault`s |
//! | `set_pictures` | the images of a stored set, one at a time |
//! | `duplicates` | duplicate images of a set |
//! | `gallery` | a picture of a set |
//! | `fit` | how a picture of any shape becomes a square |
//! | `picture` | one image of any size, as a network sees it |
//! | `image` | resizing and greyscale conversion |
//! | `split` | training, validation and test split |
//! | `normalise` | normalisation to mean 0 and deviation 1 |
//! | `augment` | augmentation of training images |
//! | `mix` | mixup and CutMix of batches |
//! | `samples` | samples, gathered into batches |

mod augment;
mod digits;
mod duplicates;
mod fault;
mod fit;
mod gallery;
mod image;
mod known;
mod library;
mod mix;
mod normalise;
mod photos;
mod picture;
mod read;
mod samples;
pub mod scratch;
mod set_pictures;
mod split;
mod stored;
mod table;
mod toy2d;
mod versions;

pub use crate::error::Fault;
pub use augment::{AugmentParams, Augmentation};
pub use fit::{Fit, PhotoTransform};
pub use gallery::{Gallery, gallery};
pub(crate) use image::Resize;
pub use known::{FileLayout, KnownDataSet};
pub(crate) use library::photo_fields;
pub use library::{DataSet, Library, State, known, name_of};
pub use mix::{Mixed, Mixing};
pub use photos::{
    FitExample, FitExamples, Photo, PhotosMetadata, Preparing, Warning, fit_examples,
};
pub(crate) use picture::photo_values;
pub use picture::{Picture, decode_image, network_input};
pub use read::{ClassCount, Import, ImportLimits, Report, import, is_system_name};
pub use samples::{Samples, Splits};
pub use set_pictures::SetPictures;
pub use split::Split;
pub use stored::{DataSetMetadata, ReadyDataSet};
pub use table::{DATA_SETS, DataSetRow, Shape, row};
pub use versions::{Corrections, IMPORTED, LabelChange, Labels, VersionSummary};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::spec::DataSpec;
use photos::{PhotoSettings, Prepared};
use samples::PhotoSamples;
use split::SplitIndices;
use stored::StoredDataSet;
use table::{RawSamples, SampleValues, Source};

/// The smallest side of a network's input image, in pixels.
const LEAST_SIDE: usize = 8;

/// The largest side of an image on disk and of a network's input, in pixels.
const MOST_SIDE: usize = 512;

/// The largest side that a network's input has unless a user wants another: that of most pretrained networks.
const USUAL_SIDE: usize = 224;

/// Options of all image data sets.
#[derive(Deserialize)]
struct ImageOptions {
    size: usize,
    channels: usize,
    #[serde(flatten)]
    augmentation: augment::AugmentOptions,
    /// Earlier runs do not have this option.
    #[serde(default)]
    normalisation: String,
}

impl ImageOptions {
    fn shape(&self) -> Vec<usize> {
        vec![self.channels, self.size, self.size]
    }
}

/// Facts about a run's data that are known before it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataSummary {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample: `[2]` or `[channels, height, width]`.
    pub input: Vec<usize>,
    /// Training samples.
    pub train: usize,
    /// Validation samples.
    pub validation: usize,
    /// Test samples.
    pub test: usize,
    /// Memory of the loaded data, in bytes.
    pub bytes: u64,
    /// Notes on the splits, as sentences.
    pub warnings: Vec<String>,
}

/// The shape of a sample and the number of classes, without loading anything.
///
/// # Errors
/// When the data set does not exist or is not in the library.
pub fn shape(spec: &DataSpec, library: &Library) -> Result<Shape> {
    match built_in(spec) {
        Some((shape, _)) => shape(spec),
        None => {
            let stored = library.open(&spec.set)?;
            Ok((
                spec.options::<ImageOptions>()?.shape(),
                stored.metadata.classes.len(),
            ))
        }
    }
}

/// Facts about the splits, without reading any images.
///
/// # Errors
/// When the data set does not exist, is not in the library, cannot be read, or has no sample to learn from.
pub fn summary(spec: &DataSpec, library: &Library) -> Result<DataSummary> {
    let (input, _) = shape(spec, library)?;
    let (classes, labels, corrections, train, pool) = match built_in(spec) {
        Some((_, load)) => {
            let raw = load(spec)?;
            let pool = match &raw.values {
                SampleValues::Points(values) => size_of_val(&values[..]) as u64,
                SampleValues::Images(pixels) => {
                    samples::pool_bytes(raw.labels.len(), pixels.channels, pixels.side, &input)
                }
                SampleValues::Photos(_) => 0,
            };
            (raw.classes, raw.labels, raw.corrections, raw.train, pool)
        }
        None => {
            let stored = library.open(&spec.set)?;
            let labels = stored.labels()?;
            let corrections = stored.corrections(versions::named(spec))?;
            let DataSetMetadata { channels, side, .. } = stored.metadata;
            let pool = match stored.metadata.photos {
                None => samples::pool_bytes(labels.len(), channels, side, &input),
                Some(_) => {
                    let settings = photo_settings(spec, &stored)?;
                    samples::photo_bytes(labels.len(), settings, library.photo_memory, &input)
                }
            };
            let (classes, train) = (stored.metadata.classes, stored.metadata.train);
            (classes, labels, corrections, train, pool)
        }
    };
    let parts = split::split(spec, &labels, classes.len(), train, &corrections);
    let labels = versions::corrected(labels, &corrections);
    let [train, validation, test] =
        [Split::Train, Split::Validation, Split::Test].map(|split| parts.of(split).len());
    if train == 0 {
        return Err(match corrections.is_empty() {
            true => Error::setting(
                "data.set",
                "has no sample to learn from beside those for the test and for validation",
            ),
            false => Error::setting("data.version", "excludes every sample to learn from"),
        });
    }
    Ok(DataSummary {
        warnings: split::note_on_untrained_classes(&parts, &labels, &classes)
            .into_iter()
            .collect(),
        classes,
        input,
        train,
        validation,
        test,
        bytes: pool + samples::place_bytes(train + validation + test),
    })
}

/// Loads a data set, splits it and normalises it.
///
/// # Errors
/// When the data set does not exist, is not in the library, or cannot be read.
///
/// ```
/// # use vivarium_models::{data::{self, Library}, form};
/// # let document = serde_json::json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
/// # let run = form::check(&document, &Library::none()).unwrap();
/// let digits = data::load(&run.data, &Library::none())?;
/// let (values, targets) = digits.train.slice(0..64)?;
/// assert_eq!(values.len(), 64 * digits.input.iter().product::<usize>());
/// assert!(targets.iter().all(|class| *class < 10));
/// # Ok::<(), vivarium_models::Error>(())
/// ```
pub fn load(spec: &DataSpec, library: &Library) -> Result<Splits> {
    let (raw, parts) = raw(spec, library)?;
    Splits::new(spec, raw, &parts)
}

/// Prepares the photos of a set at the size, fit and channels of a run, unless they are or the set is not kept as
/// photos; [`load`] does the same without a word. `on_progress` is called several times a second, and returns whether to
/// go on. Returns whether all is prepared.
///
/// # Errors
/// When the data set does not exist or is not in the library, a photo cannot be read, or the disk is full.
pub fn prepare(
    spec: &DataSpec,
    library: &Library,
    on_progress: &mut dyn FnMut(Preparing) -> bool,
) -> Result<bool> {
    if built_in(spec).is_some() {
        return Ok(true);
    }
    let stored = library.open(&spec.set)?;
    match &stored.metadata.photos {
        None => Ok(true),
        Some(metadata) => {
            let settings = photo_settings(spec, &stored)?;
            let (originals, _) = stored.photos(metadata)?;
            let folder = &stored.folder;
            let prepared = photos::prepare(folder, &originals, metadata, settings, on_progress)?;
            Ok(prepared.is_some())
        }
    }
}

/// Whether [`load`] has no photos to prepare, which may take minutes.
///
/// # Errors
/// When the data set does not exist or is not in the library.
pub fn is_prepared(spec: &DataSpec, library: &Library) -> Result<bool> {
    if built_in(spec).is_some() {
        return Ok(true);
    }
    let stored = library.open(&spec.set)?;
    let Some(metadata) = &stored.metadata.photos else {
        return Ok(true);
    };
    let settings = photo_settings(spec, &stored)?;
    let images = stored.metadata.images;
    Ok(Prepared::open(&stored.folder, settings, images, metadata)?.is_some())
}

/// The settings of the prepared file of a run. Grey photos are kept in grey, and repeated as they are read.
fn photo_settings(spec: &DataSpec, stored: &StoredDataSet) -> Result<PhotoSettings> {
    let options: ImageOptions = spec.options()?;
    Ok(PhotoSettings {
        size: options.size,
        channels: options.channels.min(stored.metadata.channels),
        fit: Fit::of(spec)?,
    })
}

/// The photos of a stored set for a run.
fn photo_samples(
    spec: &DataSpec,
    stored: StoredDataSet,
    metadata: &PhotosMetadata,
    library: &Library,
) -> Result<RawSamples> {
    let (originals, labels) = stored.photos(metadata)?;
    let corrections = stored.corrections(versions::named(spec))?;
    let settings = photo_settings(spec, &stored)?;
    let folder = &stored.folder;
    let prepared = photos::prepare(folder, &originals, metadata, settings, &mut |_| true)?;
    let stopped = || Error::setting("data.set", "was not prepared to its end");
    Ok(RawSamples {
        classes: stored.metadata.classes,
        values: SampleValues::Photos(PhotoSamples {
            prepared: prepared.ok_or_else(stopped)?,
            hashes: originals
                .photos
                .into_iter()
                .map(|photo| photo.sha256)
                .collect(),
            most_memory: library.photo_memory,
        }),
        labels,
        corrections,
        train: stored.metadata.train,
    })
}

type ShapeOf = fn(&DataSpec) -> Result<Shape>;
type Load = fn(&DataSpec) -> Result<RawSamples>;

fn built_in(spec: &DataSpec) -> Option<(ShapeOf, Load)> {
    match row(&spec.set)?.source {
        Source::BuiltIn { shape, load } => Some((shape, load)),
        Source::Known(_) => None,
    }
}

fn raw(spec: &DataSpec, library: &Library) -> Result<(RawSamples, SplitIndices)> {
    let mut raw = match built_in(spec) {
        Some((_, load)) => load(spec)?,
        None => {
            let stored = library.open(&spec.set)?;
            match stored.metadata.photos.clone() {
                None => stored.load(versions::named(spec))?,
                Some(metadata) => photo_samples(spec, stored, &metadata, library)?,
            }
        }
    };
    let (classes, corrections) = (raw.classes.len(), &raw.corrections);
    let parts = split::split(spec, &raw.labels, classes, raw.train, corrections);
    raw.labels = versions::corrected(raw.labels, corrections);
    Ok((raw, parts))
}

/// The samples of a split of a stored set, by their place in the set and in the order of [`Splits`].
///
/// # Errors
/// When the data set is not in the library, or cannot be read.
pub fn split_samples(spec: &DataSpec, library: &Library, split: Split) -> Result<Vec<u32>> {
    let stored = library.open(&spec.set)?;
    let corrections = stored.corrections(versions::named(spec))?;
    let DataSetMetadata { classes, train, .. } = &stored.metadata;
    let parts = split::split(spec, &stored.labels()?, classes.len(), *train, &corrections);
    Ok(parts.of(split).to_vec())
}

/// A sample of two-dimensional data, as it was generated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Point {
    /// The first coordinate.
    pub x: f64,
    /// The second coordinate.
    pub y: f64,
    /// The class, from 0.
    pub class: usize,
    /// Its split.
    pub split: Split,
}

/// Whether the training images of a run vary from epoch to epoch.
pub fn is_augmented(spec: &DataSpec) -> bool {
    spec.options::<ImageOptions>()
        .is_ok_and(|options| !options.augmentation.is_none())
}

/// The points of two-dimensional data in raw coordinates; `None` for images. Training samples beyond `data.limit`
/// belong to no split and are left out.
///
/// # Errors
/// When the data set does not exist.
pub fn points(spec: &DataSpec) -> Result<Option<Vec<Point>>> {
    let Some((_, load)) = built_in(spec) else {
        return Ok(None);
    };
    let raw = load(spec)?;
    let SampleValues::Points(values) = &raw.values else {
        return Ok(None);
    };
    let (classes, corrections) = (raw.classes.len(), &raw.corrections);
    let parts = split::split(spec, &raw.labels, classes, raw.train, corrections);
    let point = |split, index: &u32| {
        let i = *index as usize;
        let (x, y) = (values[2 * i].into(), values[2 * i + 1].into());
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
