//! A data set as a folder of the library:
//!
//! | file | content |
//! |---|---|
//! | `set.json` | metadata: [`DataSetMetadata`] |
//! | `labels.u16` | class after class, as little-endian u16 |
//! | `pixels.u8` | of format 1: image after image `[channels, side, side]`, a byte per value |
//! | `photos.bin`, `photos.ndjson` | of format 2: the files of photos, and their index (`photos::originals`) |
//! | `gallery.png` | of format 2: the picture of the set (`gallery`) |
//! | `versions/` | corrected labels ([`versions`](super::versions)) |
//! | `prepared/` | of format 2: the photos at the sizes of runs (`photos::prepared`); may be removed at any time |
//!
//! If the set has its own test split, those images come last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::MOST_SIDE;
use super::duplicates::Duplicates;
use super::fault::{bytes, count};
use super::image::Pixels;
use super::photos::{Originals, PhotoSetWriter, PhotosMetadata};
use super::scratch::Scratch;
use super::table::{RawSamples, SampleValues};
use super::versions::IMPORTED;
use super::{gallery, split};
use crate::error::Fault;
use crate::error::{Error, Result};
use crate::links;

const METADATA: &str = "set.json";
pub(super) const PIXELS: &str = "pixels.u8";
const LABELS: &str = "labels.u16";

/// The versions of this layout: with pixels, and with photos.
const PIXELS_FORMAT: u32 = 1;
const PHOTOS_FORMAT: u32 = 2;

/// The metadata of a stored data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DataSetMetadata {
    /// The version of the layout.
    pub format: u32,
    /// The name that users see.
    pub title: String,
    /// The names of the classes, in the order of the labels.
    pub classes: Vec<String>,
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    /// Pixels along a side of an image; of photos, the size that runs take unless told otherwise.
    pub side: usize,
    /// Images in all.
    pub images: usize,
    /// The number of training images, which come first; `null` if the set has no test split of its own.
    pub train: Option<usize>,
    /// Its source.
    pub source: String,
    /// SHA-256 over pixels or the index of photos, labels, and the metadata above that gives them meaning; in
    /// hexadecimal.
    pub sha256: String,
    /// Of a set that is kept as photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub photos: Option<PhotosMetadata>,
}

impl DataSetMetadata {
    fn size(&self) -> usize {
        self.channels * self.side * self.side
    }

    /// The metadata that is part of the hash.
    fn meaning(&self) -> String {
        let Self {
            classes,
            channels,
            side,
            train,
            ..
        } = self;
        format!("{classes:?} {channels} {side} {train:?}\n")
    }

    fn is_sound(&self) -> bool {
        let format = match self.photos {
            None => PIXELS_FORMAT,
            Some(_) => PHOTOS_FORMAT,
        };
        self.format == format
            && [1, 3].contains(&self.channels)
            && (1..=MOST_SIDE).contains(&self.side)
            && (1..=usize::from(u16::MAX)).contains(&self.classes.len())
            && self.train.is_none_or(|train| train <= self.images)
            && self.images <= u32::MAX as usize
    }
}

/// The folder of a stored data set.
#[derive(Clone, Debug)]
pub(super) struct StoredDataSet {
    pub(super) folder: PathBuf,
    /// Its metadata.
    pub metadata: DataSetMetadata,
}

