//! A data set as a folder of the library:
//!
//! | file | content |
//! |---|---|
//! | `set.json` | metadata: [`DataSetMetadata`] |
//! | `pixels.u8` | image after image `[channels, side, side]`, a byte per value |
//! | `labels.u16` | class after class, as little-endian u16 |
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
use super::fault::bytes;
use super::image::Pixels;
use super::scratch::Scratch;
use super::split;
use super::table::{RawSamples, SampleValues};
use crate::error::Fault;
use crate::error::{Error, Result};
use crate::links;

const METADATA: &str = "set.json";
const PIXELS: &str = "pixels.u8";
const LABELS: &str = "labels.u16";

/// The version of this layout.
const FORMAT: u32 = 1;

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
    /// Pixels along a side of an image.
    pub side: usize,
    /// Images in all.
    pub images: usize,
    /// The number of training images, which come first; `null` if the set has no test split of its own.
    pub train: Option<usize>,
    /// Its source.
    pub source: String,
    /// SHA-256 over pixels, labels, and the metadata above that gives them meaning; in hexadecimal.
    pub sha256: String,
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
        self.format == FORMAT
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
    folder: PathBuf,
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
            let message = format!("is not of format {FORMAT}, or says what cannot be");
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

    /// Reads everything and checks the hash.
    pub(super) fn load(&self) -> Result<RawSamples> {
        let (labels, pixels) = (self.labels()?, self.pixels()?);
        let mut hash = Sha256::new();
        hash.update(&pixels.bytes);
        labels
            .iter()
            .for_each(|label| hash.update((*label as u16).to_le_bytes()));
        hash.update(self.metadata.meaning());
        let found = hex::encode(hash.finalize());
        if found != self.metadata.sha256 {
            let message = format!(
                "is damaged: its SHA-256 is {found}, and {METADATA} says {}",
                self.metadata.sha256
            );
            return Err(self.damaged(PIXELS, message));
        }
        Ok(RawSamples {
            classes: self.metadata.classes.clone(),
            values: SampleValues::Images(pixels),
            labels,
            train: self.metadata.train,
        })
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
        let path = self.folder.path().join(METADATA);
        let text =
            serde_json::to_vec_pretty(&self.metadata).map_err(|e| Error::file(&path, e.into()))?;
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

    /// The folder, for temporary files.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds images and their classes.
    pub(super) fn push(&mut self, pixels: &[u8], labels: impl Iterator<Item = u16>) -> Result<()> {
        self.hash.update(pixels);
        let before = self.labels.len();
        let bytes = labels.flat_map(u16::to_le_bytes);
        self.labels.extend(bytes);
        let images = (self.labels.len() - before) / 2;
        if let Some(size) = pixels.len().checked_div(images).filter(|size| *size > 0) {
            pixels
                .chunks_exact(size)
                .for_each(|image| self.repeats.see(image));
        }
        let path = self.folder.path().join(PIXELS);
        self.pixels
            .write_all(pixels)
            .map_err(|e| Error::file(&path, e))
    }

    /// Notes on duplicate images: [`Duplicates::notes`].
    pub(super) fn repeated(
        &self,
        train: Option<usize>,
        name: &dyn Fn(usize) -> String,
    ) -> Vec<String> {
        self.repeats.notes(&self.labels, train, name)
    }

    /// A note on classes without training samples with default settings.
    pub(super) fn note_on_untrained_classes(
        &self,
        classes: &[String],
        train: Option<usize>,
    ) -> Option<String> {
        let labels: Vec<u32> = self
            .labels
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]).into())
            .collect();
        split::note_on_untrained_classes(
            &split::by_default(&labels, classes.len(), train),
            &labels,
            classes,
        )
    }

    /// Writes the remaining files. Format, number of images and hash of `metadata` are filled in here.
    pub(super) fn finish(mut self, metadata: DataSetMetadata) -> Result<ReadyDataSet> {
        let path = self.folder.path().to_owned();
        let about_path = path.join(METADATA);
        self.hash.update(&self.labels);
        self.hash.update(metadata.meaning());
        let metadata = DataSetMetadata {
            format: FORMAT,
            images: self.labels.len() / 2,
            sha256: hex::encode(self.hash.finalize()),
            ..metadata
        };
        let text =
            serde_json::to_vec_pretty(&metadata).map_err(|e| Error::file(&about_path, e.into()))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = path.join(name);
            File::create_new(&path)
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
                .map_err(|e| Error::file(&path, e))
        };
        write(LABELS, &self.labels)?;
        write(METADATA, &text)?;
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
