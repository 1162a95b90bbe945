//! Single images of any size: decoding, and conversion to a network's input.

use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use super::fit::PhotoTransform;
use super::read::photo;
use crate::error::{Error, Result};

/// An RGB image, with its EXIF orientation applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The width in pixels.
    pub width: usize,
    /// The height in pixels.
    pub height: usize,
    /// RGB, row by row.
    pub rgb: Vec<u8>,
}

/// Decodes a PNG, JPEG or WebP of at most `most_pixels` pixels; the type is detected from the content. Of several
/// images the first is taken, transparency becomes white, and the EXIF orientation is applied.
///
/// # Errors
/// The fault, as a phrase that follows "the image".
pub fn decode_image(bytes: &[u8], most_pixels: u64) -> std::result::Result<Picture, String> {
    photo::whole(bytes, most_pixels).map(Picture::from)
}

/// The input for a network for images of the shape `input` `[channels, height, width]`, before normalisation: a square
/// by the transform, in grey for one channel, with values from 0 to 1. The same steps as in training.
///
/// # Errors
/// [`Error::Setting`] when `input` is not the shape of a square image of one or three channels.
pub fn network_input(
    input: &[usize],
    picture: &Picture,
    transform: PhotoTransform,
) -> Result<Vec<f32>> {
    let mut image = photo_values(input, picture, transform)?;
    image.iter_mut().for_each(|value| *value /= 255.0);
    Ok(image)
}

/// As [`network_input`], with values from 0 to 255.
pub(crate) fn photo_values(
    input: &[usize],
    picture: &Picture,
    transform: PhotoTransform,
) -> Result<Vec<f32>> {
    match *input {
        [channels @ (1 | 3), side, width]
            if side == width && side > 0 && picture.width * picture.height > 0 =>
        {
            Ok(transform.square(picture, channels, side))
        }
        _ => Err(Error::setting("image", "is not what this network sees")),
    }
}

impl Picture {
    /// The same picture, scaled down to a longer side of at most so many pixels.
    pub fn within(self, side: usize) -> Self {
        let longest = self.width.max(self.height);
        if longest <= side {
            return self;
        }
        let shorter = |length: usize| ((length * side).div_ceil(longest)).max(1) as u32;
        let (width, height) = (shorter(self.width), shorter(self.height));
        match RgbImage::from_raw(self.width as u32, self.height as u32, self.rgb) {
            Some(image) => resize(&image, width, height, FilterType::Triangle).into(),
            None => Self {
                width: 0,
                height: 0,
                rgb: Vec::new(),
            },
        }
    }

    /// The picture as a PNG.
    ///
    /// # Errors
    /// When it cannot be encoded, such as a picture without pixels.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new(&mut png)
            .write_image(
                &self.rgb,
                self.width as u32,
                self.height as u32,
                ExtendedColorType::Rgb8,
            )
            .map_err(|e| Error::file("a picture", std::io::Error::other(e)))?;
        Ok(png.into_inner())
    }
}

impl From<RgbImage> for Picture {
    fn from(image: RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            rgb: image.into_raw(),
        }
    }
}
