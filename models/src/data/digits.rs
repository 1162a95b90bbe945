//! Handwritten digits: 1,797 images of 8x8 pixels, embedded in the binary. `digits/` has the file, its source, and the
//! script that made it.

use super::ImageOptions;
use super::image::Pixels;
use super::table::{DataSetRow, RawSamples, SampleValues, Source, image_fields};
use super::versions::Corrections;
use crate::error::{Error, Result};
use crate::spec::{DataSpec, Field};

pub(super) const ROW: DataSetRow = DataSetRow {
    set: "digits",
    title: "Digits",
    summary: "1,797 handwritten digits of 8×8 grey pixels.",
    licence: "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning \
              Repository, doi:10.24432/C50P49, CC BY 4.0; the 1,797 images of its test set, as scikit-learn ships them",
    dimensions: 3,
    classes: 10,
    fields: FIELDS,
    defaults: &[],
    source: Source::BuiltIn {
        shape: |spec| Ok((spec.options::<ImageOptions>()?.shape(), CLASSES)),
        load,
    },
};

const FIELDS: &[Field] = &image_fields("8", "1");

const CLASSES: usize = 10;
const SIDE: usize = 8;

/// For each image, its pixels from 0 to 16 in row-major order, then its digit.
static DIGITS: &[u8] = include_bytes!("digits/digits.bin");

fn load(spec: &DataSpec) -> Result<RawSamples> {
    let damaged = |message: String| Error::Data {
        set: spec.set.clone(),
        message,
    };
    let mut bytes = Vec::with_capacity(DIGITS.len());
    let mut labels = Vec::new();
    let (images, rest) = DIGITS.as_chunks::<{ SIDE * SIDE + 1 }>();
    for image in images {
        let (pixels, digit) = (&image[..SIDE * SIDE], image[SIDE * SIDE]);
        if usize::from(digit) >= CLASSES {
            return Err(damaged(format!("{digit} is no digit")));
        }
        bytes.extend_from_slice(pixels);
        labels.push(digit.into());
    }
    if !rest.is_empty() {
        return Err(damaged("its last image is cut off".to_owned()));
    }
    Ok(RawSamples {
        classes: (0..CLASSES).map(|digit| digit.to_string()).collect(),
        values: SampleValues::Images(Pixels {
            bytes,
            channels: 1,
            side: SIDE,
            white: 16,
        }),
        labels,
        corrections: Corrections::new(),
        train: None,
    })
}
