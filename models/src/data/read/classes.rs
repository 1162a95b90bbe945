//! Reads a folder of images per class, in an archive or on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use rayon::prelude::*;

use super::folders::{Image, find_images, is_called_image, is_system_file};
use super::photo::{self, Photo};
use super::tree::{Node, Tree};
use super::{Import, ImportLimits, Report, Target, counts, fault, kind, refused};
use crate::data::fault::count;
use crate::data::image::Resize;
use crate::data::{LEAST_SIDE, MOST_SIDE};
use crate::error::Fault;
use crate::error::{Error, Result};

/// Images that are read at once, to be decoded by all threads.
const AT_ONCE: usize = 16;

pub(super) fn read(
    path: &Path,
    mut tree: Tree,
    target: &Target<'_>,
    limits: &ImportLimits,
    on_progress: &dyn Fn(usize, usize) -> bool,
) -> Result<Import> {
    let nodes = tree.nodes().to_vec();
    let mut is_image = |node: &Node| {
        !node.is_folder
            && !is_system_file(node)
            && (is_called_image(node) || kind::is_picture(&tree.head(node)))
    };
    let is_image: Vec<_> = nodes.iter().map(&mut is_image).collect();
    let found = find_images(path, &nodes, &is_image, limits)?;
    let mut draft = target.library.draft()?;
    // Until all sizes are known, the images are in an unnamed temporary file.
    let scratch =
        tempfile::tempfile_in(draft.folder()).map_err(|e| Error::file(draft.folder(), e))?;
    let mut spool = Spool::new(scratch, most_side(found.images.len(), limits));
    let mut unreadable = [found.astray, std::mem::take(&mut tree.unreadable)].concat();
    let mut pixels = 0u64;
    for (i, some) in found.images.chunks(AT_ONCE).enumerate() {
        if !on_progress(i * AT_ONCE, found.images.len()) {
            return Err(refused(path, "was not read to its end".to_owned()));
        }
        let mut files = Vec::new();
        for image in some {
            files.push(tree.read(&image.node, limits)?);
        }
        let photos: Vec<_> = files
            .into_par_iter()
            .map(|file| photo::read(&file?, limits.pixels, spool.most))
            .collect();
        for (image, photo) in some.iter().zip(photos) {
            match photo {
                Ok(photo) => {
                    pixels += u64::from(photo.size[0]) * u64::from(photo.size[1]);
                    spool
                        .push(image, &photo)
                        .map_err(|e| Error::file(draft.folder(), e))?;
                }
                Err(message) => unreadable.push(Fault {
                    file: image.node.name(),
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
    on_progress(found.images.len(), found.images.len());
    let is_split = !found.splits.is_empty();
    let empty = spool.without_images(&found.images).map(|(class, test)| {
        let what = match (is_split, test) {
            (false, _) => "image",
            (true, false) => "image to learn from",
            (true, true) => "image for the test",
        };
        let message = format!("has no {what} that can be read");
        fault(Path::new(&found.classes[class]), message)
    });
    let empty: Vec<_> = empty.collect();
    if !empty.is_empty() {
        return Err(Error::Refused([empty, unreadable].concat()));
    }
    let classes = counts(&found.classes, spool.images.iter().map(|image| image.class));
    let train = is_split.then(|| spool.images.iter().filter(|image| !image.test).count());
    let (channels, side) = (spool.channels(), spool.side());
    let sizes = spool.sizes;
    let images = spool.images.len();
    let names: Vec<_> = spool
        .images
        .iter()
        .map(|image| image.name.clone())
        .collect();
    spool.copy(channels, side, &mut |pixels, class| {
        draft.push(pixels, [class as u16].into_iter())
    })?;
    let format = if is_split {
        format!("images in class folders in {}", found.splits.join(", "))
    } else {
        "images in class folders".to_owned()
    };
    let report = Report {
        format,
        known: None,
        images,
        test: train.map(|train| images - train),
        classes,
        channels,
        side,
        sizes,
        unreadable,
        ignored: found.ignored,
        notes: [
            tree.notes,
            found.notes,
            draft.repeated(train, &|image| {
                names.get(image).cloned().unwrap_or_default()
            }),
            draft
                .note_on_untrained_classes(&found.classes, train)
                .into_iter()
                .collect(),
        ]
        .concat(),
    };
    let ready = draft.finish(target.metadata(found.classes, channels, side, train))?;
    Ok(Import { ready, report })
}

/// The largest side with which so many images may be stored.
fn most_side(images: usize, limits: &ImportLimits) -> usize {
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
    name: String,
    test: bool,
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

    fn push(&mut self, image: &Image, photo: &Photo) -> std::io::Result<()> {
        for ([least, most], size) in self.sizes.iter_mut().zip(photo.size) {
            (*least, *most) = ((*least).min(size), (*most).max(size));
        }
        self.grey &= photo.grey;
        self.images.push(Spooled {
            class: image.class,
            test: image.test,
            name: image.node.name(),
            side: photo.side,
        });
        self.file.write_all(&photo.pixels)
    }

    /// The classes and splits that have no images.
    fn without_images(&self, asked: &[Image]) -> impl Iterator<Item = (usize, bool)> + use<> {
        let asked: BTreeSet<_> = asked
            .iter()
            .map(|image| (image.class, image.test))
            .collect();
        let here = self.images.iter().map(|image| (image.class, image.test));
        let here: BTreeSet<_> = here.collect();
        asked.into_iter().filter(move |part| !here.contains(part))
    }

    fn channels(&self) -> usize {
        if self.grey { 1 } else { 3 }
    }

    /// The median size: few images are enlarged, and none is stored much larger than it is.
    fn side(&self) -> usize {
        let mut sides: Vec<_> = self.images.iter().map(|image| image.side).collect();
        sides.sort_unstable();
        sides
            .get(sides.len() / 2)
            .copied()
            .unwrap_or(LEAST_SIDE)
            .clamp(LEAST_SIDE, MOST_SIDE)
    }

    /// Resizes every image to one size.
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
            let pixels_per_channel = image.side * image.side;
            let mut old = vec![0; 3 * pixels_per_channel];
            file.read_exact(&mut old).map_err(failed)?;
            old.truncate(channels * pixels_per_channel);
            if image.side == side {
                each(&old, image.class)?;
                continue;
            }
            let resize = resizes
                .entry(image.side)
                .or_insert_with(|| Resize::new(image.side, side));
            let mut bytes = Vec::with_capacity(channels * side * side);
            for old in old.chunks_exact(pixels_per_channel) {
                resize.channel(old, &mut along, &mut new);
                bytes.extend(new.iter().map(|value| photo::byte(*value)));
            }
            each(&bytes, image.class)?;
        }
        Ok(())
    }
}
