//! A tar, plain or compressed by gzip, bzip2 or xz.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use ::tar::{Archive, EntryType};
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::names::RawName;
use super::{Listed, Listing, Place, in_tree, refused, special, too_many};
use crate::data::fault::{bytes, count};
use crate::data::read::kind::{Packed, is_tar};
use crate::data::read::{ImportLimits, Target, idx, read_up_to};
use crate::error::{Error, Result};

/// Bytes between checks for a stop.
const STEP: usize = 1 << 20;

/// Unpacks a compressed tar to an unnamed temporary file; `None` if a file of MNIST is compressed and not a tar.
///
/// # Errors
/// When it is neither, cannot be unpacked, or unpacks to too much.
pub(super) fn unpack(
    path: &Path,
    file: File,
    packed: Packed,
    target: &Target<'_>,
    limits: &ImportLimits,
    on_progress: &dyn Fn(usize, usize) -> bool,
) -> Result<Option<File>> {
    let packed_file = BufReader::new(file);
    let mut from: Box<dyn Read> = match packed {
        Packed::Bzip2 => Box::new(MultiBzDecoder::new(packed_file)),
        Packed::Xz => Box::new(XzReader::new(packed_file, true)),
        _ => Box::new(MultiGzDecoder::new(packed_file)),
    };
    let broken = |read: u64, e: io::Error| {
        refused(
            path,
            format!("cannot be unpacked past {}: {e}", bytes(read)),
        )
    };
    let (head, result) = read_up_to(&mut from, 512);
    if packed == Packed::Gzip && idx::is_idx(&head) {
        return Ok(None);
    }
    result.map_err(|e| broken(head.len() as u64, e))?;
    // An empty tar is all zeros.
    let is_empty = head.len() == 512 && head.iter().all(|byte| *byte == 0);
    if !is_tar(&head) && !is_empty {
        let message = "holds one packed file, which is no tar; what is read is a tar.gz, tar.bz2, tar.xz or zip of a \
                       folder of images for each class, and the files of MNIST";
        return Err(refused(path, message.to_owned()));
    }
    let folder = target.library.scratch()?;
    let failed = |e: io::Error| Error::file(folder.path(), e);
    let mut unpacked = tempfile::tempfile_in(folder.path()).map_err(failed)?;
    unpacked.write_all(&head).map_err(failed)?;
    let (mut read, mut buffer) = (head.len() as u64, vec![0; STEP]);
    loop {
        let here = from.read(&mut buffer).map_err(|e| broken(read, e))?;
        if here == 0 {
            break;
        }
        read += here as u64;
        if read > limits.all_bytes {
            let message = format!("unpacks to more than {}", bytes(limits.all_bytes));
            return Err(refused(path, message));
        }
        if !on_progress(0, 0) {
            return Err(refused(path, "was not read to its end".to_owned()));
        }
        unpacked.write_all(&buffer[..here]).map_err(failed)?;
    }
    Ok(Some(unpacked))
}

/// Lists a tar. Only the headers of its entries are read.
///
/// # Errors
/// When it is damaged, or holds too much.
pub(super) fn list(path: &Path, file: &File, limits: &ImportLimits) -> Result<Listing> {
    let broken = |e: io::Error| refused(path, format!("cannot be read as a tar: {e}"));
    let mut file = file;
    let whole = file.metadata().map_err(|e| Error::file(path, e))?.len();
    file.rewind().map_err(|e| Error::file(path, e))?;
    let mut listing = Listing::default();
    let mut archive = Archive::new(file);
    for entry in archive.entries_with_seek().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        if listing.entries.len() >= limits.files {
            return Err(too_many(path, limits));
        }
        let name = entry.path_bytes().into_owned();
        let in_words = String::from_utf8_lossy(&name).into_owned();
        let (from, length) = (entry.raw_file_position(), entry.size());
        if !(kind.is_file() || kind.is_contiguous() || kind.is_dir()) {
            let what = if kind.is_gnu_sparse() {
                "is stored with holes (--sparse), which is not read"
            } else {
                special(kind.is_symlink() || kind.is_hard_link())
            };
            listing.faults.push(in_tree(in_words, what));
            continue;
        }
        // Entries are padded to whole blocks.
        let end = length
            .checked_next_multiple_of(512)
            .and_then(|length| from.checked_add(length));
        if !kind.is_dir() && end.is_none_or(|end| end > whole) {
            let missing = from.saturating_add(length).saturating_sub(whole);
            let message = format!(
                "is cut off: of its file {in_words} {} bytes are missing",
                count(missing)
            );
            return Err(refused(path, message));
        }
        // A convention of the oldest tars.
        let is_folder = kind.is_dir() || name.ends_with(b"/");
        let place = if is_folder {
            Place::None
        } else {
            Place::Bytes { from, length }
        };
        listing.entries.push(Listed {
            name: RawName::of_unknown(name),
            is_folder,
            place,
        });
    }
    Ok(listing)
}

/// A range of a file, whose end must exist.
pub(super) struct ExactRange<'a> {
    file: &'a mut File,
    left: u64,
}

impl<'a> ExactRange<'a> {
    pub(super) fn new(file: &'a mut File, length: u64) -> Self {
        Self { file, left: length }
    }
}

impl Read for ExactRange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read(&mut buffer[..most])?;
        self.left -= read as u64;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}
