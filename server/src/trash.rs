//! The trash: deleted runs, which can be restored for some days.
//!
//! A deleted run consists of its directory, moved here by a single rename, and a file beside it with what only the
//! index knew: name, tags and notes. The file is written before the directory moves here and removed after it has moved
//! back, so that an interrupted step can be completed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vivarium_models::links;

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::run_dir::{RunDir, RunId};

/// How long a deleted run is kept.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The prefix of a directory that is being deleted for good; the id follows.
const REMOVED: &str = ".removed-";

/// A run in the trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its notes.
    pub notes: String,
    /// Its number, which determines the colour of its line.
    pub number: i64,
    /// Whether it was training or queued when it was deleted.
    pub active: bool,
    /// When it was deleted, RFC 3339.
    #[schema(format = DateTime)]
    pub deleted: String,
    /// When it will be deleted for good, RFC 3339.
    #[schema(format = DateTime)]
    pub until: String,
}

impl Deleted {
    /// Sets the times.
    pub fn now(mut self) -> Self {
        let now = SystemTime::now();
        self.deleted = humantime::format_rfc3339_seconds(now).to_string();
        self.until = humantime::format_rfc3339_seconds(now + KEPT).to_string();
        self
    }

    fn is_expired(&self, now: SystemTime) -> bool {
        humantime::parse_rfc3339(&self.until).is_ok_and(|until| until <= now)
    }
}

/// The folder of deleted runs.
#[derive(Clone, Debug)]
pub struct Trash {
    folder: PathBuf,
    runs: PathBuf,
}

impl Trash {
    /// The trash in `folder` for the runs in `runs`.
    pub fn in_folder(folder: PathBuf, runs: PathBuf) -> Self {
        // Created while there is space: runs are often deleted because there is none.
        let _ = fs::create_dir_all(&folder);
        Self { folder, runs }
    }

    /// Records that a run is to be deleted. From here on the deletion is completed whatever happens.
    pub fn announce(&self, about: &Deleted) -> Result<()> {
        let path = self.about(about.id);
        let text = serde_json::to_vec_pretty(about).map_err(|e| Error::file(&path, e.into()))?;
        write_atomically(&path, &text)
    }

    /// Withdraws an announcement.
    ///
    /// # Errors
    /// When the file cannot be removed: then the next start deletes the run.
    pub fn withdraw(&self, id: RunId) -> Result<()> {
        let path = self.about(id);
        fs::remove_file(&path).map_err(|e| Error::file(&path, e))
    }

    /// Moves the directory of an announced run into the trash.
    pub fn move_in(&self, id: RunId) -> Result<()> {
        rename(RunDir::of(&self.runs, id).path(), &self.dir(id))
    }

    /// The runs in the trash, newest first.
    pub fn list(&self) -> Vec<Deleted> {
        let mut found: Vec<_> = self
            .records()
            .into_iter()
            .filter(|about| self.dir(about.id).is_dir())
            .collect();
        found.sort_by(|a, b| (&b.deleted, b.id).cmp(&(&a.deleted, a.id)));
        found
    }

    /// Moves a directory back among the runs and returns its record.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not in the trash.
    pub fn restore(&self, id: RunId) -> Result<Deleted> {
        let missing = || Error::NotFound(format!("deleted run {id}"));
        let about = self.read(&self.about(id)).ok_or_else(missing)?;
        if !self.dir(id).is_dir() {
            return Err(missing());
        }
        // If this is interrupted after the move, the run must not be deleted again.
        rename(&self.about(id), &self.returning(id))?;
        let back = failpoint("restore.announced")
            .and_then(|()| rename(&self.dir(id), RunDir::of(&self.runs, id).path()));
        if let Err(error) = back {
            rename(&self.returning(id), &self.about(id))?;
            return Err(error);
        }
        Ok(about)
    }

    /// The record of a run that is being restored.
    pub fn pending_restore(&self, id: RunId) -> Option<Deleted> {
        self.read(&self.returning(id))
    }

    /// Removes the record of a run that is restored with its labels.
    pub fn confirm_restore(&self, id: RunId) {
        let _ = fs::remove_file(self.returning(id));
    }

    /// Moves a run that could not be restored back into the trash.
    pub fn undo_restore(&self, id: RunId) -> Result<()> {
        rename(RunDir::of(&self.runs, id).path(), &self.dir(id))?;
        rename(&self.returning(id), &self.about(id))
    }

    /// Takes a run out of the trash with one rename, to be deleted with [`remove_detached`]. Returns the new path.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not in the trash.
    pub fn detach(&self, id: RunId) -> Result<PathBuf> {
        let dir = self.dir(id);
        if !dir.is_dir() {
            return Err(Error::NotFound(format!("deleted run {id}")));
        }
        let detached = self.folder.join(format!("{REMOVED}{id}"));
        rename(&dir, &detached)?;
        let _ = failpoint("trash.detached");
        let _ = fs::remove_file(self.about(id));
        Ok(detached)
    }

