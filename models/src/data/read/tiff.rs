//! Says which TIFFs are not read, by the entries of their first directory.
//!
//! The image library refuses palettes and YCbCr in its own words, and decodes JPEGs in TIFFs to pixels that differ from
//! libjpeg's.

/// The tags of entries (TIFF 6.0, sections 8 and 22).
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;

/// Why a TIFF is not read, if its directory says so.
pub(super) fn refusal(bytes: &[u8]) -> Option<String> {
    let file = File::new(bytes)?;
    let compression = file.entry(COMPRESSION).unwrap_or(1);
    let what = match (compression, file.entry(PHOTOMETRIC)) {
        (6 | 7, _) => "a TIFF with a JPEG in it",
        (34712, _) => "a TIFF with a JPEG 2000 in it",
        (34925, _) => "a TIFF with LZMA compression",
        (50000, _) => "a TIFF with Zstandard compression",
        (50001, _) => "a TIFF with a WebP in it",
        (50002, _) => "a TIFF with a JPEG XL in it",
        (_, Some(3)) => "a TIFF with a palette",
        (_, Some(6)) => "a TIFF in YCbCr",
        (_, Some(8..=10)) => "a TIFF in Lab",
        (_, Some(32803 | 34892)) => "a raw image of a camera",
        _ => return None,
    };
    Some(format!(
        "is {what}, and TIFFs that are read are grey, RGB or CMYK, without compression or with LZW, Deflate, PackBits or \
         fax compression; convert it to PNG (ImageMagick: `magick mogrify -format png *.tif`)"
    ))
}

/// A TIFF whose directory begins at `directory`.
struct File<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
    directory: usize,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut file = Self {
            bytes,
            is_little_endian: bytes.starts_with(b"II"),
            directory: 0,
        };
        file.directory = file.number(4, 4)?;
        Some(file)
    }

    /// A number of 2 or 4 bytes.
    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let join = |number: usize, byte: &u8| number << 8 | usize::from(*byte);
        Some(match self.is_little_endian {
            true => bytes.iter().rev().fold(0, join),
            false => bytes.iter().fold(0, join),
        })
    }

    /// The value of an entry of one short number.
    fn entry(&self, tag: u16) -> Option<usize> {
        let count = self.number(self.directory, 2)?;
        let first = self.directory.checked_add(2)?;
        let mut places = (0..count).map(|entry| first.saturating_add(12 * entry));
        let at = places.find(|at| self.number(*at, 2) == Some(tag.into()))?;
        self.number(at.checked_add(8)?, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TIFF with these entries of one short number.
    fn tiff(is_little_endian: bool, entries: &[(u16, u16)]) -> Vec<u8> {
        let short = |number: u16| match is_little_endian {
            true => number.to_le_bytes(),
            false => number.to_be_bytes(),
        };
        let long = |number: u32| match is_little_endian {
            true => number.to_le_bytes(),
            false => number.to_be_bytes(),
        };
        let mut bytes = if is_little_endian { b"II" } else { b"MM" }.to_vec();
        bytes.extend(short(42));
        bytes.extend(long(8));
        bytes.extend(short(entries.len() as u16));
        for (tag, value) in entries {
            bytes.extend([short(*tag), short(3)].concat());
            bytes.extend(long(1));
            bytes.extend([short(*value), short(0)].concat());
        }
        bytes
    }

    #[test]
    fn what_is_not_read_is_named_with_what_is() {
        for is_little_endian in [true, false] {
            let of = |entries: &[(u16, u16)]| refusal(&tiff(is_little_endian, entries));
            for (entries, what) in [
                ([(259, 7), (262, 6)], "is a TIFF with a JPEG in it, and "),
                ([(259, 6), (262, 6)], "is a TIFF with a JPEG in it, and "),
                ([(259, 5), (262, 3)], "is a TIFF with a palette, and "),
                ([(259, 1), (262, 6)], "is a TIFF in YCbCr, and "),
                ([(259, 50000), (262, 2)], "is a TIFF with Zstandard"),
            ] {
                let told = of(&entries).unwrap();
                assert!(told.starts_with(what), "{told}");
                assert!(told.contains("grey, RGB or CMYK"), "{told}");
            }
            for compression in [1, 4, 5, 8, 32773] {
                assert_eq!(of(&[(256, 4), (259, compression), (262, 2)]), None);
            }
            assert_eq!(of(&[(262, 1)]), None);
        }
    }

    #[test]
    fn a_damaged_directory_is_left_to_the_decoder() {
        let whole = tiff(true, &[(259, 7), (262, 6)]);
        for length in 0..whole.len() - 16 {
            let _ = refusal(&whole[..length]);
        }
        for at in 4..10 {
            let mut bytes = whole.clone();
            bytes[at] = 255;
            let _ = refusal(&bytes);
        }
    }
}
