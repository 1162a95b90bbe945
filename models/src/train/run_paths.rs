//! Where a run's files lie, and what is on record of a run that goes on.

use std::path::{Path, PathBuf};

/// Where a run's files lie.
#[derive(Clone, Debug)]
pub struct RunPaths {
    /// The folder of its checkpoints.
    pub checkpoints: PathBuf,
    /// Weights that it starts from, where it has no checkpoint; a file that need not be there.
    pub start: Option<PathBuf>,
    /// The folder of its film; `None` for a run without one.
    pub film: Option<PathBuf>,
    /// The image that the film follows: a file that may come, change and go. Without it the film follows the first
    /// sample of the test split.
    pub pinned: Option<PathBuf>,
    /// What is on record of the run, where it was trained before.
    pub record: Option<Record>,
}

/// What is on record of a run that goes on: what it began with, and how far it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Threads that it began with.
    pub threads: Option<usize>,
    /// Instructions that it began with, by their name.
    pub instructions: Option<String>,
    /// SHA-256 of the data that it began with.
    pub data_hash: Option<String>,
    /// The last step that was told.
    pub step: u64,
    /// The last epoch whose end was told.
    pub epoch: u64,
}

/// Checkpoints alone.
impl From<&Path> for RunPaths {
    fn from(checkpoints: &Path) -> Self {
        Self {
            checkpoints: checkpoints.to_owned(),
            start: None,
            film: None,
            pinned: None,
            record: None,
        }
    }
}
