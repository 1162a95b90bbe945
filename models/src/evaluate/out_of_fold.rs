//! Probabilities of samples by networks that did not learn from them.

use std::collections::BTreeMap;

use super::label_issues::{LabelQuality, Suspect, for_each_probability, suspects};
use super::scores::{Matrix, ScoreKind, Scores};
use crate::error::{Error, Result};

/// The probabilities of a set's samples. Where several networks are held out from a sample, as those of all folds are
/// from the test split, their mean counts.
#[derive(Debug)]
pub struct OutOfFold {
    classes: usize,
    rows: BTreeMap<u32, Row>,
}

#[derive(Debug)]
struct Row {
    label: u32,
    /// The sum over the networks.
    probabilities: Vec<f32>,
    networks: u32,
}

impl OutOfFold {
    /// None yet, of so many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            rows: BTreeMap::new(),
        }
    }

    /// Adds what a network says of these samples, which have these labels.
    ///
    /// # Errors
    /// When the scores are no probabilities, cannot be read, or are not one row of all classes for each sample.
    pub fn add(&mut self, scores: &dyn Scores, samples: &[u32], labels: &[u32]) -> Result<()> {
        let (rows, classes) = (scores.samples(), scores.classes());
        if rows != samples.len() || rows != labels.len() || classes != self.classes {
            let message = format!(
                "must be {} rows of {} classes, and are {rows} of {classes}",
                samples.len(),
                self.classes
            );
            return Err(Error::setting("scores", message));
        }
        if !scores.kind().are_probable() {
            let message =
                "must be probabilities or logits: margins do not say how likely a label is";
            return Err(Error::setting("scores", message));
        }
        for_each_probability(scores, |index, probabilities| {
            let row = self.rows.entry(samples[index]).or_insert_with(|| Row {
                label: labels[index],
                probabilities: vec![0.0; classes],
                networks: 0,
            });
            for (sum, probability) in row.probabilities.iter_mut().zip(probabilities) {
                *sum += *probability as f32;
            }
            row.networks += 1;
            Ok(())
        })
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All samples, the most suspicious first, as [`suspects`] ranks them. Their indices are those of the set.
    ///
    /// # Errors
    /// When there are no samples, or a probability is not a number.
    pub fn suspects(&self, quality: LabelQuality) -> Result<Vec<Suspect>> {
        let mut values = Vec::with_capacity(self.rows.len() * self.classes);
        for row in self.rows.values() {
            let mean = row
                .probabilities
                .iter()
                .map(|sum| sum / row.networks as f32);
            values.extend(mean.map(|probability| probability.clamp(0.0, 1.0)));
        }
        if values.iter().any(|value| value.is_nan()) {
            let message = "must be numbers: a network diverged";
            return Err(Error::setting("scores", message));
        }
        let labels: Vec<u32> = self.rows.values().map(|row| row.label).collect();
        let samples: Vec<u32> = self.rows.keys().copied().collect();
        let scores = Matrix {
            values: &values,
            classes: self.classes,
            kind: ScoreKind::Probabilities,
        };
        let mut suspects = suspects(&scores, &labels, quality)?;
        for suspect in &mut suspects {
            suspect.index = samples[suspect.index] as usize;
        }
        Ok(suspects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_judged_by_the_networks_that_did_not_learn_it() {
        let scores = |values: &'static [f32]| Matrix {
            values,
            classes: 2,
            kind: ScoreKind::Probabilities,
        };
        let mut found = OutOfFold::new(2);
        found
            .add(&scores(&[0.9, 0.1, 0.05, 0.95]), &[7, 3], &[0, 0])
            .unwrap();
        found
            .add(&scores(&[0.2, 0.8, 0.6, 0.4]), &[5, 9], &[1, 0])
            .unwrap();
        // Two networks are held out from the test sample: 0.5 in the mean.
        found.add(&scores(&[0.2, 0.8]), &[9], &[0]).unwrap();
        let suspects = found.suspects(LabelQuality::SelfConfidence).unwrap();
        let order: Vec<usize> = suspects.iter().map(|suspect| suspect.index).collect();
        assert_eq!((order, found.len()), (vec![3, 9, 5, 7], 4));
        assert_eq!((suspects[0].label, suspects[0].suggested), (0, 1));
        assert!((suspects[0].suggested_probability - 0.95).abs() < 1e-6);
        assert!((suspects[1].quality - 0.4).abs() < 1e-6);
        assert!((suspects[1].suggested_probability - 0.6).abs() < 1e-6);
        // The first class has 0.05, 0.9 and 0.4 on its three samples, the second 0.8 on its one.
        assert!((suspects[0].label_mean - 0.45).abs() < 1e-6);
        assert!((suspects[0].suggested_mean - 0.8).abs() < 1e-6);

        assert!(found.add(&scores(&[0.2, 0.8]), &[1, 2], &[0, 0]).is_err());
        let margins = Matrix {
            kind: ScoreKind::Margins,
            ..scores(&[0.2, 0.8])
        };
        assert!(found.add(&margins, &[1], &[0]).is_err());
        let not_finite = scores(&[f32::NAN, f32::NAN]);
        found.add(&not_finite, &[1], &[0]).unwrap();
        assert!(found.suspects(LabelQuality::SelfConfidence).is_err());
    }
}
