//! Samples, from which batches are gathered. Large sets of images stay bytes and are resized and converted to floats as
//! they are gathered: 60,000 images of 3x32x32 take 184 MB as bytes and 737 MB as floats. Large sets of photos stay on
//! the disk: 20,000 of 3x224x224 take 3 GB as bytes.

use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::fit::PhotoTransform;
use super::image::{Pixels, Resize};
use super::photos::{PhotoSettings, Prepared};
use super::split::{Split, SplitIndices, note_on_untrained_classes};
use super::table::{RawSamples, SampleValues};
use super::{AugmentParams, Augmentation, DataSummary, ImageOptions};
use crate::contract::Normalisation;
use crate::error::Result;
use crate::spec::DataSpec;

/// The samples of one split, normalised. Clones share the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    store: Arc<SampleStore>,
    /// The indices of the samples in the pool.
    places: Arc<Vec<u32>>,
    labels: Arc<Vec<u32>>,
    /// Values of one sample.
    size: usize,
    /// Pixels along a side of an image; `None` for points.
    side: Option<usize>,
}

/// The samples of all splits.
#[derive(Debug, PartialEq)]
enum SampleStore {
    /// Sample after sample, as the network's input.
    Floats(Vec<f32>),
    Images(Images),
    Photos(PreparedImages),
}

impl SampleStore {
    /// Its memory, in bytes.
    fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Floats(numbers) => size_of_val(&numbers[..]),
            Self::Images(images) => images.pixels.bytes.len(),
            Self::Photos(photos) => {
                let prepared = &photos.prepared;
                return Prepared::memory(prepared.len(), prepared.settings);
            }
        };
        bytes as u64
    }
}

/// Images as bytes, and their conversion to floats.
#[derive(Debug, PartialEq)]
struct Images {
    pixels: Pixels,
    /// The resizing; `None` if the images have the right size.
    resize: Option<Resize>,
    /// The size of the network's input.
    size: usize,
    /// For each channel of the input, the normalised value of each byte.
    numbers: Vec<[f32; 256]>,
    /// The same as a factor and an offset, for values between bytes.
    lines: Vec<(f32, f32)>,
}

/// Photos on the disk, at the size of the network's input, and their conversion to floats.
#[derive(Debug, PartialEq)]
struct PreparedImages {
    prepared: Prepared,
    /// For each channel of the input, the normalised value of each byte.
    numbers: Vec<[f32; 256]>,
}

/// The photos of a set for a run.
pub(super) struct PhotoSamples {
    pub(super) prepared: Prepared,
    /// SHA-256 of the file of each photo, in hexadecimal.
    pub(super) hashes: Vec<String>,
    /// Bytes up to which they are held in memory.
    pub(super) most_memory: u64,
}

impl PhotoSamples {
    /// The store for a network with this input.
    fn into_store(
        self,
        options: &ImageOptions,
        normalisation: &Normalisation,
    ) -> Result<SampleStore> {
        let Self {
            prepared,
            most_memory,
            ..
        } = self;
        if prepared.bytes() > most_memory {
            return Ok(SampleStore::Photos(PreparedImages {
                prepared,
                numbers: numbers(normalisation, 255),
            }));
        }
        let PhotoSettings { size, channels, .. } = prepared.settings;
        let mut bytes = vec![0; prepared.len() * prepared.settings.values()];
        bytes
            .par_chunks_exact_mut(prepared.settings.values())
            .enumerate()
            .try_for_each(|(index, sample)| prepared.read(index, sample))?;
        let pixels = Pixels {
            bytes,
            channels,
            side: size,
            white: 255,
        };
        Ok(Images::new(pixels, options, normalisation).into_pool())
    }
}

/// The memory of so many photos for a network with the input `input`.
pub(super) fn photo_bytes(
    photos: usize,
    settings: PhotoSettings,
    most_memory: u64,
    input: &[usize],
) -> u64 {
    if (photos * settings.values()) as u64 > most_memory {
        Prepared::memory(photos, settings)
    } else {
        pool_bytes(photos, settings.channels, settings.size, input)
    }
}

/// For each channel, the normalised value of each byte.
fn numbers(normalisation: &Normalisation, white: u8) -> Vec<[f32; 256]> {
    let white = f64::from(white);
    let channels = normalisation.mean.iter().zip(&normalisation.deviation);
    channels
        .map(|(mean, deviation)| {
            std::array::from_fn(|byte| ((byte as f64 / white - mean) / deviation) as f32)
        })
        .collect()
}

