//! Values of mean 0 and standard deviation 1, by what the training split shows: what is measured on must not be seen.

use serde::Serialize;

/// What is done to every value before the network sees it: `(value - mean) / deviation`, for each channel of an image
/// (whose pixels go from 0 to 1) or each coordinate of a point. Measured on the training split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Normalisation {
    /// Means by channel or coordinate.
    pub mean: Vec<f64>,
    /// Standard deviations by channel or coordinate; 1 where all values are the same.
    pub deviation: Vec<f64>,
}

impl Normalisation {
    /// Measures samples of the shape `input`, given one by one.
    pub(super) fn measure<'a>(
        input: &[usize],
        samples: impl Iterator<Item = &'a [f32]> + Clone,
    ) -> Self {
        let (channels, plane) = channels(input);
        let sums = |start: Vec<f64>, add: &dyn Fn(usize, f64) -> f64| {
            let mut sums = start;
            let mut count = 0usize;
            for sample in samples.clone() {
                count += plane;
                for (c, values) in sample.chunks_exact(plane).enumerate() {
                    sums[c] += values.iter().map(|v| add(c, f64::from(*v))).sum::<f64>();
                }
            }
            sums.iter_mut().for_each(|sum| *sum /= count.max(1) as f64);
            sums
        };
        let mean = sums(vec![0.0; channels], &|_, v| v);
        let variance = sums(vec![0.0; channels], &|c, v| (v - mean[c]) * (v - mean[c]));
        let deviation = variance
            .iter()
            .map(|v| if *v > 1e-12 { v.sqrt() } else { 1.0 })
            .collect();
        Self { mean, deviation }
    }

    /// Normalises one sample in place.
    pub fn apply(&self, input: &[usize], sample: &mut [f32]) {
        let (_, plane) = channels(input);
        for (values, (mean, deviation)) in sample
            .chunks_exact_mut(plane)
            .zip(self.mean.iter().zip(&self.deviation))
        {
            for value in values {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
    }
}

/// Channels and the values in each: a coordinate is a channel of one value.
fn channels(input: &[usize]) -> (usize, usize) {
    let channels = input.first().copied().unwrap_or(1);
    (channels, input.iter().skip(1).product::<usize>().max(1))
}
