//! A run's checkpoints on disk, and when they are written.
//!
//! | module | what it is |
//! |---|---|
//! | `snapshot` | weights and state of one moment |
//! | here | `last` and `best`, how often, and what is done with a damaged one |
//!
//! `last`, `previous` and `best` are complete checkpoints, so a run whose `last` is damaged resumes exactly from one of
//! the others. `best` and `last` may be hard links to the same files and so be damaged together; `previous` is
//! separate.

mod snapshot;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use snapshot::{Files, Snapshot, link, remove, rename, sync_folder};

use serde::Serialize;

use super::learner::Learner;
use super::progress::Progress;
use super::run_paths::Record;
use crate::error::{Error, Result};
use crate::tensor_file;

/// The least time between checkpoints at the ends of short epochs: an fsync takes longer than such an epoch.
const SHORTEST: Duration = Duration::from_secs(1);

/// The time between checkpoints within a long epoch.
const LONGEST: Duration = Duration::from_secs(30);

/// The least training time between checkpoints, as a multiple of the time that the last one took to write.
const PATIENCE: u32 = 10;

/// The checkpoints of one run.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    written: Instant,
    cost: Duration,
    /// Epochs and steps of `last` on disk.
    last: Option<(u64, u64)>,
    /// The best epoch, if it is not on disk yet.
    pending: Option<Snapshot>,
}

/// The starting point of a run.
pub(super) struct Start {
    pub(super) progress: Progress,
    /// A note for the user on checkpoints that could not be used.
    pub(super) notes: Vec<String>,
}

/// A usable checkpoint.
struct Found {
    snapshot: Snapshot,
    /// Its files, unless it is `best`.
    files: Option<Files>,
}

/// What a write contains.
pub(super) struct Written {
    pub(super) last: bool,
    pub(super) best: bool,
}

