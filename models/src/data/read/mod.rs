//! Files of others become a data set of the library, or are refused with all that is wrong with them.
//!
//! | module | what it is |
//! |---|---|
//! | `tree` | a folder, a zip, a tar or a single file: what lies where |
//! | `idx` | the four files of MNIST and its kin, compressed or not |
//! | `cifar` | the files of CIFAR-10 and CIFAR-100 |
//! | `classes` | a folder of images for each class, |
//! | `folders` | perhaps in a folder for each split: which images are of which class |
//! | `photo` | one image of any size, decoded and made a square |
//! | `jpeg` | whether a JPEG has all of its picture |
//! | `kind` | what a file is by its first bytes |
//!
//! What always holds: nothing is written under a name that stands in an archive, sizes are counted and not believed,
//! and of what is refused nothing is left behind.

mod cifar;
mod classes;
mod folders;
mod idx;
mod jpeg;
mod kind;
pub(super) mod photo;
mod tree;

use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;

use super::fault::{bytes, count};
use super::known::{FileLayout, KnownDataSet};
use super::library::{Library, known};
use super::stored::{DataSetMetadata, DataSetWriter, ReadyDataSet};
use super::table::{DATA_SETS, DataSetRow, Source};
use crate::error::Fault;
use crate::error::{Error, Result};
use tree::Tree;

/// What is taken of files that somebody gives.
#[derive(Clone, Copy, Debug)]
pub struct ImportLimits {
    /// Files in an archive or a folder.
    pub files: usize,
    /// Bytes of one image's file.
    pub file_bytes: u64,
    /// Bytes of all files, unpacked.
    pub all_bytes: u64,
    /// Pixels of one image: width times height.
    pub pixels: u64,
    /// Pixels of all images.
    pub all_pixels: u64,
    /// Classes.
    pub classes: usize,
    /// Bytes of all images as they are stored; many images are stored smaller.
    pub stored_bytes: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            files: 100_000,
            file_bytes: 20 << 20,
            all_bytes: 8 << 30,
            pixels: 40_000_000,
            all_pixels: 50_000_000_000,
            classes: 1000,
            stored_bytes: 256 << 20,
        }
    }
}

/// A data set that was read, whole and not published yet, and what is to be said of it.
#[derive(Debug)]
pub struct Import {
    /// The data set.
    pub ready: ReadyDataSet,
    /// What was found.
    pub report: Report,
}

/// What was found in files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What the files are, in words.
    pub format: String,
    /// The name of the known set that they are, where nobody said which set they are.
    pub known: Option<String>,
    /// Images in all.
    pub images: usize,
    /// How many of them are for the test; `null` where the files do not say.
    pub test: Option<usize>,
    /// How many images each class has.
    pub classes: Vec<ClassCount>,
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    /// Pixels along a side, as stored.
    pub side: usize,
    /// The least and the greatest width, then height, of the images as they came.
    pub sizes: [[u32; 2]; 2],
    /// Images that cannot be read, and are not part of the set.
    pub unreadable: Vec<Fault>,
    /// Files that are no images, and were not looked at.
    pub ignored: Vec<String>,
    /// What else is to be said of them, in sentences.
    pub notes: Vec<String>,
}

/// A class and how many images it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// Its images.
    pub images: usize,
}

/// Reads a file or a folder into a data set for `set`. Where that is the name of a known set, the files must hold
/// exactly that; where it is empty, a known set is recognised by what the files hold. `on_progress` hears of images done and images
/// in all, and says whether to go on.
///
/// # Errors
/// [`Error::Refused`] with everything that is wrong with the files.
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
    let layout = if idx::is_here(&mut tree) {
        Some(FileLayout::Idx)
    } else {
        cifar::layout(path, &tree)?
    };
    if let Some(known) = known.filter(|known| layout != Some(known.layout)) {
        let found = match layout {
            Some(FileLayout::Idx) => "IDX files",
            Some(_) => "files of another CIFAR",
            None => tree.in_words(),
        };
        let message = format!(
            "{set} is made of {}; these are {found}",
            known.layout.in_words()
        );
        return Err(refused(path, message));
    }
    match layout {
        Some(FileLayout::Idx) => idx::read(path, &mut tree, &target),
        Some(layout) => cifar::read(path, &mut tree, layout, &target),
        None => classes::read(path, tree, &target, limits, on_progress),
    }
}

/// Where a data set goes, and what it must be.
struct Target<'a> {
    library: &'a Library,
    title: &'a str,
    known: Option<&'static KnownDataSet>,
    /// Whether it may turn out to be a known set.
    may_be_known: bool,
    source: String,
}

impl Target<'_> {
    /// What the set is, as far as is said here.
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
        }
    }

    /// The known set that files of a layout hold, by their counts and first labels.
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

    /// Whether a known set has all its images and no others.
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
    fn in_words(self) -> &'static str {
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

/// How many images each class has.
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

/// What is to be said of a set whose images have no names.
fn notes(draft: &DataSetWriter, classes: &[String], train: Option<usize>) -> Vec<String> {
    let name = |image: usize| match train {
        Some(train) if image >= train => {
            format!("image {} for the test", count((image - train) as u64 + 1))
        }
        _ => format!("image {} for training", count(image as u64 + 1)),
    };
    let mut notes = draft.repeated(train, &name);
    notes.extend(draft.unlearned(classes, train));
    notes
}

/// Faults for labels that are no class; every one would be too many.
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

/// Reads until a number of bytes or the end, whichever is first.
fn read_up_to(from: &mut dyn Read, most: u64) -> (Vec<u8>, io::Result<()>) {
    let mut read = Vec::new();
    let result = from.take(most).read_to_end(&mut read).map(drop);
    (read, result)
}

/// Counts what is left, up to a limit: a small file may unpack to anything.
fn rest(from: &mut dyn Read) -> io::Result<u64> {
    const MOST: u64 = 64 << 20;
    io::copy(&mut from.take(MOST), &mut io::sink())
}

/// A length that was found, against one that was expected.
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
