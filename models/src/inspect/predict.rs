//! Predictions with probabilities.

use std::sync::Arc;

use super::{Inspector, Recording};
use crate::classify::{ClassScore, Classifier, ranked};
use crate::data::PhotoTransform;
use crate::error::Result;

/// The most classes of a prediction.
const MOST: usize = 100;

impl Inspector {
    /// The classes, the most probable first; at most a hundred.
    pub fn predict(&self, recording: &Recording) -> Vec<ClassScore> {
        ranked(
            &recording.scores,
            &self.classes,
            self.model.criterion(),
            MOST,
        )
    }

    /// The network as a classifier of photos, which shares its weights.
    ///
    /// # Errors
    /// When the network does not take images.
    pub fn classifier(&self, transform: PhotoTransform) -> Result<Classifier> {
        let model = Arc::clone(&self.model);
        Classifier::new(model, self.classes.clone(), transform, &self.normalisation)
    }
}
