//! The folder of sweeps, one file each.
//!
//! While runs of a sweep are created, the future file lies beside the current one under another name. It is renamed
//! when the runs are in the index, and removed if they never get there.

use std::collections::HashMap;
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

/// The prefix of a sweep's file while its runs are created.
const ANNOUNCED: &str = ".announced-";

/// The content of a sweep's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The definition of its runs.
    #[serde(flatten)]
    pub spec: SweepSpec,
    /// In the order in which they were created; some may have been deleted.
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

    /// The id of a new sweep.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Writes the file of a sweep as it will be when its new runs exist.
    pub fn announce(&self, id: &str, sweep: &Sweep) -> Result<()> {
        let path = self.announced(id);
        let text = serde_json::to_vec_pretty(sweep).map_err(|e| Error::file(&path, e.into()))?;
        write_atomically(&path, &text)
    }

    /// Makes the announced file the sweep's: the runs exist.
    pub fn confirm(&self, id: &str) -> Result<()> {
        let path = self.file(id);
        fs::rename(self.announced(id), &path).map_err(|e| Error::file(&path, e))
    }

    /// Removes the announced file: the runs do not exist.
    pub fn withdraw(&self, id: &str) {
        let _ = fs::remove_file(self.announced(id));
    }

    /// Undoes a confirmation.
    pub fn revert(&self, id: &str, before: Option<&Sweep>) -> Result<()> {
        match before {
            Some(sweep) => {
                self.announce(id, sweep)?;
                self.confirm(id)
            }
            None => fs::remove_file(self.file(id)).map_err(|e| Error::file(self.file(id), e)),
        }
    }

    /// The announced sweeps, by id.
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
    /// [`Error::NotFound`] when there is no sweep with this id.
    pub fn get(&self, id: &str) -> Result<Sweep> {
        let missing = || Error::NotFound(format!("sweep “{id}”"));
        // An id must not be a path.
        let _: Uuid = id.parse().map_err(|_| missing())?;
        let path = self.file(id);
        let bytes = links::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => Error::file(&path, error),
        })?;
        serde_json::from_slice(&bytes).map_err(|e| Error::file(&path, e.into()))
    }

    /// All readable sweeps by id, newest first.
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

    /// The sweep of every run that is in one; used when the index is rebuilt.
    pub fn by_run(&self) -> HashMap<RunId, String> {
        let mut found = HashMap::new();
        // The newest comes first, and last here: it is the one that [`of`](Self::of) finds.
        for (id, sweep) in self.list().into_iter().rev() {
            found.extend(sweep.runs.into_iter().map(|run| (run, id.clone())));
        }
        found
    }

    /// The sweep that lists a run; used when a run is indexed by itself.
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
