//! Files that are written completely or not at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;
use vivarium_models::links;

use crate::error::{Error, Result};
use crate::failpoint::failpoint;

/// The prefix of a file that is not complete yet.
pub(crate) const INCOMING: &str = ".incoming-";

/// Replaces a file atomically: after a power cut it has the old content or the new one.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e| Error::file(path, e);
    let folder = path.parent().unwrap_or(path);
    // The file itself may be a link: it is replaced, not followed.
    links::refuse(folder).map_err(failed)?;
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = NamedTempFile::with_prefix_in(INCOMING, folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    failpoint("file.written")?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Removes the partial files that a dead process left in a folder.
pub(crate) fn remove_incoming(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(INCOMING) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
