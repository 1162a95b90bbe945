//! Files that are written completely or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// A file that a user named, which gets its name when it is complete. Until then it is a temporary file beside it; a pipe or
/// a device is written to directly.
pub(crate) enum OutFile {
    Temporary(NamedTempFile, PathBuf),
    Direct(fs::File),
}

impl OutFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let failed = |e| Error::file(path, e);
        if fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            let file = fs::File::create(path).map_err(failed)?;
            return Ok(Self::Direct(file));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(INCOMING);
        // Those of a new file; the user's mask applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        Ok(Self::Temporary(file.map_err(failed)?, path.to_owned()))
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        if let Self::Temporary(file, path) = self {
            file.persist(&path)
                .map_err(|e| Error::file(&path, e.error))?;
        }
        Ok(())
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary(file, _) => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary(file, _) => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

/// Removes the partial files that a dead process left in a folder.
pub(crate) fn remove_incoming(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(INCOMING) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
