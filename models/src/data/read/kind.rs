//! Detects the type of a file from its first bytes.

use image::ImageFormat;

/// Bytes that the detection needs.
pub(super) const HEAD: usize = 512;

/// The supported image formats, for messages.
pub(super) const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP or TIFF";

/// The format of a supported image.
pub(super) fn image_format(head: &[u8]) -> Option<ImageFormat> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if starts(b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if starts(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(ImageFormat::WebP)
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Some(ImageFormat::Gif)
    } else if is_bmp(head) {
        Some(ImageFormat::Bmp)
    // Raw camera images are TIFF as well, and their first image is only a thumbnail.
    } else if (starts(b"II*\0") || starts(b"MM\0*")) && head.get(8..10) != Some(b"CR") {
        Some(ImageFormat::Tiff)
    } else {
        None
    }
}

/// Two letters are ambiguous, so the four zero bytes and the header size after them are checked too.
fn is_bmp(head: &[u8]) -> bool {
    let sizes = [12, 16, 40, 52, 56, 64, 108, 124];
    head.starts_with(b"BM")
        && head.get(6..10) == Some(&[0; 4])
        && head.get(14).is_some_and(|size| sizes.contains(size))
}

/// An unsupported image format: its name and file extension.
fn unread(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if head.get(4..8) == Some(b"ftyp") {
        // The brand, then compatible brands.
        let size = head.get(3).map_or(0, |size| usize::from(*size));
        let brands = head.get(8..size.clamp(8, head.len())).unwrap_or_default();
        let has = |names: &[&[u8; 4]]| {
            brands
                .chunks_exact(4)
                .any(|brand| names.iter().any(|name| brand == *name))
        };
        return if has(&[b"avif", b"avis"]) {
            Some(("an AVIF", "avif"))
        } else if has(&[
            b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1",
        ]) {
            Some(("a HEIC", "heic"))
        } else if has(&[b"crx "]) {
            Some(("a raw CR3", "cr3"))
        } else {
            None
        };
    }
    let svg = || {
        let text = String::from_utf8_lossy(head).to_lowercase();
        text.contains("<svg")
    };
    if starts(b"\xff\x0a") || starts(b"\0\0\0\x0cJXL \r\n\x87\n") {
        Some(("a JPEG XL", "jxl"))
    } else if starts(b"\0\0\0\x0cjP  \r\n\x87\n") || starts(b"\xff\x4f\xff\x51") {
        Some(("a JPEG 2000", "jp2"))
    } else if starts(b"8BPS") {
        Some(("a Photoshop", "psd"))
    } else if starts(b"II*\0") {
        Some(("a raw CR2", "cr2"))
    } else if starts(b"\0\0\x01\0") && head.get(4..6).is_some_and(|n| n != [0, 0]) {
        Some(("an icon's", "ico"))
    } else if starts(b"#?RADIANCE") {
        Some(("an HDR", "hdr"))
    } else if starts(b"\x76\x2f\x31\x01") {
        Some(("an OpenEXR", "exr"))
    } else if starts(b"qoif") {
        Some(("a QOI", "qoi"))
    } else if matches!(head, [b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..]) {
        Some(("a PNM", "ppm"))
    } else if head.get(128..132) == Some(b"DICM") {
        Some(("a DICOM", "dcm"))
    } else if svg() {
        Some(("an SVG", "svg"))
    } else {
        None
    }
}

/// Whether a file is an image, supported or not.
pub(super) fn is_picture(head: &[u8]) -> bool {
    image_format(head).is_some() || unread(head).is_some()
}

