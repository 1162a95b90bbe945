//! A folder of images for each class, in a zip or on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use rayon::prelude::*;

use super::photo::{self, Photo};
use super::tree::{Node, Tree};
use super::{Import, Limits, Report, Target, counts, fault, refused};
use crate::data::fault::{Fault, count};
use crate::data::image::Resize;
use crate::data::{LEAST_SIDE, MOST_SIDE};
use crate::error::{Error, Result};

/// Images that are read before they are decoded, by all threads.
const AT_ONCE: usize = 16;

/// What is taken for an image by its name; what it is, its first bytes say.
const IMAGES: [&str; 9] = [
    "png", "jpg", "jpeg", "jpe", "webp", "gif", "bmp", "tif", "tiff",
];

/// Files that systems leave in folders.
const LITTER: [&str; 4] = ["__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir"];

/// Which images there are, by class.
#[derive(Default)]
struct Found {
    /// In the order of the labels.
    classes: Vec<String>,
    /// The images and their classes.
    images: Vec<(usize, Node)>,
    ignored: Vec<String>,
    /// Images in no class folder.
    astray: Vec<Fault>,
}

pub(super) fn read(
    path: &Path,
    target: &Target<'_>,
    limits: &Limits,
    told: &dyn Fn(usize, usize) -> bool,
) -> Result<Import> {
    let mut tree = Tree::open(path, limits)?;
    let found = sort_out(path, tree.nodes(limits)?, limits)?;
    let mut draft = target.library.draft()?;
    // Until all sizes are known, the images lie in a file without a name.
    let scratch =
        tempfile::tempfile_in(draft.folder()).map_err(|e| Error::file(draft.folder(), e))?;
    let mut spool = Spool::new(scratch, most_side(found.images.len(), limits));
    let mut unreadable = found.astray;
    let mut pixels = 0u64;
    for (i, some) in found.images.chunks(AT_ONCE).enumerate() {
        if !told(i * AT_ONCE, found.images.len()) {
            return Err(refused(path, "was not read to its end".to_owned()));
        }
        let mut files = Vec::new();
        for (_, node) in some {
            files.push(tree.read(node, limits)?);
        }
        let photos: Vec<_> = files
            .into_par_iter()
            .map(|file| photo::read(&file?, limits.pixels, spool.most))
            .collect();
        for ((class, node), photo) in some.iter().zip(photos) {
            match photo {
                Ok(photo) => {
                    pixels += u64::from(photo.size[0]) * u64::from(photo.size[1]);
                    spool
                        .push(*class, &photo)
                        .map_err(|e| Error::file(draft.folder(), e))?;
                }
                Err(message) => unreadable.push(Fault {
                    file: node.name(),
                    message,
                }),
            }
        }
        if pixels > limits.all_pixels {
            let message = format!(
                "holds images of more than {} pixels together",
                count(limits.all_pixels)
            );
            return Err(refused(path, message));
        }
    }
    told(found.images.len(), found.images.len());
    let classes = counts(&found.classes, spool.images.iter().map(|image| image.class));
    let empty = classes.iter().filter(|class| class.images == 0);
    let empty: Vec<_> = empty
        .map(|class| {
            fault(
                Path::new(&class.name),
                "has no image that can be read".to_owned(),
            )
        })
        .collect();
    if !empty.is_empty() {
        return Err(Error::Refused([empty, unreadable].concat()));
    }
    let (channels, side) = (spool.channels(), spool.side());
    let sizes = spool.sizes;
    let images = spool.images.len();
    spool.copy(channels, side, &mut |pixels, class| {
        draft.push(pixels, [class as u16].into_iter())
    })?;
    let report = Report {
        format: "images in class folders".to_owned(),
        images,
        test: None,
        classes,
        channels,
        side,
        sizes,
        unreadable,
        ignored: found.ignored,
    };
    let ready = draft.finish(target.about(found.classes, channels, side, None))?;
    Ok(Import { ready, report })
}

