//! The folder of evaluations: for each run a folder, and in it one for each checkpoint.
//!
//! | file | content |
//! |---|---|
//! | `SPLIT.f32` | the scores of the split's samples, row after row, as little-endian f32 |
//! | `SPLIT.targets` | their classes, as little-endian u32 |
//! | `SPLIT.json` | the evaluation; written last |

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use vivarium_models::data::Split;
use vivarium_models::links;

use super::scores_file::ScoresFile;
use crate::atomic_file::remove_incoming;
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// Changes with the content of the files, so that those of earlier versions are computed again.
const FORMAT: u32 = 3;

/// The size of all files.
const MAX_BYTES: u64 = 2 << 30;

/// The folder.
#[derive(Clone, Debug)]
pub struct EvaluationCache {
    folder: PathBuf,
    runs: PathBuf,
    trash: PathBuf,
}

/// The evaluations of a run at a checkpoint.
#[derive(Clone, Debug)]
pub struct Entry {
    folder: PathBuf,
}

impl EvaluationCache {
    /// The cache in a folder, for the runs in another one and in the trash.
    pub fn new(folder: PathBuf, runs: PathBuf, trash: PathBuf) -> Self {
        Self {
            folder,
            runs,
            trash,
        }
    }

    /// The folder of a run's evaluations.
    pub fn of_run(&self, run: RunId) -> PathBuf {
        self.folder.join(run.to_string())
    }

    /// Removes what a process left that was killed, the evaluations of runs and checkpoints that are gone, and the
    /// least recently used ones beyond the size of the cache. `kept` is the entry that was just used.
    ///
    /// # Errors
    /// When a folder cannot be read or removed.
    pub fn sweep(&self, kept: &Entry) -> Result<()> {
        let mut all = Vec::new();
        for run in folders(&self.folder)? {
            let name = run.file_name().unwrap_or_default();
            if !self.runs.join(name).exists() && !self.trash.join(name).exists() {
                remove(&run)?;
                continue;
            }
            for folder in folders(&run)? {
                let is_of_kept = folder.parent() == kept.folder.parent();
                let replaced = is_of_kept && folder != kept.folder && Entry::same(&folder, kept);
                if replaced {
                    remove(&folder)?;
                    continue;
                }
                remove_incoming(&folder);
                all.push((last_use(&folder), size(&folder)?, folder));
            }
        }
        all.sort();
        let mut bytes: u64 = all.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, folder) in all {
            if bytes <= MAX_BYTES {
                break;
            }
            if folder != kept.folder {
                remove(&folder)?;
                bytes -= size;
            }
        }
        Ok(())
    }
}

/// Identifies an evaluated checkpoint: of the content of its file and the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EvaluationVersion, value_type = String, example = "5d41402abc4b2a76")]
pub struct Version(String);

impl Version {
    const BYTES: usize = 8;

    /// The version of a checkpoint by that of its file, and by the hash of the data.
    pub(super) fn of(file: &str, data_hash: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [&FORMAT.to_string(), file, data_hash] {
            hash.update(part);
            hash.update([0]);
        }
        Self(hex::encode(&hash.finalize()[..Self::BYTES]))
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digit = |of: u8| of.is_ascii_digit() || (b'a'..=b'f').contains(&of);
        if text.len() == 2 * Self::BYTES && text.bytes().all(digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "must be {} hexadecimal digits, as an evaluation tells them",
            2 * Self::BYTES
        ))
    }
}

impl Entry {
    /// The entry of a checkpoint in the folder of its run.
    pub fn of(run: &Path, checkpoint: &str, Version(version): &Version) -> Self {
        Self {
            folder: run.join(format!("{checkpoint}-{version}")),
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name among all entries.
    pub fn name(&self) -> String {
        self.folder.display().to_string()
    }

    /// Whether a folder is of the same checkpoint, perhaps an earlier one of its name.
    fn same(folder: &Path, other: &Self) -> bool {
        let checkpoint = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            Some(name.split_once('-')?.0.to_owned())
        };
        checkpoint(folder) == checkpoint(&other.folder)
    }

    /// Whether it has the evaluation of a split.
    pub fn holds(&self, split: Split) -> bool {
        let files = [self.evaluation_file(split), self.scores_path(split)];
        files.iter().all(|file| file.is_file())
    }

    /// The evaluation of a split, as JSON.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn evaluation(&self, split: Split) -> Result<Vec<u8>> {
        let path = self.evaluation_file(split);
        // The least recently used entries are removed first.
        if let Ok(folder) = fs::File::open(&self.folder) {
            let _ = folder.set_modified(SystemTime::now());
        }
        links::read(&path).map_err(|e| Error::file(&path, e))
    }

    /// The scores of a split.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn scores(&self, split: Split) -> Result<ScoresFile> {
        ScoresFile::open(&self.scores_path(split), &self.targets_path(split))
    }

    pub(super) fn evaluation_file(&self, split: Split) -> PathBuf {
        self.folder.join(format!("{}.json", split.name()))
    }

    pub(super) fn scores_path(&self, split: Split) -> PathBuf {
        self.folder.join(format!("{}.f32", split.name()))
    }

    pub(super) fn targets_path(&self, split: Split) -> PathBuf {
        self.folder.join(format!("{}.targets", split.name()))
    }
}

/// The folders in a folder; none if it is missing.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::file(folder, e);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn last_use(folder: &Path) -> SystemTime {
    let modified = fs::metadata(folder).and_then(|about| about.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH)
}

fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(|e| Error::file(folder, e))? {
        let about = entry.and_then(|entry| entry.metadata());
        bytes += about.map_or(0, |about| about.len());
    }
    Ok(bytes)
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(|e| Error::file(folder, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &EvaluationCache, run: &str, entry: &str) -> Entry {
        let folder = cache.folder.join(run).join(entry);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("test.json"), "{}").unwrap();
        Entry { folder }
    }

    #[test]
    fn what_is_no_longer_of_use_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let [folder, runs, trash] = ["evaluations", "runs", "trash"].map(|of| root.path().join(of));
        fs::create_dir_all(runs.join("a")).unwrap();
        fs::create_dir_all(trash.join("b")).unwrap();
        let cache = EvaluationCache::new(folder, runs, trash);
        let earlier = put(&cache, "a", "best-1");
        let last = put(&cache, "a", "last-1");
        let deleted = put(&cache, "b", "best-1");
        let gone = put(&cache, "c", "best-1");
        let kept = put(&cache, "a", "best-2");
        fs::write(kept.folder.join(".incoming-x"), "half").unwrap();
        cache.sweep(&kept).unwrap();
        let there = [&earlier, &last, &deleted, &gone, &kept].map(|entry| entry.folder.exists());
        assert_eq!(there, [false, true, true, false, true]);
        assert!(!kept.folder.join(".incoming-x").exists());
        assert!(kept.folder.join("test.json").exists());
    }
}