impl StoredDataSet {
    /// Opens a folder and reads its `set.json` only.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(METADATA);
        let text = links::read(&path).map_err(|e| Error::file(&path, e))?;
        let metadata: DataSetMetadata =
            serde_json::from_slice(&text).map_err(|e| Error::file(&path, e.into()))?;
        if !metadata.is_sound() {
            let message = format!(
                "is not of format {PIXELS_FORMAT} or {PHOTOS_FORMAT}, or says what cannot be"
            );
            return Err(Error::file(&path, io::Error::other(message)));
        }
        Ok(Self {
            folder: folder.to_owned(),
            metadata,
        })
    }

    /// The class of every image.
    pub(super) fn labels(&self) -> Result<Vec<u32>> {
        let read = self.read(LABELS, 2)?;
        let labels: Vec<u32> = read
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]).into())
            .collect();
        match labels
            .iter()
            .position(|label| *label as usize >= self.metadata.classes.len())
        {
            None => Ok(labels),
            Some(image) => Err(self.damaged(
                LABELS,
                format!("image {} has a class that does not exist", image + 1),
            )),
        }
    }

    /// The images.
    pub(super) fn pixels(&self) -> Result<Pixels> {
        Ok(Pixels {
            bytes: self.read(PIXELS, self.metadata.size())?,
            channels: self.metadata.channels,
            side: self.metadata.side,
            white: 255,
        })
    }

    /// A file that must have so many bytes per image.
    fn read(&self, name: &str, size: usize) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        links::refuse(&path).map_err(|e| Error::file(&path, e))?;
        let expected = (self.metadata.images * size) as u64;
        let there = fs::metadata(&path)
            .map_err(|e| Error::file(&path, e))?
            .len();
        if there != expected {
            let message = format!("must have {}, and has {}", bytes(expected), bytes(there));
            return Err(self.damaged(name, message));
        }
        fs::read(&path).map_err(|e| Error::file(&path, e))
    }

    fn damaged(&self, name: &str, message: String) -> Error {
        let file = self.folder.join(name).display().to_string();
        Error::Refused(vec![Fault { file, message }])
    }

    /// Reads everything and checks the hash. The labels are the imported ones, the corrections those of a version.
    pub(super) fn load(&self, version: &str) -> Result<RawSamples> {
        let (labels, pixels) = (self.labels()?, self.pixels()?);
        self.check_hash(PIXELS, &pixels.bytes, &labels)?;
        Ok(RawSamples {
            classes: self.metadata.classes.clone(),
            values: SampleValues::Images(pixels),
            labels,
            corrections: self.corrections(version)?,
            train: self.metadata.train,
        })
    }

    /// Checks the hash of the set, whose content is `content` and the labels.
    fn check_hash(&self, name: &str, content: &[u8], labels: &[u32]) -> Result<()> {
        let mut hash = Sha256::new();
        hash.update(content);
        labels
            .iter()
            .for_each(|label| hash.update((*label as u16).to_le_bytes()));
        hash.update(self.metadata.meaning());
        let found = hex::encode(hash.finalize());
        if found == self.metadata.sha256 {
            return Ok(());
        }
        let message = format!(
            "is damaged: its SHA-256 is {found}, and {METADATA} says {}",
            self.metadata.sha256
        );
        Err(self.damaged(name, message))
    }

    /// The photos of a set that is kept as photos, and their classes, checked.
    pub(super) fn photos(&self, metadata: &PhotosMetadata) -> Result<(Originals, Vec<u32>)> {
        let originals = Originals::open(&self.folder, metadata)?;
        if originals.photos.len() != self.metadata.images {
            let message = format!(
                "must have {} photos, and has {}",
                count(self.metadata.images as u64),
                count(originals.photos.len() as u64)
            );
            return Err(self.damaged(METADATA, message));
        }
        let labels = self.labels()?;
        self.check_hash(LABELS, metadata.sha256.as_bytes(), &labels)?;
        Ok((originals, labels))
    }

    /// Reads everything and checks all hashes.
    pub(super) fn verify(&self) -> Result<()> {
        match &self.metadata.photos {
            None => self.load(IMPORTED).map(drop),
            Some(metadata) => self.photos(metadata)?.0.verify(),
        }
    }
}

/// A data set under construction, in a scratch folder that is removed on drop unless the set is published.
#[derive(Debug)]
pub(super) struct DataSetWriter {
    folder: Scratch,
    pixels: BufWriter<File>,
    labels: Vec<u8>,
    hash: Sha256,
    repeats: Duplicates,
}

/// A complete data set on disk that is not published yet.
#[derive(Debug)]
pub struct ReadyDataSet {
    pub(super) folder: Scratch,
    /// Its metadata.
    pub metadata: DataSetMetadata,
}

impl ReadyDataSet {
    /// The same set with another title and source.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn described(mut self, title: &str, source: &str) -> Result<Self> {
        self.describe(title, source)?;
        Ok(self)
    }

    /// Changes the title and the source of the set.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn describe(&mut self, title: &str, source: &str) -> Result<()> {
        title.clone_into(&mut self.metadata.title);
        source.clone_into(&mut self.metadata.source);
        let text = text_of(self.folder.path(), &self.metadata)?;
        let path = self.folder.path().join(METADATA);
        File::create(&path)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .map_err(|e| Error::file(&path, e))
    }
}

