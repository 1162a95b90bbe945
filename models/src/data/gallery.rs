//! The gallery of a data set: one picture with the mean and the first few images of each class.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use serde::Serialize;
use serde_json::Map;
use utoipa::ToSchema;

use super::image::{Pixels, Resize, byte};
use super::library::Library;
use super::picture::decode_image;
use super::read::{ClassCount, counts};
use super::stored::StoredDataSet;
use super::table::SampleValues;
use super::versions::IMPORTED;
use super::{RawSamples, built_in};
use crate::error::{Error, Result};
use crate::links;
use crate::spec::DataSpec;

/// Images of each class, besides their mean.
const SAMPLES: usize = 9;

/// The most pixels of the picture; many classes of large images are scaled down.
const MOST: usize = 8_000_000;

/// The most pixels along a side of one image.
const MOST_CELL: usize = 96;

/// The file of the gallery in the folder of a set of photos.
pub(super) const FILE: &str = "gallery.png";

/// A gallery: a row for each class, with the mean of its images and the first few of them. Missing images leave cells
/// empty.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Gallery {
    /// Images in a row, including the mean.
    pub columns: usize,
    /// Classes.
    pub rows: usize,
    /// Pixels along a side of an image.
    pub cell: usize,
    /// The classes and their numbers of images.
    pub classes: Vec<ClassCount>,
    /// RGBA, row by row.
    #[serde(skip)]
    rgba: Vec<u8>,
}

/// The gallery of a data set; `None` for points.
///
/// # Errors
/// When the data set does not exist, is not in the library, or cannot be read.
pub fn gallery(set: &str, library: &Library) -> Result<Option<Gallery>> {
    if library.find(set).is_some_and(|set| set.dimensions != 3) {
        return Ok(None);
    }
    let spec = DataSpec {
        set: set.to_owned(),
        validation: 0.0,
        limit: None,
        folds: None,
        fold: None,
        options: Map::new(),
    };
    let RawSamples {
        classes,
        values,
        labels,
        ..
    } = match built_in(&spec) {
        Some((_, load)) => load(&spec)?,
        None => {
            let stored = library.open(set)?;
            if stored.metadata.photos.is_some() {
                return of_photos(&stored).map(Some);
            }
            stored.load(IMPORTED)?
        }
    };
    Ok(match values {
        SampleValues::Points(_) | SampleValues::Photos(_) => None,
        SampleValues::Images(pixels) => Some(Gallery::new(&pixels, &labels, classes)),
    })
}

/// The gallery of a set of photos, which was made when they were imported: to decode them all takes minutes.
fn of_photos(stored: &StoredDataSet) -> Result<Gallery> {
    let path = stored.folder.join(FILE);
    let file = links::read(&path).map_err(|e| Error::file(&path, e))?;
    let picture = decode_image(&file, 2 * MOST as u64);
    let picture = picture.map_err(|message| Error::file(&path, std::io::Error::other(message)))?;
    let classes = &stored.metadata.classes;
    let labels = stored.labels()?;
    let cell = picture.width / (1 + SAMPLES);
    if picture.height != cell * classes.len() {
        let message = "is not the picture of these classes";
        return Err(Error::file(&path, std::io::Error::other(message)));
    }
    let classes = counts(classes, labels.iter().map(|label| *label as usize));
    // Cells without an image are white in the file, and clear in the gallery.
    let rgba = picture
        .rgb
        .chunks_exact(3)
        .enumerate()
        .flat_map(|(at, pixel)| {
            let (row, column) = (at / picture.width / cell, at % picture.width / cell);
            let filled = classes
                .get(row)
                .is_some_and(|class| column <= class.images.min(SAMPLES) && class.images > 0);
            if filled {
                [pixel[0], pixel[1], pixel[2], 255]
            } else {
                [0; 4]
            }
        });
    Ok(Gallery {
        columns: 1 + SAMPLES,
        rows: classes.len(),
        cell,
        rgba: rgba.collect(),
        classes,
    })
}

/// Pixels along a side of an image of so many classes, at most.
pub(super) fn cell_side(classes: usize) -> usize {
    let most = (MOST as f64 / ((1 + SAMPLES) * classes.max(1)) as f64).sqrt() as usize;
    most.clamp(1, MOST_CELL)
}

/// The images of a gallery, class by class, while they are read: the sum of all and the first few.
pub(super) struct Cells {
    side: usize,
    /// For each class, `[3, side, side]`.
    sums: Vec<f64>,
    first: Vec<Vec<Vec<u8>>>,
}

impl Cells {
    pub(super) fn new(classes: usize, side: usize) -> Self {
        Self {
            side,
            sums: vec![0.0; classes * 3 * side * side],
            first: vec![Vec::new(); classes],
        }
    }

    /// Pixels along a side of an image.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Adds an image `[3, side, side]`, with values from 0 to 255.
    pub(super) fn add(&mut self, class: usize, image: &[f32]) {
        let size = image.len();
        let sums = &mut self.sums[class * size..(class + 1) * size];
        sums.iter_mut()
            .zip(image)
            .for_each(|(sum, value)| *sum += f64::from(*value));
        if self.first[class].len() < SAMPLES {
            self.first[class].push(image.iter().map(|value| byte(*value)).collect());
        }
    }