/// Writes a channel as floats.
fn look_up(numbers: &[f32; 256], bytes: &[u8], into: &mut [f32]) {
    into.iter_mut()
        .zip(bytes)
        .for_each(|(into, byte)| *into = numbers[usize::from(*byte)]);
}

impl PreparedImages {
    /// Writes one image as floats.
    fn write(&self, index: usize, into: &mut [f32]) -> Result<()> {
        let PhotoSettings { size, channels, .. } = self.prepared.settings;
        let plane = size * size;
        self.prepared.with(index, |bytes| {
            for (channel, into) in into.chunks_exact_mut(plane).enumerate() {
                let from = channel.min(channels - 1) * plane;
                look_up(&self.numbers[channel], &bytes[from..from + plane], into);
            }
        })
    }
}

/// Whether a set is small enough to be converted to floats on loading.
fn are_few(images: usize, values: usize) -> bool {
    images.saturating_mul(values) <= 1 << 20
}

/// The memory of so many images of a data set, for a network with the input `input`.
pub(super) fn pool_bytes(images: usize, channels: usize, side: usize, input: &[usize]) -> u64 {
    let values = input.iter().product();
    // Images for a grey input are kept in grey.
    let kept = channels.min(input.first().copied().unwrap_or(channels)) * side * side;
    let bytes = if are_few(images, values) {
        size_of::<f32>() * values
    } else {
        kept
    };
    (images * bytes) as u64
}

/// The memory of so many samples' indices and labels.
pub(super) fn place_bytes(samples: usize) -> u64 {
    (samples * 2 * size_of::<u32>()) as u64
}

impl Images {
    fn new(pixels: Pixels, options: &ImageOptions, normalisation: &Normalisation) -> Self {
        let resize = (pixels.side != options.size).then(|| Resize::new(pixels.side, options.size));
        let white = f64::from(pixels.white);
        let channels = normalisation.mean.iter().zip(&normalisation.deviation);
        let lines = channels.map(|(mean, deviation)| {
            (
                (1.0 / (white * deviation)) as f32,
                (-mean / deviation) as f32,
            )
        });
        Self {
            resize,
            size: options.size,
            numbers: numbers(normalisation, pixels.white),
            lines: lines.collect(),
            pixels,
        }
    }

    /// Small sets are converted to floats on loading, so that batches are copied.
    fn into_pool(self) -> SampleStore {
        let (images, size) = (self.pixels.bytes.len() / self.pixels.size(), self.values());
        if !are_few(images, size) {
            return SampleStore::Images(self);
        }
        let mut numbers = vec![0.0; images * size];
        let places = numbers.chunks_exact_mut(size).enumerate();
        places.for_each(|(index, into)| self.write(index, into));
        SampleStore::Floats(numbers)
    }

    /// Values of one input image.
    fn values(&self) -> usize {
        self.numbers.len() * self.size * self.size
    }

    /// Writes one image as floats.
    fn write(&self, index: usize, into: &mut [f32]) {
        let image = self.pixels.image(index);
        let side = self.pixels.side;
        let bytes_of = |channel: usize| {
            let channel = channel.min(self.pixels.channels - 1);
            &image[channel * side * side..(channel + 1) * side * side]
        };
        let mut along = Vec::new();
        for (channel, into) in into.chunks_exact_mut(self.size * self.size).enumerate() {
            match &self.resize {
                None => look_up(&self.numbers[channel], bytes_of(channel), into),
                Some(resize) => {
                    resize.channel(bytes_of(channel), &mut along, into);
                    let (factor, summand) = self.lines[channel];
                    into.iter_mut()
                        .for_each(|value| *value = *value * factor + summand);
                }
            }
        }
    }
}

impl Samples {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The classes, from 0.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Pixels along a side of an image; `None` for points.
    pub fn side(&self) -> Option<usize> {
        self.side
    }

