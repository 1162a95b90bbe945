//! Normalisation to mean 0 and standard deviation 1. The statistics are those of the training split, so that nothing of
//! the other splits leaks into training.

use super::image::Pixels;
use crate::contract::Normalisation;
use crate::spec::Choice;

/// The source of the statistics: the training split, or what weights were trained with.
pub(super) const CHOICES: &[Choice] = &[
    Choice::new("measured", "Measured"),
    Choice::new(Normalisation::IMAGENET, "ImageNet's"),
    Choice::new(Normalisation::EFFICIENTNET_LITE, "EfficientNet-Lite's"),
];

impl Normalisation {
    /// Statistics of two-dimensional points.
    pub(super) fn of_points<'a>(points: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let mean_of = |value: &dyn Fn(usize, f64) -> f64| {
            let mut sums = [0.0; 2];
            let mut count = 0usize;
            for point in points.clone() {
                count += 1;
                for (axis, sum) in sums.iter_mut().enumerate() {
                    *sum += value(axis, f64::from(point[axis]));
                }
            }
            sums.map(|sum| sum / count.max(1) as f64)
        };
        let mean = mean_of(&|_, v| v);
        let variance = mean_of(&|axis, v| (v - mean[axis]) * (v - mean[axis]));
        Self {
            mean: mean.to_vec(),
            deviation: variance.map(deviation).to_vec(),
        }
    }

    /// Statistics of some images. For grey that is repeated to three channels, they are computed once and repeated.
    pub(super) fn of_images(pixels: &Pixels, images: &[u32], channels: usize) -> Self {
        // Counts of byte values give exact statistics, independent of the order.
        let mut counts = vec![[0u64; 256]; pixels.channels];
        for image in images {
            let channels_of_image = pixels.image(*image as usize);
            for (counts, channel) in counts
                .iter_mut()
                .zip(channels_of_image.chunks_exact(pixels.side * pixels.side))
            {
                channel
                    .iter()
                    .for_each(|byte| counts[usize::from(*byte)] += 1);
            }
        }
        let of = |counts: &[u64; 256]| {
            let all = counts.iter().sum::<u64>().max(1) as f64;
            let values = || {
                (0..256)
                    .map(|byte| byte as f64 / f64::from(pixels.white))
                    .zip(counts)
            };
            let mean = values().map(|(v, n)| v * *n as f64).sum::<f64>() / all;
            let variance = values()
                .map(|(v, n)| (v - mean).powi(2) * *n as f64)
                .sum::<f64>()
                / all;
            (mean, deviation(variance))
        };
        let (mean, deviation) = (0..channels)
            .map(|c| of(&counts[c.min(counts.len() - 1)]))
            .unzip();
        Self { mean, deviation }
    }

    /// Statistics of images of which the sums of bytes and of their squares are known, for each channel. Both are whole
    /// numbers, so the result is exact and independent of the order. `values` counts those of a channel.
    pub(super) fn of_sums(sums: &[[u64; 2]], values: u64, channels: usize) -> Self {
        let n = u128::from(values.max(1));
        let of = |[sum, squares]: [u64; 2]| {
            let (sum, squares) = (u128::from(sum), u128::from(squares));
            let variance = (n * squares).saturating_sub(sum * sum) as f64;
            let (n, white) = (n as f64, 255.0);
            (
                sum as f64 / (n * white),
                deviation(variance / (n * white).powi(2)),
            )
        };
        let last = sums.len().saturating_sub(1);
        let (mean, deviation) = (0..channels)
            .map(|c| of(sums.get(c.min(last)).copied().unwrap_or_default()))
            .unzip();
        Self { mean, deviation }
    }

    /// Normalises one point in place.
    pub(crate) fn apply(&self, point: &mut [f32]) {
        for (value, (mean, deviation)) in
            point.iter_mut().zip(self.mean.iter().zip(&self.deviation))
        {
            *value = ((f64::from(*value) - mean) / deviation) as f32;
        }
    }
}

fn deviation(variance: f64) -> f64 {
    if variance > 1e-12 {
        variance.sqrt()
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_give_the_statistics_of_the_images() {
        let pixels = Pixels {
            bytes: (0..3 * 3 * 16).map(|i| (i * 37 % 251) as u8).collect(),
            channels: 3,
            side: 4,
            white: 255,
        };
        let mut sums = [[0; 2]; 3];
        for image in [0, 2] {
            for (sums, channel) in sums.iter_mut().zip(pixels.image(image).chunks_exact(16)) {
                for value in channel.iter().map(|byte| u64::from(*byte)) {
                    *sums = [sums[0] + value, sums[1] + value * value];
                }
            }
        }
        let expected = Normalisation::of_images(&pixels, &[0, 2], 3);
        let found = Normalisation::of_sums(&sums, 32, 3);
        let pairs = found.mean.iter().zip(&expected.mean);
        let deviations = found.deviation.iter().zip(&expected.deviation);
        assert!(pairs.chain(deviations).all(|(a, b)| (a - b).abs() < 1e-14));
        // Grey is repeated, and one value has no deviation.
        let flat = Normalisation::of_sums(&[[320, 3200]], 32, 3);
        assert_eq!(
            (flat.mean, flat.deviation),
            (vec![10.0 / 255.0; 3], vec![1.0; 3])
        );
    }
}
