//! The image that a run's film follows. It lies outside of the run's directory, in which nobody but the worker writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::files::replace;
use crate::run_dir::RunId;

/// The images that films follow.
pub struct Pins {
    folder: PathBuf,
}

/// A pinned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// A PNG.
    pub path: PathBuf,
    /// What was pinned, as it was called then; it may be gone.
    pub image: String,
    /// Other content, another version.
    pub version: String,
}

impl Pins {
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        Ok(Self { folder })
    }

    /// What is pinned for a run; `None` where nobody chose.
    pub fn of(&self, run: RunId) -> Option<Pin> {
        let path = self.file(run, "png");
        let version = version(&path)?;
        let about = fs::read(self.file(run, "json")).unwrap_or_default();
        let about: Value = serde_json::from_slice(&about).unwrap_or_default();
        let image = about["image"].as_str().unwrap_or("pinned").to_owned();
        Some(Pin {
            path,
            image,
            version,
        })
    }

    /// Pins an image for a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set(&self, run: RunId, image: &str, png: &[u8]) -> Result<()> {
        let about = json!({ "image": image }).to_string();
        replace(&self.file(run, "json"), about.as_bytes())?;
        replace(&self.file(run, "png"), png)
    }

    /// Forgets what was pinned for a run.
    pub fn remove(&self, run: RunId) {
        for kind in ["png", "json"] {
            let _ = fs::remove_file(self.file(run, kind));
        }
    }

    /// Forgets what was pinned for runs that are in none of these folders.
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

/// When a file was written and how long it is; `None` where there is none.
pub fn version(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let time = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{:x}-{:x}", time.as_nanos(), about.len()))
}