/// Finds the class folders: those at the top, or those in a single folder at the top.
fn sort_out(path: &Path, nodes: Vec<Node>, limits: &Limits) -> Result<Found> {
    let mut found = Found::default();
    let (litter, nodes): (Vec<_>, Vec<_>) = nodes.into_iter().partition(is_litter);
    let (images, others): (Vec<_>, Vec<_>) = nodes.into_iter().partition(is_image);
    let others_names = others
        .iter()
        .chain(&litter)
        .filter(|node| !node.is_folder)
        .map(Node::name);
    found.ignored = others_names.collect();
    let outer = outer(&images);
    let mut classes: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for node in others
        .into_iter()
        .filter(|node| node.is_folder && node.parts.len() > outer)
    {
        classes.entry(node.parts[outer].clone()).or_default();
    }
    for node in images {
        if node.parts.len() > outer + 1 {
            classes
                .entry(node.parts[outer].clone())
                .or_default()
                .push(node);
        } else {
            found.astray.push(Fault {
                file: node.name(),
                message: "lies in no class folder".to_owned(),
            });
        }
    }
    let mut faults = Vec::new();
    let empty = classes.iter().filter(|(_, images)| images.is_empty());
    faults.extend(
        empty.map(|(class, _)| fault(Path::new(class), "is a class without images".to_owned())),
    );
    let is_split = |name: &String| {
        ["train", "test", "val", "valid", "validation"].contains(&name.to_lowercase().as_str())
    };
    if classes.len() < 2 {
        let message = format!(
            "must have a folder of images for each of at least 2 classes, and has {}",
            classes.len()
        );
        faults.push(fault(path, message));
    } else if classes.len() > limits.classes {
        let message = format!(
            "has {} class folders, and may have {}",
            count(classes.len() as u64),
            limits.classes
        );
        faults.push(fault(path, message));
    } else if classes.keys().all(is_split) {
        let names: Vec<_> = classes.keys().cloned().collect();
        let message = format!(
            "has the folders {}: put the class folders themselves at the top",
            names.join(" and ")
        );
        faults.push(fault(path, message));
    }
    let long = classes.keys().filter(|name| name.chars().count() > 100);
    faults.extend(long.map(|name| {
        fault(
            Path::new(name),
            "is too long for the name of a class".to_owned(),
        )
    }));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    // 2 before 10, where all classes are numbers.
    if classes.iter().all(|(name, _)| name.parse::<u64>().is_ok()) {
        classes.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or_default());
    }
    for (class, (name, images)) in classes.into_iter().enumerate() {
        found.classes.push(name);
        found
            .images
            .extend(images.into_iter().map(|image| (class, image)));
    }
    Ok(found)
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

/// How many folders hold everything, one in the other.
fn outer(images: &[Node]) -> usize {
    let Some(first) = images.first() else {
        return 0;
    };
    let shared = |depth: usize| {
        images
            .iter()
            .all(|node| node.parts.len() > depth + 2 && node.parts[depth] == first.parts[depth])
    };
    (0..first.parts.len())
        .take_while(|depth| shared(*depth))
        .count()
}

/// The largest side at which so many images may be stored.
fn most_side(images: usize, limits: &Limits) -> usize {
    let side = (limits.stored_bytes as f64 / (3 * images.max(1)) as f64).sqrt() as usize;
    side.clamp(LEAST_SIDE, MOST_SIDE)
}

/// Images of any size on disk, one after the other.
struct Spool {
    file: BufWriter<File>,
    most: usize,
    images: Vec<Spooled>,
    /// The least and the greatest width, then height.
    sizes: [[u32; 2]; 2],
    grey: bool,
}

struct Spooled {
    class: usize,
    side: usize,
}

impl Spool {
    fn new(file: File, most: usize) -> Self {
        Self {
            file: BufWriter::new(file),
            most,
            images: Vec::new(),
            sizes: [[u32::MAX, 0]; 2],
            grey: true,
        }
    }

    fn push(&mut self, class: usize, photo: &Photo) -> std::io::Result<()> {
        for ([least, most], size) in self.sizes.iter_mut().zip(photo.size) {
            (*least, *most) = ((*least).min(size), (*most).max(size));
        }
        self.grey &= photo.grey;
        self.images.push(Spooled {
            class,
            side: photo.side,
        });
        self.file.write_all(&photo.pixels)
    }

    fn channels(&self) -> usize {
        if self.grey { 1 } else { 3 }
    }

    /// The size that half of the images have or exceed: few are made larger, and none is stored much larger than it is.
    fn side(&self) -> usize {
        let mut sides: Vec<_> = self.images.iter().map(|image| image.side).collect();
        sides.sort_unstable();
        sides
            .get(sides.len() / 2)
            .copied()
            .unwrap_or(LEAST_SIDE)
            .clamp(LEAST_SIDE, MOST_SIDE)
    }

    /// Gives every image at one size.
    fn copy(
        self,
        channels: usize,
        side: usize,
        each: &mut dyn FnMut(&[u8], usize) -> Result<()>,
    ) -> Result<()> {
        let failed = |e: std::io::Error| Error::file("the images in transit", e);
        let mut file = self.file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.rewind().map_err(failed)?;
        let mut file = BufReader::new(file);
        let mut resizes: BTreeMap<usize, Resize> = BTreeMap::new();
        let (mut along, mut new) = (Vec::new(), vec![0.0; side * side]);
        for image in self.images {
            let plane = image.side * image.side;
            let mut old = vec![0; 3 * plane];
            file.read_exact(&mut old).map_err(failed)?;
            old.truncate(channels * plane);
            if image.side == side {
                each(&old, image.class)?;
                continue;
            }
            let resize = resizes
                .entry(image.side)
                .or_insert_with(|| Resize::new(image.side, side));
            let mut bytes = Vec::with_capacity(channels * side * side);
            for old in old.chunks_exact(plane) {
                resize.plane(old, &mut along, &mut new);
                bytes.extend(new.iter().map(|value| photo::byte(*value)));
            }
            each(&bytes, image.class)?;
        }
        Ok(())
    }
}
