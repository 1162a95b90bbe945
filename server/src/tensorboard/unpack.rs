//! Extracts the event files of a log directory from a zip.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use vivarium_models::data::Fault;
use zip::ZipArchive;

use super::{find, refused};
use crate::error::{Error, Result};

/// The maximum number of entries of a zip.
const MOST_ENTRIES: usize = 100_000;

/// The maximum length of a path in bytes.
const LONGEST: usize = 1000;

/// The first bytes of a zip.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// Whether a file is a zip.
pub fn is_zip(path: &Path) -> Result<bool> {
    let mut head = [0; 4];
    let mut file = File::open(path).map_err(|e| Error::file(path, e))?;
    Ok(file.read_exact(&mut head).is_ok() && head == ZIP)
}

/// Extracts the event files of a zip below `folder`; `called` is the user's name for it. Of a damaged entry the part
/// before the damage is written. Returns the damaged ones.
///
/// # Errors
/// When it is not a readable zip, has paths outside of itself, no event file, or more than `most` bytes of them.
pub fn unpack(zip: &Path, called: &str, folder: &Path, most: u64) -> Result<Vec<Fault>> {
    let unreadable = |error: &dyn std::fmt::Display| {
        refused(called, format!("cannot be read as a zip: {error}"))
    };
    let file = File::open(zip).map_err(|e| Error::file(zip, e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| unreadable(&e))?;
    if archive.len() > MOST_ENTRIES {
        return Err(refused(
            called,
            format!(
                "has {} files; at most {MOST_ENTRIES} are looked at",
                archive.len()
            ),
        ));
    }
    let (mut left, mut found) = (most, false);
    let mut damaged = Vec::new();
    for i in 0..archive.len() {
        let name = archive.name_for_index(i).and_then(|name| name.ok());
        let name = name.map_or_else(String::new, |name| name.into_owned());
        let entry = match archive.by_index(i) {
            Ok(entry) => entry,
            Err(error) => {
                if name.contains(find::MARK) {
                    let file = format!("{called}/{}", shown(&name));
                    let message = format!("cannot be unpacked: {error}");
                    damaged.push(Fault { file, message });
                }
                continue;
            }
        };
        let name = entry.name().map_err(|e| unreadable(&e))?.into_owned();
        let inside =
            checked(&name).map_err(|fault| refused(format!("{called}/{}", shown(&name)), fault))?;
        if !entry.is_file()
            || !inside
                .file_name()
                .is_some_and(|file| file.to_string_lossy().contains(find::MARK))
        {
            continue;
        }
        found = true;
        let path = folder.join(&inside);
        let mut into = create(&path, &name)?;
        let (written, fault) = copy(&mut entry.take(left + 1), &mut into, &path)?;
        if let Some(fault) = fault {
            let file = format!("{called}/{name}");
            let message = format!("is damaged in its archive from byte {written} on: {fault}");
            damaged.push(Fault { file, message });
        }
        left = left.checked_sub(written).ok_or_else(|| {
            refused(
                called,
                format!("has more than {} MiB of event files", most >> 20),
            )
        })?;
    }
    if found || !damaged.is_empty() {
        Ok(damaged)
    } else {
        let message = format!(
            "holds no event files, which have “{}” in their names",
            find::MARK
        );
        Err(refused(called, message))
    }
}

/// Copies as far as `from` can be read. Returns the number of bytes and the error.
///
/// # Errors
/// Those of writing.
fn copy(from: &mut impl Read, into: &mut File, path: &Path) -> Result<(u64, Option<io::Error>)> {
    let (mut piece, mut written) = (vec![0; 1 << 16], 0);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok((written, None)),
            Ok(read) => {
                into.write_all(&piece[..read])
                    .map_err(|e| Error::file(path, e))?;
                written += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Ok((written, Some(error))),
        }
    }
}

/// Creates a file and the folders above it; `called` is the user's name for it.
///
/// # Errors
/// When another file is in the way.
pub fn create(path: &Path, called: &str) -> Result<File> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| File::create_new(path))
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                refused(called, "is there twice")
            }
            _ => Error::file(path, error),
        })
}

/// A foreign path, which must stay below the folder that it is placed in.
///
/// # Errors
/// When it does not, or is not a valid file name.
pub fn relative(name: &str) -> Result<PathBuf> {
    checked(name).map_err(|fault| refused(shown(name), fault))
}

/// A name shortened for messages.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

fn checked(name: &str) -> Result<PathBuf, &'static str> {
    if name.len() > LONGEST {
        return Err("has a name that is too long");
    }
    let mut path = PathBuf::new();
    for part in name.split(['/', '\\']) {
        match part {
            ".." => return Err("names a place outside of the folder"),
            "" if path.as_os_str().is_empty() => return Err("names a place outside of the folder"),
            "" | "." => {}
            part if part.chars().any(char::is_control)
                || part.contains(':')
                || part.len() > 255 =>
            {
                return Err("has a name that no file may have");
            }
            part => path.push(part),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder() {
        for name in ["a/b/events", "a\\b\\events", "./a/./b//events"] {
            assert_eq!(relative(name).unwrap(), Path::new("a/b/events"));
        }
        for name in [
            "../events",
            "a/../../events",
            "/etc/passwd",
            "\\\\host\\share",
            "C:\\events",
            "a\0b",
            "..\\events",
            "",
        ] {
            assert!(relative(name).is_err(), "{name:?}");
        }
    }
}