impl Checkpoints {
    /// Opens a folder of checkpoints, and creates it if it is missing.
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        let (written, cost) = (Instant::now(), Duration::ZERO);
        Ok(Self {
            folder: folder.to_owned(),
            written,
            cost,
            last: None,
            pending: None,
        })
    }

    /// Restores the learner from the newest usable checkpoint.
    ///
    /// A checkpoint that is ahead of the recorded events is skipped, so that no step is missing from them. If all are
    /// ahead, the newest is used all the same: the events are lost, but the training is not.
    pub(super) fn resume(
        &mut self,
        learner: &mut Learner,
        record: Option<&Record>,
    ) -> Result<Start> {
        // Left by a process that died while writing.
        remove_unfinished(&self.folder)?;
        let mut faults = Vec::new();
        let mut found = self.newest(learner, record, &mut faults);
        let mut hole = None;
        if found.is_none() && !faults.is_empty() && record.is_some() {
            found = self.newest(learner, None, &mut Vec::new());
            hole = record.filter(|_| found.is_some());
        }
        let Some(Found { snapshot, files }) = found else {
            return Ok(Start {
                progress: Progress::default(),
                notes: notes_on(faults, "The run starts again from its beginning."),
            });
        };
        let progress = snapshot.restore(learner)?;
        let consequence = match (&files, hole) {
            (_, Some(record)) => format!(
                "The run goes on after step {}, and what was told between step {} and that is lost.",
                progress.step, record.step
            ),
            (Some(_), None) => format!(
                "The checkpoint before it is used, of epoch {} and step {}.",
                progress.epoch, progress.step
            ),
            (None, None) => format!(
                "The run goes on from its best checkpoint, of epoch {}.",
                progress.epoch
            ),
        };
        if let Some(files) = files {
            self.make_last(&files)?;
            self.last = Some((progress.epoch, progress.step));
            self.relink_best(&progress)?;
        }
        Ok(Start {
            progress,
            notes: notes_on(faults, &consequence),
        })
    }

    /// The newest usable checkpoint. The faults of others are added to `faults`.
    fn newest(
        &self,
        learner: &Learner,
        record: Option<&Record>,
        faults: &mut Vec<String>,
    ) -> Option<Found> {
        let mut read = |names: &[&str]| {
            let candidates: Vec<_> = names.iter().map(|name| self.files(name)).collect();
            let (found, wrong) = Snapshot::read(&candidates, learner, record);
            faults.extend(wrong.iter().map(ToString::to_string));
            found
        };
        if let Some((snapshot, files)) = read(&["last", "previous"]) {
            let files = Some(files);
            return Some(Found { snapshot, files });
        }
        let (snapshot, _) = read(&["best"])?;
        let files = None;
        Some(Found { snapshot, files })
    }

    /// Renames the files of the restored checkpoint to `last`, if they have other names. Must come before the next
    /// write, which would otherwise move files of two positions to `previous`.
    fn make_last(&self, found: &Files) -> Result<()> {
        let last = self.files("last");
        let mut renamed = false;
        for (from, to) in [(&found.weights, &last.weights), (&found.state, &last.state)] {
            if from != to {
                rename(from, to)?;
                renamed = true;
            }
        }
        if renamed {
            sync_folder(&self.folder)?;
            self.remove_previous()?;
        }
        Ok(())
    }

    /// Removes `previous`, which a finished run does not need.
    pub(super) fn remove_previous(&self) -> Result<()> {
        let previous = self.files("previous");
        remove(&previous.weights)?;
        remove(&previous.state)
    }

    /// If the last checkpoint is the best, the process may have died before it was linked as `best`.
    fn relink_best(&self, progress: &Progress) -> Result<()> {
        if progress
            .best
            .as_ref()
            .is_some_and(|best| best.step == progress.step && progress.batch == 0)
        {
            self.link_best_to_last()?;
        }
        Ok(())
    }

    /// Whether a checkpoint is due, at the end of an epoch or within one.
    pub(super) fn due(&self, end_of_epoch: bool) -> bool {
        let least = if end_of_epoch { SHORTEST } else { LONGEST };
        self.written.elapsed() >= least.max(self.cost * PATIENCE)
    }

    /// Keeps the learner's state as the best epoch until the next write.
    pub(super) fn remember_best(&mut self, learner: &Learner, progress: &Progress) -> Result<()> {
        self.pending = Some(Snapshot::of(learner, progress)?);
        Ok(())
    }

    /// Writes `last`, and before it `best` if that is not on disk yet.
    ///
    /// A `best` that is ahead of `last` does no harm: training from `last` reaches the same epoch again.
    pub(super) fn write(&mut self, learner: &Learner, progress: &Progress) -> Result<Written> {
        let start = Instant::now();
        let best_is_now = progress.batch == 0
            && progress
                .best
                .as_ref()
                .is_some_and(|b| b.step == progress.step);
        let mut written = Written {
            last: false,
            best: false,
        };
        if best_is_now {
            self.pending = None;
        } else {
            written.best = self.write_pending_best()?;
        }
        if self.last != Some((progress.epoch, progress.step)) {
            self.write_last(learner, progress)?;
            written.last = true;
            if best_is_now {
                self.link_best_to_last()?;
                sync_folder(&self.folder)?;
                written.best = true;
            }
        }
        self.written = Instant::now();
        self.cost = start.elapsed();
        Ok(written)
    }

    /// Writes the best epoch if it is not on disk yet; returns whether it was written.
    pub(super) fn write_pending_best(&mut self) -> Result<bool> {
        let Some(snapshot) = &self.pending else {
            return Ok(false);
        };
        let (fresh, best) = (self.fresh("best"), self.files("best"));
        snapshot.write(&fresh)?;
        rename(&fresh.weights, &best.weights)?;
        rename(&fresh.state, &best.state)?;
        sync_folder(&self.folder)?;
        self.pending = None;
        Ok(true)
    }

    fn write_last(&mut self, learner: &Learner, progress: &Progress) -> Result<()> {
        let (fresh, last, previous) = (
            self.fresh("last"),
            self.files("last"),
            self.files("previous"),
        );
        snapshot::write_learner(&fresh, learner, progress)?;
        link(&last.weights, &previous.weights)?;
        link(&last.state, &previous.state)?;
        sync_folder(&self.folder)?;
        rename(&fresh.weights, &last.weights)?;
        rename(&fresh.state, &last.state)?;
        sync_folder(&self.folder)?;
        self.last = Some((progress.epoch, progress.step));
        Ok(())
    }

    /// Links the files of `last` as `best`.
    fn link_best_to_last(&self) -> Result<()> {
        let (last, fresh, best) = (self.files("last"), self.fresh("best"), self.files("best"));
        for (from, through, to) in [
            (&last.weights, &fresh.weights, &best.weights),
            (&last.state, &fresh.state, &best.state),
        ] {
            remove(through)?;
            if fs::hard_link(from, through).is_err() {
                fs::copy(from, through).map_err(|e| Error::file(through, e))?;
            }
            rename(through, to)?;
            // Renaming a hard link to another link of the same file does nothing.
            remove(through)?;
        }
        Ok(())
    }

    /// Loads the best epoch into the network.
    ///
    /// # Errors
    /// When the best checkpoint is damaged or of another epoch; the network is then unchanged.
    pub(super) fn load_best(&self, learner: &Learner, progress: &Progress) -> Result<()> {
        match &progress.best {
            Some(best) if best.step != progress.step => {
                let served = learner.served_model();
                let weights =
                    snapshot::read_weights(&self.files("best").weights, best.step, served)?;
                served.set_weights(&weights)
            }
            _ => Ok(()),
        }
    }

    fn files(&self, name: &str) -> Files {
        Files::named(&self.folder, name)
    }

    /// The temporary names of a checkpoint's files.
    fn fresh(&self, name: &str) -> Files {
        let files = self.files(name);
        let unfinished = |path: &Path| path.with_extension(UNFINISHED);
        Files {
            weights: unfinished(&files.weights),
            state: unfinished(&files.state),
        }
    }
}

