//! `board.json`: the description of a run that was imported instead of trained here.
//!
//! Such a directory has no `spec.json`, because it cannot be trained. `board/` has the original files, and
//! `events.ndjson` the values that were read from them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use vivarium_models::data::Library;
use vivarium_models::links;
use vivarium_models::spec::RunSpec;

use super::{RunDir, RunId};
use crate::error::{Error, Result};

/// The description of an imported run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportedRun {
    /// Its name at the import.
    pub name: String,
    /// The checksum of all its files: the same files are not imported twice.
    pub sha256: String,
    /// The folder that contained the files, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The source of its curves.
    pub source: Source,
    /// The curves that a user assigned to tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assigned: BTreeMap<String, String>,
    /// The hyperparameters in its files.
    #[serde(default)]
    pub hparams: Map<String, Value>,
}

/// The settings of a run as the API returns them: a RunSpec, or what is known of an imported run.
pub enum Settings {}

impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        let mut schema = RunSpec::schema();
        if let RefOr::T(Schema::Object(settings)) = &mut schema {
            let hparams = ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(AdditionalProperties::FreeForm(true)))
                .description(Some("The hyperparameters in the files of an imported run."));
            settings.required.clear();
            settings
                .properties
                .insert("hparams".to_owned(), hparams.into());
            settings.description = Some(
                "The settings of a run: its RunSpec in full. Of an imported run, its name and its hyperparameters."
                    .to_owned(),
            );
        }
        schema
    }
}

impl ToSchema for Settings {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Settings")
    }
}

/// The source of the curves of an imported run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// `tensorboard`.
    #[schema(pattern = "^tensorboard$")]
    pub kind: String,
    /// The event files with their original names.
    pub files: Vec<SourceFile>,
    /// The tag of each curve.
    pub series: BTreeMap<String, String>,
    /// Tags with charts of their own.
    #[serde(default)]
    #[schema(required)]
    pub own: Vec<String>,
    /// Tags of scalars that are not drawn.
    pub not_shown: Vec<String>,
    /// The number of tags of other kinds, such as histograms, by kind.
    pub other: BTreeMap<String, usize>,
    /// When the first value was written, RFC 3339.
    #[schema(format = DateTime)]
    pub began: Option<String>,
    /// When the last value was written, RFC 3339.
    #[schema(format = DateTime)]
    pub ended: Option<String>,
    /// Remarks, each a sentence.
    pub remarks: Vec<String>,
}

/// An imported file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceFile {
    /// Its path below the folder that was imported.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

impl ImportedRun {
    /// The curve that a tag is drawn as, or `own`; `None` if it is not drawn.
    pub fn curve_of(&self, tag: &str) -> Option<&str> {
        let mut series = self.source.series.iter();
        let series = series.find(|(_, of)| *of == tag);
        let own = self.source.own.iter().any(|own| own == tag);
        series
            .map(|(series, _)| series.as_str())
            .or_else(|| own.then_some("own"))
    }

    /// Tags that a user assigned and that the files do not contain.
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

    /// What the index stores instead of a RunSpec.
    pub fn spec(&self) -> Value {
        let mut spec = json!({"name": self.name, "source": self.source});
        if !self.hparams.is_empty() {
            spec["hparams"] = Value::Object(self.hparams.clone());
        }
        spec
    }
}

impl RunDir {
    /// The description of an imported run; `None` if the run was created here.
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

    /// Refuses an imported run, which has only curves.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an imported run.
    pub fn has_more_than_curves(&self) -> Result<()> {
        if self.imported_file().exists() {
            return Err(Error::Conflict(format!(
                "{} was imported from TensorBoard files, which have only its curves: there is nothing to train or to look into.",
                self.path().display()
            )));
        }
        Ok(())
    }

    /// The name of the run and its specification; of an imported run what replaces it.
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

    /// `board/`: the original files.
    pub fn imported_event_files(&self) -> PathBuf {
        self.path().join("board")
    }

    /// Moves a complete directory from elsewhere on the same disk to the runs with one rename, under a new id.
    pub fn publish(runs: &Path, filled: &Path) -> Result<(RunId, Self)> {
        fs::create_dir_all(runs).map_err(|e| Error::file(runs, e))?;
        let id = RunId::next();
        let dir = Self::of(runs, id);
        fs::rename(filled, dir.path()).map_err(|e| Error::file(dir.path(), e))?;
        super::sync_folder(runs)?;
        Ok((id, dir))
    }

    /// Exchanges this directory with another one on the same disk, atomically if the system supports it: a reader sees
    /// the old files or the new ones. Afterwards `filled` has the old ones.
    pub fn swap_with(&self, filled: &Path) -> Result<()> {
        exchange(self.path(), filled).map_err(|e| Error::file(self.path(), e))?;
        self.path().parent().map_or(Ok(()), super::sync_folder)
    }
}

/// Exchanges two directories.
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(()),
            // The file system cannot exchange; rename in three steps.
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
