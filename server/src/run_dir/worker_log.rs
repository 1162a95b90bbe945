//! `worker.log`: the messages of a worker, for users. It is capped, so that a run with a warning at every step does not
//! fill the disk. A worker that resumes the run keeps the end of the log and has room for its own messages.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use vivarium_models::links;

use crate::error::{Error, Result};

/// The maximum size of the log.
pub const CAP: u64 = 1 << 20;

/// The part of a long log that is kept when it is opened again.
const KEPT: u64 = CAP / 2;

/// An append-only writer that ends with a notice at [`CAP`].
#[derive(Clone, Debug)]
pub struct WorkerLog(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    file: File,
    len: u64,
}

impl WorkerLog {
    /// Opens the log at `path` for appending. Only the end of a long log is kept.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = links::refuse(path)
            .and_then(|()| {
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .read(true)
                    .open(path)
            })
            .map_err(|e| Error::file(path, e))?;
        let len = shorten(&mut file).map_err(|e| Error::file(path, e))?;
        Ok(Self(Arc::new(Mutex::new(Inner { file, len }))))
    }
}

/// Shortens a long log to complete lines at its end, in place: a server may have it open. Returns its length.
fn shorten(file: &mut File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    if len <= KEPT {
        return Ok(len);
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(len - KEPT))?;
    (&mut *file).take(KEPT).read_to_end(&mut end)?;
    let line = end
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let kept = [&b"Earlier lines are not kept.\n"[..], &end[line..]].concat();
    file.set_len(0)?;
    file.write_all(&kept)?;
    Ok(kept.len() as u64)
}

impl Write for WorkerLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = inner.len;
        inner.len += bytes.len() as u64;
        if inner.len <= CAP {
            inner.file.write_all(bytes)?;
        } else if before <= CAP {
            inner
                .file
                .write_all(b"The log has reached its cap; what follows is not kept.\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last `limit` bytes of the log as text, from the beginning of a line; empty if there is no log.
pub fn tail(path: &Path, limit: u64) -> Result<String> {
    let mut file = match links::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(Error::file(path, error)),
    };
    let mut bytes = Vec::new();
    let cut = (|| {
        let start = file.metadata()?.len().saturating_sub(limit);
        file.seek(SeekFrom::Start(start))?;
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(start > 0)
    })()
    .map_err(|e| Error::file(path, e))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match text.split_once('\n') {
        Some((_, rest)) if cut => rest.to_owned(),
        _ => text.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stops_at_its_cap_and_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.log");
        let mut log = WorkerLog::open(&path).unwrap();
        let line = [b'x'; 1024];
        for _ in 0..2 * CAP / 1024 {
            log.write_all(&line).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() as u64 <= CAP + 100);
        assert_eq!(text.matches("reached its cap").count(), 1);
    }

    #[test]
    fn a_long_log_is_opened_again_with_its_end_and_room_for_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.log");
        // As from a worker whose libraries wrote to standard error, uncounted.
        let long: String = (0..400_000).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&path, &long).unwrap();
        let mut log = WorkerLog::open(&path).unwrap();
        log.write_all(b"here again\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!((text.len() as u64) < CAP, "{}", text.len());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "Earlier lines are not kept.");
        assert!(lines[1].starts_with("line "), "{}", lines[1]);
        assert_eq!(lines[lines.len() - 2..], ["line 399999", "here again"]);
        // A short log is left unchanged.
        std::fs::write(&path, "before\n").unwrap();
        drop(WorkerLog::open(&path).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\n");
    }

    #[test]
    fn the_tail_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.log");
        assert_eq!(tail(&path, 10).unwrap(), "");
        std::fs::write(&path, "first line\nsecond\n").unwrap();
        assert_eq!(tail(&path, 12).unwrap(), "second\n");
        assert_eq!(tail(&path, 100).unwrap(), "first line\nsecond\n");
    }
}
