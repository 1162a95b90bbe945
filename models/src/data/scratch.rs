//! Scratch folders. Each is removed when its value is dropped; those of processes that died are recognised by their
//! locks, which the system releases however a process ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// The prefix of scratch folders.
const PREFIX: &str = ".draft-";

/// On file systems without locks, folders of this age count as abandoned.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A scratch folder.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    /// The lock, held while the folder is in use.
    _lock: Option<File>,
}

impl Scratch {
    /// Creates a scratch folder in `parent`.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(parent)?;
        let lock = File::open(folder.path()).ok();
        let lock = lock.filter(|file| file.try_lock().is_ok());
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps the folder, where it is or was moved to.
    pub fn keep(self) {
        let _ = self.folder.keep();
    }
}

/// Removes scratch folders of processes that died.
pub fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&path) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_abandoned(path: &PathBuf) -> bool {
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock)) => false,
        Ok(Err(TryLockError::Error(_))) | Err(_) => {
            let modified = fs::metadata(path).and_then(|about| about.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays_and_what_was_left_goes() {
        let parent = tempfile::tempdir().unwrap();
        let used = Scratch::new_in(parent.path()).unwrap();
        let left = Scratch::new_in(parent.path()).unwrap();
        let left_at = left.path().to_owned();
        fs::write(left_at.join("upload"), "half").unwrap();
        // As after the death of its process: the lock is free and the folder exists.
        left.keep();
        let other = parent.path().join("cats");
        fs::create_dir(&other).unwrap();
        sweep(parent.path());
        assert!(used.path().is_dir() && other.is_dir());
        assert!(!left_at.exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }
}
