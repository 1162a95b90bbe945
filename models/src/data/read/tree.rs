//! What lies where in a zip or a folder of class folders. Names are read and judged, and never become paths.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::{Limits, fault, read_up_to, refused};
use crate::data::fault::{Fault, bytes, count};
use crate::error::{Error, Result};

/// A zip or a folder.
pub(super) enum Tree {
    Zip {
        path: PathBuf,
        archive: ZipArchive<BufReader<File>>,
        /// Bytes that may still be unpacked.
        left: u64,
    },
    Folder {
        path: PathBuf,
        left: u64,
    },
}

/// A file or folder in a tree.
pub(super) struct Node {
    /// Where it stands, part by part.
    pub(super) parts: Vec<String>,
    pub(super) is_folder: bool,
    /// Where [`Tree::read`] finds it.
    index: usize,
}

impl Node {
    /// Its name in the tree.
    pub(super) fn name(&self) -> String {
        self.parts.join("/")
    }
}

impl Tree {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let (path, left) = (path.to_owned(), limits.all_bytes);
        if path.is_dir() {
            return Ok(Self::Folder { path, left });
        }
        let file = File::open(&path).map_err(|e| Error::file(&path, e))?;
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|e| refused(&path, format!("cannot be read as a zip: {e}")))?;
        Ok(Self::Zip {
            path,
            archive,
            left,
        })
    }

    /// Everything in the tree, by name. Nothing is unpacked yet.
    ///
    /// # Errors
    /// When a name leads out of the tree, something is neither file nor folder, entries share bytes, or there are too
    /// many: such a tree is not looked at any further.
    pub(super) fn nodes(&mut self, limits: &Limits) -> Result<Vec<Node>> {
        let mut nodes = match self {
            Self::Zip { path, archive, .. } => zip_nodes(path, archive, limits)?,
            Self::Folder { path, .. } => folder_nodes(path, limits)?,
        };
        nodes.sort_by(|a, b| a.parts.cmp(&b.parts));
        Ok(nodes)
    }

    /// The bytes of a file; the inner error is what is wrong with it.
    ///
    /// # Errors
    /// When all files together are too large.
    pub(super) fn read(
        &mut self,
        node: &Node,
        limits: &Limits,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let most = limits.file_bytes;
        let (read, left) = match self {
            Self::Zip { archive, left, .. } => {
                let read = match archive.by_index(node.index) {
                    Ok(mut file) => read_up_to(&mut file, most + 1),
                    Err(error) => return Ok(Err(format!("cannot be unpacked: {error}"))),
                };
                (read, left)
            }
            Self::Folder { path, left } => {
                let file = node
                    .parts
                    .iter()
                    .fold(path.clone(), |path, part| path.join(part));
                let read = match File::open(&file) {
                    Ok(mut file) => read_up_to(&mut file, most + 1),
                    Err(error) => return Ok(Err(format!("cannot be opened: {error}"))),
                };
                (read, left)
            }
        };
        let (content, result) = read;
        *left = match left.checked_sub(content.len() as u64) {
            Some(left) => left,
            None => {
                return Err(refused(
                    Path::new(&node.name()),
                    format!(
                        "is one file too many: all together unpack to more than {}",
                        bytes(limits.all_bytes)
                    ),
                ));
            }
        };
        Ok(match result {
            Err(error) => Err(format!(
                "cannot be unpacked past {}: {error}",
                bytes(content.len() as u64)
            )),
            Ok(()) if content.len() as u64 > most => Err(format!("has more than {}", bytes(most))),
            Ok(()) => Ok(content),
        })
    }
}

