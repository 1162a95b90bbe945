//! Augmentation of training images. The result depends only on the run's seed, the epoch and the sample, not on threads,
//! the order of samples or interruptions.
//!
//! An image passes through them in this order, that of torchvision's training reference:
//!
//! | module | what it is | values |
//! |---|---|---|
//! | `resized_crop` | a part of the image, resized to the whole | 0 to 1 |
//! | `flip_shift` | mirror and shift | any |
//! | `color_jitter` | brightness, contrast, saturation, hue | 0 to 1 |
//! | `rand_augment` | some operations of a list, on bytes (`byte_ops`) | 0 to 255 |
//! | `flip_shift` | cutout, which leaves the mean of all images | normalised |

mod byte_ops;
mod color_jitter;
mod flip_shift;
#[cfg(test)]
mod golden;
mod rand_augment;
mod resized_crop;

use serde::Deserialize;

use crate::contract::Normalisation;
use crate::random::Key;
use crate::spec::Choice;

use color_jitter::ColorJitter;
use flip_shift::ImageTransform;
use rand_augment::RandAugment;
use resized_crop::RandomResizedCrop;

/// The augmentations of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// Horizontal flips of half of the images.
    flip: bool,
    /// Shifts by up to an eighth of the size along each axis: 4 pixels of 32. The padding reflects the image, so that
    /// no artificial edge appears.
    crop: bool,
    /// Cutout: a square of half the image's size around a random pixel is set to the mean of all images, which is 0
    /// (`DeVries` and Taylor 2017, arXiv:1708.04552).
    cutout: bool,
    random_resized_crop: Option<RandomResizedCrop>,
    color_jitter: Option<ColorJitter>,
    randaugment: Option<RandAugment>,
    /// What was subtracted from the channels and what they were divided by.
    normalisation: Option<Normalisation>,
}

/// The augmentations of a RunSpec.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct AugmentOptions {
    augment: String,
    // Earlier runs do not have these.
    #[serde(default)]
    random_resized_crop: Option<RandomResizedCrop>,
    #[serde(default)]
    color_jitter: Option<ColorJitter>,
    #[serde(default)]
    randaugment: Option<RandAugment>,
}

impl AugmentOptions {
    /// Whether images are not augmented.
    pub(super) fn is_none(&self) -> bool {
        Augmentation::of(self, &Normalisation::default()).is_none()
    }
}

/// All augmentations, by their name in a RunSpec.
pub(super) const CHOICES: &[Choice] = &[
    way("none", "None"),
    way("flip", "Mirror"),
    way("crop", "Shift"),
    way("cutout", "Cut out"),
    way("flip-crop", "Mirror and shift"),
    way("flip-cutout", "Mirror and cut out"),
    way("crop-cutout", "Shift and cut out"),
    way("flip-crop-cutout", "Mirror, shift and cut out"),
];

const fn way(value: &'static str, label: &'static str) -> Choice {
    Choice::new(value, label)
}

impl Augmentation {
    /// The augmentations that a run asks for, of images with this normalisation.
    pub(super) fn of(options: &AugmentOptions, normalisation: &Normalisation) -> Self {
        let has = |way: &str| options.augment.split('-').any(|part| part == way);
        Self {
            flip: has("flip"),
            crop: has("crop"),
            cutout: has("cutout"),
            random_resized_crop: options.random_resized_crop,
            color_jitter: options.color_jitter,
            randaugment: options.randaugment,
            normalisation: Some(normalisation.clone()),
        }
    }

    /// Whether images are not augmented.
    pub fn is_none(&self) -> bool {
        !(self.flip || self.crop || self.cutout || self.sees_colours())
    }

    /// Whether an augmentation needs the values before their normalisation.
    fn sees_colours(&self) -> bool {
        self.random_resized_crop.is_some()
            || self.color_jitter.is_some()
            || self.randaugment.is_some()
    }

    /// The augmentation of an epoch.
    pub fn in_epoch(&self, seed: u64, epoch: u64) -> AugmentParams {
        let key = |what: &str| Key::new(seed, &format!("{what} {epoch}"));
        AugmentParams {
            augmentation: self.clone(),
            key: key("augment"),
            crop_key: key("random resized crop"),
            jitter_key: key("color jitter"),
            operations_key: key("randaugment"),
            first: None,
        }
    }
}

/// The augmentation of an epoch.
#[derive(Clone, Debug)]
pub struct AugmentParams {
    augmentation: Augmentation,
    key: Key,
    crop_key: Key,
    jitter_key: Key,
    operations_key: Key,
    /// The place in the epoch of the first image, if images are told apart by that.
    first: Option<u64>,
}

