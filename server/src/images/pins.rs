//! The image that a run's film follows. It lies outside the run's directory, where only the worker writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use vivarium_models::inspect::film::pin_name;
use vivarium_models::links;

use crate::atomic_file::write_atomically;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::run_dir::RunId;

/// The images that films follow.
pub struct Pins {
    folder: PathBuf,
}

/// The JSON file beside the picture.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Record {
    /// The pinned image, as requests name it; `None` after unpinning.
    image: Option<String>,
    /// The version of the picture that this describes: the picture is written first.
    version: Option<String>,
    /// Earlier pins, so that their frames can name them.
    earlier: Vec<Earlier>,
}

/// An image that was pinned earlier.
#[derive(Clone, Deserialize, Serialize)]
struct Earlier {
    /// Its name in frames.
    name: String,
    /// Its name in requests.
    image: String,
}

/// The maximum number of earlier pins.
const MOST_EARLIER: usize = 100;

/// A pinned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// A PNG.
    pub path: PathBuf,
    /// The pinned image, as requests named it; it may have been deleted.
    pub image: String,
    /// Changes with the content.
    pub version: String,
}

impl Pins {
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        Ok(Self { folder })
    }

    /// The pinned image of a run; `None` if no user chose one.
    pub fn of(&self, run: RunId) -> Option<Pin> {
        let path = self.file(run, "png");
        // Other processes read this PNG: a link is not a pin.
        links::refuse(&path).ok()?;
        let version = version(&path)?;
        let record = self.record(run);
        // A record of another picture does not apply to this one.
        let of_this = record.version.is_none_or(|of| of == version);
        let image = record.image.filter(|_| of_this);
        let image = image.unwrap_or("pinned".to_owned());
        Some(Pin {
            path,
            image,
            version,
        })
    }

    /// The request name of an earlier pin that frames of a run call `name`.
    pub fn earlier(&self, run: RunId, name: &str) -> Option<String> {
        let all = self.record(run).earlier;
        all.into_iter()
            .rev()
            .find(|one| one.name == name)
            .map(|one| one.image)
    }

    /// Pins an image for a run.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn set(&self, run: RunId, image: &str, png: &[u8]) -> Result<()> {
        let mut record = self.next(run, Some(image));
        let path = self.file(run, "png");
        write_atomically(&path, png)?;
        let _ = failpoint("pin.written");
        record.version = version(&path);
        self.write(run, &record)
    }

    /// Unpins the image of a run, and remembers it as an earlier one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn unset(&self, run: RunId) -> Result<()> {
        let record = self.next(run, None);
        let path = self.file(run, "png");
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file(&path, e));
            }
            _ => {}
        }
        let _ = failpoint("pin.removed");
        self.write(run, &record)
    }

    fn record(&self, run: RunId) -> Record {
        let text = links::read(&self.file(run, "json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The record for the next pin; the current one joins the earlier ones.
    fn next(&self, run: RunId, image: Option<&str>) -> Record {
        let mut record = self.record(run);
        let before = links::read(&self.file(run, "png"));
        if let (Some(image), Ok(png)) = (record.image.take(), before) {
            let name = pin_name(&png);
            record.earlier.retain(|one| one.name != name);
            record.earlier.push(Earlier { name, image });
        }
        let spare = record.earlier.len().saturating_sub(MOST_EARLIER);
        record.earlier.drain(..spare);
        record.image = image.map(str::to_owned);
        record.version = None;
        record
    }

    fn write(&self, run: RunId, record: &Record) -> Result<()> {
        let path = self.file(run, "json");
        let text = serde_json::to_vec(record).map_err(|e| Error::file(&path, e.into()))?;
        write_atomically(&path, &text)
    }

    /// Removes all pins of a run.
    pub fn remove(&self, run: RunId) {
        for kind in ["png", "json"] {
            let _ = fs::remove_file(self.file(run, kind));
        }
    }

    /// Removes the pins of runs that are in none of these folders.
    pub fn keep(&self, folders: &[&Path]) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let run = name.split('.').next().unwrap_or_default();
            if run.is_empty() || !folders.iter().any(|runs| runs.join(run).is_dir()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn file(&self, run: RunId, kind: &str) -> PathBuf {
        self.folder.join(format!("{run}.{kind}"))
    }
}

/// Modification time and length of a file; `None` if there is no file.
pub fn version(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let time = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{:x}-{:x}", time.as_nanos(), about.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pinned_before_is_known_by_the_name_that_frames_have_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::open(folder.path().join("pins")).unwrap();
        let run = RunId::next();
        let names = || ["a", "b", "c"].map(|png| pins.earlier(run, &pin_name(png.as_bytes())));
        pins.set(run, "test:1", b"a").unwrap();
        assert_eq!(names(), [None, None, None]);
        pins.set(run, "test:2", b"b").unwrap();
        pins.unset(run).unwrap();
        assert!(pins.of(run).is_none());
        let known = |name: &str| Some(name.to_owned());
        assert_eq!(names(), [known("test:1"), known("test:2"), None]);
        pins.set(run, "test:3", b"c").unwrap();
        assert_eq!(pins.of(run).unwrap().image, "test:3");
        assert_eq!(names(), [known("test:1"), known("test:2"), None]);
        // As an earlier version wrote it.
        fs::write(pins.file(run, "json"), r#"{"image":"test:9"}"#).unwrap();
        assert_eq!(pins.of(run).unwrap().image, "test:9");
        pins.remove(run);
        assert_eq!(names(), [None, None, None]);
        pins.unset(run).unwrap();
    }
}
