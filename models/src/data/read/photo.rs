//! Decodes one image of any size and applies the EXIF orientation.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage,
    RgbaImage,
};

use super::{jpeg, kind, tiff};

/// The memory limit of a decoder.
const MOST_MEMORY: u64 = 512 << 20;

/// Reads an image of a supported format and limited size as rows of RGB, with the EXIF orientation applied. The format
/// is detected from the content, not the name. Of several images the first is taken, and transparency becomes white.
///
/// # Errors
/// The fault, as a message.
pub(in crate::data) fn whole(bytes: &[u8], most_pixels: u64) -> Result<RgbImage, String> {
    let image = image(bytes, most_pixels)?;
    let size = [image.width(), image.height()];
    let colours = colours(image);
    RgbImage::from_raw(size[0], size[1], colours).ok_or_else(|| "has no pixels".to_owned())
}

fn image(bytes: &[u8], most_pixels: u64) -> Result<DynamicImage, String> {
    let head = &bytes[..bytes.len().min(kind::HEAD)];
    let format = kind::image_format(head).ok_or_else(|| kind::no_image(head))?;
    // Decoders process untrusted data and may panic.
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        ImageFormat::Jpeg => decode_jpeg(bytes, most_pixels),
        _ => decode(bytes, format, most_pixels),
    }));
    decoded.unwrap_or_else(|_| Err("makes its decoder fail".to_owned()))
}

/// RGB: transparent pixels on white, and the high byte of values of 16 bits, as in libpng and Pillow.
fn colours(image: DynamicImage) -> Vec<u8> {
    let high = |values: Vec<u16>| values.into_iter().map(|value| (value >> 8) as u8).collect();
    let (width, height) = (image.width(), image.height());
    let eight_bits = match image {
        DynamicImage::ImageLuma16(image) => {
            GrayImage::from_raw(width, height, high(image.into_raw())).map(Into::into)
        }
        DynamicImage::ImageLumaA16(image) => {
            GrayAlphaImage::from_raw(width, height, high(image.into_raw())).map(Into::into)
        }
        DynamicImage::ImageRgb16(image) => {
            RgbImage::from_raw(width, height, high(image.into_raw())).map(Into::into)
        }
        DynamicImage::ImageRgba16(image) => {
            RgbaImage::from_raw(width, height, high(image.into_raw())).map(Into::into)
        }
        other => Some(other),
    };
    let image: DynamicImage = eight_bits.unwrap_or_default();
    if image.color().has_alpha() {
        on_white(&image)
    } else {
        image.into_rgb8().into_raw()
    }
}

fn decode_jpeg(bytes: &[u8], most_pixels: u64) -> Result<DynamicImage, String> {
    let jpeg = jpeg::decode(bytes, most_pixels)?;
    let [width, height] = jpeg.size.map(|length| length as u32);
    let image: Option<DynamicImage> = if jpeg.is_grey {
        GrayImage::from_raw(width, height, jpeg.pixels).map(Into::into)
    } else {
        RgbImage::from_raw(width, height, jpeg.pixels).map(Into::into)
    };
    let mut image = image.ok_or_else(|| "has no pixels".to_owned())?;
    let orientation = jpeg
        .exif
        .and_then(|exif| Orientation::from_exif_chunk(&exif));
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(image)
}

fn decode(bytes: &[u8], format: ImageFormat, most_pixels: u64) -> Result<DynamicImage, String> {
    if format == ImageFormat::Tiff
        && let Some(refusal) = tiff::refusal(bytes)
    {
        return Err(refusal);
    }
    let words = |error: image::ImageError| format!("cannot be decoded: {error}");
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(words)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(jpeg::too_large([width, height], most_pixels));
    }
    if width == 0 || height == 0 {
        return Err("has no pixels".to_owned());
    }
    let orientation = decoder.orientation().map_err(words)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(words)?;
    image.apply_orientation(orientation);
    Ok(image)
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