/// The message for a file that is not a supported image, with a remedy.
pub(super) fn no_image(head: &[u8]) -> String {
    if head.is_empty() {
        return "is empty".to_owned();
    }
    if let Some((name, ending)) = unread(head) {
        return format!(
            "is {name} image, and what is read is {FORMATS}; convert it to JPEG or PNG \
             (ImageMagick: `magick mogrify -format png *.{ending}`)"
        );
    }
    let text = String::from_utf8_lossy(head).trim_start().to_lowercase();
    let what = if text.starts_with("<!doctype html") || text.starts_with("<html") {
        "; it is a web page, as a server sends one instead of an image"
    } else if text.starts_with("version https://git-lfs") {
        "; it is a pointer of Git LFS: `git lfs pull` gets the image"
    } else if head.starts_with(b"%PDF") {
        "; it is a PDF"
    } else if head.iter().all(|byte| *byte == 0) {
        "; it begins with nothing but zeros, as files that were not copied to their end"
    } else {
        ""
    };
    format!("is no {FORMATS}{what}")
}

/// An archive or a compressed file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Packed {
    Zip,
    /// A part of a split zip.
    SplitZip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    /// Known, but unsupported.
    Other(&'static str),
}

/// The type of an archive or compressed file; `None` for others.
pub(super) fn packed(head: &[u8]) -> Option<Packed> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    Some(if starts(b"PK\x07\x08") {
        Packed::SplitZip
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK00PK\x03\x04") {
        Packed::Zip
    } else if starts(b"\x1f\x8b") {
        Packed::Gzip
    } else if starts(b"BZh") {
        Packed::Bzip2
    } else if starts(b"\xfd7zXZ\0") {
        Packed::Xz
    } else if starts(b"7z\xbc\xaf\x27\x1c") {
        Packed::Other("a 7z archive")
    } else if starts(b"Rar!\x1a\x07") {
        Packed::Other("a RAR archive")
    } else if starts(b"\x28\xb5\x2f\xfd") {
        Packed::Other("packed with Zstandard")
    } else if starts(b"\x04\x22\x4d\x18") {
        Packed::Other("packed with LZ4")
    } else if starts(b"\x5d\0\0") {
        Packed::Other("packed with LZMA")
    } else if starts(b"\x1f\x9d") {
        Packed::Other("packed with compress")
    } else if starts(b"MSCF") {
        Packed::Other("a CAB archive")
    } else if starts(b"xar!") {
        Packed::Other("an XAR archive")
    } else if is_tar(head) {
        Packed::Tar
    } else {
        return None;
    })
}

/// Whether bytes begin with the header of a tar entry. The checksum is tested, because the oldest tars have no magic
/// number.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(head) = head.get(..512) else {
        return false;
    };
    let field = String::from_utf8_lossy(&head[148..156]);
    let field = field.trim_matches([' ', '\0']);
    let Ok(says) = u32::from_str_radix(field, 8) else {
        return false;
    };
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    says == sum(&head[..148]) + 8 * u32::from(b' ') + sum(&head[156..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_their_bytes_say() {
        assert_eq!(image_format(b"\xff\xd8\xff\xe0"), Some(ImageFormat::Jpeg));
        assert_eq!(image_format(b"GIF89a"), Some(ImageFormat::Gif));
        assert_eq!(image_format(b"BMI am words, and long enough"), None);
        assert_eq!(image_format(b"II*\0\x10\0\0\0CR\x02"), None);
        for (head, words) in [
            (
                &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
                "is a HEIC image",
            ),
            (
                b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
                "is an AVIF image",
            ),
            (b"<?xml version='1.0'?><svg xmlns=''>", "is an SVG image"),
            (b"P6\n2 2\n255\n", "is a PNM image"),
            (b"<!DOCTYPE html><html>", "web page"),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                "git lfs pull",
            ),
            (&[0; 64], "nothing but zeros"),
            (b"", "is empty"),
            (b"hello", "is no PNG, JPEG, WebP, GIF, BMP or TIFF"),
        ] {
            assert!(no_image(head).contains(words), "{}", no_image(head));
        }
        // A video is not an image, though it has the same container.
        assert!(!is_picture(b"\0\0\0\x18ftypisom\0\0\0\0isommp42"));
    }
}
