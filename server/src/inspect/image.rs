//! The image that is shown to a network.

use std::path::PathBuf;

use uuid::Uuid;
use vivarium_models::data::Splits;
use vivarium_models::data::{Samples, Split};

use crate::error::{Error, Result};
use crate::images::Images;
use crate::images::pins::version;
use crate::run_dir::RunId;

/// An image as requests name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageRef {
    /// The image that the run's film follows.
    Pinned,
    /// A sample of the run's data.
    Sample(Split, usize),
    /// An uploaded image.
    Upload(Uuid),
}

impl ImageRef {
    /// Parses the parameter `image`.
    ///
    /// # Errors
    /// [`Error::Field`] for an unknown value.
    pub fn parse(word: &str) -> Result<Self> {
        let split = |name: &str| match name {
            "train" => Some(Split::Train),
            "validation" => Some(Split::Validation),
            "test" => Some(Split::Test),
            _ => None,
        };
        let sample = word.split_once(':').and_then(|(name, index)| {
            let plain = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
            let index = index.parse().ok().filter(|_| plain)?;
            Some(Self::Sample(split(name)?, index))
        });
        let upload = || {
            let id: Uuid = word.parse().ok()?;
            (id.to_string() == word).then_some(Self::Upload(id))
        };
        let found = (word == "pinned").then_some(Self::Pinned);
        found.or(sample).or_else(upload).ok_or_else(|| {
            let message =
                "must be “pinned”, the id of an uploaded image, or a sample such as “test:0”";
            Error::field("image", word, message)
        })
    }

    /// Resolves the reference.
    ///
    /// # Errors
    /// [`Error::Field`] when there is no such image.
    pub fn find(self, images: &Images, run: RunId) -> Result<ResolvedImage> {
        Ok(match self {
            Self::Sample(split, index) => ResolvedImage::Sample(split, index),
            Self::Pinned => match images.pins.of(run) {
                Some(pin) => ResolvedImage::File(pin.path, pin.version),
                None => ResolvedImage::First,
            },
            Self::Upload(id) => {
                let file = images.file(id).ok();
                let version = file.as_deref().and_then(version);
                let gone = || Error::field("image", id.to_string(), "is not here any more");
                let (file, version) = file.zip(version).ok_or_else(gone)?;
                ResolvedImage::File(file, version)
            }
        })
    }
}

/// A resolved reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedImage {
    /// A PNG and its version.
    File(PathBuf, String),
    /// A sample of the run's data.
    Sample(Split, usize),
    /// The first sample that the run is not trained on.
    First,
}

impl ResolvedImage {
    /// Identifies the image.
    pub fn key(&self) -> String {
        match self {
            Self::File(path, version) => format!("{} {version}", path.display()),
            Self::Sample(split, index) => format!("{}:{index}", split.name()),
            Self::First => "first".to_owned(),
        }
    }

    /// The split and index of a sample; `None` for a file.
    ///
    /// # Errors
    /// [`Error::Field`] when the split has no such sample.
    pub fn sample<'a>(&self, data: &'a Splits) -> Result<Option<(&'a Samples, usize)>> {
        let of = |split| match split {
            Split::Train => &data.train,
            Split::Validation => &data.validation,
            Split::Test => &data.test,
        };
        match self {
            Self::File(..) => Ok(None),
            Self::First => {
                let splits = [&data.test, &data.validation, &data.train];
                let first = splits.into_iter().find(|samples| !samples.is_empty());
                Ok(first.map(|samples| (samples, 0)))
            }
            Self::Sample(split, index) => {
                let samples = of(*split);
                if *index < samples.len() {
                    return Ok(Some((samples, *index)));
                }
                let message = format!("does not exist: {} has {}", split.name(), samples.len());
                Err(Error::field("image", self.key(), message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_in_three_ways_and_in_no_other() {
        let id = "0190a4b2-0000-7000-8000-000000000001";
        for (word, expected) in [
            ("pinned", ImageRef::Pinned),
            ("test:17", ImageRef::Sample(Split::Test, 17)),
            ("validation:0", ImageRef::Sample(Split::Validation, 0)),
            ("train:5", ImageRef::Sample(Split::Train, 5)),
            (id, ImageRef::Upload(id.parse().unwrap())),
        ] {
            assert_eq!(ImageRef::parse(word).unwrap(), expected);
        }
        for word in [
            "",
            "test",
            "test:",
            "test:-1",
            "test:+1",
            "other:1",
            "../x",
            "test:99999999999999999999999",
            "PINNED",
        ] {
            assert!(ImageRef::parse(word).is_err(), "{word}");
        }
    }
}
