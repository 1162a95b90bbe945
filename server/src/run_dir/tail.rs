//! Follows `events.ndjson` as it grows: complete lines, in order, from a given place.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use vivarium_models::links;

use crate::error::{Error, Result};

/// The most bytes read at once, so that memory stays bounded while catching up on a long log.
const CHUNK: u64 = 1 << 18;

/// How far a log has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The offset in bytes, just after a newline.
    pub offset: u64,
    /// The line that ends there; `None` at the start of the log.
    pub line: Option<Mark>,
}

/// The fingerprint of a line. Lines differ, since each has its number and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its length without the newline.
    pub bytes: u64,
    /// Its CRC-32C.
    pub crc: u32,
}

impl Mark {
    fn of(line: &[u8]) -> Self {
        Self {
            bytes: line.len() as u64,
            crc: crc32c::crc32c(line),
        }
    }
}

/// The content of a log after a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Following {
    /// Complete lines, without their newlines, and the place after the last of them. An incomplete last line is left
    /// until its newline is written.
    Lines(Vec<String>, Place),
    /// The log is not the one that was read so far: it was truncated, as by a power failure, or replaced.
    Another,
}

/// Reads the complete lines of `path` after a place. A file that does not exist has none.
pub fn read_on(path: &Path, place: Place) -> Result<Following> {
    read(path, place).map_err(|e| Error::file(path, e))
}

/// Whether the log at `path` is the one that was read up to `place`. True if the file does not exist.
pub fn is_continued(path: &Path, place: Place) -> Result<bool> {
    match links::open(path) {
        Ok(mut file) => continues(&mut file, place).map_err(|e| Error::file(path, e)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::file(path, error)),
    }
}

/// The length of the log at `path` in bytes; 0 if it does not exist yet.
pub fn len(path: &Path) -> Result<u64> {
    match links::refuse(path).and_then(|()| std::fs::metadata(path)) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::file(path, error)),
    }
}

fn continues(file: &mut File, place: Place) -> io::Result<bool> {
    if file.metadata()?.len() < place.offset {
        return Ok(false);
    }
    let Some(mark) = place.line else {
        return Ok(true);
    };
    let Some(start) = place.offset.checked_sub(mark.bytes + 1) else {
        return Ok(false);
    };
    // Including the newline before it.
    let before = u64::from(start > 0);
    file.seek(SeekFrom::Start(start - before))?;
    let mut bytes = Vec::new();
    file.take(before + mark.bytes + 1).read_to_end(&mut bytes)?;
    let line = match bytes.split_last() {
        Some((b'\n', rest)) if before == 0 => rest,
        Some((b'\n', [b'\n', rest @ ..])) => rest,
        _ => return Ok(false),
    };
    Ok(Mark::of(line) == mark)
}

fn read(path: &Path, place: Place) -> io::Result<Following> {
    let nothing = || Ok(Following::Lines(Vec::new(), place));
    let mut file = match links::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return nothing(),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == place.offset {
        return nothing();
    }
    if !continues(&mut file, place)? {
        return Ok(Following::Another);
    }
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    let mut limit = CHUNK;
    // A line may be longer than a chunk: read on until there is a newline.
    let end = loop {
        let read = file.by_ref().take(limit).read_to_end(&mut bytes)?;
        if let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') {
            break end;
        }
        if read == 0 {
            return nothing();
        }
        limit *= 2;
    };
    let lines = bytes[..end].split(|&byte| byte == b'\n');
    let place = Place {
        offset: place.offset + end as u64 + 1,
        line: lines.clone().next_back().map(Mark::of),
    };
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
    Ok(Following::Lines(lines.collect(), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_after(path: &Path, place: Place) -> (Vec<String>, Place) {
        match read_on(path, place).unwrap() {
            Following::Lines(lines, place) => (lines, place),
            Following::Another => panic!("it is the same log"),
        }
    }

    #[test]
    fn whole_lines_are_read_once_and_a_torn_line_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let start = Place::default();
        assert_eq!(lines_after(&path, start), (vec![], start));
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let (lines, place) = lines_after(&path, start);
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(lines_after(&path, place), (vec![], place));
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let (lines, end) = lines_after(&path, place);
        assert_eq!((lines, end.offset), (vec!["three".to_owned()], 14));
        assert!(is_continued(&path, end).unwrap() && is_continued(&path, place).unwrap());
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let long = "x".repeat(3 * CHUNK as usize);
        std::fs::write(&path, format!("{long}\nshort\n")).unwrap();
        let (lines, place) = lines_after(&path, Place::default());
        assert_eq!(lines[0], long);
        let rest = if lines.len() == 2 {
            lines[1..].to_vec()
        } else {
            lines_after(&path, place).0
        };
        assert_eq!(rest, ["short"]);
    }

    #[test]
    fn a_log_that_was_cut_back_or_replaced_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let place = lines_after(&path, Place::default()).1;
        let others = [
            // Truncated to a complete line, in the middle of one, to nothing; then extended beyond the place.
            "one\ntwo\n",
            "one\ntwo\nthr",
            "",
            "one\ntwo\nfour\nfive\n",
            // Another log of the same length, with the same end, or with newlines elsewhere.
            "one\ntwo\nTHREE\nfour\n",
            "one\ntwo three\nfour\n",
            "one\ntwo\nthree four\n",
        ];
        for other in others {
            std::fs::write(&path, other).unwrap();
            assert_eq!(
                read_on(&path, place).unwrap(),
                Following::Another,
                "{other:?}"
            );
            assert!(!is_continued(&path, place).unwrap(), "{other:?}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(
            is_continued(&path, place).unwrap(),
            "a file that is away says nothing"
        );
    }
}