    pub(super) fn into_gallery(self, classes: &[ClassCount]) -> Gallery {
        let mut gallery = Gallery::empty(classes.to_vec(), self.side);
        let size = 3 * self.side * self.side;
        for (class, first) in self.first.iter().enumerate() {
            let images = classes[class].images.max(1) as f64;
            if !first.is_empty() {
                let sums = &self.sums[class * size..(class + 1) * size];
                gallery.paint(class, 0, [3, 255], |at| sums[at] / images);
            }
            for (column, image) in first.iter().enumerate() {
                gallery.paint(class, 1 + column, [3, 255], |at| image[at].into());
            }
        }
        gallery
    }
}

impl Gallery {
    fn new(pixels: &Pixels, labels: &[u32], classes: Vec<String>) -> Self {
        let rows = classes.len();
        let cell = pixels.side.min(cell_side(rows));
        let counts = counts(&classes, labels.iter().map(|label| *label as usize));
        let mut gallery = Self::empty(counts, cell);
        let shape = [pixels.channels, pixels.white.into()];
        let size = pixels.channels * cell * cell;
        let mut sums = vec![0.0f64; rows * size];
        let mut seen = vec![0; rows];
        let resize = (cell != pixels.side).then(|| Resize::new(pixels.side, cell));
        let (mut along, mut small) = (Vec::new(), vec![0.0f32; size]);
        let side = pixels.side * pixels.side;
        for (index, label) in labels.iter().enumerate() {
            let channels = pixels
                .image(index)
                .chunks_exact(side)
                .zip(small.chunks_exact_mut(cell * cell));
            for (from, to) in channels {
                match &resize {
                    Some(resize) => resize.channel(from, &mut along, to),
                    None => to
                        .iter_mut()
                        .zip(from)
                        .for_each(|(to, from)| *to = f32::from(*from)),
                }
            }
            let class = *label as usize;
            let sums = &mut sums[class * size..(class + 1) * size];
            sums.iter_mut()
                .zip(&small)
                .for_each(|(sum, value)| *sum += f64::from(*value));
            seen[class] += 1;
            if seen[class] <= SAMPLES {
                gallery.paint(class, seen[class], shape, |at| small[at].into());
            }
        }
        for class in 0..rows {
            let count = gallery.classes[class].images;
            if count > 0 {
                gallery.paint(class, 0, shape, |at| sums[class * size + at] / count as f64);
            }
        }
        gallery
    }

    /// A gallery without images.
    fn empty(classes: Vec<ClassCount>, cell: usize) -> Self {
        let (columns, rows) = (1 + SAMPLES, classes.len());
        Self {
            columns,
            rows,
            cell,
            classes,
            rgba: vec![0; columns * rows * cell * cell * 4],
        }
    }

    /// Fills a cell from the values `[channels, cell, cell]`, of which `white` stands for 1.
    fn paint(
        &mut self,
        row: usize,
        column: usize,
        [channels, white]: [usize; 2],
        value: impl Fn(usize) -> f64,
    ) {
        let cell = self.cell;
        let byte = |at: usize| (value(at) * 255.0 / white as f64).round().clamp(0.0, 255.0) as u8;
        for y in 0..cell {
            for x in 0..cell {
                let to = 4 * ((row * cell + y) * self.columns * cell + column * cell + x);
                for channel in 0..3 {
                    let source = channel.min(channels - 1);
                    self.rgba[to + channel] = byte((source * cell + y) * cell + x);
                }
                self.rgba[to + 3] = 255;
            }
        }
    }

    /// The picture as a PNG.
    ///
    /// # Errors
    /// When it cannot be encoded, such as a picture without pixels.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (self.columns * self.cell, self.rows * self.cell);
        PngEncoder::new(&mut png)
            .write_image(
                &self.rgba,
                width as u32,
                height as u32,
                ExtendedColorType::Rgba8,
            )
            .map_err(|e| Error::file("a picture", std::io::Error::other(e)))?;
        Ok(png.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(gallery: &Gallery, x: usize, y: usize) -> [u8; 4] {
        let at = 4 * (y * gallery.columns * gallery.cell + x);
        [0, 1, 2, 3].map(|i| gallery.rgba[at + i])
    }

    #[test]
    fn a_row_is_the_mean_then_the_images_then_nothing() {
        let pixels = Pixels {
            bytes: [[10; 4], [30; 4], [16; 4]].concat(),
            channels: 1,
            side: 2,
            white: 51,
        };
        let gallery = Gallery::new(
            &pixels,
            &[1, 1, 0],
            ["a", "b", "c"].map(str::to_owned).to_vec(),
        );
        let counts: Vec<_> = gallery.classes.iter().map(|class| class.images).collect();
        assert_eq!((counts, gallery.cell), (vec![1, 2, 0], 2));
        assert_eq!(pixel(&gallery, 0, 2), [100, 100, 100, 255]);
        assert_eq!(pixel(&gallery, 2, 2), [50, 50, 50, 255]);
        assert_eq!(pixel(&gallery, 4, 3), [150, 150, 150, 255]);
        assert_eq!(pixel(&gallery, 6, 2), [0; 4]);
        assert_eq!(pixel(&gallery, 0, 4), [0; 4]);
        assert!(gallery.png().unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn digits_have_a_gallery_and_points_have_none() {
        let digits = gallery("digits", &Library::none()).unwrap().unwrap();
        assert_eq!((digits.rows, digits.columns, digits.cell), (10, 10, 8));
        assert_eq!(
            digits
                .classes
                .iter()
                .map(|class| class.images)
                .sum::<usize>(),
            1797
        );
        assert_eq!(gallery("moons", &Library::none()).unwrap(), None);
        assert!(gallery("mnist", &Library::none()).is_err());
    }
}
