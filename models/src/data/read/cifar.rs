//! The binary versions of CIFAR-10 and CIFAR-100: for each image its label (of CIFAR-100 the coarse one, then the fine
//! one), then 32x32 red bytes, as many green ones, as many blue ones. Described at
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{Import, Report, Target, counts, fault, labels_out_of_range, read_up_to, refused};
use crate::data::fault::{bytes, count};
use crate::data::known::Layout;
use crate::error::{Error, Result};

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;

/// Bytes of an unpacked archive; the real ones have 185 million.
const MOST_UNPACKED: u64 = 1 << 30;

/// Bytes that one file may have, as many as the largest real one: all files of a layout are held in memory together.
const fn most(layout: Layout) -> u64 {
    match layout {
        Layout::Cifar100 => 50_000 * (PIXELS as u64 + 2),
        _ => 10_000 * (PIXELS as u64 + 1),
    }
}

/// Files of a layout, the test's last.
fn files(layout: Layout) -> &'static [&'static str] {
    match layout {
        Layout::Cifar100 => &["train.bin", "test.bin"],
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

const LAYOUTS: [Layout; 2] = [Layout::Cifar10, Layout::Cifar100];

/// Whether a file of any layout is in a folder, or in a folder in it that is called as in the archive.
pub(super) fn is_here(folder: &Path) -> bool {
    within(folder).is_some()
}

/// The folder that has the files, and their layout.
fn within(folder: &Path) -> Option<(PathBuf, Layout)> {
    let folders = ["", "cifar-10-batches-bin", "cifar-100-binary"].map(|name| folder.join(name));
    let mut all = folders
        .iter()
        .flat_map(|folder| LAYOUTS.map(|layout| (folder.clone(), layout)));
    all.find(|(folder, layout)| {
        files(*layout)
            .iter()
            .any(|name| folder.join(name).is_file())
    })
}

/// The layout of what is in a folder or an archive.
pub(super) fn layout(path: &Path) -> Result<Layout> {
    if let Some((_, layout)) = within(path) {
        return Ok(layout);
    }
    let mut found = None;
    each_member(path, &mut |name, _| {
        found = found.or(LAYOUTS
            .into_iter()
            .find(|layout| files(*layout).contains(&name)));
        Ok(found.is_none())
    })?;
    found.ok_or_else(|| {
        refused(
            path,
            "holds no files of CIFAR-10 or CIFAR-100 in their binary version".to_owned(),
        )
    })
}

/// Goes through the regular files of a `tar.gz` until told to stop. Nothing is written anywhere.
fn each_member(
    path: &Path,
    each: &mut dyn FnMut(&str, &mut dyn Read) -> Result<bool>,
) -> Result<()> {
    let broken = |e: std::io::Error| refused(path, format!("cannot be unpacked: {e}"));
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    let unpacked = MultiGzDecoder::new(BufReader::new(file)).take(MOST_UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry
            .path()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let Some(name) = name.filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        if !each(&name, &mut entry)? {
            return Ok(());
        }
    }
    Ok(())
}

/// The files of a layout by name, with their bytes.
fn contents(path: &Path, layout: Layout) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let most = most(layout);
    let mut take = |name: &'static str, from: &mut dyn Read| {
        let (read, result) = read_up_to(from, most + 1);
        result.map_err(|e| {
            refused(
                &path.join(name),
                format!("cannot be read past {}: {e}", bytes(read.len() as u64)),
            )
        })?;
        if read.len() as u64 > most {
            return Err(refused(
                &path.join(name),
                format!("has more than {}", bytes(most)),
            ));
        }
        match found.insert(name, read) {
            None => Ok(true),
            Some(_) => Err(refused(&path.join(name), "is there twice".to_owned())),
        }
    };
    if let Some((folder, _)) = within(path) {
        for name in files(layout) {
            let file = folder.join(name);
            if file.is_file() {
                take(
                    name,
                    &mut File::open(&file).map_err(|e| Error::file(&file, e))?,
                )?;
            }
        }
    } else {
        each_member(
            path,
            &mut |name, from| match files(layout).iter().find(|file| **file == name) {
                Some(name) => take(name, from),
                None => Ok(true),
            },
        )?;
    }
    Ok(found)
}

pub(super) fn read(path: &Path, layout: Layout, target: &Target<'_>) -> Result<Import> {
    let before = if layout == Layout::Cifar100 { 2 } else { 1 };
    let record = before + PIXELS;
    let contents = contents(path, layout)?;
    let classes: Vec<String> = match target.known {
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
        let labels = content.chunks_exact(record).map(|image| image[before - 1]);
        faults.extend(labels_out_of_range(&file, labels, classes.len()));
    }
    let images = |name: &str| {
        contents
            .get(name)
            .map_or(0, |content| content.len() / record)
    };
    let test = files(layout).last().map_or(0, |name| images(name));
    let all: usize = files(layout).iter().map(|name| images(name)).sum();
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
    let report = Report {
        format: if before == 2 { "CIFAR-100" } else { "CIFAR-10" }.to_owned(),
        images: all,
        test: Some(test),
        classes: counts(&classes, records().map(|image| image[before - 1].into())),
        channels: 3,
        side: SIDE,
        sizes: [[SIDE as u32; 2]; 2],
        unreadable: Vec::new(),
        ignored: Vec::new(),
    };
    let ready = draft.finish(target.about(classes, 3, SIDE, Some(all - test)))?;
    Ok(Import { ready, report })
}
