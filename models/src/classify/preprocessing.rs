//! How a photo becomes the input of a network, as data: `preprocessing.json` of what a user takes away. The programs that
//! go with it (`templates/export`, `frontend/standalone`) follow this description and give the same numbers.

use serde::Serialize;

use crate::contract::Normalisation;
use crate::data::{Fit, PhotoTransform, Picture, photo_values};
use crate::error::{Error, Result};
use crate::graph::Criterion;

/// The colours of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Channels {
    /// Red, green and blue.
    #[serde(rename = "RGB")]
    Rgb,
    /// The luma of ITU-R BT.601, as Pillow computes it.
    #[serde(rename = "grey")]
    Grey,
}

/// What the scores of a network are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scores {
    /// Their softmax is a probability for each class.
    Logits,
    /// They only have an order.
    Ranks,
}

/// The steps from a photo to an input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preprocessing {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Its colours.
    pub channels: Channels,
    /// How a photo becomes square.
    pub fit: Fit,
    /// Whether resized pixels are rounded to bytes, as those of sets that are kept as photos are in training.
    pub round: bool,
    /// The mean of each channel, for values from 0 to 1.
    pub mean: Vec<f64>,
    /// The standard deviation of each channel.
    pub std: Vec<f64>,
    /// What the result of the network is.
    pub scores: Scores,
    /// The steps in words, in their order.
    pub steps: [&'static str; 6],
}

/// [`Preprocessing::steps`]
const STEPS: [&str; 6] = [
    "Decode the photo as libjpeg-turbo and libpng do by default (8 bits; of 16 bits the high byte) and turn it as its \
     EXIF orientation says. Colour profiles are ignored. CMYK becomes (255 - ink) * (255 - black) // 255.",
    "Blend transparent pixels with white: (colour * alpha + 255 * (255 - alpha) + 127) // 255.",
    "For one channel convert to grey: (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16.",
    "Make it square as `fit` says: crop cuts out the middle square, stretch does nothing, and pad resizes the longer side \
     to `size` and the shorter one in proportion, rounded, and adds black on both sides afterwards.",
    "Resize to `size` bilinearly with antialiasing, first the width and then the height: the weights are \
     max(0, 1 - |x - centre| / max(1, scale)), normalised to the sum 1, with pixel centres at half-integers. Products and \
     sums are in float32, from the first pixel to the last. If `round` is true, round to the nearest byte, halves up.",
    "Divide by 255, subtract `mean` and divide by `std` for each channel, and arrange as N, C, H, W in float32.",
];

impl Preprocessing {
    /// The preprocessing of a network for inputs `[channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::Setting`] when that is no shape of an image of one or three channels, or `normalisation` has another number
    /// of channels.
    pub fn new(
        input: &[usize],
        transform: PhotoTransform,
        normalisation: &Normalisation,
        criterion: Criterion,
    ) -> Result<Self> {
        let &[channels @ (1 | 3), height, width] = input else {
            return Err(Error::setting("image", "is not what this network sees"));
        };
        let Normalisation { mean, deviation } = normalisation;
        if mean.len() != channels || deviation.len() != channels {
            return Err(Error::Shape {
                place: "normalisation".to_owned(),
                expected: format!("[{channels}]"),
                got: vec![mean.len()],
            });
        }
        Ok(Self {
            size: [height, width],
            channels: if channels == 3 {
                Channels::Rgb
            } else {
                Channels::Grey
            },
            fit: transform.fit,
            round: transform.round,
            mean: mean.clone(),
            std: deviation.clone(),
            scores: match criterion {
                Criterion::CrossEntropy => Scores::Logits,
                Criterion::Perceptron => Scores::Ranks,
            },
            steps: STEPS,
        })
    }

    /// The normalised input `[channels, height, width]` for a photo.
    ///
    /// # Errors
    /// When the photo has no pixels.
    pub fn apply(&self, picture: &Picture) -> Result<Vec<f32>> {
        let [height, width] = self.size;
        let transform = PhotoTransform {
            fit: self.fit,
            round: self.round,
        };
        let mut values = photo_values(&[self.mean.len(), height, width], picture, transform)?;
        let channels = self.mean.iter().zip(&self.std);
        for (values, (mean, std)) in values.chunks_exact_mut(height * width).zip(channels) {
            for value in values {
                // Training divides bytes as float64. Values between them were divided as float32 from the first.
                let share = match self.round {
                    true => f64::from(*value) / 255.0,
                    false => f64::from(*value / 255.0),
                };
                *value = ((share - mean) / std) as f32;
            }
        }
        Ok(values)
    }
}
