//! Runs that are being created: complete directories without their names.
//!
//! A run is created in three steps: its directory is filled under a hidden name, its row is inserted into the index,
//! and the directory is renamed. The row decides: a starting server completes runs that have a row and removes those
//! that have none, so that a crash between any two steps leaves a complete run or nothing. Runs that are created
//! together get their rows in one transaction: all of them or none.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use vivarium_models::spec::RunSpec;

use super::start::StartWeights;
use super::{RunDir, RunId, sync_folder};
use crate::error::{Error, Result};
use crate::failpoint::failpoint;

/// The prefix of a directory without its name; the id follows.
const STAGED: &str = ".staged-";

/// Slow disks answer many requests at once.
const THREADS: usize = 32;

/// Up to this number they are created one after the other.
const FEW: usize = 8;

/// Fills the directories of new runs. They are complete on disk when this returns; an error leaves nothing.
/// Those in `starts` start from these weights.
pub fn stage(
    runs: &Path,
    planned: &[(RunId, RunSpec)],
    starts: &HashMap<RunId, StartWeights>,
) -> Result<()> {
    fs::create_dir_all(runs).map_err(|e| Error::file(runs, e))?;
    let hashes = Mutex::default();
    let staged = for_each(planned, |(id, spec)| {
        failpoint("run.stage")?;
        let start = starts.get(id).map(|start| (start, &hashes));
        fill(&staged(runs, *id), spec, start)
    });
    if staged.is_err() {
        let ids: Vec<_> = planned.iter().map(|(id, _)| *id).collect();
        remove(runs, &ids);
    }
    staged
}

/// Moves a directory that was filled elsewhere on the same disk to the staged runs.
pub fn adopt(runs: &Path, id: RunId, filled: &Path) -> Result<()> {
    fs::create_dir_all(runs).map_err(|e| Error::file(runs, e))?;
    let place = staged(runs, id);
    fs::rename(filled, &place).map_err(|e| Error::file(&place, e))
}

/// Renames staged directories to their final names.
pub fn publish(runs: &Path, ids: &[RunId]) -> Result<()> {
    for_each(ids, |id| {
        failpoint("run.name")?;
        let dir = RunDir::of(runs, *id);
        fs::rename(staged(runs, *id), dir.path()).map_err(|e| Error::file(dir.path(), e))
    })?;
    sync_folder(runs)
}

/// Removes staged and published directories of runs that are not created after all.
pub fn remove(runs: &Path, ids: &[RunId]) {
    for id in ids {
        for path in [staged(runs, *id), RunDir::of(runs, *id).path] {
            if let Err(error) = fs::remove_dir_all(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "a run that was not created is left over");
            }
        }
    }
}

/// The staged runs.
pub fn list(runs: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .strip_prefix(STAGED)?
                .parse()
                .ok()
        })
        .collect();
    found.sort_unstable();
    found
}

fn staged(runs: &Path, id: RunId) -> PathBuf {
    runs.join(format!("{STAGED}{id}"))
}

/// The hashes of files of weights that are known.
type Hashes = Mutex<HashMap<PathBuf, String>>;

fn fill(path: &Path, spec: &RunSpec, start: Option<(&StartWeights, &Hashes)>) -> Result<()> {
    let dir = RunDir::at(path);
    let checkpoints = dir.checkpoints();
    fs::create_dir_all(&checkpoints).map_err(|e| Error::file(&checkpoints, e))?;
    if let Some((start, hashes)) = start {
        let mut hashes = hashes.lock().unwrap_or_else(PoisonError::into_inner);
        start.place(&dir, spec, &mut hashes)?;
    }
    dir.write_spec(spec)
}

/// Calls `work` with each of `all`, in parallel if there are many.
fn for_each<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    if all.len() < FEW {
        return all.iter().try_for_each(work);
    }
    thread::scope(|scope| {
        let threads: Vec<_> = all
            .chunks(all.len().div_ceil(THREADS))
            .map(|part| scope.spawn(|| part.iter().try_for_each(&work)))
            .collect();
        let ended = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or(Err(Error::Gone("a thread that makes runs")))
        });
        ended.collect::<Vec<_>>().into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vivarium_models::data::Library;
    use vivarium_models::form;

    fn planned(count: usize) -> Vec<(RunId, RunSpec)> {
        let spec = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
        let spec = form::check(&spec, &Library::none()).unwrap();
        (0..count).map(|_| (RunId::next(), spec.clone())).collect()
    }

    #[test]
    fn runs_appear_whole_when_they_get_their_names() {
        for count in [1, 100] {
            let folder = tempfile::tempdir().unwrap();
            let runs = folder.path();
            let planned = planned(count);
            let ids: Vec<_> = planned.iter().map(|(id, _)| *id).collect();
            stage(runs, &planned, &HashMap::new()).unwrap();
            assert_eq!(super::super::list(runs).unwrap(), []);
            assert_eq!(list(runs), ids);
            publish(runs, &ids).unwrap();
            assert_eq!(list(runs), []);
            assert_eq!(super::super::list(runs).unwrap(), ids);
            for id in ids {
                let spec = RunDir::of(runs, id).spec(&Library::none()).unwrap();
                assert_eq!(spec, planned[0].1);
            }
        }
    }

    #[test]
    fn nothing_is_left_of_runs_that_cannot_be_staged() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path();
        let planned = planned(50);
        // A file where one of the directories would be.
        fs::write(staged(runs, planned[31].0), "").unwrap();
        assert!(stage(runs, &planned, &HashMap::new()).is_err());
        fs::remove_file(staged(runs, planned[31].0)).unwrap();
        assert_eq!(fs::read_dir(runs).unwrap().count(), 0);
    }
}
