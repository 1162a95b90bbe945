//! Statistics of activations.

use serde::Serialize;
use utoipa::ToSchema;

use super::Inspector;
use super::recording::{Recording, read};
use crate::error::Result;

/// Bars of a histogram.
const BARS: usize = 32;

/// Statistics of all activations of a layer for one image.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ActivationStatistics)]
pub struct Statistics {
    /// The mean.
    pub mean: f64,
    /// The standard deviation (of the population).
    pub std: f64,
    /// The minimum.
    pub min: f32,
    /// The maximum.
    pub max: f32,
    /// The share of constant feature maps, or of single values that are 0.
    pub dead_share: f64,
    /// The histogram.
    pub histogram: Histogram,
}

/// A histogram with bars of equal width.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Histogram {
    /// The start of the first bar.
    pub from: f32,
    /// The end of the last bar, which includes this value.
    pub to: f32,
    /// Values in each bar.
    pub counts: Vec<u64>,
}

impl Statistics {
    /// Statistics of `values`, with the share `dead_share` of dead feature maps. Values that are not finite are in no
    /// bar.
    fn of(values: &[f32], dead_share: f64) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
        let square = |v: &f32| (f64::from(*v) - mean).powi(2);
        let std = (values.iter().map(square).sum::<f64>() / count).sqrt();
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let min = finite().fold(f32::INFINITY, f32::min);
        let max = finite().fold(f32::NEG_INFINITY, f32::max);
        let mut counts = vec![0; BARS];
        let scale = BARS as f32 / (max - min);
        for value in finite() {
            // If all values are equal, the width is 0 and they are in the first bar.
            let bar = ((value - min) * scale) as usize;
            counts[bar.min(BARS - 1)] += 1;
        }
        Self {
            mean,
            std,
            min,
            max,
            dead_share,
            histogram: Histogram {
                from: min,
                to: max,
                counts,
            },
        }
    }
}

impl Inspector {
    /// Statistics of a layer's activations.
    ///
    /// # Errors
    /// As [`Inspector::features`].
    pub fn statistics(&self, recording: &Recording, layer: &str) -> Result<Statistics> {
        self.statistics_at(recording, self.place(layer)?)
    }

    pub(super) fn statistics_at(&self, recording: &Recording, place: usize) -> Result<Statistics> {
        let maps = self.maps_of(recording, place)?;
        let output = &recording.steps[place].output;
        let share = |dead: usize, of: usize| dead as f64 / of.max(1) as f64;
        read(output, |values| {
            let dead = match output.rank() {
                4 => share(maps.iter().filter(|map| map.constant).count(), maps.len()),
                _ => share(values.iter().filter(|v| **v == 0.0).count(), values.len()),
            };
            Statistics::of(values, dead)
        })
    }
}
