//! Disk space that is set apart, so that a run can be deleted when the disk is full: recording a deletion takes space.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Enough for the labels of a run and for some pages of the index.
const BYTES: usize = 1 << 20;

/// The reserve is only created where this much is free.
const FREE_AT_LEAST: u64 = 16 << 20;

/// The reserve of a data folder: a file without meaning.
#[derive(Debug)]
pub(crate) struct Reserve(PathBuf);

impl Reserve {
    /// The reserve in the file at `path`.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Creates the reserve if there is none and there is space. Best effort.
    pub(crate) fn fill(&self) {
        let folder = self.0.parent().unwrap_or(&self.0);
        if self.0.exists() || free(folder).is_some_and(|free| free < FREE_AT_LEAST) {
            return;
        }
        if let Err(error) = self.write() {
            let _ = fs::remove_file(&self.0);
            tracing::debug!(%error, "there is no space for a reserve");
        }
    }

    /// Frees the space; returns whether there was a reserve.
    pub(crate) fn release(&self) -> bool {
        fs::remove_file(&self.0).is_ok()
    }

    fn write(&self) -> io::Result<()> {
        // Bytes that no file system can compress.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let noise = (0..BYTES / 8).flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let mut file = File::create(&self.0)?;
        file.write_all(&noise.collect::<Vec<_>>())?;
        file.sync_all()
    }
}

/// The free space of the disk that holds a folder, if the system reports it.
fn free(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_there_once_and_can_be_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reserve");
        let reserve = Reserve::at(path.clone());
        assert!(!reserve.release());
        for _ in 0..2 {
            reserve.fill();
            assert_eq!(fs::metadata(&path).unwrap().len(), BYTES as u64);
            assert!(reserve.release());
            assert!(!path.exists());
        }
    }
}
