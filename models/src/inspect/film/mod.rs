//! Films: the filters, feature maps and predictions of a network, before its first step, a few times within the first
//! epoch, and after each epoch, as one small file per frame.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`Frame`], made of a network and a recording of the pinned image |
//! | `extract` | a reduced picture of a layer: some of its tiles, scaled down, a byte per value |
//! | `fit` | how much of each layer fits in a frame |
//! | `file` | a frame on disk |
//! | `folder` | the frames of a run, and which are kept |
//! | `name` | the names of frames |
//! | `sheets` | the pages of an inspector, from a frame |
//! | `predictions` | the predictions on a split, sample by sample |
//!
//! Invariants: no frame is larger than [`MOST_BYTES`], for any network; no film has more than [`MOST_FRAMES`] frames of
//! epochs and [`MOST_EARLY_FRAMES`] within the first; and a frame records how much of each picture was left out. All
//! frames of a film leave out the same, so that their values can be subtracted.

mod extract;
mod file;
mod fit;
mod folder;
mod name;
mod predictions;
mod sheets;

pub use extract::Extract;
pub use folder::{Folder, MOST_EARLY_FRAMES, MOST_FRAMES};
pub(crate) use folder::{is_early_frame, stride};
pub use name::FrameName;
pub use predictions::Predictions;
pub use sheets::{FilmFeatures, FilmSheet, Reduced};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{Inspector, Layer, LayerKind, Recording, Statistics, Tiles};
use crate::classify::ClassScore;
use crate::error::Result;
use extract::KeptTiles;
use fit::{Priority, Share, fit};

/// The most bytes of a frame.
pub const MOST_BYTES: usize = 512 << 10;

/// The most classes for which the confusion matrix is kept.
const MOST_CLASSES: usize = 128;

/// The share of a frame for filters, if feature maps need the rest.
const OF_FILTERS: f64 = 0.375;

/// The metadata of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameMetadata {
    /// The version of the file's format.
    pub version: u32,
    /// Complete epochs.
    pub epoch: u64,
    /// Completed steps.
    pub step: u64,
    /// The image of the feature maps: `test:0` for a sample, `png:` and a hash for a pinned one.
    pub pinned: String,
    /// The accuracy on the validation split, if there is one.
    pub validation_accuracy: Option<f64>,
    /// The predicted class of the image.
    pub top: Option<TopClass>,
    /// Pictures of weights.
    pub filters: Vec<Extract>,
    /// Pictures of activations.
    pub features: Vec<Extract>,
}

impl FrameMetadata {
    /// The frame's name.
    pub fn name(&self) -> FrameName {
        FrameName::at(self.epoch, self.step)
    }
}

/// The predicted class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopClass {
    /// The class, from 0.
    pub class: usize,
    /// Its probability; `null` if scores are not logits.
    pub probability: Option<f64>,
}

/// The position of a frame in training.
#[derive(Clone, Copy, Debug)]
pub struct FramePosition<'a> {
    /// Complete epochs.
    pub epoch: u64,
    /// Completed steps.
    pub step: u64,
    /// The image of the recording.
    pub pinned: &'a str,
    /// The number of validation samples, of whose predictions the frames after epochs tell.
    pub validation_samples: usize,
}

/// The evaluation of the validation split at that position.
#[derive(Clone, Copy, Debug)]
pub struct Validation<'a> {
    /// The accuracy, from 0 to 1.
    pub accuracy: f64,
    /// The predictions of single samples.
    pub predictions: &'a Predictions,
    /// The confusion matrix. Rows: target, columns: prediction.
    pub confusion: &'a [Vec<u64>],
}

/// A frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The metadata.
    pub metadata: FrameMetadata,
    /// The predictions on the validation split, if there is one.
    pub predictions: Option<Predictions>,
    /// The confusion matrix. Rows: target, columns: prediction. `None` without a validation split, or for many classes.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// The classes of the pinned image, the most probable first, without names.
    top: Vec<(u16, f32, Option<f32>)>,
    filters: Vec<KeptTiles>,
    features: Vec<KeptTiles>,
    /// Statistics of each layer in `features`.
    statistics: Vec<Statistics>,
}

