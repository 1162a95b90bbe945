//! Follows `events.ndjson` as it grows: whole lines only, in order, from where one left off.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// Read at most this much at once, so that catching up on a long log stays bounded in memory.
const CHUNK: u64 = 1 << 18;

/// Reads the whole lines that follow byte `offset` of `path`, without their line ends.
///
/// Returns them with the offset after the last of them. A torn last line stays unread until
/// its end is written. A file that does not exist yet has no lines.
pub fn read_lines(path: &Path, offset: u64) -> Result<(Vec<String>, u64)> {
    read(path, offset).map_err(|e| Error::file(path, e))
}

/// The length of the log at `path` in bytes; a file that does not exist yet has none.
pub fn len(path: &Path) -> Result<u64> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::file(path, error)),
    }
}

fn read(path: &Path, offset: u64) -> io::Result<(Vec<String>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), offset)),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() <= offset {
        return Ok((Vec::new(), offset));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    let mut limit = CHUNK;
    // A single line may be longer than a chunk: read on until one line end is in it.
    let end = loop {
        let read = file.by_ref().take(limit).read_to_end(&mut bytes)?;
        if let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') {
            break end + 1;
        }
        if read == 0 {
            return Ok((Vec::new(), offset));
        }
        limit *= 2;
    };
    let lines = bytes[..end - 1]
        .split(|&byte| byte == b'\n')
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    Ok((lines, offset + end as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_read_once_and_a_torn_line_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        assert_eq!(read_lines(&path, 0).unwrap(), (vec![], 0));
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let (lines, offset) = read_lines(&path, 0).unwrap();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(read_lines(&path, offset).unwrap(), (vec![], offset));
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let (lines, end) = read_lines(&path, offset).unwrap();
        assert_eq!((lines, end), (vec!["three".to_owned()], 14));
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let long = "x".repeat(3 * CHUNK as usize);
        std::fs::write(&path, format!("{long}\nshort\n")).unwrap();
        let (lines, offset) = read_lines(&path, 0).unwrap();
        assert_eq!(lines[0], long);
        let rest = if lines.len() == 2 {
            lines[1..].to_vec()
        } else {
            read_lines(&path, offset).unwrap().0
        };
        assert_eq!(rest, ["short"]);
    }
}
