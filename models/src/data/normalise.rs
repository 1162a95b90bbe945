//! Normalisation to mean 0 and standard deviation 1. The statistics are those of the training split, so that nothing of
//! the other splits leaks into training.

use super::image::Pixels;
use crate::contract::Normalisation;
use crate::spec::Choice;

/// The source of the statistics: the training split or ImageNet.
pub(super) const CHOICES: &[Choice] = &[
    Choice::new("measured", "Measured"),
    Choice::new(IMAGENET, "ImageNet's"),
];

/// The name of [`Normalisation::of_imagenet`] in a RunSpec.
pub(super) const IMAGENET: &str = Normalisation::IMAGENET;

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