impl DataSetWriter {
    pub(super) fn new(folder: Scratch) -> Result<Self> {
        let path = folder.path().join(PIXELS);
        let file = File::create_new(&path).map_err(|e| Error::file(&path, e))?;
        Ok(Self {
            folder,
            pixels: BufWriter::new(file),
            labels: Vec::new(),
            hash: Sha256::new(),
            repeats: Duplicates::default(),
        })
    }

    /// Adds images and their classes.
    pub(super) fn push(&mut self, pixels: &[u8], labels: impl Iterator<Item = u16>) -> Result<()> {
        self.hash.update(pixels);
        let before = self.labels.len();
        let bytes = labels.flat_map(u16::to_le_bytes);
        self.labels.extend(bytes);
        let images = (self.labels.len() - before) / 2;
        if let Some(size) = pixels.len().checked_div(images).filter(|size| *size > 0) {
            pixels.chunks_exact(size).for_each(|image| {
                self.repeats.see(image);
            });
        }
        let path = self.folder.path().join(PIXELS);
        self.pixels
            .write_all(pixels)
            .map_err(|e| Error::file(&path, e))
    }

    /// Notes on duplicate images and on classes that are not trained, by the names of images.
    pub(super) fn notes(
        &self,
        classes: &[String],
        train: Option<usize>,
        name: &dyn Fn(usize) -> String,
    ) -> Vec<String> {
        let labels: Vec<u16> = self
            .labels
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        let repeated = self.repeats.warnings(&labels, train, name);
        let mut notes: Vec<_> = repeated
            .into_iter()
            .map(|warning| warning.message)
            .collect();
        notes.extend(note_on_untrained_classes(&labels, classes, train));
        notes
    }

    /// Writes the remaining files. Format, number of images and hash of `metadata` are filled in here.
    pub(super) fn finish(mut self, metadata: DataSetMetadata) -> Result<ReadyDataSet> {
        let path = self.folder.path().to_owned();
        self.hash.update(&self.labels);
        self.hash.update(metadata.meaning());
        let metadata = DataSetMetadata {
            format: PIXELS_FORMAT,
            images: self.labels.len() / 2,
            sha256: hex::encode(self.hash.finalize()),
            ..metadata
        };
        write(&path, LABELS, &self.labels)?;
        write(&path, METADATA, &text_of(&path, &metadata)?)?;
        self.pixels
            .flush()
            .and_then(|()| self.pixels.get_ref().sync_all())
            .map_err(|e| Error::file(&path, e))?;
        Ok(ReadyDataSet {
            folder: self.folder,
            metadata,
        })
    }
}

/// Completes a set of photos. Format, number of images, hash and photos of `metadata` are filled in here.
pub(super) fn finish_photos(
    mut writer: PhotoSetWriter,
    metadata: DataSetMetadata,
    gallery: &[u8],
) -> Result<ReadyDataSet> {
    let photos = writer.finish()?;
    let labels: Vec<u8> = writer
        .labels
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    let mut hash = Sha256::new();
    hash.update(&photos.sha256);
    hash.update(&labels);
    hash.update(metadata.meaning());
    let metadata = DataSetMetadata {
        format: PHOTOS_FORMAT,
        images: writer.labels.len(),
        sha256: hex::encode(hash.finalize()),
        photos: Some(photos),
        ..metadata
    };
    let folder = writer.folder.path();
    write(folder, LABELS, &labels)?;
    write(folder, gallery::FILE, gallery)?;
    write(folder, METADATA, &text_of(folder, &metadata)?)?;
    Ok(ReadyDataSet {
        folder: writer.folder,
        metadata,
    })
}

/// A note on classes without training samples with default settings.
pub(super) fn note_on_untrained_classes(
    labels: &[u16],
    classes: &[String],
    train: Option<usize>,
) -> Option<String> {
    let labels: Vec<u32> = labels.iter().map(|label| u32::from(*label)).collect();
    let parts = split::by_default(&labels, classes.len(), train);
    split::note_on_untrained_classes(&parts, &labels, classes)
}

/// The content of `set.json`.
fn text_of(folder: &Path, metadata: &DataSetMetadata) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(metadata).map_err(|e| Error::file(folder.join(METADATA), e.into()))
}

/// Writes a new file of a set and makes it durable.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    File::create_new(&path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|e| Error::file(&path, e))
}
