//! Finds the images of a tree of class folders, by class and split. The content of folders decides, not their names:
//!
//! * a class folder contains images;
//! * folders that contain the same class folders are splits, and their names say which;
//! * a folder that contains only one other folder is skipped;
//! * anything else is left out with a note, or refused. Nothing becomes a class just by being there.

mod folder;
mod split_name;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use folder::Folder;
use split_name::SplitName;

use super::tree::Node;
use super::{ImportLimits, fault};
use crate::data::fault::count;
use crate::error::Fault;
use crate::error::{Error, Result};

/// Extensions of images, for messages about files that are not.
const IMAGES: [&str; 27] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "jif", "webp", "gif", "bmp", "dib", "tif", "tiff", "heic",
    "heif", "avif", "jxl", "jp2", "svg", "psd", "ppm", "pgm", "dcm", "cr2", "cr3", "nef", "arw",
    "dng",
];

/// Files and folders that operating systems create, in lower case.
const SYSTEM_FILES: [&str; 7] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eadir",
    "$recycle.bin",
    "system volume information",
];

/// The images of a tree.
#[derive(Default)]
pub(super) struct Found {
    /// The names of the classes, in the order of the labels.
    pub(super) classes: Vec<String>,
    /// The images; those of a test split last.
    pub(super) images: Vec<Image>,
    /// The folders of splits, if there are any.
    pub(super) splits: Vec<String>,
    pub(super) ignored: Vec<String>,
    /// Images outside class folders.
    pub(super) astray: Vec<Fault>,
    /// Notes on how the tree was read.
    pub(super) notes: Vec<String>,
}

/// An image that has not been read yet.
pub(super) struct Image {
    /// Its class, from 0.
    pub(super) class: usize,
    /// Whether it is in the folder of the test split.
    pub(super) test: bool,
    pub(super) node: Node,
}

/// Finds the class folders. A test folder becomes the test split. A validation folder joins the training data, of which
/// each run splits off its own validation; without a test folder it becomes the test split, so that held-out images
/// stay held out.
pub(super) fn find_images(
    path: &Path,
    nodes: &[Node],
    is_image: &[bool],
    limits: &ImportLimits,
) -> Result<Found> {
    let mut found = Found::default();
    let (litter, nodes): (Vec<_>, Vec<_>) = nodes
        .iter()
        .cloned()
        .zip(is_image.iter().copied())
        .partition(|(node, _)| is_system_file(node));
    let mut root = Folder::new(nodes);
    found.ignored = root.all_others();
    found.ignored.extend(
        litter
            .iter()
            .filter(|(node, _)| !node.is_folder)
            .map(|(node, _)| node.name()),
    );
    found.ignored.sort();
    loop {
        let stray = root.images.drain(..).map(|node| Fault {
            file: node.name(),
            message: "lies in no class folder".to_owned(),
        });
        found.astray.extend(stray);
        // A wrapper may have stray images of its own; as a class it would be the only one.
        let is_wrapper = |inner: &Folder| inner.images.is_empty() || inner.names().len() > 1;
        let next = root
            .only()
            .filter(|next| is_wrapper(&root.folders[*next]))
            .cloned();
        match next.and_then(|next| root.folders.remove(&next)) {
            Some(inner) => root = inner,
            None => break,
        }
    }
    let classes = find_classes(path, root, &mut found)?;
    let mut faults = Vec::new();
    for (folder, _, inside) in classes.values().flatten() {
        if !inside.has_images() {
            let others = inside.all_others();
            let message = match &others[..] {
                [] => "is a class without images".to_owned(),
                [first, rest @ ..] => {
                    let more = match rest.len() {
                        0 => String::new(),
                        n => format!(" and {} more", count(n as u64)),
                    };
                    format!(
                        "is a class without images, and holds {first}{more}; move the folder away if it is no class"
                    )
                }
            };
            faults.push(fault(Path::new(folder), message));
        }
    }
    faults.extend(wrong_classes(
        path,
        classes.keys(),
        found.astray.len(),
        limits,
    ));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    // Numeric order, if all classes are numbers.
    if classes.iter().all(|(name, _)| name.parse::<u64>().is_ok()) {
        classes.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or_default());
    }
    for (class, (name, folders)) in classes.into_iter().enumerate() {
        found.classes.push(name);
        for (_, test, folder) in folders {
            let images = folder.into_images().into_iter();
            found
                .images
                .extend(images.map(|node| Image { class, test, node }));
        }
    }
    // A stable sort keeps the order within both parts.
    found.images.sort_by_key(|image| image.test);
    Ok(found)
}

/// The folders of each class: name, test or not, and content.
type Classes = BTreeMap<String, Vec<(String, bool, Folder)>>;

