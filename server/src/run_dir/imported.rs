//! `board.json`: what a run is that no worker of ours trained, but whose curves were imported.
//!
//! Such a directory has no `spec.json`: there is nothing to train by. `board/` has the files as
//! they came, and `events.ndjson` what was read from them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vivarium_models::data::Library;
use vivarium_models::links;

use super::{RunDir, RunId};
use crate::error::{Error, Result};

/// An imported run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportedRun {
    /// Its name when it came.
    pub name: String,
    /// Of all its files: the same ones are not taken twice.
    pub sha256: String,
    /// The folder that its files were found in, where that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Where its curves are from.
    pub source: Source,
    /// What a person said that tags are to be drawn as.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assigned: BTreeMap<String, String>,
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
    /// Tags that have charts of their own.
    #[serde(default)]
    pub own: Vec<String>,
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

impl ImportedRun {
    /// What a tag is drawn as: a curve's name, or `own`; `None` where it is not drawn.
    pub fn curve_of(&self, tag: &str) -> Option<&str> {
        let mut series = self.source.series.iter();
        let series = series.find(|(_, of)| *of == tag);
        let own = self.source.own.iter().any(|own| own == tag);
        series
            .map(|(series, _)| series.as_str())
            .or_else(|| own.then_some("own"))
    }

    /// Tags that a person said something of, and that its files do not have.
    pub fn assigned_in_vain(&self) -> Vec<&String> {
        let Source {
            series,
            own,
            not_shown,
            ..
        } = &self.source;
        let there = |tag: &&String| {
            let mut all = series.values().chain(own).chain(not_shown);
            !all.any(|known| known == *tag)
        };
        self.assigned.keys().filter(there).collect()
    }

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
    pub fn imported(&self) -> Result<Option<ImportedRun>> {
        let path = self.imported_file();
        match links::read(&path) {
            Ok(bytes) => {
                let imported = serde_json::from_slice(&bytes);
                imported.map(Some).map_err(|e| Error::file(&path, e.into()))
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
        if self.imported_file().exists() {
            return Err(Error::Conflict(format!(
                "{} was imported from TensorBoard files, which have its curves alone: there is nothing to train or to look into.",
                self.path().display()
            )));
        }
        Ok(())
    }

    /// The name that the run came with, and its specification or, of an imported one, what stands in its place.
    pub fn name_and_spec(&self, library: &Library) -> Result<(String, Value)> {
        if let Some(imported) = self.imported()? {
            let spec = imported.spec();
            return Ok((imported.name, spec));
        }
        let spec = self.recorded_spec(library)?;
        let json =
            serde_json::to_value(&spec).map_err(|e| Error::json("the settings of a run", e))?;
        Ok((spec.name, json))
    }

    /// `board.json`.
    pub fn imported_file(&self) -> PathBuf {
        self.path().join("board.json")
    }

    /// `board/`: the files as they came.
    pub fn imported_event_files(&self) -> PathBuf {
        self.path().join("board")
    }

    /// Gives a directory that was filled elsewhere on the same disk its place among the runs, in one
    /// step: until then there is no such run, from then on it is whole.
    pub fn publish(runs: &Path, filled: &Path) -> Result<(RunId, Self)> {
        fs::create_dir_all(runs).map_err(|e| Error::file(runs, e))?;
        let id = RunId::next();
        let dir = Self::of(runs, id);
        fs::rename(filled, dir.path()).map_err(|e| Error::file(dir.path(), e))?;
        super::sync_folder(runs)?;
        Ok((id, dir))
    }

    /// Puts a directory that was filled elsewhere on the same disk in the place of this one, in one step where the system
    /// has one: who reads its files sees the old ones or the new ones. What was here lies at `filled` then.
    pub fn swap_with(&self, filled: &Path) -> Result<()> {
        exchange(self.path(), filled).map_err(|e| Error::file(self.path(), e))?;
        self.path().parent().map_or(Ok(()), super::sync_folder)
    }
}

/// Lets two directories change their places.
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(()),
            // The file system cannot; in steps, then.
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP,
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let backup = other.with_extension("before");
    fs::rename(one, &backup)?;
    if let Err(error) = fs::rename(other, one) {
        fs::rename(&backup, one)?;
        return Err(error);
    }
    fs::rename(&backup, other)
}
