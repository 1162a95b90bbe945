//! A zip. Its directory is also read here, for names as bytes with their UTF-8 flag, and for entries of the same name,
//! of which the zip library keeps only the last.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use super::names::RawName;
use super::{Listed, Listing, Place, in_tree, refused, special, too_many};
use crate::data::fault::count;
use crate::data::read::ImportLimits;
use crate::error::{Error, Result};

/// Why a part of a zip is refused.
pub(super) const SPLIT: &str = "is one part of a zip that was split; put the parts together \
     (`zip --split-size 0 PART.zip --out whole.zip`), or unpack it and give the folder";

/// Opens a zip and lists it.
///
/// # Errors
/// When it is damaged, encrypted, split, compressed by an unsupported method, or too large.
pub(super) fn open(
    path: &Path,
    mut file: File,
    limits: &ImportLimits,
) -> Result<(ZipArchive<BufReader<File>>, Listing)> {
    if is_split(&mut file).map_err(|e| Error::file(path, e))? {
        return Err(refused(path, SPLIT.to_owned()));
    }
    let broken = |e: ZipError| refused(path, format!("cannot be read as a zip: {e}"));
    let again = file.try_clone().map_err(|e| Error::file(path, e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    if archive.len() > limits.files {
        return Err(too_many(path, limits));
    }
    if archive.has_overlapping_entries().map_err(broken)? {
        let message = "has entries that share bytes, as only zip bombs have".to_owned();
        return Err(refused(path, message));
    }
    let start = archive.central_directory_start();
    let entries = directory(again, start, limits.files).map_err(|e| broken(e.into()))?;
    let mut listing = Listing::default();
    let mut locked = Vec::new();
    let mut methods: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for entry in entries {
        let name = || entry.name.in_words();
        let is_folder = entry.is_folder();
        if ![0, 0o040_000, 0o100_000].contains(&entry.kind) {
            listing
                .faults
                .push(in_tree(name(), special(entry.kind == 0o120_000)));
            continue;
        }
        if entry.flags & 1 != 0 {
            locked.push(name());
        } else if !is_folder && ![0, 8, 9, 12, 14, 95].contains(&entry.method) {
            methods.entry(entry.method).or_default().push(name());
        }
        // The library lists each name once, at its first position; without duplicate names these are the positions in
        // the directory.
        let place = archive.index_for_name_raw(entry.name.bytes());
        let place = place.map_or(Place::None, Place::Entry);
        listing.entries.push(Listed {
            name: entry.name,
            is_folder,
            place,
        });
    }
    if let [first, rest @ ..] = &locked[..] {
        let message = format!(
            "is encrypted ({first}{}); unpack it with its password and give the folder",
            and_more(rest.len())
        );
        return Err(refused(path, message));
    }
    if let Some((method, names)) = methods.first_key_value() {
        let message = format!(
            "is compressed with {}, which is not read ({}{}); unpack it and give the folder, or pack it again as a \
             plain zip, with Deflate",
            method_in_words(*method),
            names[0],
            and_more(names.len() - 1)
        );
        return Err(refused(path, message));
    }
    Ok((archive, listing))
}

fn and_more(entries: usize) -> String {
    match entries {
        0 => String::new(),
        n => format!(" and {} more", count(n as u64)),
    }
}

fn method_in_words(method: u16) -> String {
    let name = match method {
        1 => "Shrink",
        2..=5 => "Reduce",
        6 => "Implode",
        20 | 93 => "Zstandard",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        99 => "AES",
        _ => return format!("method {method}"),
    };
    name.to_owned()
}

/// Whether the end record of a zip mentions other disks.
fn is_split(file: &mut File) -> io::Result<bool> {
    const END: u64 = 22 + 65_535;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut end = Vec::new();
    Read::take(&mut *file, END).read_to_end(&mut end)?;
    file.rewind()?;
    let at = end.windows(4).rposition(|window| window == b"PK\x05\x06");
    // 0xffff means that the value is in the zip64 record.
    let disk = at.and_then(|at| end.get(at + 4..at + 6));
    Ok(disk.is_some_and(|disk| !matches!(disk, [0, 0] | [0xff, 0xff])))
}

/// An entry of the directory.
struct Entry {
    name: RawName,
    flags: u16,
    method: u16,
    /// The Unix file type; 0 if missing.
    kind: u32,
    /// The directory attribute of DOS.
    says_folder: bool,
}

impl Entry {
    fn is_folder(&self) -> bool {
        self.name.bytes().ends_with(b"/") || self.kind == 0o040_000 || self.says_folder
    }
}

fn directory(file: File, start: u64, most: usize) -> io::Result<Vec<Entry>> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(start))?;
    let mut entries = Vec::new();
    let mut head = [0; 46];
    // One more than the limit is enough to detect too many.
    while entries.len() <= most {
        if file.read_exact(&mut head).is_err() || !head.starts_with(b"PK\x01\x02") {
            break;
        }
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let mut read = |length: u16| {
            let mut bytes = vec![0; length.into()];
            file.read_exact(&mut bytes).map(|()| bytes)
        };
        let name = read(number(28))?;
        let extra = read(number(30))?;
        read(number(32))?;
        let by_unix = [3, 19].contains(&head[5]);
        let attributes = u32::from_le_bytes([head[38], head[39], head[40], head[41]]);
        let flags = number(8);
        entries.push(Entry {
            name: RawName::in_zip(name, flags & 0x800 != 0, &extra),
            flags,
            method: number(10),
            kind: if by_unix {
                attributes >> 16 & 0o170_000
            } else {
                0
            },
            says_folder: !by_unix && attributes & 0x10 != 0,
        });
    }
    Ok(entries)
}
