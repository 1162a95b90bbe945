//! Folders for what is on its way. Each goes when its value does; those of processes that died are told by their locks,
//! which the system gives back however a process ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// What the names of such folders begin with.
const PREFIX: &str = ".draft-";

/// Where folders cannot be locked, one that is so old is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder for what is on its way.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    /// Held as long as the folder is in use.
    _lock: Option<File>,
}

impl Scratch {
    /// A new folder in `parent`.
    ///
    /// # Errors
    /// When nothing can be made there.
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets the folder be where it is, or where it was moved.
    pub fn keep(self) {
        let _ = self.folder.keep();
    }
}

/// Removes from `parent` the folders of processes that died.
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
        // As after the death of its process: the lock is free and the folder is there.
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
