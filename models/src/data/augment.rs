//! Augmentation of training images: flips, shifts and cutout. The result depends only on the run's seed, the epoch and
//! the sample, not on threads, the order of samples or interruptions.

use std::ops::Range;

use crate::random::{Generator, Key};
use crate::spec::Choice;

/// The augmentations of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Horizontal flips of half of the images.
    flip: bool,
    /// Shifts by up to an eighth of the size along each axis: 4 pixels of 32. The padding reflects the image, so that
    /// no artificial edge appears.
    crop: bool,
    /// Cutout: a square of half the image's size around a random pixel is set to the mean of all images, which is 0
    /// (`DeVries` and Taylor 2017, arXiv:1708.04552).
    cutout: bool,
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
    /// The augmentations of a name.
    pub(super) fn of(word: &str) -> Self {
        let has = |way: &str| word.split('-').any(|part| part == way);
        Self {
            flip: has("flip"),
            crop: has("crop"),
            cutout: has("cutout"),
        }
    }

    /// Whether images are not augmented.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The augmentation of an epoch.
    pub fn in_epoch(self, seed: u64, epoch: u64) -> AugmentParams {
        AugmentParams {
            augmentation: self,
            key: Key::new(seed, &format!("augment {epoch}")),
        }
    }
}

/// The augmentation of an epoch.
#[derive(Clone, Debug)]
pub struct AugmentParams {
    augmentation: Augmentation,
    key: Key,
}

impl AugmentParams {
    /// Writes the augmented image `[channels, size, size]` of a sample.
    pub(super) fn write(&self, sample: u64, size: usize, image: &[f32], into: &mut [f32]) {
        let ImageTransform {
            rows,
            columns,
            hole,
        } = ImageTransform::draw(self.augmentation, &mut self.key.stream(sample), size);
        for (image, into) in image
            .chunks_exact(size * size)
            .zip(into.chunks_exact_mut(size * size))
        {
            for (row, into) in rows.iter().zip(into.chunks_exact_mut(size)) {
                let row = &image[row * size..(row + 1) * size];
                into.iter_mut()
                    .zip(&columns)
                    .for_each(|(into, column)| *into = row[*column]);
            }
            if let Some([down, across]) = &hole {
                down.clone()
                    .for_each(|row| into[row * size..][across.clone()].fill(0.0));
            }
        }
    }
}

/// The augmentation of one image: the source of each row and column, and the cutout.
#[derive(Debug, PartialEq)]
struct ImageTransform {
    rows: Vec<usize>,
    columns: Vec<usize>,
    hole: Option<[Range<usize>; 2]>,
}

impl ImageTransform {
    fn draw(augmentation: Augmentation, generator: &mut Generator, size: usize) -> Self {
        // All random numbers are drawn, whether used or not, so that the augmentations do not affect each other.
        let flip = generator.below(2) == 1 && augmentation.flip;
        let reach = size / 8;
        let [down, across] = [(); 2].map(|()| generator.below(2 * reach as u64 + 1) as usize);
        let centre = [(); 2].map(|()| generator.below(size as u64) as usize);
        let from = |place: usize, shift: usize| {
            if augmentation.crop {
                reflected(place + shift, reach, size)
            } else {
                place
            }
        };
        let columns =
            (0..size).map(|column| from(if flip { size - 1 - column } else { column }, across));
        let half = size / 4;
        Self {
            rows: (0..size).map(|row| from(row, down)).collect(),
            columns: columns.collect(),
            hole: augmentation
                .cutout
                .then(|| centre.map(|at| at.saturating_sub(half)..(at + half).min(size))),
        }
    }
}

/// The source of an index in an image that is shifted back by `reach` and reflected at its edges.
fn reflected(place: usize, reach: usize, size: usize) -> usize {
    let place = place.abs_diff(reach);
    if place < size {
        place
    } else {
        2 * (size - 1) - place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varied(word: &str, sample: u64) -> Vec<f32> {
        let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
        let mut into = vec![0.0; 256];
        Augmentation::of(word)
            .in_epoch(7, 1)
            .write(sample, 16, &image, &mut into);
        into
    }

    #[test]
    fn every_way_of_the_table_is_understood() {
        for choice in CHOICES {
            let Augmentation { flip, crop, cutout } = Augmentation::of(&choice.value);
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
            let mut into = vec![0.0; 256];
            let image: Vec<f32> = (1..=256).map(|v| v as f32).collect();
            Augmentation::of("flip-crop-cutout")
                .in_epoch(seed, epoch)
                .write(sample, 16, &image, &mut into);
            into
        };
        assert_eq!(of(1, 1, 5), of(1, 1, 5));
        for other in [of(2, 1, 5), of(1, 2, 5), of(1, 1, 6)] {
            assert_ne!(of(1, 1, 5), other);
        }
    }
}
