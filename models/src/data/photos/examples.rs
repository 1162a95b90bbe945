//! A few photos of a set, each in all ways to make it square.

use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::fit::Fit;
use super::super::image::byte;
use super::super::library::Library;
use super::fingerprint::shrink;
use super::originals::{Originals, Photo};
use crate::error::{Error, Result};

/// Pixels along a side of an example.
const CELL: usize = 128;

/// Photos of a set for each fit: a row for each photo, a column for each fit.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FitExamples {
    /// Pixels along a side of an example.
    pub cell: usize,
    /// The fits, in the order of the columns.
    pub fits: Vec<Fit>,
    /// The photos, in the order of the rows: the widest, one between, the highest.
    pub photos: Vec<FitExample>,
    /// RGB, row by row.
    #[serde(skip)]
    rgb: Vec<u8>,
}

/// A photo that is shown for each fit.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FitExample {
    /// Its name.
    pub name: String,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// Photos of a set for each fit; `None` for a set that is not kept as photos, or of which all are square.
///
/// # Errors
/// When the data set is not in the library, or cannot be read.
pub fn fit_examples(set: &str, library: &Library) -> Result<Option<FitExamples>> {
    let stored = library.open(set)?;
    let Some(metadata) = stored
        .metadata
        .photos
        .as_ref()
        .filter(|photos| !photos.square)
    else {
        return Ok(None);
    };
    let originals = Originals::open(&stored.folder, metadata)?;
    let chosen = chosen(&originals.photos);
    let width = Fit::ALL.len() * CELL;
    let mut rgb = vec![0; 3 * width * chosen.len() * CELL];
    for (row, photo) in chosen.iter().enumerate() {
        let picture = shrink(originals.picture(photo)?, 2 * CELL);
        for (column, fit) in Fit::ALL.into_iter().enumerate() {
            let square = fit.square(&picture, 3, CELL);
            for place in 0..CELL * CELL {
                let (x, y) = (column * CELL + place % CELL, row * CELL + place / CELL);
                for channel in 0..3 {
                    rgb[3 * (y * width + x) + channel] =
                        byte(square[channel * CELL * CELL + place]);
                }
            }
        }
    }
    Ok(Some(FitExamples {
        cell: CELL,
        fits: Fit::ALL.to_vec(),
        photos: chosen
            .iter()
            .map(|photo| FitExample {
                name: photo.name.clone(),
                width: photo.width,
                height: photo.height,
            })
            .collect(),
        rgb,
    }))
}

/// The widest photo, the median of those that are not square, and the highest one.
fn chosen(photos: &[Photo]) -> Vec<&Photo> {
    let mut long: Vec<_> = photos
        .iter()
        .filter(|photo| photo.width != photo.height)
        .collect();
    let ratio = |photo: &Photo| f64::from(photo.width) / f64::from(photo.height);
    long.sort_by(|a, b| ratio(b).total_cmp(&ratio(a)));
    let mut places = vec![0, long.len() / 2, long.len().saturating_sub(1)];
    places.dedup();
    places
        .into_iter()
        .filter_map(|place| long.get(place).copied())
        .collect()
}

impl FitExamples {
    /// The picture as a PNG.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (self.fits.len() * self.cell, self.photos.len() * self.cell);
        PngEncoder::new(&mut png)
            .write_image(
                &self.rgb,
                width as u32,
                height as u32,
                ExtendedColorType::Rgb8,
            )
            .map_err(|e| Error::file("a picture", std::io::Error::other(e)))?;
        Ok(png.into_inner())
    }
}
