//! The files of photos that a set is made of, and their index.
//!
//! | file | content |
//! |---|---|
//! | `photos.bin` | the photos' files, byte for byte, one after the other |
//! | `photos.ndjson` | a line for each photo: [`Photo`] |
//!
//! Neither changes once the set is there, and what a photo is called and shows does not depend on its class. So a version
//! of a set with other labels needs another `labels.u16` alone.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::super::fault::{bytes, count};
use super::super::picture::Picture;
use super::super::read::photo;
use super::super::scratch::Scratch;
use crate::error::{Error, Fault, Result};
use crate::links;

const FILES: &str = "photos.bin";
const INDEX: &str = "photos.ndjson";

/// A photo of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Photo {
    /// Its path in what was imported, from the folder of its class or split on.
    pub name: String,
    /// Where its file begins in `photos.bin`.
    pub offset: u64,
    /// The length of its file.
    pub bytes: u64,
    /// Pixels, with the EXIF orientation applied.
    pub width: u32,
    /// Pixels, with the EXIF orientation applied.
    pub height: u32,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// A difference hash of 128 bits, in hexadecimal: photos whose hashes differ in a few bits look alike.
    pub looks: String,
}

impl Photo {
    /// Pixels in all.
    pub(in crate::data) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// What is said of the photos in `set.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhotosMetadata {
    /// SHA-256 of the index, in hexadecimal. The index has that of each photo.
    pub sha256: String,
    /// Bytes of all photos.
    pub bytes: u64,
    /// The smallest, the median and the largest width.
    pub width: [u32; 3],
    /// The smallest, the median and the largest height.
    pub height: [u32; 3],
    /// Whether all photos are square.
    pub square: bool,
}

impl PhotosMetadata {
    fn of(index: &[u8], photos: &[Photo]) -> Self {
        let spread = |length: fn(&Photo) -> u32| {
            let mut lengths: Vec<u32> = photos.iter().map(length).collect();
            lengths.sort_unstable();
            let at = |place: usize| lengths.get(place).copied().unwrap_or_default();
            [
                at(0),
                at(lengths.len() / 2),
                at(lengths.len().saturating_sub(1)),
            ]
        };
        Self {
            sha256: hex::encode(Sha256::digest(index)),
            bytes: photos.iter().map(|photo| photo.bytes).sum(),
            width: spread(|photo| photo.width),
            height: spread(|photo| photo.height),
            square: photos.iter().all(|photo| photo.width == photo.height),
        }
    }
}

/// The photos of a stored set.
#[derive(Debug)]
pub(in crate::data) struct Originals {
    path: PathBuf,
    file: File,
    pub(in crate::data) photos: Vec<Photo>,
}

impl Originals {
    /// Opens the photos in the folder of a set, and checks their index.
    pub(in crate::data) fn open(folder: &Path, metadata: &PhotosMetadata) -> Result<Self> {
        let photos = index(folder, metadata)?;
        let path = folder.join(FILES);
        let file = links::open(&path).map_err(|e| Error::file(&path, e))?;
        let there = file.metadata().map_err(|e| Error::file(&path, e))?.len();
        if there != metadata.bytes {
            let message = format!(
                "must have {}, and has {}",
                bytes(metadata.bytes),
                bytes(there)
            );
            return Err(damaged(&path, message));
        }
        Ok(Self { path, file, photos })
    }

    /// The file of a photo, checked against its hash.
    pub(in crate::data) fn read(&self, photo: &Photo) -> Result<Vec<u8>> {
        let length = usize::try_from(photo.bytes).unwrap_or(usize::MAX);
        let mut content = vec![0; length];
        self.file
            .read_exact_at(&mut content, photo.offset)
            .map_err(|e| Error::file(&self.path, e))?;
        if hex::encode(Sha256::digest(&content)) != photo.sha256 {
            let message = format!("is damaged: {} is not what was imported", photo.name);
            return Err(damaged(&self.path, message));
        }
        Ok(content)
    }

