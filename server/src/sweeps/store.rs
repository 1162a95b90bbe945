//! The folder of sweeps: a file for each.
//!
//! While runs of a sweep are made, the file as it will be lies beside it under another name. It gets its name when the
//! runs are in the index, and is removed when they never come there.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vivarium_models::links;

use super::SweepSpec;
use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// What the file of a sweep is called while its runs are made; its name follows.
const ANNOUNCED: &str = ".announced-";

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
        remove_incoming(&folder);
        Self { folder }
    }

    /// A new sweep's id.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Writes a sweep's file as it will be when its new runs are there.
    pub fn announce(&self, id: &str, sweep: &Sweep) -> Result<()> {
        let path = self.announced(id);
        let text = serde_json::to_vec_pretty(sweep).map_err(|e| Error::file(&path, e.into()))?;
        write_atomically(&path, &text)
    }

    /// The runs are there: the announced file is the sweep's from here on.
    pub fn confirm(&self, id: &str) -> Result<()> {
        let path = self.file(id);
        fs::rename(self.announced(id), &path).map_err(|e| Error::file(&path, e))
    }

    /// The runs are not there: the sweep stays as it was.
    pub fn withdraw(&self, id: &str) {
        let _ = fs::remove_file(self.announced(id));
    }

    /// Takes a confirmation back: the sweep is again what it was before.
    pub fn revert(&self, id: &str, before: Option<&Sweep>) -> Result<()> {
        match before {
            Some(sweep) => {
                self.announce(id, sweep)?;
                self.confirm(id)
            }
            None => fs::remove_file(self.file(id)).map_err(|e| Error::file(self.file(id), e)),
        }
    }

    /// The sweeps whose files wait for their runs, by id.
    pub fn pending(&self) -> Vec<(String, Sweep)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let found = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let id = name.strip_prefix(ANNOUNCED)?.strip_suffix(".json")?;
            let sweep = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
            Some((id.to_owned(), sweep))
        });
        found.collect()
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
        let bytes = links::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => Error::file(&path, error),
        })?;
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

    fn announced(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{ANNOUNCED}{id}.json"))
    }
}
