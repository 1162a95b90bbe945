//! A trained network at work: from a photo to its classes.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`Classifier`] |
//! | [`preprocessing`] | how a photo becomes an input, as data that other programs follow |
//! | `ranking` | the classes of an image, the likeliest first |
//!
//! Every prediction of a photo goes through [`Classifier::scores`], be it asked by command, page or program: the same
//! photo gets the same row everywhere.

pub mod preprocessing;
mod ranking;

pub use preprocessing::Preprocessing;
pub use ranking::ClassScore;
pub(crate) use ranking::ranked;

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::contract::Normalisation;
use crate::data::{PhotoTransform, Picture, decode_image};
use crate::error::{Error, Result};
use crate::graph::{Criterion, Graph};
use crate::networks::Model;
use crate::ops::threads;

/// A trained network with the names of its classes and its preprocessing.
#[derive(Clone, Debug)]
pub struct Classifier {
    model: Arc<Model>,
    classes: Vec<String>,
    preprocessing: Preprocessing,
}

impl Classifier {
    /// A classifier of photos.
    ///
    /// # Errors
    /// [`Error::Setting`] when the network does not take images, or `normalisation` has another number of channels.
    pub fn new(
        model: impl Into<Arc<Model>>,
        classes: Vec<String>,
        transform: PhotoTransform,
        normalisation: &Normalisation,
    ) -> Result<Self> {
        let model = model.into();
        let preprocessing =
            Preprocessing::new(model.input(), transform, normalisation, model.criterion())?;
        Ok(Self {
            model,
            classes,
            preprocessing,
        })
    }

    /// A classifier of the network of a graph, loaded from a state dict.
    ///
    /// # Errors
    /// As [`Classifier::new`]; and when the file does not contain exactly the network's tensors.
    pub fn open(
        graph: Graph,
        classes: Vec<String>,
        transform: PhotoTransform,
        normalisation: &Normalisation,
        weights: &Path,
    ) -> Result<Self> {
        let model = Model::of_graph(graph, 0)?;
        model.load_state_dict(weights)?;
        Self::new(model, classes, transform, normalisation)
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How a photo becomes an input.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Whether scores are logits, so that there are probabilities.
    pub fn has_probabilities(&self) -> bool {
        self.model.criterion() == Criterion::CrossEntropy
    }

    /// The shape of an input: `[channels, height, width]`.
    pub fn input_shape(&self) -> &[usize] {
        self.model.input()
    }

    /// The input for a photo: normalised values `[channels, height, width]`.
    ///
    /// # Errors
    /// When the photo has no pixels.
    pub fn input(&self, picture: &Picture) -> Result<Vec<f32>> {
        self.preprocessing.apply(picture)
    }

    /// As [`Classifier::input`], for an encoded photo of at most `most_pixels` pixels.
    ///
    /// # Errors
    /// The fault, as a phrase that follows the photo's name.
    pub fn read(&self, bytes: &[u8], most_pixels: u64) -> std::result::Result<Vec<f32>, String> {
        let picture = decode_image(bytes, most_pixels)?;
        self.input(&picture).map_err(|error| error.to_string())
    }

    /// The scores of an input, one for each class.
    ///
    /// Photos are computed one by one: the order in which a product sums depends on the number of its rows, and a photo
    /// has the same scores whichever others it is sent with.
    ///
    /// # Errors
    /// When the input has another size than the network takes.
    pub fn scores(&self, input: &[f32]) -> Result<Vec<f32>> {
        let size: usize = self.model.input().iter().product();
        if input.len() != size {
            return Err(Error::Shape {
                place: "image".to_owned(),
                expected: format!("{:?}", self.model.input()),
                got: vec![input.len()],
            });
        }
        let parameters = usize::try_from(self.model.store().count()).unwrap_or(usize::MAX);
        let shape = [&[1], self.model.input()].concat();
        let x = Tensor::from_slice(input, shape, &Device::Cpu)?;
        let y = threads::in_pool(parameters, || self.model.evaluate(&x, false))?;
        Ok(y.flatten_all()?.to_vec1::<f32>()?)
    }

    /// The `top` likeliest classes of an input, the likeliest first. The inner error is the fault of scores that are not
    /// finite, as a phrase that follows the photo's name.
    ///
    /// # Errors
    /// As [`Classifier::scores`].
    pub fn classify(
        &self,
        input: &[f32],
        top: usize,
    ) -> Result<std::result::Result<Vec<ClassScore>, String>> {
        let scores = self.scores(input)?;
        if scores.iter().any(|score| !score.is_finite()) {
            return Ok(Err(NOT_FINITE.to_owned()));
        }
        let criterion = self.model.criterion();
        Ok(Ok(ranked(&scores, &self.classes, criterion, top)))
    }
}

/// The fault of scores that are NaN or infinite, as in `templates/takeaway/classifier.py` and `frontend/standalone`.
const NOT_FINITE: &str =
    "the network's scores are not numbers: the run diverged; choose an earlier checkpoint";

/// The results of `work` for every item, in their order, on all threads of the pool.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    items.par_iter().with_max_len(1).map(work).collect()
}

/// The batch size of evaluations for samples of `width` values: small enough for the caches, large enough to amortise
/// the call.
pub(crate) fn evaluation_rows(width: usize) -> usize {
    const VALUES: usize = 1 << 18;
    (VALUES / width.max(1)).clamp(16, 1024)
}
