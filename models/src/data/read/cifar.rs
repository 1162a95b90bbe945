//! The binary versions of CIFAR-10 and CIFAR-100: for each image its label (of CIFAR-100 the coarse one, then the fine
//! one), then 32x32 red bytes, as many green ones, as many blue ones. Described at
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::folders::is_system_file;
use super::tree::{Node, Tree};
use super::{
    Import, Report, Target, counts, fault, labels_out_of_range, notes, read_up_to, refused,
};
use crate::data::fault::{bytes, count};
use crate::data::known;
use crate::data::known::FileLayout;
use crate::data::photos::of_classes;
use crate::error::{Error, Result};

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;

/// The most bytes of one file, those of the largest real one: all files of a layout are in memory at once.
const fn most(layout: FileLayout) -> u64 {
    match layout {
        FileLayout::Cifar100 => 50_000 * (PIXELS as u64 + 2),
        _ => 10_000 * (PIXELS as u64 + 1),
    }
}

/// The files of a layout, the test file last.
fn files(layout: FileLayout) -> &'static [&'static str] {
    match layout {
        FileLayout::Cifar100 => &["train.bin", "test.bin"],
        _ => &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
    }
}

const LAYOUTS: [FileLayout; 2] = [FileLayout::Cifar10, FileLayout::Cifar100];

/// The layout of a tree's files; `None` if it is another data set.
///
/// # Errors
/// When it is the Python version, which only Python can read.
pub(super) fn layout(path: &Path, tree: &Tree) -> Result<Option<FileLayout>> {
    let names: BTreeSet<&str> = files_of(tree)
        .filter_map(|node| Some(node.parts.last()?.as_str()))
        .collect();
    let found = LAYOUTS
        .into_iter()
        .find(|layout| files(*layout).iter().any(|name| names.contains(name)));
    let of_python = names.contains("batches.meta")
        || names.contains("data_batch_1")
        || names.contains("meta") && names.contains("fine_label_names.txt");
    let of_hundred = tree
        .nodes()
        .iter()
        .any(|node| node.parts.iter().any(|part| part == "cifar-100-python"));
    if found.is_none() && (of_python || of_hundred) {
        let (name, set) = if of_hundred {
            ("cifar-100-binary.tar.gz", "cifar-100")
        } else {
            ("cifar-10-binary.tar.gz", "cifar-10")
        };
        let message = format!(
            "is the version of CIFAR for Python, pickles that are not read; what is read is the binary version, {name}, \
             which `vivarium data fetch {set}` gets"
        );
        return Err(refused(path, message));
    }
    Ok(found)
}

fn files_of(tree: &Tree) -> impl Iterator<Item = &Node> {
    tree.nodes()
        .iter()
        .filter(|node| !node.is_folder && !is_system_file(node))
}

/// The files of a layout by name, with their bytes.
fn contents(
    path: &Path,
    tree: &mut Tree,
    layout: FileLayout,
) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let most = most(layout);
    let nodes: Vec<_> = files_of(tree).cloned().collect();
    for node in nodes {
        let name = files(layout)
            .iter()
            .find(|name| node.parts.last().is_some_and(|last| last == *name));
        let Some(name) = name else {
            continue;
        };
        let file = path.join(name);
        let (read, result) = match tree.file(&node) {
            Ok(mut from) => read_up_to(&mut from, most + 1),
            Err(what) => return Err(refused(&file, what)),
        };
        result.map_err(|e| {
            refused(
                &file,
                format!("cannot be read past {}: {e}", bytes(read.len() as u64)),
            )
        })?;
        if read.len() as u64 > most {
            return Err(refused(&file, format!("has more than {}", bytes(most))));
        }
        if found.insert(*name, read).is_some() {
            return Err(refused(&file, "is there twice".to_owned()));
        }
    }
    Ok(found)
}

pub(super) fn read(
    path: &Path,
    tree: &mut Tree,
    layout: FileLayout,
    target: &Target<'_>,
) -> Result<Import> {
    let before = if layout == FileLayout::Cifar100 { 2 } else { 1 };
    let record = before + PIXELS;
    let contents = contents(path, tree, layout)?;
    let images = |name: &str| {
        contents
            .get(name)
            .map_or(0, |content| content.len() / record)
    };
    let test = files(layout).last().map_or(0, |name| images(name));
    let all: usize = files(layout).iter().map(|name| images(name)).sum();
    let of_first = contents.get(files(layout)[0]).into_iter();
    let labels = of_first.flat_map(|content| {
        content
            .chunks_exact(record)
            .map(move |image| image[before - 1])
    });
    let recognised = target.recognised(layout, all - test, test, labels);
    let classes: Vec<String> = match target.known.or(recognised.and_then(|row| known(row.set))) {
        Some(known) => known
            .classes
            .iter()
            .map(|class| (*class).to_owned())
            .collect(),
        None => (0..if before == 2 { 100 } else { 10 })
            .map(|class| class.to_string())
            .collect(),
    };
    let mut faults = Vec::new();
    for name in files(layout) {
        let file = path.join(name);
        let Some(content) = contents.get(name) else {
            faults.push(fault(&file, "is missing".to_owned()));
            continue;
        };
        if content.is_empty() || content.len() % record != 0 {
            let message = format!(
                "must have {} for each image, and has {}: {} images and {}",
                bytes(record as u64),
                bytes(content.len() as u64),
                count((content.len() / record) as u64),
                bytes((content.len() % record) as u64)
            );
            faults.push(fault(&file, message));
        }
        let labels = content
            .chunks_exact(record)
            .map(move |image| image[before - 1]);
        faults.extend(labels_out_of_range(&file, labels, classes.len()));
    }
    faults.extend(target.complete(path, all - test, test));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let mut draft = target.library.draft()?;
    let records = || {
        files(layout)
            .iter()
            .filter_map(|name| contents.get(name))
            .flat_map(|content| content.chunks_exact(record))
    };
    for image in records() {
        draft.push(&image[before..], [image[before - 1].into()].into_iter())?;
    }
    let class_counts = counts(&classes, records().map(|image| image[before - 1].into()));
    let report = Report {
        format: if before == 2 { "CIFAR-100" } else { "CIFAR-10" }.to_owned(),
        known: recognised.map(|row| row.set.to_owned()),
        images: all,
        test: Some(test),
        warnings: of_classes(&class_counts),
        classes: class_counts,
        channels: 3,
        side: SIDE,
        photos: None,
        sizes: [[SIDE as u32; 2]; 2],
        unreadable: Vec::new(),
        ignored: Vec::new(),
        notes: notes(&draft, &classes, Some(all - test)),
    };
    let ready = draft.finish(target.metadata(classes, 3, SIDE, Some(all - test)))?;
    Ok(Import { ready, report })
}
