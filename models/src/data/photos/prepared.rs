//! The photos of a set at one size: the file of which training reads.
//!
//! It lies in the folder `prepared` of its set and is named after its settings, such as `224-3-crop.u8`. A header of 64
//! bytes is followed by the samples `[channels, size, size]`, a byte per value, and by a table with a checksum and the
//! sums of values for each sample, so that neither the statistics of a split nor the integrity of a sample needs a read
//! of the whole file.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::fault::count;
use super::super::fit::Fit;
use super::PhotosMetadata;
use crate::error::{Error, Result};
use crate::links;

/// The first bytes of the file. The number changes whenever the same settings give other bytes.
const MAGIC: [u8; 8] = *b"VIVPREP1";

/// Bytes before the first sample.
pub(super) const HEADER: u64 = 64;

/// The settings of a prepared file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct PhotoSettings {
    /// Pixels along a side.
    pub(in crate::data) size: usize,
    pub(in crate::data) channels: usize,
    pub(in crate::data) fit: Fit,
}

impl PhotoSettings {
    /// Values, and bytes, of a sample.
    pub(in crate::data) fn values(self) -> usize {
        self.channels * self.size * self.size
    }

    /// Bytes of an entry of the table: the checksum, and two sums for each channel.
    fn entry(self) -> usize {
        4 + 12 * self.channels
    }

    /// Bytes of the file for so many photos.
    pub(super) fn file_bytes(self, photos: usize) -> u64 {
        HEADER + photos as u64 * (self.values() + self.entry()) as u64
    }

    /// Where a sample begins.
    pub(super) fn offset(self, index: usize) -> u64 {
        HEADER + index as u64 * self.values() as u64
    }

    /// The file in the folder of a set.
    pub(super) fn file(self, set: &Path) -> PathBuf {
        let Self {
            size,
            channels,
            fit,
        } = self;
        folder(set).join(format!("{size}-{channels}-{}.u8", fit.name()))
    }
}

/// The folder of prepared files in the folder of a set.
pub(super) fn folder(set: &Path) -> PathBuf {
    set.join("prepared")
}

/// What the table says of a sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    checksum: u32,
    /// For each channel, the sum of its values and of their squares.
    sums: Vec<[u64; 2]>,
}

impl Entry {
    pub(super) fn of(sample: &[u8], channels: usize) -> Self {
        let sums = sample.chunks_exact(sample.len() / channels).map(|channel| {
            channel.iter().fold([0, 0], |[sum, squares], value| {
                let value = u64::from(*value);
                [sum + value, squares + value * value]
            })
        });
        Self {
            checksum: crc32c::crc32c(sample),
            sums: sums.collect(),
        }
    }
}

/// The table of a file, in its layout.
pub(super) fn table(entries: &[Entry]) -> Vec<u8> {
    let mut table = Vec::new();
    for entry in entries {
        table.extend(entry.checksum.to_le_bytes());
        for [sum, squares] in &entry.sums {
            table.extend((*sum as u32).to_le_bytes());
            table.extend(squares.to_le_bytes());
        }
    }
    table
}

/// The header of a file with this table.
pub(super) fn header(
    settings: PhotoSettings,
    photos: usize,
    of: &PhotosMetadata,
    table: &[u8],
) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&(photos as u64).to_le_bytes());
    header[16..20].copy_from_slice(&crc32c::crc32c(table).to_le_bytes());
    for (to, from) in header[20..52]
        .iter_mut()
        .zip(hex::decode(&of.sha256).unwrap_or_default())
    {
        *to = from;
    }
    header[52..56].copy_from_slice(&(settings.size as u32).to_le_bytes());
    header[56] = settings.channels as u8;
    header[57] = settings.fit as u8;
    header
}

/// The photos of a set at one size, on disk. As long as it is open, its file is not removed to make room.
#[derive(Debug)]
pub(in crate::data) struct Prepared {
    path: PathBuf,
    file: File,
    pub(in crate::data) settings: PhotoSettings,
    entries: Vec<Entry>,
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.settings, &self.entries) == (&other.path, other.settings, &other.entries)
    }
}

