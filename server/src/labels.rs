//! Names, tags and notes of runs, stored beside the index: one file for each run that has any.
//!
//! Everything else in the index can be rebuilt from the run directories; labels cannot, and only the worker writes to a
//! run directory. So each change of labels is written here before the index commits it. When a server starts, the files
//! take precedence over the index.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vivarium_models::links;

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// The labels of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunLabels {
    /// Its name.
    pub name: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its notes.
    #[serde(default)]
    pub notes: String,
}

impl RunLabels {
    /// Whether they say more than the run's settings, which have the name `told`.
    pub fn say_more_than(&self, told: Option<&str>) -> bool {
        !self.tags.is_empty() || !self.notes.is_empty() || told != Some(&self.name)
    }
}

/// The folder of these files.
#[derive(Clone, Debug)]
pub struct LabelFiles {
    folder: PathBuf,
}

impl LabelFiles {
    /// The files in `folder`. Removes partial files of a process that died.
    pub fn in_folder(folder: PathBuf) -> Self {
        remove_incoming(&folder);
        Self { folder }
    }

    /// The labels of a run, if it has any. An unreadable file is logged and ignored.
    pub fn get(&self, id: RunId) -> Option<RunLabels> {
        read(&self.path(id))
    }

    /// Writes the labels of a run atomically.
    pub fn save(&self, id: RunId, labels: &RunLabels) -> Result<()> {
        let text = serde_json::to_vec_pretty(labels).unwrap_or_default();
        write_atomically(&self.path(id), &text)
    }

    /// Removes the labels of a run.
    pub fn remove(&self, id: RunId) -> Result<()> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path, error)),
            _ => Ok(()),
        }
    }

    /// All runs that have labels.
    pub fn list(&self) -> Vec<(RunId, RunLabels)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let labels = entries.filter_map(|entry| {
            let path = entry.path();
            let id = path.file_name()?.to_str()?.strip_suffix(".json")?;
            Some((id.parse().ok()?, read(&path)?))
        });
        labels.collect()
    }

    fn path(&self, id: RunId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> Option<RunLabels> {
    let bytes = match links::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "a run's labels cannot be read");
            return None;
        }
    };
    let labels = serde_json::from_slice(&bytes);
    labels
        .inspect_err(|error| {
            tracing::warn!(file = %path.display(), %error, "a run's labels cannot be read");
        })
        .ok()
}