impl Frame {
    /// A frame of a network's current state and a recorded image.
    ///
    /// # Errors
    /// When the recording is of another network.
    pub fn new(
        network: &Inspector,
        recording: &Recording,
        moment: FramePosition<'_>,
        validation: Option<Validation<'_>>,
    ) -> Result<Self> {
        let top = network.predict(recording);
        let confusion = validation
            .filter(|of| of.confusion.len() <= MOST_CLASSES)
            .map(|of| of.confusion.to_vec());
        let predictions = validation.map(|of| of.predictions.clone().cut());
        let classes = network.classes().len();
        let has_matrix = moment.validation_samples > 0 && classes <= MOST_CLASSES;
        // A frame without predictions leaves their room, so that it keeps as much of a layer as the others do.
        let fixed = predictions::bytes(moment.validation_samples)
            + if has_matrix { classes * classes * 4 } else { 0 }
            + top.len() * 12
            + file::OVERHEAD;
        let room = MOST_BYTES.saturating_sub(fixed);
        let layers = network.layers();
        let mut first = true;
        let weights = layers.iter().filter(|layer| layer.has_filters);
        let pictures = weights
            .map(|layer| Ok((layer, Priority::Own, network.filters(&layer.name)?)))
            .collect::<Result<Vec<_>>>()?;
        let of_filters = (room as f64 * OF_FILTERS) as usize;
        let (filters, taken) = keep(&pictures, fit::MOST_FILTERS, of_filters);
        let pictures = layers
            .iter()
            .map(|layer| {
                let worth = match layer.kind {
                    LayerKind::Input => Priority::First,
                    _ if !layer.has_filters => Priority::Repeated,
                    _ if std::mem::take(&mut first) => Priority::First,
                    _ => Priority::Own,
                };
                Ok((layer, worth, network.features(recording, &layer.name)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let (features, _) = keep(&pictures, fit::MOST_MAPS, room.saturating_sub(taken));
        let statistics = features
            .iter()
            .map(|kept| {
                let of = network.statistics(recording, &kept.metadata.layer)?;
                Ok(file::as_kept(of))
            })
            .collect::<Result<_>>()?;
        let metadata = FrameMetadata {
            version: file::VERSION,
            epoch: moment.epoch,
            step: moment.step,
            pinned: moment.pinned.to_owned(),
            validation_accuracy: validation.map(|of| of.accuracy),
            top: top.first().map(|first| TopClass {
                class: first.class,
                probability: first.probability.map(f64::from),
            }),
            filters: filters.iter().map(|kept| kept.metadata.clone()).collect(),
            features: features.iter().map(|kept| kept.metadata.clone()).collect(),
        };
        let short = |of: &ClassScore| {
            let class = u16::try_from(of.class).unwrap_or(u16::MAX);
            (class, of.score, of.probability)
        };
        Ok(Self {
            metadata,
            predictions,
            confusion,
            top: top.iter().map(short).collect(),
            filters,
            features,
            statistics,
        })
    }

    /// Its name.
    pub fn name(&self) -> FrameName {
        self.metadata.name()
    }

    /// The classes of the pinned image, the most probable first.
    pub fn top(&self, classes: &[String]) -> Vec<ClassScore> {
        let long = |(class, score, probability): &(u16, f32, Option<f32>)| ClassScore {
            class: (*class).into(),
            name: classes
                .get(usize::from(*class))
                .cloned()
                .unwrap_or_default(),
            probability: *probability,
            score: *score,
        };
        self.top.iter().map(long).collect()
    }
}

/// The name in a frame of a pinned image with these bytes.
pub fn pin_name(file: &[u8]) -> String {
    format!("png:{}", &hex::encode(Sha256::digest(file))[..32])
}

/// A layer with its picture and the picture's priority.
type Picture<'a> = (&'a Layer, Priority, Tiles<'a>);

/// Reduces pictures until they fit; returns their bytes.
fn keep(pictures: &[Picture<'_>], most: usize, room: usize) -> (Vec<KeptTiles>, usize) {
    let share = |(layer, worth, tiles): &Picture<'_>| Share::new(&layer.name, *worth, tiles, most);
    let mut shares: Vec<_> = pictures.iter().map(share).collect();
    let taken = fit(&mut shares, room);
    let both = shares.iter().zip(pictures);
    let kept = both.filter(|(share, _)| share.count > 0);
    let kept = kept.map(|(share, (.., tiles))| KeptTiles::of(share, tiles));
    (kept.collect(), taken)
}
