//! The advisory lock of a run: while it is free, no worker is running.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use vivarium_models::links;

use crate::error::{Error, Result};

/// A process that calls [`is_held`] has the lock for an instant; a worker that starts then must not mistake it for
/// another worker.
const PATIENCE: Duration = Duration::from_secs(1);

/// A run's lock, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path` and writes the id of this process into it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    pub fn take(path: &Path) -> Result<Self> {
        let mut file = open(path)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked {
                        path: path.to_owned(),
                        pid: holder(path),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(Error::file(path, error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|e| Error::file(path, e))?;
        Ok(Self { _file: file })
    }
}

/// Holds the lock at `path` briefly, so that no worker starts; `None` if one is running, or never did.
pub(super) fn hold(path: &Path) -> Result<Option<File>> {
    let file = match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file(path, error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::file(path, error)),
    }
}

/// Whether a process holds the lock at `path`.
pub fn is_held(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    match open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Error::file(path, error)),
    }
}

/// The process id that the last holder wrote; only meaningful while [`is_held`].
pub fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    links::open(path)
        .ok()?
        .take(32)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

fn open(path: &Path) -> Result<File> {
    let options = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .clone();
    links::refuse(path)
        .and_then(|()| options.open(path))
        .map_err(|e| Error::file(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        assert!(is_held(&path).unwrap());
        assert_eq!(holder(&path), Some(std::process::id()));
        assert!(matches!(
            Lock::take(&path),
            Err(Error::Locked { pid: Some(_), .. })
        ));
        drop(first);
        assert!(!is_held(&path).unwrap());
        Lock::take(&path).unwrap();
    }
}
