//! What people call their runs, kept beside the index: a file for each run that was given a name, tags or notes.
//!
//! Everything else in the index can be read again from the run directories; this cannot, and a run directory is its
//! worker's. So each change of labels is written here before the index commits it, and when a server starts, what a
//! file says counts: whatever became of the index, and wherever a change was cut short.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vivarium_models::links;

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// What people call a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunLabels {
    /// Its name.
    pub name: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What is written about it.
    #[serde(default)]
    pub notes: String,
}

/// The folder of these files.
#[derive(Clone, Debug)]
pub struct LabelFiles {
    folder: PathBuf,
}

impl LabelFiles {
    /// The files in `folder`. What a process that died was writing goes.
    pub fn in_folder(folder: PathBuf) -> Self {
        remove_incoming(&folder);
        Self { folder }
    }

    /// The labels of a run, where it was given some. A file that cannot be read says nothing, and is told.
    pub fn get(&self, id: RunId) -> Option<RunLabels> {
        read(&self.path(id))
    }

    /// Writes the labels of a run in one step.
    pub fn save(&self, id: RunId, labels: &RunLabels) -> Result<()> {
        let text = serde_json::to_vec_pretty(labels).unwrap_or_default();
        write_atomically(&self.path(id), &text)
    }

    /// Forgets the labels of a run.
    pub fn remove(&self, id: RunId) -> Result<()> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path, error)),
            _ => Ok(()),
        }
    }

    /// Every run that was given labels.
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
