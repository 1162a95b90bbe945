//! Decodes one image of any size: applies the EXIF orientation, crops to a square and scales down.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use super::{jpeg, kind};
use crate::data::fault::count;
use crate::data::image::Resize;

/// The memory limit of a decoder.
const MOST_MEMORY: u64 = 512 << 20;

/// A decoded image: its middle square.
pub(super) struct Photo {
    /// Original width and height, after the EXIF orientation.
    pub(super) size: [u32; 2],
    /// Pixels along a side of the square.
    pub(super) side: usize,
    /// `[3, side, side]`.
    pub(super) pixels: Vec<u8>,
    /// Whether all three channels are equal.
    pub(super) grey: bool,
}

/// Reads an image of a supported format and limited size as a square of at most so many pixels along a side. The format
/// is detected from the content, not the name. Of several images the first is taken, and transparency becomes white.
///
/// # Errors
/// The fault, as a message.
pub(super) fn read(bytes: &[u8], most_pixels: u64, most_side: usize) -> Result<Photo, String> {
    Ok(square(&image(bytes, most_pixels)?, most_side))
}

/// Reads the whole image as rows of RGB, with the EXIF orientation applied.
///
/// # Errors
/// As [`read`].
pub(in crate::data) fn whole(bytes: &[u8], most_pixels: u64) -> Result<RgbImage, String> {
    let image = image(bytes, most_pixels)?;
    let size = [image.width(), image.height()];
    let colours = colours(image);
    RgbImage::from_raw(size[0], size[1], colours).ok_or_else(|| "has no pixels".to_owned())
}

fn image(bytes: &[u8], most_pixels: u64) -> Result<DynamicImage, String> {
    let format = format(bytes, most_pixels)?;
    // Decoders process untrusted data and may panic.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(bytes, format, most_pixels)));
    decoded.unwrap_or_else(|_| Err("makes its decoder fail".to_owned()))
}

/// Blends each pixel with white.
fn colours(image: DynamicImage) -> Vec<u8> {
    if image.color().has_alpha() {
        on_white(&image)
    } else {
        image.into_rgb8().into_raw()
    }
}

fn format(bytes: &[u8], most_pixels: u64) -> Result<ImageFormat, String> {
    let head = &bytes[..bytes.len().min(kind::HEAD)];
    let format = kind::image_format(head).ok_or_else(|| kind::no_image(head))?;
    if format == ImageFormat::Jpeg {
        jpeg::check(bytes, most_pixels)?;
    }
    Ok(format)
}

fn decode(bytes: &[u8], format: ImageFormat, most_pixels: u64) -> Result<DynamicImage, String> {
    let words = |error: image::ImageError| format!("cannot be decoded: {error}");
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(words)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(format!(
            "has {width}x{height} pixels, more than {}",
            count(most_pixels)
        ));
    }
    if width == 0 || height == 0 {
        return Err("has no pixels".to_owned());
    }
    let orientation = decoder.orientation().map_err(words)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(words)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The middle square of an image, scaled down if it is too large.
fn square(image: &DynamicImage, most_side: usize) -> Photo {
    let size = [image.width(), image.height()];
    let from = size[0].min(size[1]);
    let [left, top] = size.map(|length| (length - from) / 2);
    let cut = image.crop_imm(left, top, from, from);
    let colours = colours(cut);
    let (from, side) = (from as usize, (from as usize).min(most_side));
    let resize = (from != side).then(|| Resize::new(from, side));
    let mut pixels = Vec::with_capacity(3 * side * side);
    let mut along = Vec::new();
    let mut smaller = vec![0.0; side * side];
    for channel in 0..3 {
        let values = colours.iter().skip(channel).step_by(3).copied();
        match &resize {
            None => pixels.extend(values),
            Some(resize) => {
                resize.channel(&values.collect::<Vec<u8>>(), &mut along, &mut smaller);
                pixels.extend(smaller.iter().map(|value| byte(*value)));
            }
        }
    }
    let (red, others) = pixels.split_at(side * side);
    let grey = others.chunks_exact(side * side).all(|values| values == red);
    Photo {
        size,
        side,
        pixels,
        grey,
    }
}

/// The nearest byte.
pub(super) fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

fn on_white(image: &DynamicImage) -> Vec<u8> {
    let rgba = image.to_rgba8();
    let blend = |colour: u8, alpha: u8| {
        let [colour, alpha] = [colour, alpha].map(u32::from);
        ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    rgba.pixels()
        .flat_map(|pixel| [0, 1, 2].map(|c| blend(pixel.0[c], pixel.0[3])))
        .collect()
}
