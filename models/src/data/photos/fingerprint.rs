//! What a picture looks like, in a few bytes: two pictures whose fingerprints are close look the same.

use super::super::fit::Fit;
use super::super::image::byte;
use super::super::picture::Picture;

/// Differences of neighbours along each axis: 8x8 each.
const SIDE: usize = 8;

/// Pixels along a side of the thumbnail.
const THUMBNAIL: usize = 16;

/// The fingerprint of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Fingerprint {
    /// The difference hash of N. Krawetz ("Kind of Like That", 2013) along both axes: for each of 8x8 places whether it
    /// is darker than the one to its right, then whether it is darker than the one below.
    pub(in crate::data) hash: u128,
    /// In grey, `[16, 16]`, minus its mean, divided by its norm; zeros for a picture of one colour.
    pub(in crate::data) thumbnail: Vec<f32>,
}

impl Fingerprint {
    pub(in crate::data) fn of(picture: &Picture) -> Self {
        let cells: Vec<u8> = Fit::Stretch
            .square(picture, 1, SIDE + 1)
            .into_iter()
            .map(byte)
            .collect();
        let at = |x: usize, y: usize| cells[y * (SIDE + 1) + x];
        let mut hash = 0;
        for (right, down) in [(1, 0), (0, 1)] {
            for y in 0..SIDE {
                for x in 0..SIDE {
                    hash = hash << 1 | u128::from(at(x, y) < at(x + right, y + down));
                }
            }
        }
        let mut thumbnail = Fit::Stretch.square(picture, 1, THUMBNAIL);
        let mean = thumbnail.iter().sum::<f32>() / thumbnail.len() as f32;
        thumbnail.iter_mut().for_each(|value| *value -= mean);
        let norm = thumbnail
            .iter()
            .map(|value| value * value)
            .sum::<f32>()
            .sqrt();
        // Less than a level of deviation is the noise of a surface.
        let scale = if norm < THUMBNAIL as f32 {
            0.0
        } else {
            norm.recip()
        };
        thumbnail.iter_mut().for_each(|value| *value *= scale);
        Self { hash, thumbnail }
    }

    /// Whether the picture has too little in it to be told from others.
    pub(in crate::data) fn is_blank(&self) -> bool {
        self.thumbnail.iter().all(|value| *value == 0.0)
    }

    /// The number of places where the hashes differ, of 128.
    pub(in crate::data) fn distance(&self, other: &Self) -> u32 {
        (self.hash ^ other.hash).count_ones()
    }

    /// The correlation of the thumbnails, -1 to 1. It does not depend on brightness and contrast.
    pub(in crate::data) fn correlation(&self, other: &Self) -> f32 {
        let pairs = self.thumbnail.iter().zip(&other.thumbnail);
        pairs.map(|(a, b)| a * b).sum()
    }
}

/// The picture scaled down by a whole number to a shorter side of at least `least` pixels, each the mean of a block; as
/// it is if it is too small. Fast, for pictures of pictures.
pub(in crate::data) fn shrink(picture: Picture, least: usize) -> Picture {
    let block = picture.width.min(picture.height) / least;
    if block < 2 {
        return picture;
    }
    let (width, height) = (picture.width / block, picture.height / block);
    let mut rgb = Vec::with_capacity(3 * width * height);
    let mut sums = vec![0u32; 3 * width];
    let count = (block * block) as u32;
    for row in 0..height {
        sums.fill(0);
        for y in row * block..(row + 1) * block {
            let line = &picture.rgb[3 * y * picture.width..][..3 * width * block];
            for (sums, block) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * block)) {
                for pixel in block.chunks_exact(3) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*value);
                    }
                }
            }
        }
        rgb.extend(sums.iter().map(|sum| ((sum + count / 2) / count) as u8));
    }
    Picture { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(of: impl Fn(usize, usize) -> u8) -> Picture {
        let pixels = (0..64 * 96).flat_map(|i| [of(i % 96, i / 96); 3]);
        Picture {
            width: 96,
            height: 64,
            rgb: pixels.collect(),
        }
    }

    #[test]
    fn a_picture_resembles_its_smaller_and_brighter_copies_and_no_other() {
        let waves = |x: usize, y: usize| {
            (100.0 + 60.0 * (x as f64 / 11.0).sin() + 40.0 * (y as f64 / 7.0).cos()) as u8
        };
        let first = Fingerprint::of(&picture(waves));
        let bright = Fingerprint::of(&picture(|x, y| waves(x, y) / 2 + 90));
        let small = Fingerprint::of(&shrink(picture(waves), 32));
        for same in [&bright, &small] {
            assert!(first.distance(same) <= 6, "{}", first.distance(same));
            assert!(first.correlation(same) > 0.995);
        }
        let other = Fingerprint::of(&picture(|x, y| waves(y + 30, x)));
        assert!(first.distance(&other) > 20 && first.correlation(&other) < 0.9);
    }

    #[test]
    fn a_picture_of_one_colour_is_blank() {
        assert!(Fingerprint::of(&picture(|_, _| 90)).is_blank());
        assert!(!Fingerprint::of(&picture(|x, _| x as u8)).is_blank());
    }

    #[test]
    fn shrinking_takes_the_mean_of_blocks() {
        let small = shrink(picture(|x, y| ((x / 2 + y / 2) % 2 * 100) as u8), 16);
        assert_eq!((small.width, small.height), (24, 16));
        assert!(small.rgb.iter().all(|value| *value == 50));
        let same = shrink(picture(|_, _| 1), 60);
        assert_eq!((same.width, same.height), (96, 64));
    }
}
