//! Makes the prepared file of a run's settings, once for all runs.
//!
//! The file is written under the name of the settings with `.part` added, flushed to the disk and then renamed, so that
//! what is half made has never the name of what is whole. The part is locked while it is written: whoever else needs the
//! file waits for the lock. The system releases it however a process ends, so a part without a lock is a leftover.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;

use super::super::image::byte;
use super::PhotosMetadata;
use super::originals::{Originals, Photo};
use super::prepared::{Entry, PhotoSettings, Prepared, folder, header, table};
use crate::error::{Error, Result};
use crate::links;

/// The most bytes of all prepared files of a library. When a new one is made, those that were not used for the longest
/// time are removed until they fit.
const MOST_BYTES: u64 = 32 << 30;

/// Pixels of photos that are decoded at a time: at least so many, and for each thread so many. A decoded pixel takes
/// three bytes, and of some formats ten while it is decoded.
const PIXELS_AT_ONCE: u64 = 32_000_000;
const PIXELS_OF_A_THREAD: u64 = 12_000_000;

/// Photos between two reports of progress.
const PHOTOS_AT_ONCE: usize = 64;

/// How often a process looks whether another one is done.
const LOOK: Duration = Duration::from_millis(200);

/// The name of a part.
const PART: &str = "part";

/// How far the preparation of photos is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparing {
    /// Photos that are done; `None` while another process prepares them.
    pub done: Option<usize>,
    /// Photos in all.
    pub of: usize,
}

