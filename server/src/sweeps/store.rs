//! The folder of sweeps: a file for each.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SweepSpec;
use crate::error::{Error, Result};
use crate::files::replace;
use crate::run_dir::RunId;

/// A sweep as its file tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// What its runs are made from.
    #[serde(flatten)]
    pub spec: SweepSpec,
    /// In the order in which they were made; some may be gone.
    pub runs: Vec<RunId>,
}

/// The folder of sweeps.
#[derive(Clone, Debug)]
pub struct Sweeps {
    folder: PathBuf,
}

impl Sweeps {
    /// The sweeps in `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A new sweep's id.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Writes a sweep's file.
    pub fn save(&self, id: &str, sweep: &Sweep) -> Result<()> {
        let text = serde_json::to_vec_pretty(sweep).unwrap_or_default();
        replace(&self.file(id), &text)
    }

    /// A sweep.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none of that id.
    pub fn get(&self, id: &str) -> Result<Sweep> {
        let missing = || Error::NotFound(format!("sweep “{id}”"));
        // An id is no path.
        let _: Uuid = id.parse().map_err(|_| missing())?;
        let path = self.file(id);
        let bytes = fs::read(&path).map_err(|_| missing())?;
        serde_json::from_slice(&bytes).map_err(|e| Error::file(&path, e.into()))
    }

    /// Every sweep that can be read, by id, the newest first.
    pub fn list(&self) -> Vec<(String, Sweep)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.path();
                let id = path.file_stem()?.to_str()?.to_owned();
                let sweep = self.get(&id).ok()?;
                Some((id, sweep))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0));
        found
    }

    /// The sweep that names a run; asked when the index is rebuilt.
    pub fn of(&self, run: RunId) -> Option<String> {
        let mut sweeps = self.list().into_iter();
        sweeps.find_map(|(id, sweep)| sweep.runs.contains(&run).then_some(id))
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}
