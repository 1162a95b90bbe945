//! Paths of a run's files, and recorded facts about a resumed run.

use std::path::{Path, PathBuf};

/// Paths of a run's files.
#[derive(Clone, Debug)]
pub struct RunPaths {
    /// The folder of its checkpoints.
    pub checkpoints: PathBuf,
    /// The file of its graph, written when it first starts. `None` for a run whose graph is made of its settings each
    /// time.
    pub graph: Option<PathBuf>,
    /// Pretrained weights, for a run without a checkpoint; the file may be missing.
    pub start: Option<PathBuf>,
    /// Whether the last layer is not taken from these weights in any case.
    pub fresh_head: bool,
    /// Where these weights come from, as a sentence.
    pub start_note: Option<String>,
    /// The folder of its film; `None` for a run without one.
    pub film: Option<PathBuf>,
    /// The image that the film shows: a file that may appear, change and vanish. Without it the film shows the first
    /// sample of the test split.
    pub pinned: Option<PathBuf>,
    /// Recorded facts about a run that was trained before.
    pub record: Option<Record>,
}

/// Recorded facts about a resumed run: its compute configuration and its last events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Threads at its start.
    pub threads: Option<usize>,
    /// Name of the instructions at its start.
    pub instructions: Option<String>,
    /// SHA-256 of the data at its start.
    pub data_hash: Option<String>,
    /// The last recorded step.
    pub step: u64,
    /// The last epoch whose end was recorded.
    pub epoch: u64,
}

/// A run with checkpoints only.
impl From<&Path> for RunPaths {
    fn from(checkpoints: &Path) -> Self {
        Self {
            checkpoints: checkpoints.to_owned(),
            graph: None,
            start: None,
            fresh_head: false,
            start_note: None,
            film: None,
            pinned: None,
            record: None,
        }
    }
}
