//! Flips, shifts and cutout of one image: where each of its values comes from.

use std::ops::Range;

use crate::random::Generator;

/// The augmentation of one image: the source of each row and column, and the cutout.
#[derive(Debug, PartialEq)]
pub(super) struct ImageTransform {
    size: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
    hole: Option<[Range<usize>; 2]>,
}

impl ImageTransform {
    /// Draws what happens to an image of `size` pixels along a side. `flip`, `crop` and `cutout` say what may happen.
    pub(super) fn draw(
        [flip, crop, cutout]: [bool; 3],
        generator: &mut Generator,
        size: usize,
    ) -> Self {
        // All random numbers are drawn, whether used or not, so that the augmentations do not affect each other.
        let flip = generator.below(2) == 1 && flip;
        let reach = size / 8;
        let [down, across] = [(); 2].map(|()| generator.below(2 * reach as u64 + 1) as usize);
        let centre = [(); 2].map(|()| generator.below(size as u64) as usize);
        let from = |place: usize, shift: usize| {
            if crop {
                reflected(place + shift, reach, size)
            } else {
                place
            }
        };
        let columns =
            (0..size).map(|column| from(if flip { size - 1 - column } else { column }, across));
        let half = size / 4;
        Self {
            size,
            rows: (0..size).map(|row| from(row, down)).collect(),
            columns: columns.collect(),
            hole: cutout.then(|| centre.map(|at| at.saturating_sub(half)..(at + half).min(size))),
        }
    }

    /// Writes the flipped and shifted image, without the hole.
    pub(super) fn place(&self, image: &[f32], into: &mut [f32]) {
        let size = self.size;
        for (image, into) in image
            .chunks_exact(size * size)
            .zip(into.chunks_exact_mut(size * size))
        {
            for (row, into) in self.rows.iter().zip(into.chunks_exact_mut(size)) {
                let row = &image[row * size..(row + 1) * size];
                into.iter_mut()
                    .zip(&self.columns)
                    .for_each(|(into, column)| *into = row[*column]);
            }
        }
    }

    /// Sets the hole to 0 in each channel.
    pub(super) fn cut(&self, image: &mut [f32]) {
        let Some([down, across]) = &self.hole else {
            return;
        };
        for channel in image.chunks_exact_mut(self.size * self.size) {
            down.clone()
                .for_each(|row| channel[row * self.size..][across.clone()].fill(0.0));
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
