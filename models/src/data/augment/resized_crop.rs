//! Random resized crop: a part of the image of random area and shape, resized to the whole (Szegedy et al. 2015).
//! torchvision's `RandomResizedCrop`, on the image at the network's size.

use serde::Deserialize;

use crate::random::Generator;

/// How often a shape is drawn that may not fit, before the whole image is taken.
const ATTEMPTS: usize = 10;

/// The settings of random resized crops.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct RandomResizedCrop {
    /// The least area of the part, as a share of the image; the greatest is 1.
    min_scale: f64,
    /// The greatest ratio of width to height; the least is its inverse.
    max_ratio: f64,
}

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl RandomResizedCrop {
    /// Draws a part of an image of `size` pixels along a side.
    pub(super) fn draw(&self, generator: &mut Generator, size: usize) -> Area {
        let all = (size * size) as f64;
        let stretch = self.max_ratio.ln();
        for _ in 0..ATTEMPTS {
            let area = all * generator.uniform(self.min_scale, 1.0);
            let ratio = generator.uniform(-stretch, stretch).exp();
            let width = (area * ratio).sqrt().round_ties_even() as usize;
            let height = (area / ratio).sqrt().round_ties_even() as usize;
            if (1..=size).contains(&width) && (1..=size).contains(&height) {
                let top = generator.below((size - height + 1) as u64) as usize;
                let left = generator.below((size - width + 1) as u64) as usize;
                return Area {
                    top,
                    left,
                    height,
                    width,
                };
            }
        }
        Area {
            top: 0,
            left: 0,
            height: size,
            width: size,
        }
    }
}

impl Area {
    /// Resizes the part of every channel to `size` pixels along a side, bilinearly.
    pub(super) fn resize(&self, size: usize, image: &[f32], into: &mut [f32]) {
        let rows = Taps::new(self.top, self.height, size);
        let columns = Taps::new(self.left, self.width, size);
        let mut narrow = vec![0.0; self.height * size];
        for (image, into) in image
            .chunks_exact(size * size)
            .zip(into.chunks_exact_mut(size * size))
        {
            let part = image[self.top * size..].chunks_exact(size);
            for (row, narrow) in part.zip(narrow.chunks_exact_mut(size)) {
                for (value, (first, second, weight)) in narrow.iter_mut().zip(&columns.0) {
                    *value = row[*first] + (row[*second] - row[*first]) * weight;
                }
            }
            for ((first, second, weight), into) in rows.0.iter().zip(into.chunks_exact_mut(size)) {
                let row = |at: &usize| &narrow[(at - self.top) * size..][..size];
                for ((value, a), b) in into.iter_mut().zip(row(first)).zip(row(second)) {
                    *value = a + (b - a) * weight;
                }
            }
        }
    }
}

/// For each new index, the two old ones around it and the weight of the second. Pixel centres are at half-integers, and
/// nothing is taken from outside of the part.
struct Taps(Vec<(usize, usize, f32)>);

impl Taps {
    fn new(from: usize, length: usize, size: usize) -> Self {
        let scale = length as f64 / size as f64;
        let tap = |new: usize| {
            let place = ((new as f64 + 0.5) * scale - 0.5).clamp(0.0, (length - 1) as f64);
            let first = place.floor();
            let second = (first as usize + 1).min(length - 1);
            (from + first as usize, from + second, (place - first) as f32)
        };
        Self((0..size).map(tap).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn parts_have_the_areas_and_shapes_that_were_asked_for() {
        let crop = RandomResizedCrop {
            min_scale: 0.25,
            max_ratio: 2.0,
        };
        let mut generator = Key::new(1, "crops").generator();
        let areas: Vec<_> = (0..1000).map(|_| crop.draw(&mut generator, 64)).collect();
        let (mut least, mut most) = (f64::MAX, 0.0f64);
        for area in &areas {
            assert!(area.top + area.height <= 64 && area.left + area.width <= 64);
            let share = (area.height * area.width) as f64 / 4096.0;
            assert!((0.24..=1.0).contains(&share), "{area:?}");
            let ratio = area.width as f64 / area.height as f64;
            assert!((0.48..=2.1).contains(&ratio), "{area:?}");
            (least, most) = (least.min(share), most.max(share));
        }
        assert!(least < 0.28 && most > 0.9, "{least} {most}");
        let squares = RandomResizedCrop {
            min_scale: 1.0,
            max_ratio: 1.0,
        };
        let whole = squares.draw(&mut generator, 64);
        assert_eq!(
            (whole.top, whole.left, whole.height, whole.width),
            (0, 0, 64, 64)
        );
    }
}
