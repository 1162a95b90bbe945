//! Reads a folder of images per class, in an archive or on disk, as a set that keeps the photos as they are.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::folders::{Found, Image, find_images, is_called_image, is_system_file};
use super::tree::{Node, Tree};
use super::{Import, ImportLimits, Report, Target, counts, fault, kind, photo, refused};
use crate::data::duplicates::{self, Duplicates, is_test};
use crate::data::fault::count;
use crate::data::fit::Fit;
use crate::data::gallery::{Cells, cell_side};
use crate::data::photos::{
    Alike, Fingerprint, Photo, PhotoSetWriter, Warning, of_classes, of_shapes, shrink,
};
use crate::data::picture::Picture;
use crate::data::stored::{finish_photos, note_on_untrained_classes};
use crate::data::{LEAST_SIDE, USUAL_SIDE};
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
    let mut unreadable = [found.astray.clone(), std::mem::take(&mut tree.unreadable)].concat();
    let mut taken = Taken::new(target.library.photo_draft()?, &found);
    let mut pixels = 0u64;
    for (i, some) in found.images.chunks(AT_ONCE).enumerate() {
        if !on_progress(i * AT_ONCE, found.images.len()) {
            return Err(refused(path, "was not read to its end".to_owned()));
        }
        let mut files = Vec::new();
        for image in some {
            files.push(tree.read(&image.node, limits)?);
        }
        let cell = taken.cells.side();
        let seen: Vec<_> = files
            .into_par_iter()
            .map(|file| Seen::new(file?, limits.pixels, cell))
            .collect();
        for (image, seen) in some.iter().zip(seen) {
            match seen {
                Ok(seen) => {
                    pixels += seen.pixels();
                    taken.push(image, &seen)?;
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
    let empty = taken.without_images(&found);
    if !empty.is_empty() {
        return Err(Error::Refused([empty, unreadable].concat()));
    }
    taken.finish(target, found, tree.notes, unreadable)
}

/// What was seen of an image that can be read.
struct Seen {
    content: Vec<u8>,
    size: [u32; 2],
    /// Whether all three channels are equal.
    grey: bool,
    /// Equal for images with the same pixels.
    same: Vec<u8>,
    print: Fingerprint,
    /// For the gallery, `[3, cell, cell]`.
    cell: Vec<f32>,
}

impl Seen {
    fn new(content: Vec<u8>, most_pixels: u64, cell: usize) -> std::result::Result<Self, String> {
        let picture: Picture = photo::whole(&content, most_pixels)?.into();
        let size = [picture.width as u32, picture.height as u32];
        let grey = picture
            .rgb
            .chunks_exact(3)
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
        let checksum = crc32c::crc32c(&picture.rgb);
        let small = shrink(picture, 2 * cell.max(USUAL_SIDE / 2));
        let print = Fingerprint::of(&small);
        let same = [
            &size[0].to_le_bytes()[..],
            &size[1].to_le_bytes(),
            &checksum.to_le_bytes(),
            &print.hash.to_le_bytes(),
        ];
        Ok(Self {
            same: same.concat(),
            cell: Fit::Crop.square(&small, 3, cell),
            content,
            size,
            grey,
            print,
        })
    }

    fn pixels(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }
}

/// The images that could be read, in their order.
struct Taken {
    draft: PhotoSetWriter,
    cells: Cells,
    /// The folders above all images, which are left out of names.
    above: usize,
    /// The number of training images, if the set has a test split of its own.
    train: Option<usize>,
    /// The names as the user knows them.
    names: Vec<String>,
    grey: bool,
    same: Duplicates,
    alike: Alike,
}

impl Taken {
    fn new(draft: PhotoSetWriter, found: &Found) -> Self {
        Self {
            draft,
            cells: Cells::new(found.classes.len(), cell_side(found.classes.len())),
            above: folders_above(&found.images),
            train: (!found.splits.is_empty()).then_some(0),
            names: Vec::new(),
            grey: true,
            same: Duplicates::default(),
            alike: Alike::default(),
        }
    }

    fn push(&mut self, image: &Image, seen: &Seen) -> Result<()> {
        if let Some(train) = self.train.as_mut().filter(|_| !image.test) {
            *train += 1;
        }
        let class = image.class as u16;
        let (train, labels) = (self.train, &self.draft.labels);
        let this = labels.len() as u32;
        let is_new = self.same.see(&seen.same);
        self.alike.see(is_new.then(|| seen.print.clone()), |other| {
            let leaks = is_test(this, train) && !is_test(other, train);
            let confuses = labels.get(other as usize) != Some(&class);
            2 * u32::from(leaks) + u32::from(confuses)
        });
        self.grey &= seen.grey;
        self.cells.add(image.class, &seen.cell);
        self.names.push(image.node.name());
        let photo = Photo {
            name: image.node.parts[self.above..].join("/"),
            offset: 0,
            bytes: 0,
            width: seen.size[0],
            height: seen.size[1],
            sha256: String::new(),
            looks: format!("{:032x}", seen.print.hash),
        };
        self.draft.push(photo, &seen.content, class)
    }

    /// Faults for the classes and splits of which no image could be read.
    fn without_images(&self, found: &Found) -> Vec<Fault> {
        let asked: BTreeSet<_> = found
            .images
            .iter()
            .map(|image| (image.class, image.test))
            .collect();
        let labels = self.draft.labels.iter().enumerate();
        let here: BTreeSet<_> = labels
            .map(|(image, class)| (usize::from(*class), is_test(image as u32, self.train)))
            .collect();
        let empty = asked.into_iter().filter(|part| !here.contains(part));
        let faults = empty.map(|(class, test)| {
            let what = match (self.train, test) {
                (None, _) => "image",
                (Some(_), false) => "image to learn from",
                (Some(_), true) => "image for the test",
            };
            let message = format!("has no {what} that can be read");
            fault(Path::new(&found.classes[class]), message)
        });
        faults.collect()
    }

    /// The size that runs take unless told otherwise: the median of the shorter sides, unless that is large.
    fn side(&self) -> usize {
        let photos = self.draft.photos.iter();
        let mut sides: Vec<_> = photos.map(|photo| photo.width.min(photo.height)).collect();
        sides.sort_unstable();
        let median = sides.get(sides.len() / 2).map_or(0, |side| *side as usize);
        median.clamp(LEAST_SIDE, USUAL_SIDE)
    }

    fn finish(
        self,
        target: &Target<'_>,
        found: Found,
        tree_notes: Vec<String>,
        unreadable: Vec<Fault>,
    ) -> Result<Import> {
        let (channels, side) = (if self.grey { 1 } else { 3 }, self.side());
        let labels = &self.draft.labels;
        let classes = counts(
            &found.classes,
            labels.iter().map(|label| usize::from(*label)),
        );
        let name = |image: usize| self.names.get(image).cloned().unwrap_or_default();
        let untrained = note_on_untrained_classes(labels, &found.classes, self.train);
        let warnings = [
            self.same.warnings(labels, self.train, &name),
            duplicates::warnings(
                "nearly identical",
                &self.alike.pairs,
                labels,
                self.train,
                &name,
            ),
            untrained
                .map(|message| Warning::new(message, std::iter::empty()))
                .into_iter()
                .collect(),
            of_classes(&classes),
            of_shapes(&self.draft.photos, side, &name),
        ]
        .concat();
        let format = match &found.splits[..] {
            [] => "images in class folders".to_owned(),
            splits => format!("images in class folders in {}", splits.join(", ")),
        };
        let (images, train) = (labels.len(), self.train);
        let metadata = target.metadata(found.classes, channels, side, train);
        let gallery = self.cells.into_gallery(&classes).png()?;
        let ready = finish_photos(self.draft, metadata, &gallery)?;
        let photos = ready.metadata.photos.clone();
        let sizes = photos.as_ref().map_or([[0; 2]; 2], |photos| {
            [&photos.width, &photos.height].map(|length| [length[0], length[2]])
        });
        let report = Report {
            format,
            known: None,
            images,
            test: train.map(|train| images - train),
            classes,
            channels,
            side,
            photos,
            sizes,
            unreadable,
            ignored: found.ignored,
            notes: [tree_notes, found.notes].concat(),
            warnings,
        };
        Ok(Import { ready, report })
    }
}

/// How many folders lie above all images.
fn folders_above(images: &[Image]) -> usize {
    let Some((first, others)) = images.split_first() else {
        return 0;
    };
    let folders = &first.node.parts[..first.node.parts.len() - 1];
    others.iter().fold(folders.len(), |above, other| {
        let folders = folders[..above].iter().zip(&other.node.parts);
        folders.take_while(|(a, b)| a == b).count()
    })
}
