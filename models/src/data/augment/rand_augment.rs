//! RandAugment (Cubuk et al. 2019, arXiv:1909.13719): some operations, drawn from a list, all of one magnitude. The list
//! and the ranges are those of torchvision's `RandAugment`.

use serde::Deserialize;

use super::byte_ops::Operation;
use crate::random::Generator;

/// The greatest magnitude. Magnitudes are the steps of each operation's range.
const MOST: f64 = 30.0;

/// The settings of RandAugment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RandAugment {
    /// How many operations change each image.
    num_ops: u64,
    /// Their magnitude, 0 to 30.
    magnitude: u64,
}

impl RandAugment {
    /// Changes an image of `size` pixels along a side, with values from 0 to 1, in place. Its values become those of
    /// bytes.
    pub(super) fn apply(&self, generator: &mut Generator, size: usize, image: &mut [f32]) {
        let mut bytes: Vec<u8> = image
            .iter()
            .map(|value| (value * 255.0 + 0.5) as u8)
            .collect();
        for _ in 0..self.num_ops {
            self.draw(generator, size).apply(size, &mut bytes);
        }
        for (value, byte) in image.iter_mut().zip(bytes) {
            *value = f32::from(byte) / 255.0;
        }
    }

    fn draw(&self, generator: &mut Generator, size: usize) -> Operation {
        let which = generator.below(OPERATIONS.len() as u64) as usize;
        let share = self.magnitude as f64 / MOST;
        // Drawn for every operation, whether it has two directions or not.
        let sign = if generator.below(2) == 0 { 1.0 } else { -1.0 };
        OPERATIONS[which](share, sign, size)
    }
}

/// An operation by the share of its range, its direction and the size of the image.
pub(super) type Make = fn(f64, f64, usize) -> Operation;

/// The operations, in torchvision's order.
pub(super) const OPERATIONS: [Make; 14] = [
    |_, _, _| Operation::Identity,
    |share, sign, _| Operation::ShearX(sign * 0.3 * share),
    |share, sign, _| Operation::ShearY(sign * 0.3 * share),
    |share, sign, size| Operation::TranslateX(shift(share, sign, size)),
    |share, sign, size| Operation::TranslateY(shift(share, sign, size)),
    |share, sign, _| Operation::Rotate(sign * 30.0 * share),
    |share, sign, _| Operation::Brightness(1.0 + sign * 0.9 * share),
    |share, sign, _| Operation::Color(1.0 + sign * 0.9 * share),
    |share, sign, _| Operation::Contrast(1.0 + sign * 0.9 * share),
    |share, sign, _| Operation::Sharpness(1.0 + sign * 0.9 * share),
    |share, _, _| Operation::Posterize(8 - (4.0 * share).round_ties_even() as u32),
    |share, _, _| Operation::Solarize(255.0 * (1.0 - share)),
    |_, _, _| Operation::AutoContrast,
    |_, _, _| Operation::Equalize,
];

fn shift(share: f64, sign: f64, size: usize) -> i64 {
    (sign * 150.0 / 331.0 * size as f64 * share) as i64
}