impl AugmentParams {
    /// Tells images apart by their place in the epoch, from `first` for the next, instead of by their sample: for epochs
    /// that have a sample several times, which should not look the same each time.
    pub fn count_from(&mut self, first: u64) {
        self.first = Some(first);
    }

    /// The number of the random sequences of an image: that of its sample, or of its place.
    pub(super) fn stream(&self, sample: u32, at: usize) -> u64 {
        self.first
            .map_or(u64::from(sample), |first| first + at as u64)
    }

    /// Writes the augmented image `[channels, size, size]`. `image`, the normalised one, is used up.
    pub(super) fn write(&self, stream: u64, size: usize, image: &mut [f32], into: &mut [f32]) {
        let Augmentation {
            flip, crop, cutout, ..
        } = self.augmentation;
        let transform =
            ImageTransform::draw([flip, crop, cutout], &mut self.key.stream(stream), size);
        if self.augmentation.sees_colours() {
            self.write_from_colours(stream, size, &transform, image, into);
        } else {
            transform.place(image, into);
        }
        transform.cut(into);
    }

    fn write_from_colours(
        &self,
        stream: u64,
        size: usize,
        transform: &ImageTransform,
        image: &mut [f32],
        into: &mut [f32],
    ) {
        let Augmentation {
            random_resized_crop,
            color_jitter,
            randaugment,
            normalisation,
            ..
        } = &self.augmentation;
        let channels = |image: &mut [f32], change: fn(f32, f32, f32) -> f32| {
            let Some(normalisation) = normalisation else {
                return;
            };
            let statistics = normalisation.mean.iter().zip(&normalisation.deviation);
            for (channel, (mean, deviation)) in image.chunks_exact_mut(size * size).zip(statistics)
            {
                let (mean, deviation) = (*mean as f32, *deviation as f32);
                channel
                    .iter_mut()
                    .for_each(|value| *value = change(*value, mean, deviation));
            }
        };
        channels(image, |value, mean, deviation| value * deviation + mean);
        if let Some(crop) = random_resized_crop {
            let area = crop.draw(&mut self.crop_key.stream(stream), size);
            area.resize(size, image, into);
            image.copy_from_slice(into);
        }
        transform.place(image, into);
        if let Some(jitter) = color_jitter {
            jitter.apply(&mut self.jitter_key.stream(stream), size * size, into);
        }
        if let Some(augment) = randaugment {
            augment.apply(&mut self.operations_key.stream(stream), size, into);
        }
        channels(into, |value, mean, deviation| (value - mean) / deviation);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn varied(word: &str, sample: u64) -> Vec<f32> {
        let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
        written(word, (7, 1, sample), image)
    }

    /// An image of 16x16 pixels, augmented.
    fn written(word: &str, (seed, epoch, sample): (u64, u64, u64), image: Vec<f32>) -> Vec<f32> {
        let mut into = vec![0.0; 256];
        let mut image = image;
        of(word)
            .in_epoch(seed, epoch)
            .write(sample, 16, &mut image, &mut into);
        into
    }

    fn of(word: &str) -> Augmentation {
        let options = AugmentOptions {
            augment: word.to_owned(),
            ..AugmentOptions::default()
        };
        let normalisation = Normalisation {
            mean: vec![0.5],
            deviation: vec![0.25],
        };
        Augmentation::of(&options, &normalisation)
    }

    #[test]
    fn every_way_of_the_table_is_understood() {
        for choice in CHOICES {
            let Augmentation {
                flip, crop, cutout, ..
            } = of(&choice.value);
            let words = [("flip", flip), ("crop", crop), ("cutout", cutout)];
            let words: Vec<_> = words
                .iter()
                .filter(|(_, on)| *on)
                .map(|(word, _)| *word)
                .collect();
            let expected = if words.is_empty() {
                "none".to_owned()
            } else {
                words.join("-")
            };
            assert_eq!(choice.value, expected);
        }
    }

    #[test]
    fn without_a_way_an_image_stays_as_it_is() {
        let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
        assert!((0..50).all(|sample| varied("none", sample) == image));
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
        let mirrored: Vec<f32> = image
            .chunks(16)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        let of: Vec<_> = (0..400).map(|sample| varied("flip", sample)).collect();
        let count = of.iter().filter(|image| **image == mirrored).count();
        assert!((160..240).contains(&count), "{count}");
        assert!(of.iter().all(|of| *of == image || *of == mirrored));
    }

    #[test]
    fn shifts_reach_an_eighth_in_every_direction_and_are_reflected_at_the_edges() {
        let mut shifts = std::collections::BTreeSet::new();
        for sample in 0..400 {
            let image = varied("crop", sample);
            // The value in the middle shows the shift.
            let middle = image[8 * 16 + 8] as usize - 1;
            let (down, across) = ((middle / 16) as i64 - 8, (middle % 16) as i64 - 8);
            shifts.insert((down, across));
            for (at, value) in image.iter().enumerate() {
                let inside = |place: i64| {
                    if place < 0 {
                        -place
                    } else if place > 15 {
                        30 - place
                    } else {
                        place
                    }
                };
                let (row, column) = (
                    inside((at / 16) as i64 + down),
                    inside((at % 16) as i64 + across),
                );
                assert_eq!(*value as i64 - 1, row * 16 + column, "{down} {across}");
            }
        }
        assert_eq!(shifts.len(), 25, "{shifts:?}");
        assert!(shifts.contains(&(-2, -2)) && shifts.contains(&(2, 2)));
    }

    #[test]
    fn holes_are_squares_of_half_the_size_cut_off_at_the_edges() {
        let holes: Vec<_> = (0..200)
            .map(|sample| {
                varied("cutout", sample)
                    .iter()
                    .filter(|v| **v == 0.0)
                    .count()
            })
            .collect();
        assert_eq!(holes.iter().max(), Some(&64));
        assert!(holes.iter().all(|n| *n >= 16), "{holes:?}");
    }

    #[test]
    fn a_variation_depends_on_seed_epoch_and_sample_alone() {
        let of = |seed, epoch, sample| {
            let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
            written("flip-crop-cutout", (seed, epoch, sample), image)
        };
        assert_eq!(of(1, 1, 5), of(1, 1, 5));
        for other in [of(2, 1, 5), of(1, 2, 5), of(1, 1, 6)] {
            assert_ne!(of(1, 1, 5), other);
        }
    }

    /// An image of 3x16x16 values from 0 to 1, normalised, through colours alone.
    fn coloured(options: &serde_json::Value, (seed, epoch, stream): (u64, u64, u64)) -> Vec<f32> {
        let options: AugmentOptions = serde_json::from_value(options.clone()).unwrap();
        let normalisation = Normalisation {
            mean: vec![0.5, 0.4, 0.3],
            deviation: vec![0.25, 0.2, 0.3],
        };
        let augmentation = Augmentation::of(&options, &normalisation);
        assert!(!augmentation.is_none());
        let mut image: Vec<f32> = (0..768).map(|i| (i * 37 % 256) as f32 / 255.0).collect();
        for (i, value) in image.iter_mut().enumerate() {
            *value = (*value - normalisation.mean[i / 256] as f32)
                / normalisation.deviation[i / 256] as f32;
        }
        let mut into = vec![0.0; 768];
        let params = augmentation.in_epoch(seed, epoch);
        params.write(stream, 16, &mut image, &mut into);
        into
    }

    fn all() -> serde_json::Value {
        json!({
            "augment": "flip-crop-cutout",
            "random_resized_crop": {"min_scale": 0.3, "max_ratio": 1.5},
            "color_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1},
            "randaugment": {"num_ops": 2, "magnitude": 9},
        })
    }

    #[test]
    fn colours_and_crops_depend_on_seed_epoch_and_sample_alone() {
        for name in ["random_resized_crop", "color_jitter", "randaugment"] {
            let one = json!({"augment": "none", name: all()[name]});
            assert_eq!(coloured(&one, (1, 1, 5)), coloured(&one, (1, 1, 5)));
            let others = [(2, 1, 5), (1, 2, 5), (1, 1, 6)].map(|of| coloured(&one, of));
            // RandAugment may leave an image as it is.
            let first = coloured(&one, (1, 1, 5));
            assert!(
                others.iter().filter(|other| **other != first).count() >= 2,
                "{name}"
            );
        }
    }

    #[test]
    fn changes_of_nothing_leave_the_image() {
        let still = json!({"augment": "none", "color_jitter":
            {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}});
        let whole =
            json!({"augment": "none", "random_resized_crop": {"min_scale": 1.0, "max_ratio": 1.0}});
        let [still, whole] = [still, whole].map(|options| coloured(&options, (1, 1, 1)));
        for (a, b) in still.iter().zip(&whole) {
            assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn the_hole_of_cutout_is_the_mean_after_all_colours() {
        let image = coloured(&all(), (3, 1, 4));
        let hole = image
            .chunks(256)
            .map(|channel| channel.iter().filter(|v| **v == 0.0).count());
        assert!(
            hole.clone().all(|count| (16..=64).contains(&count)),
            "{:?}",
            hole.collect::<Vec<_>>()
        );
    }
}
