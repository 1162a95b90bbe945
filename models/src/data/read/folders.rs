//! Which images a tree of class folders holds, by class and split: the class folders lie at the top, or in a single
//! folder at the top, or each of them in folders that are named after the splits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tree::Node;
use super::{Limits, fault};
use crate::data::fault::{Fault, count};
use crate::error::{Error, Result};

/// What is taken for an image by its name; what it is, its first bytes say.
const IMAGES: [&str; 9] = [
    "png", "jpg", "jpeg", "jpe", "webp", "gif", "bmp", "tif", "tiff",
];

/// Files that systems leave in folders.
const LITTER: [&str; 4] = ["__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir"];

/// Which images there are.
#[derive(Default)]
pub(super) struct Found {
    /// In the order of the labels.
    pub(super) classes: Vec<String>,
    /// Those for the test last, where the folders say which.
    pub(super) images: Vec<Image>,
    /// The folders that are named after splits; empty where there are none.
    pub(super) splits: Vec<String>,
    pub(super) ignored: Vec<String>,
    /// Images in no class folder.
    pub(super) astray: Vec<Fault>,
}

/// An image that is not read yet.
pub(super) struct Image {
    /// Its class, from 0.
    pub(super) class: usize,
    /// Whether the folders say that it is measured on once, at the end.
    pub(super) test: bool,
    pub(super) node: Node,
}

/// What a folder says by its name of the images in it.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// Files and folders by the folder that they lie in.
type Folders = BTreeMap<String, Vec<Node>>;

/// Finds the class folders. A folder for the test is the test split. One for validation is learnt from and validated on
/// with the rest, as runs set aside for validation what they are asked to; without one for the test it is the test
/// split, so that what was held back stays so.
pub(super) fn sort_out(path: &Path, nodes: Vec<Node>, limits: &Limits) -> Result<Found> {
    let mut found = Found::default();
    let (litter, nodes): (Vec<_>, Vec<_>) = nodes.into_iter().partition(is_litter);
    let (nodes, others): (Vec<_>, Vec<_>) = nodes
        .into_iter()
        .partition(|node| node.is_folder || is_image(node));
    let ignored = others.iter().chain(&litter).filter(|node| !node.is_folder);
    found.ignored = ignored.map(Node::name).collect();
    let outer = outer(&nodes);
    let top = grouped(nodes, outer, &mut found.astray);
    let parts: Vec<_> = top.keys().filter_map(|name| Part::of(name)).collect();
    let is_split = top.len() > 1 && parts.len() == top.len();
    let mut faults = Vec::new();
    let classes = if is_split {
        if !parts.contains(&Part::Train) {
            let names: Vec<_> = top.keys().map(String::as_str).collect();
            let message = format!(
                "has the folders {}, and none for train",
                names.join(" and ")
            );
            return Err(Error::Refused(vec![fault(path, message)]));
        }
        found.splits = top.keys().cloned().collect();
        let test = if parts.contains(&Part::Test) {
            Part::Test
        } else {
            Part::Validation
        };
        classes_of_splits(top, test, outer + 1, &mut found.astray, &mut faults)
    } else {
        let whole = top.into_iter();
        whole
            .map(|(class, nodes)| (class.clone(), vec![(class, false, nodes)]))
            .collect()
    };
    for (folder, _, nodes) in classes.values().flatten() {
        if nodes.iter().all(|node| node.is_folder) {
            let message = "is a class without images".to_owned();
            faults.push(fault(Path::new(folder), message));
        }
    }
    faults.extend(wrong_classes(path, classes.keys(), limits));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    // 2 before 10, where all classes are numbers.
    if classes.iter().all(|(name, _)| name.parse::<u64>().is_ok()) {
        classes.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or_default());
    }
    for (class, (name, folders)) in classes.into_iter().enumerate() {
        found.classes.push(name);
        for (_, test, nodes) in folders {
            let images = nodes.into_iter().filter(|node| !node.is_folder);
            found
                .images
                .extend(images.map(|node| Image { class, test, node }));
        }
    }
    // Keeps the order among those for the test and among the others.
    found.images.sort_by_key(|image| image.test);
    Ok(found)
}

/// The folders of each class: their names, whether they are for the test, and what is in them.
type Classes = BTreeMap<String, Vec<(String, bool, Vec<Node>)>>;

/// The class folders in the folders of splits, which must have the same ones.
fn classes_of_splits(
    splits: Folders,
    test: Part,
    depth: usize,
    astray: &mut Vec<Fault>,
    faults: &mut Vec<Fault>,
) -> Classes {
    let splits: Vec<_> = splits
        .into_iter()
        .map(|(split, nodes)| (split, grouped(nodes, depth, astray)))
        .collect();
    let all: BTreeSet<&String> = splits
        .iter()
        .flat_map(|(_, folders)| folders.keys())
        .collect();
    for (split, folders) in &splits {
        let missing = |class: &&&String| !folders.contains_key(**class);
        let missing: Vec<_> = all
            .iter()
            .filter(missing)
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
    let mut classes = Classes::new();
    for (split, folders) in splits {
        let is_test = Part::of(&split) == Some(test);
        for (class, nodes) in folders {
            let folder = format!("{split}/{class}");
            classes
                .entry(class)
                .or_default()
                .push((folder, is_test, nodes));
        }
    }
    classes
}

/// What is wrong with how many classes there are, and with their names.
fn wrong_classes<'a>(
    path: &Path,
    names: impl ExactSizeIterator<Item = &'a String>,
    limits: &Limits,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let classes = names.len();
    if classes < 2 {
        let message = format!(
            "must have a folder of images for each of at least 2 classes, and has {classes}"
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

/// What lies in each of the folders at a depth; images that lie beside them are in none.
fn grouped(nodes: Vec<Node>, depth: usize, astray: &mut Vec<Fault>) -> Folders {
    let mut folders = Folders::new();
    for node in nodes {
        if node.parts.len() > depth + usize::from(!node.is_folder) {
            let folder = folders.entry(node.parts[depth].clone()).or_default();
            folder.push(node);
        } else if !node.is_folder {
            astray.push(Fault {
                file: node.name(),
                message: "lies in no class folder".to_owned(),
            });
        }
    }
    // A folder itself is not in it.
    for nodes in folders.values_mut() {
        nodes.retain(|node| !node.is_folder || node.parts.len() > depth + 1);
    }
    folders
}

fn is_litter(node: &Node) -> bool {
    node.parts
        .iter()
        .any(|part| part.starts_with('.') || LITTER.contains(&part.as_str()))
}

fn is_image(node: &Node) -> bool {
    let extension = node
        .parts
        .last()
        .and_then(|name| Some(name.rsplit_once('.')?.1.to_lowercase()));
    !node.is_folder && extension.is_some_and(|extension| IMAGES.contains(&extension.as_str()))
}

/// How many folders hold all images, one in the other.
fn outer(nodes: &[Node]) -> usize {
    let images = || nodes.iter().filter(|node| !node.is_folder);
    let Some(first) = images().next() else {
        return 0;
    };
    let shared = |depth: usize| {
        images().all(|node| node.parts.len() > depth + 2 && node.parts[depth] == first.parts[depth])
    };
    (0..first.parts.len())
        .take_while(|depth| shared(*depth))
        .count()
}