/// The prepared file for these settings in the folder of a set. Makes it if there is none; `on_progress` then returns
/// whether to go on.
///
/// `None` when it is not to go on.
pub(in crate::data) fn prepare(
    set: &Path,
    originals: &Originals,
    metadata: &PhotosMetadata,
    settings: PhotoSettings,
    on_progress: &mut dyn FnMut(Preparing) -> bool,
) -> Result<Option<Prepared>> {
    let of = originals.photos.len();
    let path = settings.file(set);
    let part = loop {
        if let Some(prepared) = Prepared::open(set, settings, of, metadata)? {
            return Ok(Some(prepared));
        }
        if let Some(part) = Part::claim(&path)? {
            break part;
        }
        if !on_progress(Preparing { done: None, of }) {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    };
    // Another process may have finished since the file was looked for.
    if let Some(prepared) = Prepared::open(set, settings, of, metadata)? {
        return Ok(Some(prepared));
    }
    make_room(set, settings.file_bytes(of));
    let Some(entries) = write(&part, originals, settings, on_progress)? else {
        return Ok(None);
    };
    let rows = table(&entries);
    let failed = |e| Error::file(&part.path, e);
    part.file
        .write_all_at(&rows, settings.offset(of))
        .and_then(|()| {
            part.file
                .write_all_at(&header(settings, of, metadata, &rows), 0)
        })
        .and_then(|()| part.file.sync_all())
        .map_err(failed)?;
    part.publish(&path)?;
    let made = Prepared::open(set, settings, of, metadata)?;
    let gone = || Error::file(&path, io::Error::other("is gone, or was changed meanwhile"));
    made.map(Some).ok_or_else(gone)
}

/// Writes all samples; `None` when it is not to go on.
fn write(
    part: &Part,
    originals: &Originals,
    settings: PhotoSettings,
    on_progress: &mut dyn FnMut(Preparing) -> bool,
) -> Result<Option<Vec<Entry>>> {
    let photos = &originals.photos;
    let most = PIXELS_AT_ONCE.max(PIXELS_OF_A_THREAD * rayon::current_num_threads() as u64);
    let mut entries = Vec::with_capacity(photos.len());
    loop {
        let done = entries.len();
        let of = photos.len();
        if !on_progress(Preparing {
            done: Some(done),
            of,
        }) {
            return Ok(None);
        }
        if done == of {
            return Ok(Some(entries));
        }
        let some = at_once(&photos[done..], most);
        let made: Result<Vec<Entry>> = (done..done + some)
            .into_par_iter()
            .map(|index| {
                let picture = originals.picture(&photos[index])?;
                let values = settings
                    .fit
                    .square(&picture, settings.channels, settings.size);
                drop(picture);
                let sample: Vec<u8> = values.into_iter().map(byte).collect();
                part.file
                    .write_all_at(&sample, settings.offset(index))
                    .map_err(|e| Error::file(&part.path, e))?;
                Ok(Entry::of(&sample, settings.channels))
            })
            .collect();
        entries.extend(made?);
    }
}

/// How many of these photos are decoded at a time: at least one.
fn at_once(photos: &[Photo], most_pixels: u64) -> usize {
    let mut pixels = 0;
    let fits = photos.iter().take(PHOTOS_AT_ONCE).take_while(|photo| {
        pixels += photo.pixels();
        pixels <= most_pixels
    });
    fits.count().max(1)
}

/// A file that is being made, locked. It is removed on drop unless it was published.
struct Part {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Part {
    /// The part of a file, empty; `None` while another process makes it.
    fn claim(file: &Path) -> Result<Option<Self>> {
        let folder = file.parent().unwrap_or(file);
        let failed = |e| Error::file(folder, e);
        links::refuse(folder).map_err(failed)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        let path = file.with_extension(PART);
        match lock(&path)? {
            Lock::Held(part) => Self::new(path, part).map(Some),
            Lock::Busy => Ok(None),
            // Two processes then make the same file twice, and the second replaces the first.
            Lock::Unsupported => {
                let path = file.with_extension(format!("{}.{PART}", std::process::id()));
                let part = File::create(&path).map_err(|e| Error::file(&path, e))?;
                Self::new(path, part).map(Some)
            }
        }
    }

    /// Takes what a process left that died.
    fn new(path: PathBuf, file: File) -> Result<Self> {
        file.set_len(0).map_err(|e| Error::file(&path, e))?;
        Ok(Self {
            path,
            file,
            published: false,
        })
    }

    fn publish(mut self, file: &Path) -> Result<()> {
        let failed = |e| Error::file(file, e);
        fs::rename(&self.path, file).map_err(failed)?;
        self.published = true;
        let folder = file.parent().unwrap_or(file);
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

enum Lock {
    Held(File),
    Busy,
    Unsupported,
}

/// Opens and locks a part.
fn lock(path: &Path) -> Result<Lock> {
    let failed = |e| Error::file(path, e);
    loop {
        links::refuse(path).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Lock::Busy),
            Err(TryLockError::Error(_)) => return Ok(Lock::Unsupported),
        }
        // Whoever held the lock before has renamed or removed the file, if it is another one now.
        let here = file.metadata().map_err(failed)?.ino();
        match fs::symlink_metadata(path) {
            Ok(now) if now.ino() == here => return Ok(Lock::Held(file)),
            _ => {}
        }
    }
}

/// Removes prepared files that were not used for the longest time, until so many more bytes fit; and parts of processes
/// that died.
fn make_room(set: &Path, bytes: u64) {
    let Some(library) = set.parent() else { return };
    let mut files = Vec::new();
    for path in prepared_files(library) {
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        if path.extension().is_some_and(|ending| ending == PART) {
            remove_unused(&path);
        } else if about.is_file() {
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((used, about.len(), path));
        }
    }
    files.sort();
    let mut all: u64 = files.iter().map(|(_, length, _)| length).sum();
    for (_, length, path) in files {
        if all.saturating_add(bytes) <= MOST_BYTES {
            return;
        }
        if remove_unused(&path) {
            all -= length;
        }
    }
}

/// Removes the parts that processes left in a library when they died.
pub(in crate::data) fn sweep(library: &Path) {
    for path in prepared_files(library) {
        if path.extension().is_some_and(|ending| ending == PART) {
            remove_unused(&path);
        }
    }
}

/// All files of all folders of prepared files of a library.
fn prepared_files(library: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    let sets = entries(library).filter(|set| links::refuse(&folder(set)).is_ok());
    sets.flat_map(|set| entries(&folder(&set)).collect::<Vec<_>>())
        .collect()
}

/// Removes a file unless a process has it locked.
fn remove_unused(path: &Path) -> bool {
    let free = links::open(path).is_ok_and(|file| file.try_lock().is_ok());
    free && fs::remove_file(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_maker_and_a_leftover_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prepared/8-3-crop.u8");
        let first = Part::claim(&file).unwrap().unwrap();
        assert!(Part::claim(&file).unwrap().is_none());
        first.file.write_all_at(b"half", 0).unwrap();
        drop(first);
        assert!(!file.with_extension(PART).exists());
        // As after the death of its process: the lock is free and the file exists.
        fs::write(file.with_extension(PART), "half").unwrap();
        let second = Part::claim(&file).unwrap().unwrap();
        assert_eq!(second.file.metadata().unwrap().len(), 0);
        second.file.write_all_at(b"whole", 0).unwrap();
        second.publish(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"whole");
        assert!(!file.with_extension(PART).exists());
    }

    #[test]
    fn leftovers_go_and_parts_in_use_stay() {
        let library = tempfile::tempdir().unwrap();
        let file = library.path().join("pets/prepared/8-3-crop.u8");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let used = Part::claim(&file).unwrap().unwrap();
        let left = file.with_file_name("9-3-crop.part");
        fs::write(&left, "half").unwrap();
        fs::write(&file, "whole").unwrap();
        sweep(library.path());
        assert!(used.path.exists() && file.exists() && !left.exists());
    }

    #[test]
    fn room_is_made_by_age_and_never_of_files_in_use() {
        let library = tempfile::tempdir().unwrap();
        let set = library.path().join("pets");
        let file = |name: &str, age: u64| {
            let path = folder(&set).join(name);
            fs::create_dir_all(folder(&set)).unwrap();
            let made = File::create(&path).unwrap();
            made.set_len(10).unwrap();
            let hours = Duration::from_secs(3600 * age);
            made.set_modified(SystemTime::now() - hours).unwrap();
            path
        };
        let [oldest, older, newer] = [file("a.u8", 30), file("b.u8", 20), file("c.u8", 10)];
        let used = File::open(&oldest).unwrap();
        used.try_lock_shared().unwrap();
        make_room(&set, MOST_BYTES - 30);
        assert!(oldest.exists() && older.exists() && newer.exists());
        make_room(&set, MOST_BYTES - 25);
        assert!(oldest.exists() && !older.exists() && newer.exists());
    }

    #[test]
    fn photos_are_decoded_within_a_budget_of_pixels() {
        let photo = |width| Photo {
            name: String::new(),
            offset: 0,
            bytes: 0,
            width,
            height: 1000,
            sha256: String::new(),
            looks: String::new(),
        };
        let photos = [1000, 2000, 3000, 9000].map(photo);
        assert_eq!(at_once(&photos, 3_000_000), 2);
        assert_eq!(at_once(&photos[3..], 3_000_000), 1);
        assert_eq!(at_once(&photos, u64::MAX), 4);
    }
}