fn zip_nodes(
    path: &Path,
    archive: &mut ZipArchive<BufReader<File>>,
    limits: &Limits,
) -> Result<Vec<Node>> {
    let broken = |e: zip::result::ZipError| refused(path, format!("cannot be read as a zip: {e}"));
    if archive.len() > limits.files {
        return Err(too_many(path, limits));
    }
    if archive.has_overlapping_entries().map_err(broken)? {
        let message = "has entries that share bytes, as only zip bombs have".to_owned();
        return Err(refused(path, message));
    }
    let mut nodes = Vec::new();
    let mut faults = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        let is_folder = name.ends_with(['/', '\\']) || kind == 0o040_000;
        match parts(&name) {
            Ok(_) if ![0, 0o040_000, 0o100_000].contains(&kind) => {
                let what = if kind == 0o120_000 {
                    "is a link"
                } else {
                    "is a device or a pipe"
                };
                faults.push(in_tree(name, what));
            }
            Ok(_) if entry.encrypted() => faults.push(in_tree(name, "is encrypted")),
            Ok(parts) if parts.is_empty() => {}
            Ok(parts) => nodes.push(Node {
                parts,
                is_folder,
                index,
            }),
            Err(what) => faults.push(in_tree(name, what)),
        }
    }
    // Names that differ to a zip and not to people, such as a/b and a//b.
    let mut names = BTreeSet::new();
    for node in &nodes {
        if !names.insert(&node.parts) && !node.is_folder {
            faults.push(in_tree(node.name(), "is there twice"));
        }
    }
    if faults.is_empty() {
        Ok(nodes)
    } else {
        Err(Error::Refused(faults))
    }
}

fn in_tree(file: String, message: &str) -> Fault {
    Fault {
        file,
        message: message.to_owned(),
    }
}

/// The parts of a name in a zip, or why it is refused.
fn parts(name: &str) -> std::result::Result<Vec<String>, &'static str> {
    if name.chars().any(char::is_control) {
        return Err("has a name with control characters");
    }
    if name.len() > 4096 {
        return Err("has a name that is too long");
    }
    let has_drive =
        name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with(['/', '\\']) || has_drive {
        return Err("has an absolute path");
    }
    let mut parts = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => return Err("has a path that leads out of the archive"),
            part => parts.push(part.to_owned()),
        }
    }
    Ok(parts)
}

fn folder_nodes(root: &Path, limits: &Limits) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut faults = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(parts) = open.pop() {
        let folder = parts
            .iter()
            .fold(root.to_owned(), |path, part| path.join(part));
        for entry in fs::read_dir(&folder).map_err(|e| Error::file(&folder, e))? {
            let entry = entry.map_err(|e| Error::file(&folder, e))?;
            // Links are not followed: this is the entry's own kind.
            let kind = entry
                .file_type()
                .map_err(|e| Error::file(entry.path(), e))?;
            let Ok(name) = entry.file_name().into_string() else {
                faults.push(fault(
                    &entry.path(),
                    "has a name that is no UTF-8".to_owned(),
                ));
                continue;
            };
            if nodes.len() >= limits.files {
                return Err(too_many(root, limits));
            }
            let parts = [&parts[..], &[name]].concat();
            if kind.is_dir() {
                open.push(parts.clone());
            } else if !kind.is_file() {
                let what = if kind.is_symlink() {
                    "is a link"
                } else {
                    "is a device or a pipe"
                };
                faults.push(in_tree(parts.join("/"), what));
                continue;
            }
            nodes.push(Node {
                parts,
                is_folder: kind.is_dir(),
                index: 0,
            });
        }
    }
    if faults.is_empty() {
        Ok(nodes)
    } else {
        Err(Error::Refused(faults))
    }
}

fn too_many(path: &Path, limits: &Limits) -> Error {
    refused(
        path,
        format!("has more than {} files", count(limits.files as u64)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../a",
            "a/../../b",
            "..",
            "/etc/passwd",
            "\\a",
            "C:\\a",
            "c:/a",
            "a\\..\\b",
            "a\0b",
            "a\nb",
        ] {
            assert!(parts(name).is_err(), "{name:?}");
        }
        assert_eq!(parts("a/./b//c.png").unwrap(), ["a", "b", "c.png"]);
        assert_eq!(parts("a\\b.png").unwrap(), ["a", "b.png"]);
        assert_eq!(parts("a..b/..c").unwrap(), ["a..b", "..c"]);
    }
}
