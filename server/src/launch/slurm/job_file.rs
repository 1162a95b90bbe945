//! `job.json`: which job trains a run.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vivarium_models::links;

use crate::atomic_file::write_atomically;
use crate::error::{Error, Result};

/// The content of `job.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobFile {
    /// `slurm`.
    pub scheduler: String,
    /// What it was submitted with.
    pub submission: Uuid,
    /// Its place in the array.
    pub index: usize,
    /// The id of the job, such as `1234_5`.
    pub job: String,
    /// The machine that submitted it.
    pub host: String,
    /// When, RFC 3339.
    pub submitted: String,
    /// Whether it has ended.
    #[serde(default)]
    pub ended: bool,
}

impl JobFile {
    /// Reads a file; `None` if there is none, or if it is not complete.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&links::read(path).ok()?).ok()
    }

    /// Writes the file atomically.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).map_err(|e| Error::json("a job", e))?;
        write_atomically(path, &json)
    }

    /// Writes the end of a job, unless another process has submitted the next one already.
    pub(super) fn write_end(&self, path: &Path) -> Result<()> {
        // The ids of submissions grow with time.
        match Self::read(path) {
            Some(next) if next.submission > self.submission => Ok(()),
            _ => self.write(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_torn_at_any_byte_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.json");
        let file = JobFile {
            scheduler: "slurm".to_owned(),
            submission: Uuid::nil(),
            index: 3,
            job: "12_3".to_owned(),
            host: "login".to_owned(),
            submitted: "2026-11-01T00:00:00Z".to_owned(),
            ended: true,
        };
        assert_eq!(JobFile::read(&path), None);
        file.write_end(&path).unwrap();
        assert_eq!(JobFile::read(&path).as_ref(), Some(&file));
        let whole = std::fs::read(&path).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(JobFile::read(&path), None, "{end} bytes");
        }
        let next = JobFile {
            submission: Uuid::max(),
            ended: false,
            ..file.clone()
        };
        next.write(&path).unwrap();
        file.write_end(&path).unwrap();
        assert_eq!(JobFile::read(&path), Some(next));
    }
}