    /// Detaches all expired runs; returns their ids and paths.
    pub fn detach_expired(&self) -> Vec<(RunId, PathBuf)> {
        let now = SystemTime::now();
        let old = self
            .records()
            .into_iter()
            .filter(|about| about.is_expired(now));
        old.filter_map(|about| Some((about.id, self.detach(about.id).ok()?)))
            .collect()
    }

    /// Completes interrupted steps: moves announced runs into the trash and restored runs out of it. Returns the
    /// records of the latter.
    pub fn recover(&self) -> Vec<Deleted> {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(REMOVED) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        remove_incoming(&self.folder);
        for about in self.records() {
            let from = RunDir::of(&self.runs, about.id);
            if from.path().is_dir() && !self.dir(about.id).exists() {
                let _ = self.move_in(about.id);
            } else if !self.dir(about.id).exists() {
                let _ = fs::remove_file(self.about(about.id));
            }
        }
        let returning = self.files(".returning.json");
        let mut back = Vec::new();
        for about in returning.iter().filter_map(|path| self.read(path)) {
            if self.dir(about.id).is_dir() {
                let _ = rename(&self.returning(about.id), &self.about(about.id));
            } else if RunDir::of(&self.runs, about.id).path().is_dir() {
                back.push(about);
            } else {
                self.confirm_restore(about.id);
            }
        }
        back
    }

    fn dir(&self, id: RunId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    fn about(&self, id: RunId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn returning(&self, id: RunId) -> PathBuf {
        self.folder.join(format!("{id}.returning.json"))
    }

    fn records(&self) -> Vec<Deleted> {
        let files = self.files(".json");
        files.iter().filter_map(|path| self.read(path)).collect()
    }

    /// The files whose name is an id followed by `ending`.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let is_one = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.and_then(|name| name.strip_suffix(ending))
                .is_some_and(|id| id.parse::<RunId>().is_ok())
        };
        entries.map(|entry| entry.path()).filter(is_one).collect()
    }

    fn read(&self, path: &Path) -> Option<Deleted> {
        serde_json::from_slice(&links::read(path).ok()?).ok()
    }
}

/// Deletes the files of a detached run.
pub fn remove_detached(detached: &Path) -> Result<()> {
    let _ = failpoint("trash.forgotten");
    fs::remove_dir_all(detached).map_err(|e| Error::file(detached, e))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::file(from, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        trash: Trash,
        run: PathBuf,
        about: Deleted,
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join("runs");
        let id = RunId::next();
        let run = runs.join(id.to_string());
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("spec.json"), "{}").unwrap();
        let about = Deleted {
            id,
            name: "mine".into(),
            tags: vec!["final".into()],
            notes: "seen".into(),
            number: 7,
            active: false,
            deleted: String::new(),
            until: String::new(),
        }
        .now();
        Place {
            trash: Trash::in_folder(root.path().join("trash"), runs),
            _root: root,
            run,
            about,
        }
    }

    #[test]
    fn what_is_deleted_comes_back_as_it_was() {
        let Place {
            trash, run, about, ..
        } = &place();
        trash.announce(about).unwrap();
        trash.move_in(about.id).unwrap();
        assert!(!run.exists());
        assert_eq!(trash.list(), std::slice::from_ref(about));
        assert_eq!(trash.restore(about.id).unwrap(), *about);
        trash.confirm_restore(about.id);
        assert!(run.join("spec.json").exists());
        assert!(trash.list().is_empty());
        assert!(trash.restore(about.id).is_err());
    }

    #[test]
    fn a_deletion_that_was_cut_short_is_completed() {
        let Place {
            trash, run, about, ..
        } = &place();
        trash.announce(about).unwrap();
        assert!(trash.recover().is_empty());
        assert!(!run.exists());
        assert_eq!(trash.list().len(), 1);
    }

    #[test]
    fn a_return_that_was_cut_short_keeps_its_labels() {
        let Place {
            trash, run, about, ..
        } = &place();
        trash.announce(about).unwrap();
        trash.move_in(about.id).unwrap();
        // Interrupted before the move: still in the trash.
        fs::rename(trash.about(about.id), trash.returning(about.id)).unwrap();
        assert!(trash.recover().is_empty());
        assert_eq!(trash.list().len(), 1);
        // Interrupted after it: restored, with its record.
        trash.restore(about.id).unwrap();
        assert_eq!(trash.recover(), std::slice::from_ref(about));
        assert!(run.exists());
    }

    #[test]
    fn what_is_old_goes_for_good_and_nothing_else() {
        let Place {
            trash, run, about, ..
        } = &place();
        let old = Deleted {
            until: "2020-01-01T00:00:00Z".into(),
            ..about.clone()
        };
        trash.announce(about).unwrap();
        trash.move_in(about.id).unwrap();
        assert!(trash.detach_expired().is_empty());
        trash.announce(&old).unwrap();
        let detached = trash.detach_expired();
        assert_eq!(detached.len(), 1);
        assert_eq!(detached[0].0, about.id);
        assert!(trash.list().is_empty() && !run.exists());
        // Interrupted here, the next start deletes it.
        trash.recover();
        assert!(!detached[0].1.exists());
    }
}
