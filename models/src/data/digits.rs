//! Handwritten digits: 1,797 images of 8x8 pixels, inside the binary. `digits/` holds them, where they come from, and
//! the script that made the file.

use serde::Deserialize;

use super::{DataSetRow, Raw, image};
use crate::error::{Error, Result};
use crate::spec::{Choice, DataSpec, Field, FieldKind};

pub(super) const ROW: DataSetRow = DataSetRow {
    set: "digits",
    title: "Digits",
    summary: "1,797 handwritten digits of 8x8 grey pixels.",
    licence: "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning \
              Repository, doi:10.24432/C50P49, CC BY 4.0; the 1,797 images of its test set, as scikit-learn ships them",
    dimensions: 3,
    classes: 10,
    fields: FIELDS,
    defaults: &[],
    shape: |spec| {
        let Options { size, channels } = spec.options()?;
        Ok((vec![channels, size, size], CLASSES))
    },
    load,
};

const FIELDS: &[Field] = &[
    Field::new(
        "data.size",
        "Image size",
        FieldKind::Integer {
            min: 8,
            max: 64,
            step: 1,
        },
        "8",
        "Pixels along a side; other sizes than 8 are interpolated.",
    ),
    Field::new(
        "data.channels",
        "Channels",
        FieldKind::Integer {
            min: 1,
            max: 3,
            step: 2,
        },
        "1",
        "1 for grey; 3 repeats the grey for networks that take colours.",
    ),
    Field::new(
        "data.augment",
        "Augmentation",
        FieldKind::Choice {
            options: &[Choice {
                value: "none",
                label: "None",
            }],
        },
        "\"none\"",
        "How training images are varied from epoch to epoch.",
    )
    .advanced(),
];

#[derive(Deserialize)]
struct Options {
    size: usize,
    channels: usize,
}

const CLASSES: usize = 10;
const SIDE: usize = 8;

/// For each image its pixels from 0 to 16, row by row, then its digit.
static DIGITS: &[u8] = include_bytes!("digits/digits.bin");

fn load(spec: &DataSpec) -> Result<Raw> {
    let Options { size, channels } = spec.options()?;
    let mut raw = Raw {
        classes: (0..CLASSES).map(|digit| digit.to_string()).collect(),
        input: vec![channels, size, size],
        values: Vec::new(),
        labels: Vec::new(),
    };
    let (images, rest) = DIGITS.as_chunks::<{ SIDE * SIDE + 1 }>();
    for image in images {
        let (pixels, digit) = (&image[..SIDE * SIDE], image[SIDE * SIDE]);
        if usize::from(digit) >= CLASSES {
            let message = format!("{digit} is no digit");
            return Err(Error::Data {
                set: spec.set.clone(),
                message,
            });
        }
        let grey: Vec<f32> = pixels
            .iter()
            .map(|pixel| f32::from(*pixel) / 16.0)
            .collect();
        let grey = image::resize(&grey, SIDE, size);
        (0..channels).for_each(|_| raw.values.extend_from_slice(&grey));
        raw.labels.push(digit.into());
    }
    if !rest.is_empty() {
        return Err(Error::Data {
            set: spec.set.clone(),
            message: "its last image is cut off".to_owned(),
        });
    }
    Ok(raw)
}
