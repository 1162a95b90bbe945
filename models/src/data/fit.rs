//! How a picture of any shape becomes the square that a network takes. Training, predictions and inspection share this
//! one definition.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::image::{Resize, byte, luma};
use super::picture::Picture;
use crate::error::Result;
use crate::spec::{Choice, DataSpec, Field, FieldKind};

/// How a picture that is not square becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The middle square; what lies beside it is cut off.
    #[default]
    Crop,
    /// The whole picture, in its shape, between black bars.
    Pad,
    /// The whole picture, its longer side compressed.
    Stretch,
}

/// All ways, by their name in a RunSpec.
const CHOICES: &[Choice] = &[
    Choice::new("crop", "Crop: the middle square"),
    Choice::new("pad", "Pad: all of it, with black bars"),
    Choice::new("stretch", "Stretch: all of it, distorted"),
];

/// The setting of runs on photos.
pub(super) const FIELD: Field = Field::new(
    "data.fit",
    "Photos that are not square",
    FieldKind::Choice {
        options: std::borrow::Cow::Borrowed(CHOICES),
    },
    "\"crop\"",
    "Crop suits photos with their subject in the middle, pad those where the edges matter, stretch those of one shape. \
     The set's card on the page Data shows its own photos in all three ways.",
);

impl Fit {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Crop, Self::Pad, Self::Stretch];

    /// The fit of a run's settings. Runs on sets that are not kept as photos have none, and pictures are cropped.
    ///
    /// # Errors
    /// When the setting is none of the three.
    pub fn of(spec: &DataSpec) -> Result<Self> {
        Ok(PhotoTransform::of(spec)?.fit)
    }

    /// Its name in settings and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Stretch => "stretch",
        }
    }

    /// A picture, which must have pixels, as `[channels, size, size]` with values from 0 to 255: in grey for one
    /// channel, in colour for three.
    pub(super) fn square(self, picture: &Picture, channels: usize, size: usize) -> Vec<f32> {
        let (width, height) = (picture.width, picture.height);
        let least = width.min(height);
        let longest = width.max(height);
        let shown = |length: usize| {
            let exact = length as f64 * size as f64 / longest as f64;
            (exact.round() as usize).clamp(1, size)
        };
        let ([left, top], from, to) = match self {
            Self::Crop => (
                [(width - least) / 2, (height - least) / 2],
                [least; 2],
                [size; 2],
            ),
            Self::Pad => ([0; 2], [width, height], [shown(width), shown(height)]),
            Self::Stretch => ([0; 2], [width, height], [size; 2]),
        };
        let [right, down] = to.map(|length| (size - length) / 2);
        let resize = Resize::between(from, to);
        let mut image = vec![0.0; channels * size * size];
        let (mut plane, mut along) = (Vec::with_capacity(from[0] * from[1]), Vec::new());
        let mut part = vec![0.0; to[0] * to[1]];
        for (channel, into) in image.chunks_exact_mut(size * size).enumerate() {
            plane.clear();
            for y in top..top + from[1] {
                let row = &picture.rgb[3 * (y * width + left)..][..3 * from[0]];
                let pixels = row.chunks_exact(3);
                if channels == 1 {
                    plane.extend(pixels.map(|pixel| luma(pixel[0], pixel[1], pixel[2])));
                } else {
                    plane.extend(pixels.map(|pixel| pixel[channel]));
                }
            }
            resize.channel(&plane, &mut along, &mut part);
            for (row, into) in part
                .chunks_exact(to[0])
                .zip(into.chunks_exact_mut(size).skip(down))
            {
                into[right..right + to[0]].copy_from_slice(row);
            }
        }
        image
    }
}

/// How a picture becomes the input of a run's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhotoTransform {
    /// How it becomes a square.
    pub fit: Fit,
    /// Whether resized values are rounded to bytes, as the prepared files of photos have them.
    pub round: bool,
}

impl PhotoTransform {
    /// The transform of a run's settings. Values are rounded if the set is kept as photos: then, and only then, the
    /// settings have a fit.
    ///
    /// # Errors
    /// When the fit is none of the three.
    pub fn of(spec: &DataSpec) -> Result<Self> {
        #[derive(Deserialize)]
        struct Options {
            fit: Option<Fit>,
        }
        let Options { fit } = spec.options()?;
        Ok(Self {
            fit: fit.unwrap_or_default(),
            round: fit.is_some(),
        })
    }

    /// A picture, which must have pixels, as `[channels, size, size]` with values from 0 to 255.
    pub(super) fn square(self, picture: &Picture, channels: usize, size: usize) -> Vec<f32> {
        let mut image = self.fit.square(picture, channels, size);
        if self.round {
            let round = |value: &mut f32| *value = byte(*value).into();
            image.iter_mut().for_each(round);
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose red counts the columns and whose green counts the rows.
    fn picture(width: usize, height: usize) -> Picture {
        let pixel = |i: usize| [(i % width) as u8, (i / width) as u8, 7];
        Picture {
            width,
            height,
            rgb: (0..width * height).flat_map(pixel).collect(),
        }
    }

    #[test]
    fn crop_is_the_middle_square() {
        let square = Fit::Crop.square(&picture(8, 4), 3, 4);
        assert_eq!(square[..4], [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(square[16..20], [0.0; 4]);
        let high = Fit::Crop.square(&picture(4, 9), 3, 4);
        assert_eq!([high[16], high[31]], [2.0, 5.0]);
    }

    #[test]
    fn pad_keeps_the_shape_between_black_bars() {
        let square = Fit::Pad.square(&picture(8, 4), 3, 8);
        let blue = &square[128..];
        for (row, values) in blue.chunks_exact(8).enumerate() {
            let inside = (2..6).contains(&row);
            assert!(
                values.iter().all(|v| *v == if inside { 7.0 } else { 0.0 }),
                "{row} {values:?}"
            );
        }
        assert_eq!(square[16..24], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        // A line is never thinner than a pixel.
        let line = Fit::Pad.square(&picture(200, 1), 1, 8);
        assert_eq!(line.iter().filter(|v| **v > 0.0).count(), 8);
    }

    #[test]
    fn stretch_takes_the_whole_picture() {
        let square = Fit::Stretch.square(&picture(4, 2), 3, 2);
        assert!((square[0] - 0.714_286).abs() < 1e-5 && (square[1] - 2.285_714).abs() < 1e-5);
        assert_eq!([square[4], square[6]], [0.0, 1.0]);
    }

    #[test]
    fn a_square_picture_is_the_same_in_all_ways() {
        let of = Fit::ALL.map(|fit| fit.square(&picture(9, 9), 3, 5));
        assert!(of[0] == of[1] && of[1] == of[2]);
    }

    #[test]
    fn settings_without_a_fit_crop_and_do_not_round() {
        let spec = |options: serde_json::Value| -> DataSpec {
            let mut document = serde_json::json!({"set": "x", "validation": 0.0, "limit": null});
            document
                .as_object_mut()
                .unwrap()
                .extend(options.as_object().unwrap().clone());
            serde_json::from_value(document).unwrap()
        };
        let without = PhotoTransform::of(&spec(serde_json::json!({}))).unwrap();
        assert_eq!(without, PhotoTransform::default());
        for (choice, fit) in CHOICES.iter().zip(Fit::ALL) {
            let of = PhotoTransform::of(&spec(serde_json::json!({"fit": choice.value}))).unwrap();
            assert_eq!((of.fit, fit.name()), (fit, &*choice.value));
            assert!(of.round);
        }
        assert!(Fit::of(&spec(serde_json::json!({"fit": "squash"}))).is_err());
    }
}
