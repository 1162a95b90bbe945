//! The content of an archive or a folder. Names are checked, and never used as paths.
//!
//! | module | what it is |
//! |---|---|
//! | `folder` | a folder on disk; links are followed |
//! | `zip` | a zip, with common compression methods |
//! | `tar` | a tar, compressed or not |
//! | `names` | decodes the names of a tree, all in one encoding |

mod folder;
mod names;
mod tar;
mod zip;

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ::zip::ZipArchive;

use super::kind::{self, HEAD, Packed};
use super::{ImportLimits, Target, fault, read_up_to, refused};
use crate::data::fault::{bytes, count};
use crate::error::Fault;
use crate::error::{Error, Result};

/// An archive, a folder or a single file.
pub(super) struct Tree {
    source: Source,
    /// Bytes that may still be unpacked, of the limit.
    left: u64,
    nodes: Vec<Node>,
    /// Faults of unreadable entries.
    pub(super) unreadable: Vec<Fault>,
    /// Notes on the tree.
    pub(super) notes: Vec<String>,
}

enum Source {
    Zip(ZipArchive<BufReader<File>>),
    /// A tar, unpacked.
    Tar(File),
    /// A folder on disk, whose files have paths.
    Files,
    /// A single file that is not an archive.
    One,
}

/// A file or folder in a tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The components of its path, in Unicode NFC.
    pub(super) parts: Vec<String>,
    pub(super) is_folder: bool,
    place: Place,
}

/// The location of a file's bytes.
#[derive(Clone, Debug)]
enum Place {
    /// A folder has none.
    None,
    Entry(usize),
    Bytes {
        from: u64,
        length: u64,
    },
    File(PathBuf),
}

impl Node {
    /// Its name in the tree.
    pub(super) fn name(&self) -> String {
        self.parts.join("/")
    }
}

/// The entries of a tree, before its names are decoded.
#[derive(Default)]
struct Listing {
    entries: Vec<Listed>,
    /// Why the whole tree is refused.
    faults: Vec<Fault>,
    unreadable: Vec<Fault>,
}

struct Listed {
    name: names::RawName,
    is_folder: bool,
    place: Place,
}

