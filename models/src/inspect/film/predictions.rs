//! What a network made of a split, sample by sample.

/// The most samples that are kept.
pub(super) const MOST_SAMPLES: usize = 20_000;

/// The class that each sample was taken for, in the split's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predictions {
    /// Classes, from 0.
    pub predicted: Vec<u16>,
    /// How sure the network was, 0 to 255: the class's probability; where scores are no probabilities, its lead over
    /// the second against the greatest lead of the split.
    pub confidence: Vec<u8>,
}

impl Predictions {
    /// Of confidences from 0 to 1.
    pub(crate) fn new(predicted: Vec<u16>, confidence: &[f32]) -> Self {
        // What is no number becomes 0.
        let byte = |share: &f32| (share * 255.0).round() as u8;
        Self {
            predicted,
            confidence: confidence.iter().map(byte).collect(),
        }
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.predicted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.predicted.is_empty()
    }

    /// No more samples than are kept.
    pub(super) fn cut(mut self) -> Self {
        self.predicted.truncate(MOST_SAMPLES);
        self.confidence.truncate(MOST_SAMPLES);
        self
    }

    /// On disk.
    pub(super) fn bytes(&self) -> usize {
        self.len() * 3
    }
}