    /// Values of one sample.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One sample's values, as the network's input.
    ///
    /// # Errors
    /// When a photo cannot be read from the disk.
    pub fn values(&self, index: usize) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.size()];
        self.write(index, &mut values)?;
        Ok(values)
    }

    fn write(&self, index: usize, into: &mut [f32]) -> Result<()> {
        let place = self.places[index] as usize;
        match &*self.store {
            SampleStore::Floats(numbers) => {
                into.copy_from_slice(&numbers[place * self.size..(place + 1) * self.size]);
            }
            SampleStore::Images(images) => images.write(place, into),
            SampleStore::Photos(photos) => photos.write(place, into)?,
        }
        Ok(())
    }

    /// Announces samples that are asked for soon. Those on the disk are read meanwhile, by the system.
    pub fn read_ahead(&self, indices: impl Iterator<Item = usize>) {
        if let SampleStore::Photos(photos) = &*self.store {
            let places = indices.filter_map(|index| self.places.get(index));
            photos
                .prepared
                .read_ahead(places.map(|place| *place as usize));
        }
    }

    /// The values and classes of the samples with these indices, in this order, with augmentation if given.
    ///
    /// # Errors
    /// When a photo cannot be read from the disk.
    pub fn gather(
        &self,
        indices: &[u32],
        augment: Option<&AugmentParams>,
    ) -> Result<(Vec<f32>, Vec<u32>)> {
        let mut values = vec![0.0; indices.len() * self.size()];
        let mut plain = Vec::new();
        let places = values.chunks_exact_mut(self.size());
        for (at, (index, into)) in indices.iter().zip(places).enumerate() {
            match (augment, self.side) {
                (Some(augment), Some(side)) => {
                    plain.resize(into.len(), 0.0);
                    self.write(*index as usize, &mut plain)?;
                    augment.write(augment.stream(*index, at), side, &mut plain, into);
                }
                _ => self.write(*index as usize, into)?,
            }
        }
        let labels = indices.iter().map(|index| self.labels[*index as usize]);
        Ok((values, labels.collect()))
    }

    /// The values and classes of consecutive samples, made by all threads if they are many. As many samples after them
    /// are expected to follow.
    ///
    /// # Errors
    /// When a photo cannot be read from the disk.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Result<(Vec<f32>, &[u32])> {
        /// Values per thread; for fewer, threads are not worth their overhead.
        const FEW: usize = 1 << 16;
        let size = self.size();
        let mut values = vec![0.0; range.len() * size];
        let each = |(into, index): (&mut [f32], usize)| self.write(index, into);
        if values.len() <= FEW {
            values
                .chunks_exact_mut(size)
                .zip(range.clone())
                .try_for_each(each)?;
        } else {
            let samples = values.par_chunks_exact_mut(size).with_min_len(16);
            samples.zip(range.clone()).try_for_each(each)?;
        }
        self.read_ahead(range.end..range.end + range.len());
        Ok((values, &self.labels[range]))
    }
}

/// A data set, split and normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    /// The training split.
    pub train: Samples,
    /// The validation split; may be empty.
    pub validation: Samples,
    /// The test split.
    pub test: Samples,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample: `[2]` or `[channels, height, width]`.
    pub input: Vec<usize>,
    /// The normalisation of the values.
    pub normalisation: Normalisation,
    /// The augmentation of training images.
    pub augmentation: Augmentation,
    /// How pictures become the network's input.
    pub transform: PhotoTransform,
    /// For points, the minimum and maximum of each raw coordinate over all splits.
    pub range: Option<[[f64; 2]; 2]>,
    /// SHA-256 over classes, shape, and the labels and values of all splits before resizing and normalisation; of photos,
    /// over the fit and the hashes of their files instead of values. In hexadecimal.
    pub hash: String,
    /// Notes on the splits, as sentences.
    pub warnings: Vec<String>,
}

impl Splits {
    /// Facts about the splits, without their samples.
    pub fn summary(&self) -> DataSummary {
        DataSummary {
            classes: self.classes.clone(),
            input: self.input.clone(),
            train: self.train.len(),
            validation: self.validation.len(),
            test: self.test.len(),
            warnings: self.warnings.clone(),
            bytes: self.train.store.bytes()
                + [&self.train, &self.validation, &self.test]
                    .map(|samples| place_bytes(samples.len()))
                    .iter()
                    .sum::<u64>(),
        }
    }

