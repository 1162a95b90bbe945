//! Selections: sets of runs under a name that is short enough for a URL. The name is a hash of the runs, so the same
//! runs have the same URL and nobody can change what a URL means.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// The most runs of a selection.
pub const MOST_RUNS: usize = 10_000;

/// The maximum number of stored selections; the least recently used are removed first.
const MOST_KEPT: usize = 2_000;

/// The bytes of a name; 32 hexadecimal digits.
const NAME_BYTES: usize = 16;

/// Reading a selection marks it as used, at most once in this time.
const USED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize, Deserialize)]
struct Stored {
    runs: Vec<RunId>,
}

/// The folder of selections.
#[derive(Debug)]
pub struct Selections {
    folder: PathBuf,
}

impl Selections {
    /// The selections in `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        remove_incoming(&folder);
        Self { folder }
    }

    /// Stores runs, each once and in the given order, and returns the name.
    ///
    /// # Errors
    /// [`Error::Field`] when there are none or too many.
    pub fn save(&self, runs: &[RunId]) -> Result<String> {
        if runs.is_empty() || runs.len() > MOST_RUNS {
            let message = format!("must name between 1 and {MOST_RUNS} runs");
            return Err(Error::field("runs", Value::from(runs.len()), &message));
        }
        let mut seen = HashSet::new();
        let runs: Vec<_> = runs.iter().copied().filter(|id| seen.insert(*id)).collect();
        let mut hash = Sha256::new();
        for id in &runs {
            hash.update(id.to_string().as_bytes());
        }
        let name = hex::encode(&hash.finalize()[..NAME_BYTES]);
        let path = self.file(&name);
        if path.is_file() {
            touch(&path);
        } else {
            self.make_room()?;
            let text = serde_json::to_vec(&Stored { runs }).unwrap_or_default();
            write_atomically(&path, &text)?;
        }
        Ok(name)
    }

    /// The runs of a selection; some may have been deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no selection of this name.
    pub fn get(&self, name: &str) -> Result<Vec<RunId>> {
        let missing = || Error::NotFound(format!("selection “{name}”"));
        // A name must not be a path.
        let is_name = name.len() == 2 * NAME_BYTES
            && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_name {
            return Err(missing());
        }
        let path = self.file(name);
        let about = match fs::symlink_metadata(&path) {
            Ok(about) if about.is_file() => about,
            // A link may lead anywhere.
            Ok(_) => return Err(missing()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(Error::file(&path, error)),
        };
        let bytes = fs::read(&path).map_err(|e| Error::file(&path, e))?;
        let stored: Stored =
            serde_json::from_slice(&bytes).map_err(|e| Error::file(&path, e.into()))?;
        let used = about.modified().ok().and_then(|at| at.elapsed().ok());
        if used.is_some_and(|used| used > USED_EVERY) {
            touch(&path);
        }
        Ok(stored.runs)
    }

    fn make_room(&self) -> Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::file(&self.folder, error)),
        };
        let mut kept: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        if kept.len() < MOST_KEPT {
            return Ok(());
        }
        kept.sort();
        for (_, path) in &kept[..=kept.len() - MOST_KEPT] {
            fs::remove_file(path).map_err(|e| Error::file(path, e))?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

/// Marks a selection as used.
fn touch(path: &Path) {
    let opened = fs::File::options().append(true).open(path);
    let touched = opened.and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        tracing::debug!(%error, file = %path.display(), "a selection's time stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selections() -> (tempfile::TempDir, Selections) {
        let folder = tempfile::tempdir().unwrap();
        let selections = Selections::in_folder(folder.path().join("selections"));
        (folder, selections)
    }

    #[test]
    fn the_same_runs_have_the_same_name() {
        let (_folder, selections) = selections();
        let (a, b) = (RunId::next(), RunId::next());
        let name = selections.save(&[a, b, a]).unwrap();
        assert_eq!(selections.save(&[a, b]).unwrap(), name);
        assert_ne!(selections.save(&[b]).unwrap(), name);
        assert_eq!(selections.get(&name).unwrap(), [a, b]);
    }

    #[test]
    fn what_is_no_name_and_what_leads_elsewhere_is_not_found() {
        let (folder, selections) = selections();
        for name in ["", "../index", "0", &"0".repeat(32), &"A".repeat(32)] {
            assert!(
                matches!(selections.get(name), Err(Error::NotFound(_))),
                "{name}"
            );
        }
        let outside = folder.path().join("outside.json");
        fs::write(&outside, b"{\"runs\":[]}").unwrap();
        fs::create_dir_all(folder.path().join("selections")).unwrap();
        let name = "0".repeat(32);
        std::os::unix::fs::symlink(&outside, selections.file(&name)).unwrap();
        assert!(matches!(selections.get(&name), Err(Error::NotFound(_))));
    }

    #[test]
    fn a_selection_has_an_end_and_so_have_those_that_are_kept() {
        let (_folder, selections) = selections();
        let many: Vec<_> = (0..=MOST_RUNS).map(|_| RunId::next()).collect();
        assert!(matches!(selections.save(&many), Err(Error::Field(_))));
        assert!(matches!(selections.save(&[]), Err(Error::Field(_))));
        assert!(selections.save(&many[1..]).is_ok());
        for id in &many[..MOST_KEPT + 5] {
            selections.save(&[*id]).unwrap();
        }
        let kept = fs::read_dir(&selections.folder).unwrap().count();
        assert_eq!(kept, MOST_KEPT);
        let last = selections.save(&[many[MOST_KEPT + 4]]).unwrap();
        assert!(selections.get(&last).is_ok());
    }
}
