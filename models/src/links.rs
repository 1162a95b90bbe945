//! Refuses links in the data folder: a run or a data set from elsewhere must not make this program read, serve or write
//! other files of the machine.
//!
//! The data folder itself may be a link. Its files are at most two folders below one of its own (`runs/ID/film/x`), so
//! a file is checked together with the two folders above it.

use std::fs::{self, File, FileType};
use std::io;
use std::path::Path;

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
#[error("{what} is {kind}: what lies in the data folder is not followed out of it")]
struct Refused {
    what: String,
    kind: &'static str,
}

/// Whether an error is a refusal of this module.
pub fn is_refusal(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Refused>())
}

/// Fails where `path`, or one of the two folders above it, is a link; or where `path` is neither a file nor a folder,
/// such as a pipe, on which a read would block. A missing path is no error.
///
/// # Errors
/// A refusal, which [`is_refusal`] recognises, or an error of the system.
pub fn refuse(path: &Path) -> io::Result<()> {
    let kind_of = |path: &Path| match fs::symlink_metadata(path) {
        Ok(about) => Ok(Some(about.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    for (above, part) in path.ancestors().take(3).enumerate() {
        if part.as_os_str().is_empty() {
            break;
        }
        let Some(kind) = kind_of(part)? else { continue };
        let is_special = above == 0 && !kind.is_file() && !kind.is_dir();
        let kind = match kind {
            _ if FileType::is_symlink(&kind) => "a link",
            _ if is_special => "not a file",
            _ => continue,
        };
        let what = match above {
            0 => "it".to_owned(),
            _ => part.display().to_string(),
        };
        return Err(io::Error::other(Refused { what, kind }));
    }
    Ok(())
}

/// Opens a file to read it.
///
/// # Errors
/// As [`refuse`], and when it cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    refuse(path)?;
    File::open(path)
}

/// The bytes of a file.
///
/// # Errors
/// As [`refuse`], and when it cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    refuse(path)?;
    fs::read(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_refused_up_to_two_folders_above() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("data"), folder.path().join("outside"));
        fs::create_dir_all(inside.join("runs/a/film")).unwrap();
        fs::create_dir_all(outside.join("a/film")).unwrap();
        for file in [
            inside.join("runs/a/film/frame"),
            outside.join("a/film/frame"),
        ] {
            fs::write(file, "x").unwrap();
        }
        assert_eq!(read(&inside.join("runs/a/film/frame")).unwrap(), b"x");
        let missing = open(&inside.join("runs/b/film/frame")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);

        symlink(
            outside.join("a/film/frame"),
            inside.join("runs/a/film/link"),
        )
        .unwrap();
        symlink(outside.join("a/film"), inside.join("runs/a/folder")).unwrap();
        symlink(outside.join("a"), inside.join("runs/b")).unwrap();
        symlink("/nowhere", inside.join("runs/a/nowhere")).unwrap();
        for refused in [
            "runs/a/film/link",
            "runs/a/folder/frame",
            "runs/b/film/frame",
            "runs/a/nowhere",
        ] {
            let error = open(&inside.join(refused)).unwrap_err();
            assert!(
                is_refusal(&error) && error.to_string().contains("is a link"),
                "{refused}: {error}"
            );
        }
        // The data folder itself may be one.
        let linked = folder.path().join("linked");
        symlink(&inside, &linked).unwrap();
        assert!(read(&linked.join("runs/a/film/frame")).is_ok());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(is_refusal(&open(&socket).unwrap_err()));
    }
}