/// The suffix of temporary names.
const UNFINISHED: &str = "safetensors.tmp";

/// The prefix of temporary files of the safetensors library.
const UNFINISHED_BY_LIBRARY: &str = ".tmp";

/// Removes temporary files of a process that died while writing; returns their number. No other process may be writing
/// in the folder.
///
/// # Errors
/// When the folder cannot be read or a file cannot be removed.
pub fn remove_unfinished(folder: &Path) -> Result<usize> {
    let failed = |e| Error::file(folder, e);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(error)),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let unfinished = name.ends_with(UNFINISHED) || name.starts_with(UNFINISHED_BY_LIBRARY);
        if unfinished && entry.file_type().map_err(failed)?.is_file() {
            remove(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The position in training of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointPosition {
    /// Complete epochs.
    pub epoch: u64,
    /// Completed steps.
    pub step: u64,
}

/// Reads the position from the metadata of a file of weights; `None` if it has none, as files of other programs.
///
/// # Errors
/// When the file cannot be read or is not safetensors.
pub fn checkpoint_position(weights: &Path) -> Result<Option<CheckpointPosition>> {
    let about = tensor_file::metadata(weights)?.unwrap_or_default();
    let number = |name| {
        about
            .get(name)
            .and_then(|number: &String| number.parse().ok())
    };
    let both = number(snapshot::EPOCH).zip(number(snapshot::STEP));
    Ok(both.map(|(epoch, step)| CheckpointPosition { epoch, step }))
}

/// One note with all faults and their consequence; `None` without faults.
fn notes_on(faults: Vec<String>, consequence: &str) -> Vec<String> {
    if faults.is_empty() {
        return faults;
    }
    vec![format!(
        "A checkpoint could not be used: {}. {consequence}",
        faults.join("; ")
    )]
}
