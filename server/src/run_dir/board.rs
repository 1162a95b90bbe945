//! `board.json`: what a run is that no worker of ours trained, but whose curves were imported.
//!
//! Such a directory has no `spec.json`: there is nothing to train by. `board/` has the files as
//! they came, and `events.ndjson` what was read from them.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vivarium_models::data::Library;
use vivarium_models::links;

use super::{RunDir, RunId};
use crate::error::{Error, Result};

/// An imported run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Board {
    /// Its name when it came.
    pub name: String,
    /// Of all its files: the same ones are not taken twice.
    pub sha256: String,
    /// Where its curves are from.
    pub source: Source,
    /// The settings that its files tell.
    #[serde(default)]
    pub hparams: Map<String, Value>,
}

/// Where the curves of an imported run are from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// `tensorboard`.
    pub kind: String,
    /// The event files, as they were called.
    pub files: Vec<SourceFile>,
    /// Which tag each curve is.
    pub series: BTreeMap<String, String>,
    /// Tags of scalars that are no curve here.
    pub not_shown: Vec<String>,
    /// Tags of other kinds, such as histograms, by kind: how many there are.
    pub other: BTreeMap<String, usize>,
    /// When the first value was written, RFC 3339.
    pub began: Option<String>,
    /// When the last value was written, RFC 3339.
    pub ended: Option<String>,
    /// What else is to be known, each a sentence.
    pub remarks: Vec<String>,
}

/// A file as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path below the folder that was imported.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

impl Board {
    /// What the index keeps in the place of a RunSpec.
    pub fn spec(&self) -> Value {
        let mut spec = json!({"name": self.name, "source": self.source});
        if !self.hparams.is_empty() {
            spec["hparams"] = Value::Object(self.hparams.clone());
        }
        spec
    }
}

impl RunDir {
    /// What is known of an imported run; `None` where the run was made here.
    pub fn board(&self) -> Result<Option<Board>> {
        let path = self.board_file();
        match links::read(&path) {
            Ok(bytes) => {
                let board = serde_json::from_slice(&bytes);
                board.map(Some).map_err(|e| Error::file(&path, e.into()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path, error)),
        }
    }

    /// Whether there is something to train by and to look into.
    ///
    /// # Errors
    /// [`Error::Conflict`] of an imported run.
    pub fn has_more_than_curves(&self) -> Result<()> {
        if self.board_file().exists() {
            return Err(Error::Conflict(format!(
                "{} was imported from TensorBoard files, which have its curves alone: there is nothing to train or to look into.",
                self.path().display()
            )));
        }
        Ok(())
    }

    /// The name that the run came with, and its specification or, of an imported one, what stands in its place.
    pub fn told(&self, library: &Library) -> Result<(String, Value)> {
        if let Some(board) = self.board()? {
            let spec = board.spec();
            return Ok((board.name, spec));
        }
        let spec = self.recorded_spec(library)?;
        let json = serde_json::to_value(&spec).map_err(|e| Error::BadRequest(e.to_string()))?;
        Ok((spec.name, json))
    }

    /// `board.json`.
    pub fn board_file(&self) -> PathBuf {
        self.path().join("board.json")
    }

    /// `board/`: the files as they came.
    pub fn board_files(&self) -> PathBuf {
        self.path().join("board")
    }

    /// Gives a directory that was filled elsewhere on the same disk its place among the runs, in one
    /// step: until then there is no such run, from then on it is whole.
    pub fn settle(runs: &Path, filled: &Path) -> Result<(RunId, Self)> {
        fs::create_dir_all(runs).map_err(|e| Error::file(runs, e))?;
        let id = RunId::next();
        let dir = Self::of(runs, id);
        fs::rename(filled, dir.path()).map_err(|e| Error::file(dir.path(), e))?;
        super::sync_folder(runs)?;
        Ok((id, dir))
    }
}
