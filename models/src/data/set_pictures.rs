//! The images of a stored set, one at a time.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::fault::count;
use super::library::Library;
use super::photos::Originals;
use super::picture::Picture;
use super::stored::PIXELS;
use crate::error::{Error, Result};
use crate::links;

/// Reads single images of a stored set.
#[derive(Debug)]
pub struct SetPictures {
    /// SHA-256 of the set, in hexadecimal.
    pub sha256: String,
    images: usize,
    source: PictureSource,
}

#[derive(Debug)]
enum PictureSource {
    Pixels {
        path: PathBuf,
        file: File,
        channels: usize,
        side: usize,
    },
    Photos(Originals),
}

impl SetPictures {
    /// Opens the images of a set.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when the set is not in the library; when it cannot be read.
    pub fn open(set: &str, library: &Library) -> Result<Self> {
        let stored = library.open(set)?;
        let source = match &stored.metadata.photos {
            Some(metadata) => PictureSource::Photos(Originals::open(&stored.folder, metadata)?),
            None => {
                let path = stored.folder.join(PIXELS);
                PictureSource::Pixels {
                    file: links::open(&path).map_err(|e| Error::file(&path, e))?,
                    path,
                    channels: stored.metadata.channels,
                    side: stored.metadata.side,
                }
            }
        };
        Ok(Self {
            sha256: stored.metadata.sha256,
            images: stored.metadata.images,
            source,
        })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.images
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.images == 0
    }

    /// The path of a photo in what was imported; `None` for a set whose images have none.
    pub fn name(&self, sample: usize) -> Option<&str> {
        match &self.source {
            PictureSource::Pixels { .. } => None,
            PictureSource::Photos(originals) => {
                let photo = originals.photos.get(sample)?;
                Some(&photo.name)
            }
        }
    }

    /// One image, as it was imported.
    ///
    /// # Errors
    /// When there is no such image, or it cannot be read.
    pub fn picture(&self, sample: usize) -> Result<Picture> {
        if sample >= self.images {
            let message = format!(
                "must be an image of the set, from 0 to {}",
                count(self.images.saturating_sub(1) as u64)
            );
            return Err(Error::setting("sample", message));
        }
        match &self.source {
            PictureSource::Photos(originals) => match originals.photos.get(sample) {
                Some(photo) => originals.picture(photo),
                None => Err(Error::setting("sample", "is not in the set's index")),
            },
            PictureSource::Pixels {
                path,
                file,
                channels,
                side,
            } => {
                let plane = side * side;
                let mut bytes = vec![0; channels * plane];
                file.read_exact_at(&mut bytes, (sample * channels * plane) as u64)
                    .map_err(|e| Error::file(path, e))?;
                let rgb = (0..plane).flat_map(|pixel| {
                    let bytes = &bytes;
                    (0..3).map(move |channel| bytes[channel.min(channels - 1) * plane + pixel])
                });
                Ok(Picture {
                    width: *side,
                    height: *side,
                    rgb: rgb.collect(),
                })
            }
        }
    }
}
