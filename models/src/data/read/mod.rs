//! Imports files as a data set of the library, or refuses them with a list of all faults.
//!
//! | module | what it is |
//! |---|---|
//! | `tree` | the content of a folder, a zip, a tar or a single file |
//! | `idx` | the four files of MNIST and similar sets, compressed or not |
//! | `cifar` | the files of CIFAR-10 and CIFAR-100 |
//! | `classes` | a folder of images per class |
//! | `folders` | finds classes and splits in a tree of folders |
//! | `photo` | decodes one image of any size |
//! | `jpeg` | checks that a JPEG is complete |
//! | `tiff` | says which TIFFs are not read |
//! | `kind` | the type of a file, from its first bytes |
//!
//! Invariants: nothing is written under a name from an archive, sizes are counted, not trusted, and refused files leave
//! nothing behind.

mod cifar;
mod classes;
mod folders;
mod idx;
mod jpeg;
mod kind;
pub(super) mod photo;
mod tiff;
mod tree;

pub use folders::is_system_name;

use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::fault::{bytes, count};
use super::known::{FileLayout, KnownDataSet};
use super::library::{Library, known};
use super::photos::{PhotosMetadata, Warning};
use super::stored::{DataSetMetadata, DataSetWriter, ReadyDataSet};
use super::table::{DATA_SETS, DataSetRow, Source};
use crate::error::Fault;
use crate::error::{Error, Result};
use tree::Tree;

/// Limits of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportLimits {
    /// Files in an archive or a folder.
    pub files: usize,
    /// Bytes of one image file.
    pub file_bytes: u64,
    /// Bytes of all files, unpacked.
    pub all_bytes: u64,
    /// Pixels of one image: width times height.
    pub pixels: u64,
    /// Pixels of all images.
    pub all_pixels: u64,
    /// Classes.
    pub classes: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            files: 100_000,
            file_bytes: 20 << 20,
            all_bytes: 64 << 30,
            pixels: 64_000_000,
            all_pixels: 1_000_000_000_000,
            classes: 1000,
        }
    }
}

impl ImportLimits {
    /// Limits of what somebody else sends, which may be made to take long.
    pub fn of_uploads() -> Self {
        Self {
            all_bytes: 8 << 30,
            all_pixels: 50_000_000_000,
            ..Self::default()
        }
    }
}

/// A data set that was read but not yet published, and the report on it.
#[derive(Debug)]
pub struct Import {
    /// The data set.
    pub ready: ReadyDataSet,
    /// The report.
    pub report: Report,
}

/// The report on an import.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// A description of the files.
    pub format: String,
    /// The name of the known set, if it was recognised.
    pub known: Option<String>,
    /// Images in all.
    pub images: usize,
    /// The number of test images; `null` if the files have no test split.
    pub test: Option<usize>,
    /// The number of images of each class.
    pub classes: Vec<ClassCount>,
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    /// Pixels along a side, as stored; of photos, the size that runs take unless told otherwise.
    pub side: usize,
    /// Of images that are kept as the photos that they are; `null` for others.
    #[schema(required)]
    pub photos: Option<PhotosMetadata>,
    /// The smallest and the largest width, then height, of the original images.
    pub sizes: [[u32; 2]; 2],
    /// Unreadable images, which are not in the set.
    pub unreadable: Vec<Fault>,
    /// Ignored files, which are not images.
    pub ignored: Vec<String>,
    /// Further notes, as sentences.
    pub notes: Vec<String>,
    /// What one should know of the images before training on them.
    pub warnings: Vec<Warning>,
}

/// A class and its number of images.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// Its images.
    pub images: usize,
}

/// Imports a file or a folder as the data set `set`. For the name of a known set, the files must be exactly that set;
/// if the name is empty, known sets are recognised from the files. `on_progress` is called with the number of images
/// done and in all, and returns whether to go on.
///
/// # Errors
/// [`Error::Refused`] with all faults of the files.
pub fn import(
    library: &Library,
    set: &str,
    title: &str,
    path: &Path,
    limits: &ImportLimits,
    on_progress: &dyn Fn(usize, usize) -> bool,
) -> Result<Import> {
    let known = known(set);
    let target = Target {
        library,
        title,
        known,
        may_be_known: set.is_empty(),
        source: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    let mut tree = Tree::open(path, &target, limits, on_progress)?;
    let layout = if idx::found_in(&mut tree) {
        Some(FileLayout::Idx)
    } else {
        cifar::layout(path, &tree)?
    };
    if let Some(known) = known.filter(|known| layout != Some(known.layout)) {
        let found = match layout {
            Some(FileLayout::Idx) => "IDX files",
            Some(_) => "files of another CIFAR",
            None => tree.describe(),
        };
        let message = format!(
            "{set} is made of {}; these are {found}",
            known.layout.describe()
        );
        return Err(refused(path, message));
    }
    match layout {
        Some(FileLayout::Idx) => idx::read(path, &mut tree, &target),
        Some(layout) => cifar::read(path, &mut tree, layout, &target),
        None => classes::read(path, tree, &target, limits, on_progress),
    }
}

/// The destination of an import, and its requirements.
struct Target<'a> {
    library: &'a Library,
    title: &'a str,
    known: Option<&'static KnownDataSet>,
    /// Whether known sets are recognised.
    may_be_known: bool,
    source: String,
}