impl Tree {
    /// Opens an archive or a folder and lists its content. A compressed tar is unpacked to an unnamed temporary file;
    /// nothing else is unpacked yet.
    ///
    /// # Errors
    /// When a name leads out of the tree, an entry is neither file nor folder, entries overlap, or there are too many;
    /// or for a file that is not a supported archive.
    pub(super) fn open(
        path: &Path,
        target: &Target<'_>,
        limits: &ImportLimits,
        on_progress: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Self> {
        let about = fs::metadata(path).map_err(|e| Error::file(path, e))?;
        if about.is_dir() {
            return Self::of(path, Source::Files, folder::list(path, limits)?, limits);
        }
        let mut file = File::open(path).map_err(|e| Error::file(path, e))?;
        let (head, _) = read_up_to(&mut file, HEAD as u64);
        file.rewind().map_err(|e| Error::file(path, e))?;
        match kind::packed(&head) {
            Some(Packed::Zip) => {
                let (archive, listing) = zip::open(path, file, limits)?;
                Self::of(path, Source::Zip(archive), listing, limits)
            }
            Some(Packed::SplitZip) => Err(refused(path, zip::SPLIT.to_owned())),
            Some(Packed::Other(what)) => Err(refused(
                path,
                format!(
                    "is {what}, which is not read; unpack it and give the folder, or pack it as a zip or a tar.gz"
                ),
            )),
            Some(Packed::Tar) => {
                let listing = tar::list(path, &file, limits)?;
                Self::of(path, Source::Tar(file), listing, limits)
            }
            Some(packed @ (Packed::Gzip | Packed::Bzip2 | Packed::Xz)) => {
                match tar::unpack(path, file, packed, target, limits, on_progress)? {
                    Some(file) => {
                        let listing = tar::list(path, &file, limits)?;
                        Self::of(path, Source::Tar(file), listing, limits)
                    }
                    // A single compressed file, such as those of MNIST.
                    None => Self::of(path, Source::One, folder::of_one(path), limits),
                }
            }
            None if super::idx::is_idx(&head) => {
                Self::of(path, Source::One, folder::of_one(path), limits)
            }
            None => Err(refused(path, no_archive(&head))),
        }
    }

    fn of(path: &Path, source: Source, listing: Listing, limits: &ImportLimits) -> Result<Self> {
        let Listing {
            entries,
            mut faults,
            unreadable,
        } = listing;
        let (of_all, places): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .map(|entry| (entry.name, (entry.is_folder, entry.place)))
            .unzip();
        let decoded = names::decode(&of_all);
        let mut nodes = Vec::new();
        for (name, (is_folder, place)) in decoded.names.iter().zip(places) {
            match names::parts(name) {
                Ok(parts) if parts.is_empty() => {}
                Ok(parts) => nodes.push(Node {
                    parts,
                    is_folder: is_folder || name.ends_with('\\'),
                    place,
                }),
                Err(what) => faults.push(in_tree(name.clone(), what)),
            }
        }
        nodes.sort_by(|a, b| a.parts.cmp(&b.parts));
        // Names that differ only in form, such as a/b and a//b.
        let twice = nodes
            .windows(2)
            .filter(|pair| pair[0].parts == pair[1].parts);
        let twice = twice.filter(|pair| !pair.iter().any(|node| node.is_folder));
        faults.extend(twice.map(|pair| in_tree(pair[0].name(), "is there twice")));
        faults.extend(
            decoded
                .merged
                .into_iter()
                .map(|(name, what)| in_tree(name, &what)),
        );
        if nodes.len() > limits.files {
            return Err(too_many(path, limits));
        }
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        // After the check above, so that names in both forms count as two files.
        for node in &mut nodes {
            node.parts.iter_mut().for_each(names::compose);
        }
        nodes.sort_by(|a, b| a.parts.cmp(&b.parts));
        Ok(Self {
            source,
            left: limits.all_bytes,
            nodes,
            unreadable,
            notes: decoded.note.into_iter().collect(),
        })
    }

    /// All entries, sorted by name.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether it is a single file.
    pub(super) fn is_one_file(&self) -> bool {
        matches!(self.source, Source::One)
    }

    /// The type of the tree, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match self.source {
            Source::Zip(_) => "a zip",
            Source::Tar(_) => "a tar",
            Source::Files => "other files",
            Source::One => "one file",
        }
    }

    /// A reader of a file's bytes.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn file(&mut self, node: &Node) -> std::result::Result<Box<dyn Read + '_>, String> {
        let not_opened = |e: std::io::Error| format!("cannot be opened: {e}");
        match (&mut self.source, &node.place) {
            (Source::Zip(archive), Place::Entry(index)) => match archive.by_index(*index) {
                Ok(file) => Ok(Box::new(file)),
                Err(error) => Err(format!("cannot be unpacked: {error}")),
            },
            (Source::Tar(file), Place::Bytes { from, length }) => {
                file.seek(SeekFrom::Start(*from)).map_err(not_opened)?;
                Ok(Box::new(tar::ExactRange::new(file, *length)))
            }
            (_, Place::File(path)) => Ok(Box::new(File::open(path).map_err(not_opened)?)),
            _ => Err("cannot be opened: it is a folder".to_owned()),
        }
    }

    /// The first bytes of a file, or as many as are readable.
    pub(super) fn head(&mut self, node: &Node) -> Vec<u8> {
        let file = self.file(node);
        file.map_or(Vec::new(), |mut file| read_up_to(&mut file, HEAD as u64).0)
    }

    /// The bytes of a file; the inner error is a fault of the file.
    ///
    /// # Errors
    /// When all files together are too large.
    pub(super) fn read(
        &mut self,
        node: &Node,
        limits: &ImportLimits,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let most = limits.file_bytes;
        let (content, result) = match self.file(node) {
            Ok(mut file) => read_up_to(&mut file, most + 1),
            Err(what) => return Ok(Err(what)),
        };
        self.left = match self.left.checked_sub(content.len() as u64) {
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

/// The message for a single file that is refused, with alternatives.
fn no_archive(head: &[u8]) -> String {
    let what = if kind::is_picture(head) {
        ", but one image"
    } else if head.starts_with(b"PAR1") {
        ", but a Parquet table"
    } else if head.starts_with(b"\x93NUMPY") {
        ", but a NumPy array"
    } else if head.starts_with(b"\x89HDF\r\n\x1a\n") {
        ", but an HDF5 file"
    } else {
        ""
    };
    format!(
        "is no zip, no tar and no folder{what}; what is read is a zip, a tar, a tar.gz, tar.bz2 or tar.xz, or a folder, of a folder of images for each class"
    )
}

fn in_tree(file: String, message: &str) -> Fault {
    Fault {
        file,
        message: message.to_owned(),
    }
}

fn too_many(path: &Path, limits: &ImportLimits) -> Error {
    refused(
        path,
        format!("has more than {} files", count(limits.files as u64)),
    )
}

/// The message for an entry that is neither file nor folder.
fn special(is_link: bool) -> &'static str {
    if is_link {
        "is a link"
    } else {
        "is a device or a pipe"
    }
}