    pub(super) fn new(spec: &DataSpec, raw: RawSamples, parts: &SplitIndices) -> Result<Self> {
        let train = parts.of(Split::Train);
        let labels = |split: Split| {
            parts
                .of(split)
                .iter()
                .map(|index| raw.labels[*index as usize])
                .collect::<Vec<_>>()
        };
        let labels = SPLITS.map(labels);
        let mut augmentation = Augmentation::default();
        let transform = PhotoTransform::of(spec)?;
        let (input, store, normalisation, range, hash) = match raw.values {
            SampleValues::Points(mut values) => {
                let hash = hash(&raw.classes, "[2]", parts, &labels, |index| {
                    bytes(&values[2 * index..2 * index + 2])
                });
                let range = range(&values);
                let point = |index: &u32| &values[*index as usize * 2..*index as usize * 2 + 2];
                let normalisation = Normalisation::of_points(train.iter().map(point));
                values
                    .chunks_exact_mut(2)
                    .for_each(|point| normalisation.apply(point));
                (
                    vec![2],
                    SampleStore::Floats(values),
                    normalisation,
                    Some(range),
                    hash,
                )
            }
            SampleValues::Images(pixels) => {
                let options: ImageOptions = spec.options()?;
                let input = options.shape();
                let pixels = if options.channels == 1 {
                    pixels.into_grey()
                } else {
                    pixels
                };
                let hash = hash(
                    &raw.classes,
                    &format!("{input:?}"),
                    parts,
                    &labels,
                    |index| pixels.image(index),
                );
                let normalisation = Normalisation::named(&options.normalisation, options.channels)
                    .unwrap_or_else(|| Normalisation::of_images(&pixels, train, options.channels));
                augmentation = Augmentation::of(&options.augmentation, &normalisation);
                let images = Images::new(pixels, &options, &normalisation);
                (input, images.into_pool(), normalisation, None, hash)
            }
            SampleValues::Photos(photos) => {
                let options: ImageOptions = spec.options()?;
                let input = options.shape();
                let shape = format!("{input:?} {}", transform.fit.name());
                let hash = hash(&raw.classes, &shape, parts, &labels, |index| {
                    &photos.hashes[index]
                });
                let normalisation = Normalisation::named(&options.normalisation, options.channels)
                    .unwrap_or_else(|| {
                        let values = (train.len() * options.size * options.size) as u64;
                        let sums = photos.prepared.sums(train);
                        Normalisation::of_sums(&sums, values, options.channels)
                    });
                augmentation = Augmentation::of(&options.augmentation, &normalisation);
                let store = photos.into_store(&options, &normalisation)?;
                (input, store, normalisation, None, hash)
            }
        };
        let store = Arc::new(store);
        let [train, validation, test] = labels;
        let warnings = note_on_untrained_classes(parts, &raw.labels, &raw.classes);
        let samples = |split: Split, labels: Vec<u32>| Samples {
            store: Arc::clone(&store),
            places: Arc::new(parts.of(split).to_vec()),
            labels: Arc::new(labels),
            size: input.iter().product(),
            side: input.get(1).copied(),
        };
        Ok(Self {
            train: samples(Split::Train, train),
            validation: samples(Split::Validation, validation),
            test: samples(Split::Test, test),
            classes: raw.classes,
            input,
            normalisation,
            augmentation,
            transform,
            range,
            hash,
            warnings: warnings.into_iter().collect(),
        })
    }
}

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

fn range(points: &[f32]) -> [[f64; 2]; 2] {
    [0, 1].map(|axis| {
        let values = points.iter().skip(axis).step_by(2).map(|v| f64::from(*v));
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
            [low.min(v), high.max(v)]
        })
    })
}

fn bytes(point: &[f32]) -> [u8; 8] {
    let mut bytes = [0; 8];
    for (bytes, value) in bytes.chunks_exact_mut(4).zip(point) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn hash<B: AsRef<[u8]>>(
    classes: &[String],
    shape: &str,
    parts: &SplitIndices,
    labels: &[Vec<u32>; 3],
    sample: impl Fn(usize) -> B,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{classes:?} {shape}\n"));
    for (split, labels) in SPLITS.into_iter().zip(labels) {
        hash.update((labels.len() as u64).to_le_bytes());
        labels
            .iter()
            .for_each(|label| hash.update(label.to_le_bytes()));
        for index in parts.of(split) {
            hash.update(sample(*index as usize));
        }
    }
    hex::encode(hash.finalize())
}
