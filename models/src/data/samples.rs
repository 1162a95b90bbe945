//! Samples in memory: all values in one piece, so that a batch is gathered by copying rows.

use sha2::{Digest, Sha256};

use super::Raw;
use super::normalise::Normalisation;
use super::split::{Parts, Split};
use crate::error::Result;

/// The samples of one split, normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    values: Vec<f32>,
    labels: Vec<u32>,
    /// Values of one sample.
    size: usize,
}

impl Samples {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The classes, from 0.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// One sample's values.
    pub fn values(&self, index: usize) -> &[f32] {
        &self.values[index * self.size..(index + 1) * self.size]
    }

    /// The values and classes of the samples at these places, in this order.
    pub fn gather(&self, places: &[u32]) -> (Vec<f32>, Vec<u32>) {
        let mut values = Vec::with_capacity(places.len() * self.size);
        places
            .iter()
            .for_each(|place| values.extend_from_slice(self.values(*place as usize)));
        (
            values,
            places
                .iter()
                .map(|place| self.labels[*place as usize])
                .collect(),
        )
    }

    /// The values and classes of neighbouring samples.
    pub fn slice(&self, range: std::ops::Range<usize>) -> (Vec<f32>, &[u32]) {
        (
            self.values[range.start * self.size..range.end * self.size].to_vec(),
            &self.labels[range],
        )
    }
}

/// A data set, split and normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    /// Learnt from.
    pub train: Samples,
    /// Measured on after every epoch; may be empty.
    pub validation: Samples,
    /// Measured on once, at the end.
    pub test: Samples,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample: `[2]` or `[channels, height, width]`.
    pub input: Vec<usize>,
    /// What was done to the values.
    pub normalisation: Normalisation,
    /// For points, the least and the greatest of each raw coordinate over all splits.
    pub range: Option<[[f64; 2]; 2]>,
    /// SHA-256 over classes, shapes, labels and normalised values of all splits, in hexadecimal.
    pub hash: String,
}

impl Splits {
    pub(super) fn new(raw: Raw, parts: &Parts) -> Result<Self> {
        let size: usize = raw.input.iter().product();
        let sample =
            |index: &u32| &raw.values[*index as usize * size..(*index as usize + 1) * size];
        let normalisation =
            Normalisation::measure(&raw.input, parts.of(Split::Train).iter().map(sample));
        let gather = |split| {
            let indices = parts.of(split);
            let mut values = Vec::with_capacity(indices.len() * size);
            indices
                .iter()
                .for_each(|index| values.extend_from_slice(sample(index)));
            values
                .chunks_exact_mut(size)
                .for_each(|sample| normalisation.apply(&raw.input, sample));
            let labels = indices
                .iter()
                .map(|index| raw.labels[*index as usize])
                .collect();
            Samples {
                values,
                labels,
                size,
            }
        };
        let (train, validation, test) = (
            gather(Split::Train),
            gather(Split::Validation),
            gather(Split::Test),
        );
        let range = (raw.input == [2]).then(|| range(&raw.values));
        let hash = hash(&raw, [&train, &validation, &test]);
        Ok(Self {
            train,
            validation,
            test,
            classes: raw.classes,
            input: raw.input,
            normalisation,
            range,
            hash,
        })
    }
}

fn range(points: &[f32]) -> [[f64; 2]; 2] {
    [0, 1].map(|axis| {
        let values = points.iter().skip(axis).step_by(2).map(|v| f64::from(*v));
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
            [low.min(v), high.max(v)]
        })
    })
}

fn hash(raw: &Raw, splits: [&Samples; 3]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?}\n", raw.classes, raw.input));
    let mut bytes = Vec::new();
    for split in splits {
        hash.update((split.len() as u64).to_le_bytes());
        split
            .labels
            .iter()
            .for_each(|label| hash.update(label.to_le_bytes()));
        for values in split.values.chunks(4096) {
            bytes.clear();
            values
                .iter()
                .for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            hash.update(&bytes);
        }
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
