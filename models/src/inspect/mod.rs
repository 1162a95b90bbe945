//! A trained network from the inside: what it learned, and what it makes of an image.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`Inspector`]: a network with its numbers, ready to be asked |
//! | `layers` | the catalogue of every place that a pass shows |
//! | `recording` | all activations of one image |
//! | `tiles`, `sheet` | a layer's picture, tile by tile, and a page of it |
//! | `colours` | from numbers to colours, and to PNG |
//! | `filters`, `features` | the pictures of weights and of activations |
//! | `statistics`, `tile_values` | what a layer's activations are like; the numbers of one tile |
//! | `arithmetic`, `backward` | how one value of a convolution comes about, and what its gradient does |
//! | `saliency` | where a class is seen: Grad-CAM and the gradient of the input |
//! | `predict` | the classes with their probabilities |
//! | [`film`] | the same of every epoch of a run, in small files |
//!
//! What always holds: nothing here changes a network. Passes evaluate, so activations are those of PyTorch's forward
//! hooks under `eval()`; and no picture leaves anything out without saying so.

mod arithmetic;
mod backward;
mod colours;
mod features;
pub mod film;
mod filters;
mod layers;
mod predict;
mod recording;
mod saliency;
mod sheet;
mod statistics;
mod tile_values;
mod tiles;

pub use arithmetic::{Arithmetic, Channel, FollowingLayer, Pixel};
pub use backward::{Contribution, GradientAt, InputGradient, Term};
pub use colours::ColourMap;
pub use features::Features;
pub use layers::{Layer, LayerKind};
pub use predict::ClassScore;
pub use recording::Recording;
pub use saliency::{SaliencyMap, SaliencyMethod};
pub use sheet::{Grid, Range, Scale, Sheet, SheetQuery, Sort};
pub use statistics::{Histogram, Statistics};
pub use tile_values::{TileValues, ValueSource};
pub use tiles::{Axes, Axis, SheetKind, Tile, Tiles};

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::contract::Normalisation;
use crate::error::{Error, Result};
use crate::networks::Model;
use crate::spec::NetworkSpec;

/// A network with its numbers, ready to be asked. It may be asked by several threads at a time.
#[derive(Debug)]
pub struct Inspector {
    model: Arc<Model>,
    classes: Vec<String>,
    normalisation: Normalisation,
    layers: Vec<Layer>,
    /// What the tiles of each layer's filters are like, once somebody asked.
    filters: Vec<OnceLock<Vec<Tile>>>,
}

impl Inspector {
    /// A network that is in memory already, the names of its classes, and what is done to values before it sees them.
    ///
    /// # Errors
    /// When a pass fails, or `normalisation` is of other channels.
    pub fn new(
        model: impl Into<Arc<Model>>,
        classes: Vec<String>,
        normalisation: Normalisation,
    ) -> Result<Self> {
        let model = model.into();
        let channels = model.input().first().copied().unwrap_or(0);
        if normalisation.mean.len() != channels || normalisation.deviation.len() != channels {
            return Err(Error::Shape {
                place: "normalisation".to_owned(),
                expected: format!("[{channels}]"),
                got: vec![normalisation.mean.len()],
            });
        }
        let layers = layers::catalogue(&model)?;
        let filters = layers.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            model,
            classes,
            normalisation,
            layers,
            filters,
        })
    }

    /// A network for samples of the shape `input` with the numbers of a state dict's file.
    ///
    /// # Errors
    /// When the network cannot be built, or the file does not hold exactly its tensors.
    pub fn open(
        spec: &NetworkSpec,
        input: &[usize],
        classes: Vec<String>,
        normalisation: Normalisation,
        weights: &Path,
    ) -> Result<Self> {
        let model = Model::new(spec, input, classes.len(), 0)?;
        model.load_state_dict(weights)?;
        Self::new(model, classes, normalisation)
    }

    /// The network.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The shape of a sample: `[channels, height, width]`, or `[2]`.
    pub fn input(&self) -> &[usize] {
        self.model.input()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of trainable numbers.
    pub fn parameters(&self) -> u64 {
        self.model.store().count()
    }

    /// The memory that the network's numbers take, in bytes.
    pub fn bytes(&self) -> u64 {
        let sizes = self
            .model
            .store()
            .tensors()
            .map(|(_, tensor)| tensor.elem_count() * tensor.dtype().size_in_bytes());
        sizes.sum::<usize>() as u64
    }

    /// Every place that a pass shows, in its order; the first is the input.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer of a name.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is none.
    pub fn layer(&self, name: &str) -> Result<&Layer> {
        Ok(&self.layers[self.place(name)?])
    }

    /// Where in the catalogue, and in every recording, a layer stands.
    fn place(&self, name: &str) -> Result<usize> {
        self.layers
            .iter()
            .position(|layer| layer.name == name)
            .ok_or_else(|| Error::setting("layer", format!("there is no layer {name:?}")))
    }

    /// The class asked for, or the one that scored best.
    fn class(&self, recording: &Recording, class: Option<usize>) -> Result<usize> {
        match class {
            None => Ok(recording.best()),
            Some(class) => below("class", class, self.classes.len()),
        }
    }
}

/// An index that must be below `count`.
fn below(path: &str, index: usize, count: usize) -> Result<usize> {
    if index < count {
        return Ok(index);
    }
    let message = format!("must be below {count}, and is {index}");
    Err(Error::setting(path, message))
}
