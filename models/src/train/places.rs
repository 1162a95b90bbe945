//! Where a run's files lie.

use std::path::{Path, PathBuf};

/// Where a run's files lie.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of its checkpoints.
    pub checkpoints: PathBuf,
    /// Weights that it starts from, where it has no checkpoint; a file that need not be there.
    pub start: Option<PathBuf>,
    /// The folder of its film; `None` for a run without one.
    pub film: Option<PathBuf>,
    /// The image that the film follows: a file that may come, change and go. Without it the film follows the first
    /// sample of the test split.
    pub pinned: Option<PathBuf>,
}

/// Checkpoints alone.
impl From<&Path> for Places {
    fn from(checkpoints: &Path) -> Self {
        Self {
            checkpoints: checkpoints.to_owned(),
            start: None,
            film: None,
            pinned: None,
        }
    }
}
