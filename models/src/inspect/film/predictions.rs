//! The predictions of a network on a split, sample by sample.

/// The most samples that are kept.
pub(super) const MOST_SAMPLES: usize = 20_000;

/// The predicted class of each sample, in the split's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predictions {
    /// Classes, from 0.
    pub predicted: Vec<u16>,
    /// The confidence, from 0 to 255: the class's probability or, if scores are not logits, its lead over the second
    /// relative to the largest lead of the split.
    pub confidence: Vec<u8>,
}

impl Predictions {
    /// Predictions with confidences from 0 to 1.
    pub(crate) fn new(predicted: Vec<u16>, confidence: &[f32]) -> Self {
        // NaN becomes 0.
        let byte = |share: &f32| (share * 255.0).round() as u8;
        Self {
            predicted,
            confidence: confidence.iter().map(byte).collect(),
        }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.predicted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.predicted.is_empty()
    }

    /// Truncates to the samples that are kept.
    pub(super) fn cut(mut self) -> Self {
        self.predicted.truncate(MOST_SAMPLES);
        self.confidence.truncate(MOST_SAMPLES);
        self
    }
}

/// The size on disk of the predictions of so many samples, in bytes.
pub(super) fn bytes(samples: usize) -> usize {
    samples.min(MOST_SAMPLES) * 3
}
