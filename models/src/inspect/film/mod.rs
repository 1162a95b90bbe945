//! A film: what a network was like from the inside after each epoch, one small file a frame.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`Frame`], and how one is made of a network and what it makes of the pinned image |
//! | `extract` | a layer's picture as a frame keeps it: some of its tiles, made smaller, a byte a value |
//! | `fit` | how much of which layer there is room for |
//! | `file` | a frame on disk |
//! | `folder` | the frames of a run, and which of them stay |
//! | `sheets` | the same pages as an inspector gives, of what a frame keeps |
//! | `predictions` | what a network made of a split, sample by sample |
//!
//! What always holds: no frame is larger than [`MOST_BYTES`] and no film longer than [`MOST_FRAMES`], whatever the
//! network; and a frame says of each picture how much of it was left out.

mod extract;
mod file;
mod fit;
mod folder;
mod predictions;
mod sheets;

pub use extract::Extract;
pub(crate) use folder::stride;
pub use folder::{Folder, MOST_FRAMES};
pub use predictions::Predictions;
pub use sheets::{FilmFeatures, FilmSheet, Reduced};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ClassScore, Inspector, Layer, LayerKind, Recording, Statistics, Tiles};
use crate::error::Result;
use extract::KeptTiles;
use fit::{Priority, Share, fit};

/// The most bytes of a frame.
pub const MOST_BYTES: usize = 512 << 10;

/// The most classes whose confusion is kept: the square of this many numbers.
const MOST_CLASSES: usize = 128;

/// The share of a frame that filters may take where maps want the rest.
const OF_FILTERS: f64 = 0.375;

/// When a frame was made, and of what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameMetadata {
    /// Of the file's form.
    pub version: u32,
    /// Whole epochs done.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// The image whose maps are shown: `test:0` for a sample, `png:` and a hash for a pinned one.
    pub pinned: String,
    /// On the validation split, where there is one.
    pub validation_accuracy: Option<f64>,
    /// The class of the image that scored best.
    pub top: Option<Top>,
    /// The pictures of weights.
    pub filters: Vec<Extract>,
    /// The pictures of activations.
    pub features: Vec<Extract>,
}

/// The class that scored best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Top {
    /// From 0.
    pub class: usize,
    /// `None` where scores are no logarithms of probabilities.
    pub probability: Option<f64>,
}

/// The moment of a frame.
#[derive(Clone, Copy, Debug)]
pub struct FramePosition<'a> {
    /// Whole epochs done.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// The image of the recording.
    pub pinned: &'a str,
}

/// How the validation split was classified at that moment.
#[derive(Clone, Copy, Debug)]
pub struct Validation<'a> {
    /// Share classified right, 0 to 1.
    pub accuracy: f64,
    /// Sample by sample.
    pub predictions: &'a Predictions,
    /// Counts; rows: truth, columns: prediction.
    pub confusion: &'a [Vec<u64>],
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// When it was made, and what it keeps.
    pub metadata: FrameMetadata,
    /// Of the validation split, where there is one.
    pub predictions: Option<Predictions>,
    /// Counts; rows: truth, columns: prediction. `None` without a validation split, or for many classes.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// The classes of the pinned image, the likeliest first; names are the run's to give.
    top: Vec<(u16, f32, Option<f32>)>,
    filters: Vec<KeptTiles>,
    features: Vec<KeptTiles>,
    /// Of each layer in `features`.
    statistics: Vec<Statistics>,
}

impl Frame {
    /// A network as it is now, and what it makes of the recorded image.
    ///
    /// # Errors
    /// When the recording is another network's.
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
        let fixed = predictions.as_ref().map_or(0, Predictions::bytes)
            + confusion.as_ref().map_or(0, |of| of.len() * of.len() * 4)
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
            top: top.first().map(|first| Top {
                class: first.class,
                probability: first.probability,
            }),
            filters: filters.iter().map(|kept| kept.metadata.clone()).collect(),
            features: features.iter().map(|kept| kept.metadata.clone()).collect(),
        };
        let short = |of: &ClassScore| {
            let class = u16::try_from(of.class).unwrap_or(u16::MAX);
            (class, of.score, of.probability.map(|p| p as f32))
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

    /// The classes of the pinned image, the likeliest first.
    pub fn top(&self, classes: &[String]) -> Vec<ClassScore> {
        let long = |(class, score, probability): &(u16, f32, Option<f32>)| ClassScore {
            class: (*class).into(),
            name: classes
                .get(usize::from(*class))
                .cloned()
                .unwrap_or_default(),
            probability: probability.map(f64::from),
            score: *score,
        };
        self.top.iter().map(long).collect()
    }
}

/// What a frame calls an image that was pinned as a file of these bytes.
pub fn pin_name(file: &[u8]) -> String {
    format!("png:{}", &hex::encode(Sha256::digest(file))[..32])
}

/// A layer, what its picture is worth, and the picture.
type Picture<'a> = (&'a Layer, Priority, Tiles<'a>);

/// Keeps of pictures what there is room for; says how many bytes that takes.
fn keep(pictures: &[Picture<'_>], most: usize, room: usize) -> (Vec<KeptTiles>, usize) {
    let share = |(layer, worth, tiles): &Picture<'_>| Share::new(&layer.name, *worth, tiles, most);
    let mut shares: Vec<_> = pictures.iter().map(share).collect();
    let taken = fit(&mut shares, room);
    let both = shares.iter().zip(pictures);
    let kept = both.filter(|(share, _)| share.count > 0);
    let kept = kept.map(|(share, (.., tiles))| KeptTiles::of(share, tiles));
    (kept.collect(), taken)
}