    /// A photo, decoded.
    pub(in crate::data) fn picture(&self, photo: &Photo) -> Result<Picture> {
        let content = self.read(photo)?;
        let image = photo::whole(&content, photo.pixels());
        let image = image.map_err(|message| {
            Error::Refused(vec![Fault {
                file: photo.name.clone(),
                message,
            }])
        })?;
        Ok(image.into())
    }

    /// Reads every photo and checks its hash.
    pub(in crate::data) fn verify(&self) -> Result<()> {
        self.photos
            .iter()
            .try_for_each(|photo| self.read(photo).map(drop))
    }
}

fn damaged(path: &Path, message: String) -> Error {
    Error::Refused(vec![Fault {
        file: path.display().to_string(),
        message,
    }])
}

/// The photos of a set, by their index.
fn index(folder: &Path, metadata: &PhotosMetadata) -> Result<Vec<Photo>> {
    let path = folder.join(INDEX);
    let text = links::read(&path).map_err(|e| Error::file(&path, e))?;
    let found = hex::encode(Sha256::digest(&text));
    if found != metadata.sha256 {
        let expected = &metadata.sha256;
        let message = format!("is damaged: its SHA-256 is {found}, and set.json says {expected}");
        return Err(damaged(&path, message));
    }
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let photos: Result<Vec<Photo>> = lines
        .map(|line| serde_json::from_slice(line).map_err(|e| Error::file(&path, e.into())))
        .collect();
    let photos = photos?;
    let inside = |photo: &Photo| {
        let end = photo.offset.checked_add(photo.bytes);
        end.is_some_and(|end| end <= metadata.bytes) && photo.pixels() > 0
    };
    match photos.iter().position(|photo| !inside(photo)) {
        None => Ok(photos),
        Some(photo) => Err(damaged(
            &path,
            format!("says of photo {} what cannot be", count(photo as u64 + 1)),
        )),
    }
}

/// A set of photos under construction, in a scratch folder that is removed on drop unless the set is published.
#[derive(Debug)]
pub(in crate::data) struct PhotoSetWriter {
    pub(in crate::data) folder: Scratch,
    file: BufWriter<File>,
    pub(in crate::data) photos: Vec<Photo>,
    /// The class of each photo.
    pub(in crate::data) labels: Vec<u16>,
}

impl PhotoSetWriter {
    pub(in crate::data) fn new(folder: Scratch) -> Result<Self> {
        let path = folder.path().join(FILES);
        let file = File::create_new(&path).map_err(|e| Error::file(&path, e))?;
        Ok(Self {
            folder,
            file: BufWriter::new(file),
            photos: Vec::new(),
            labels: Vec::new(),
        })
    }

    /// Adds a photo of a class. Its place and hash are filled in here.
    pub(in crate::data) fn push(&mut self, photo: Photo, content: &[u8], class: u16) -> Result<()> {
        let path = self.folder.path().join(FILES);
        self.file
            .write_all(content)
            .map_err(|e| Error::file(&path, e))?;
        let last = self.photos.last();
        self.photos.push(Photo {
            offset: last.map_or(0, |last| last.offset + last.bytes),
            bytes: content.len() as u64,
            sha256: hex::encode(Sha256::digest(content)),
            ..photo
        });
        self.labels.push(class);
        Ok(())
    }

    /// Writes the index and makes both files durable.
    pub(in crate::data) fn finish(&mut self) -> Result<PhotosMetadata> {
        let (files, path) = (
            self.folder.path().join(FILES),
            self.folder.path().join(INDEX),
        );
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|e| Error::file(&files, e))?;
        let mut text = Vec::new();
        for photo in &self.photos {
            serde_json::to_writer(&mut text, photo).map_err(|e| Error::file(&path, e.into()))?;
            text.push(b'\n');
        }
        fs::File::create_new(&path)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .map_err(|e| Error::file(&path, e))?;
        Ok(PhotosMetadata::of(&text, &self.photos))
    }
}