impl Prepared {
    /// Opens the file for these settings in the folder of a set; `None` if there is none, or it is not of these photos,
    /// or not whole.
    pub(in crate::data) fn open(
        set: &Path,
        settings: PhotoSettings,
        photos: usize,
        of: &PhotosMetadata,
    ) -> Result<Option<Self>> {
        let path = settings.file(set);
        let failed = |e| Error::file(&path, e);
        let file = match links::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.len() != settings.file_bytes(photos) {
            return Ok(None);
        }
        let mut head = [0; HEADER as usize];
        file.read_exact_at(&mut head, 0).map_err(failed)?;
        let mut rows = vec![0; photos * settings.entry()];
        file.read_exact_at(&mut rows, settings.offset(photos))
            .map_err(failed)?;
        if head != header(settings, photos, of, &rows) {
            return Ok(None);
        }
        // Both are best effort: where a file system has no locks, or belongs to somebody else, it is in use all the same.
        let _ = file.try_lock_shared();
        let _ = file.set_modified(SystemTime::now());
        let entries = rows.chunks_exact(settings.entry()).map(|row| {
            let number = |from: usize, length: usize| {
                let bytes = row[from..from + length].iter().rev();
                bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
            };
            Entry {
                checksum: number(0, 4) as u32,
                sums: (0..settings.channels)
                    .map(|channel| [number(4 + 12 * channel, 4), number(8 + 12 * channel, 8)])
                    .collect(),
            }
        });
        Ok(Some(Self {
            entries: entries.collect(),
            path,
            file,
            settings,
        }))
    }

    /// The number of photos.
    pub(in crate::data) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of all samples.
    pub(in crate::data) fn bytes(&self) -> u64 {
        self.len() as u64 * self.settings.values() as u64
    }

    /// Bytes that an open file takes in memory.
    pub(in crate::data) fn memory(photos: usize, settings: PhotoSettings) -> u64 {
        let entry = size_of::<Entry>() + settings.channels * size_of::<[u64; 2]>();
        (photos * entry) as u64
    }

    /// For each channel, the sums of the values of some photos, and of their squares.
    pub(in crate::data) fn sums(&self, photos: &[u32]) -> Vec<[u64; 2]> {
        let mut sums = vec![[0; 2]; self.settings.channels];
        for entry in photos
            .iter()
            .filter_map(|photo| self.entries.get(*photo as usize))
        {
            for (sums, of) in sums.iter_mut().zip(&entry.sums) {
                sums[0] += of[0];
                sums[1] += of[1];
            }
        }
        sums
    }

    /// Reads one sample.
    ///
    /// # Errors
    /// When it is not what was written. The file is then removed, and made anew by the next run.
    pub(in crate::data) fn read(&self, index: usize, into: &mut [u8]) -> Result<()> {
        let failed = |e| Error::file(&self.path, e);
        let entry = self.entries.get(index);
        let whole = match self.file.read_exact_at(into, self.settings.offset(index)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            read => {
                read.map_err(failed)?;
                entry.is_some_and(|entry| crc32c::crc32c(into) == entry.checksum)
            }
        };
        if whole {
            return Ok(());
        }
        let _ = std::fs::remove_file(&self.path);
        let message = format!(
            "photo {} is damaged; the file is removed, and prepared anew when the run is resumed",
            count(index as u64 + 1)
        );
        Err(failed(io::Error::new(io::ErrorKind::InvalidData, message)))
    }

    /// Calls `with` with one sample, in memory that each thread uses again.
    pub(in crate::data) fn with<T>(
        &self,
        index: usize,
        with: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        thread_local! {
            static SAMPLE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        SAMPLE.with_borrow_mut(|sample| {
            sample.resize(self.settings.values(), 0);
            self.read(index, sample)?;
            Ok(with(sample))
        })
    }

    /// Tells the system which samples are read next, so that it reads them from the disk meanwhile.
    pub(in crate::data) fn read_ahead(&self, indices: impl Iterator<Item = usize>) {
        #[cfg(target_os = "linux")]
        for index in indices {
            let length = std::num::NonZero::new(self.settings.values() as u64);
            let offset = self.settings.offset(index);
            let _ = rustix::fs::fadvise(&self.file, offset, length, rustix::fs::Advice::WillNeed);
        }
        #[cfg(not(target_os = "linux"))]
        drop(indices);
    }
}