impl Target<'_> {
    /// The metadata of the set, as far as known.
    fn metadata(
        &self,
        classes: Vec<String>,
        channels: usize,
        side: usize,
        train: Option<usize>,
    ) -> DataSetMetadata {
        DataSetMetadata {
            format: 0,
            title: self.title.to_owned(),
            classes,
            channels,
            side,
            images: 0,
            train,
            source: self.source.clone(),
            sha256: String::new(),
            photos: None,
        }
    }

    /// Recognises a known set from its layout, counts and first labels.
    fn recognised(
        &self,
        layout: FileLayout,
        train: usize,
        test: usize,
        mut labels: impl Iterator<Item = u8>,
    ) -> Option<&'static DataSetRow> {
        let first: Vec<u8> = labels.by_ref().take(10).collect();
        let is_it = |known: &KnownDataSet| {
            known.layout == layout
                && (known.train, known.test) == (train, test)
                && known.first_labels[..] == first
        };
        let mut rows = DATA_SETS.iter().filter(|_| self.may_be_known);
        rows.find(|row| matches!(row.source, Source::Known(known) if is_it(known)))
    }

    /// Checks the number of images of a known set.
    fn complete(&self, path: &Path, train: usize, test: usize) -> Option<Fault> {
        let known = self.known?;
        if (train, test) == (known.train, known.test) {
            return None;
        }
        let [there, test, expected, expected_test] =
            [train, test, known.train, known.test].map(|n| count(n as u64));
        let swapped = if there == expected_test && test == expected {
            ": are they swapped?"
        } else {
            ""
        };
        let message = format!(
            "must hold {expected} images for training and {expected_test} for the test, and holds {there} and {test}{swapped}"
        );
        Some(fault(path, message))
    }
}

impl FileLayout {
    fn describe(self) -> &'static str {
        match self {
            Self::Idx => "IDX files such as train-images-idx3-ubyte.gz",
            Self::Cifar10 => "the binary files of CIFAR-10, such as data_batch_1.bin",
            Self::Cifar100 => "the binary files of CIFAR-100: train.bin and test.bin",
        }
    }
}

fn fault(path: &Path, message: String) -> Fault {
    Fault {
        file: path.display().to_string(),
        message,
    }
}

fn refused(path: &Path, message: String) -> Error {
    Error::Refused(vec![fault(path, message)])
}

/// The number of images of each class.
pub(super) fn counts(classes: &[String], labels: impl Iterator<Item = usize>) -> Vec<ClassCount> {
    let mut counts: Vec<_> = classes
        .iter()
        .map(|name| ClassCount {
            name: name.clone(),
            images: 0,
        })
        .collect();
    for label in labels {
        if let Some(class) = counts.get_mut(label) {
            class.images += 1;
        }
    }
    counts
}

/// Notes on a set whose images have no names.
fn notes(draft: &DataSetWriter, classes: &[String], train: Option<usize>) -> Vec<String> {
    let name = |image: usize| match train {
        Some(train) if image >= train => {
            format!("image {} for the test", count((image - train) as u64 + 1))
        }
        _ => format!("image {} for training", count(image as u64 + 1)),
    };
    draft.notes(classes, train, &name)
}

/// Faults for invalid labels, as a summary.
fn labels_out_of_range(
    path: &Path,
    labels: impl Iterator<Item = u8>,
    classes: usize,
) -> Option<Fault> {
    let mut wrong = labels
        .enumerate()
        .filter(|(_, label)| usize::from(*label) >= classes);
    let (image, label) = wrong.next()?;
    let more = wrong.count() as u64;
    let more = if more == 0 {
        String::new()
    } else {
        format!(", and {} more are wrong", count(more))
    };
    let message = format!(
        "image {} has the label {label}, and labels go from 0 to {}{more}",
        count(image as u64 + 1),
        classes - 1
    );
    Some(fault(path, message))
}

/// Reads up to a number of bytes.
fn read_up_to(from: &mut dyn Read, most: u64) -> (Vec<u8>, io::Result<()>) {
    let mut read = Vec::new();
    let result = from.take(most).read_to_end(&mut read).map(drop);
    (read, result)
}

/// Counts the remaining bytes, up to a limit, because a small file may unpack to any size.
fn rest(from: &mut dyn Read) -> io::Result<u64> {
    const MOST: u64 = 64 << 20;
    io::copy(&mut from.take(MOST), &mut io::sink())
}

/// Compares a length with the expected one.
fn wrong_length(expected: u64, found: u64) -> String {
    if found < expected {
        format!(
            "is cut off: it must have {}, and has {}",
            bytes(expected),
            count(found)
        )
    } else {
        format!(
            "is too long: it must have {}, and has {} more",
            bytes(expected),
            count(found - expected)
        )
    }
}
