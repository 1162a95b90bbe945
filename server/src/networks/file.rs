//! The file of a text. What is not a text is told, and never changed into one.

use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::SystemTime;

use vivarium_models::links;
use vivarium_models::networks::TextError;
use vivarium_models::networks::text::MAX_SOURCE;

use crate::error::{Error, Result};

/// A file that is there.
pub(super) struct TextFile {
    /// The text, or why there is none.
    pub(super) text: std::result::Result<String, TextError>,
    /// When it was changed last.
    pub(super) changed: SystemTime,
}

/// Reads a file; `None` if there is none.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<TextFile>> {
    match read_file(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(path, error)),
    }
}

fn read_file(path: &Path) -> io::Result<TextFile> {
    let file = links::open(path)?;
    let about = file.metadata()?;
    let changed = about.modified()?;
    let refuse = |message: String| TextFile {
        text: Err(TextError::at(1, 1, message)),
        changed,
    };
    if !about.is_file() {
        return Ok(refuse("is a folder, not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SOURCE {
        let size = about.len();
        return Ok(refuse(format!("has {size} bytes, more than {MAX_SOURCE}")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let whole = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + whole.iter().filter(|byte| **byte == b'\n').count();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        TextError::at(line, 1, format!("is not UTF-8 in line {line}"))
    });
    Ok(TextFile { text, changed })
}