/// Tells classes from splits.
fn find_classes(path: &Path, root: Folder, found: &mut Found) -> Result<Classes> {
    let refused = |message: String| Err(Error::Refused(vec![fault(path, message)]));
    let of_parts = |root: &Folder| {
        root.with_images()
            .any(|(name, folder)| SplitName::of(name).is_some() && folder.images.is_empty())
    };
    if of_parts(&root) {
        return splits(path, root, found);
    }
    let names = |folders: &[&String]| {
        folders
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    // Splits inside class folders: cats/train/1.png.
    let is_split = |folder: &Folder| {
        let parts: Vec<_> = folder
            .with_images()
            .map(|(name, _)| SplitName::of(name))
            .collect();
        folder.images.is_empty()
            && parts.contains(&Some(SplitName::Train))
            && parts.iter().all(Option::is_some)
    };
    if root.with_images().count() > 1 && root.with_images().all(|(_, folder)| is_split(folder)) {
        return splits(path, transpose(root), found);
    }
    let flat: Vec<_> = root
        .with_images()
        .filter(|(_, folder)| !folder.images.is_empty())
        .map(|(name, _)| name)
        .collect();
    let parts: Vec<_> = flat.iter().map(|name| SplitName::of(name)).collect();
    if parts.contains(&Some(SplitName::Train))
        && parts
            .iter()
            .any(|part| part.is_some_and(|part| part != SplitName::Train))
    {
        let splits: Vec<_> = flat
            .iter()
            .copied()
            .filter(|name| SplitName::of(name).is_some())
            .collect();
        return refused(format!(
            "does not say which class an image is of: the images lie directly in the folders {}; in each of them there \
             must be a folder for each class",
            names(&splits)
        ));
    }
    // Folders without images of their own that contain several folders of images.
    let deep: Vec<_> = root
        .with_images()
        .filter(|(_, folder)| folder.images.is_empty() && folder.with_images().count() > 1)
        .collect();
    if let Some((name, folder)) = deep.first()
        && deep.len() < root.with_images().count()
    {
        let below: Vec<_> = folder.names().into_iter().take(3).collect();
        let flat = root
            .with_images()
            .find(|(other, _)| deep.iter().all(|(name, _)| name != other));
        return refused(format!(
            "does not say which folders are the classes: {name} has no images in it but folders of images ({}), and {} \
             has images; put the images of each class into one folder, and these side by side",
            names(&below),
            flat.map_or("another", |(name, _)| name.as_str())
        ));
    }
    let mut seen = BTreeSet::new();
    let shared: BTreeSet<_> = deep
        .iter()
        .flat_map(|(_, folder)| folder.names())
        .filter(|name| !seen.insert(*name))
        .collect();
    if !shared.is_empty() {
        let outer: Vec<_> = deep.iter().map(|(name, _)| *name).take(3).collect();
        return refused(format!(
            "does not say which folders are the classes: {} have the same folders in them ({}). If they are splits, call \
             them train and test; if they are classes, put all images of each directly into its folder",
            names(&outer),
            names(&shared.into_iter().take(3).collect::<Vec<_>>())
        ));
    }
    let mut classes = Classes::new();
    for (class, folder) in root.folders {
        nested(&class, &folder, found);
        if flat_says_split(&class, &folder) {
            found.notes.push(format!(
                "{class} is taken for a class, as images lie directly in it; images to learn from and to test on lie in \
                 train/CLASS and test/CLASS."
            ));
        }
        classes.insert(class, vec![(folder.path.clone(), false, folder)]);
    }
    Ok(classes)
}

fn flat_says_split(class: &str, folder: &Folder) -> bool {
    matches!(
        SplitName::of(class),
        Some(SplitName::Test | SplitName::Validation)
    ) && !folder.images.is_empty()
}

/// Notes that folders inside a class folder are not classes.
fn nested(class: &str, folder: &Folder, found: &mut Found) {
    let below: Vec<_> = folder.names().into_iter().take(4).cloned().collect();
    if !below.is_empty() && (below.len() > 1 || !folder.images.is_empty()) {
        let more = if folder.with_images().count() > below.len() {
            " and others"
        } else {
            ""
        };
        found.notes.push(format!(
            "{class} is one class: the images in its folders {}{more} are all of it.",
            below.join(", ")
        ));
    }
}

/// Turns class folders with splits into splits with class folders.
fn transpose(root: Folder) -> Folder {
    let mut transpose = Folder {
        path: root.path,
        ..Folder::default()
    };
    for (class, folder) in root.folders {
        for (split, inside) in folder.folders {
            let of = transpose
                .folders
                .entry(split.clone())
                .or_insert_with(|| Folder {
                    path: split,
                    ..Folder::default()
                });
            of.folders.insert(class.clone(), inside);
        }
    }
    transpose
}

/// The classes in folders of which some are named as splits.
fn splits(path: &Path, root: Folder, found: &mut Found) -> Result<Classes> {
    let mut labelled = Vec::new();
    let mut others = Vec::new();
    for (name, folder) in root.folders {
        let folder = folder.skip_single_folders(&name);
        if folder.images.is_empty() && folder.has_images() {
            labelled.push((name, folder));
        } else {
            others.push((name, folder));
        }
    }
    let of_training = labelled
        .iter()
        .filter(|(name, _)| SplitName::of(name) == Some(SplitName::Train));
    let trained: BTreeSet<String> = of_training
        .flat_map(|(_, folder)| folder.names())
        .cloned()
        .collect();
    if trained.is_empty() {
        let names: Vec<_> = labelled.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!(
            "has the folders {}, and none for train",
            names.join(" and ")
        );
        return Err(Error::Refused(vec![fault(path, message)]));
    }
    // A single folder that no other split has is not a class: test/images/1.png.
    let (splits, without): (Vec<_>, Vec<_>) = labelled.into_iter().partition(|(name, folder)| {
        let is_part = |name: &String| SplitName::of(name).is_some();
        let a_copy = !is_part(name) && folder.with_images().all(|(name, _)| is_part(name));
        let only = folder.only().is_some_and(|only| !trained.contains(only));
        SplitName::of(name) == Some(SplitName::Train) || !(a_copy || only)
    });
    let mut faults = Vec::new();
    for (name, folder) in without.iter().chain(&others) {
        let images = folder.count();
        let said = if images == 0 {
            "no images"
        } else {
            "images without classes"
        };
        if images == 0 && SplitName::of(name).is_some() {
            faults.push(fault(
                Path::new(&folder.path),
                "is a split without images".to_owned(),
            ));
            continue;
        }
        let inner = folder.only().filter(|_| folder.images.is_empty());
        let place = inner.map_or(&folder.path, |inner| &folder.folders[inner].path);
        found.notes.push(format!(
            "{} was left out: beside the splits, it holds {said}{}.",
            place,
            if images == 0 {
                String::new()
            } else {
                format!(", {} of them", count(images as u64))
            }
        ));
    }
    for (name, folder) in splits
        .iter()
        .filter(|(name, _)| SplitName::of(name).is_none())
    {
        let classes: Vec<_> = folder
            .names()
            .into_iter()
            .take(3)
            .map(String::as_str)
            .collect();
        let message = format!(
            "has class folders ({}), and its name does not say whether {name} is for train, val or test; rename it or move it away",
            classes.join(", ")
        );
        faults.push(fault(Path::new(&folder.path), message));
    }
    let all: BTreeSet<&String> = splits
        .iter()
        .flat_map(|(_, folder)| folder.folders.keys())
        .collect();
    for (split, folder) in splits
        .iter()
        .filter(|(name, _)| SplitName::of(name).is_some())
    {
        let stray = folder.images.iter().map(|node| Fault {
            file: node.name(),
            message: "lies in no class folder".to_owned(),
        });
        found.astray.extend(stray);
        let missing: Vec<_> = all
            .iter()
            .filter(|class| !folder.folders.contains_key(**class))
            .map(|class| class.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "must have the same class folders as the others, and lacks {}",
                missing.join(", ")
            );
            faults.push(fault(Path::new(split), message));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let is_there = |part: SplitName| {
        splits
            .iter()
            .any(|(name, _)| SplitName::of(name) == Some(part))
    };
    let test = if is_there(SplitName::Test) {
        SplitName::Test
    } else {
        SplitName::Validation
    };
    if is_there(SplitName::Test) || is_there(SplitName::Validation) {
        found.splits = splits.iter().map(|(name, _)| name.clone()).collect();
    }
    let mut classes = Classes::new();
    for (split, folder) in splits {
        let is_test = SplitName::of(&split) == Some(test);
        for (class, folder) in folder.folders {
            nested(&class, &folder, found);
            let name = if folder.path.is_empty() {
                format!("{split}/{class}")
            } else {
                folder.path.clone()
            };
            classes
                .entry(class)
                .or_default()
                .push((name, is_test, folder));
        }
    }
    Ok(classes)
}

/// Faults in the number of classes and their names.
fn wrong_classes<'a>(
    path: &Path,
    names: impl ExactSizeIterator<Item = &'a String>,
    astray: usize,
    limits: &ImportLimits,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let classes = names.len();
    if classes < 2 {
        let astray = match astray {
            0 => String::new(),
            1 => "; one image lies in no folder".to_owned(),
            n => format!("; {} images lie in no folder", count(n as u64)),
        };
        let message = format!(
            "must have a folder of images for each of at least 2 classes, and has {classes}{astray}"
        );
        faults.push(fault(path, message));
    } else if classes > limits.classes {
        let message = format!(
            "has {} class folders, and may have {}",
            count(classes as u64),
            limits.classes
        );
        faults.push(fault(path, message));
    }
    let long = names.filter(|name| name.chars().count() > 100);
    faults.extend(long.map(|name| {
        fault(
            Path::new(name),
            "is too long for the name of a class".to_owned(),
        )
    }));
    faults
}

pub(super) fn is_system_file(node: &Node) -> bool {
    node.parts.iter().any(|part| is_system_name(part))
}

/// Whether a file or folder of this name is one that operating systems leave beside users' files.
pub fn is_system_name(name: &str) -> bool {
    name.starts_with('.') || SYSTEM_FILES.contains(&name.to_lowercase().as_str())
}

/// Whether a file has the extension of an image.
pub(super) fn is_called_image(node: &Node) -> bool {
    let extension = node
        .parts
        .last()
        .and_then(|name| Some(name.rsplit_once('.')?.1.to_lowercase()));
    extension.is_some_and(|extension| IMAGES.contains(&extension.as_str()))
}
