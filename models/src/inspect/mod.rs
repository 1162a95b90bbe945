//! Inspection of a trained network: its weights, and its activations for an image.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`Inspector`], which answers questions about a network |
//! | `layers` | the catalogue of all layers |
//! | `recording` | all activations of one image |
//! | `tiles`, `sheet` | a layer's picture, tile by tile, and a page of it |
//! | `difference` | what changed between two pictures of a layer |
//! | `colours` | colour maps and PNG encoding |
//! | `filters`, `features` | pictures of weights and of activations |
//! | `statistics`, `tile_values` | statistics of a layer's activations; the values of one tile |
//! | `arithmetic`, `backward` | the computation of one value of a convolution, and its backward pass |
//! | `window` | a layer's window at all positions, forward and backward |
//! | `saliency` | saliency maps: Grad-CAM and the gradient of the input |
//! | `predict` | the classes with their probabilities |
//! | [`film`] | small files with pictures of every epoch of a run |
//!
//! Invariants: nothing here changes a network. Passes are in evaluation mode, so activations are those of PyTorch's
//! forward hooks under `eval()`; and a picture that leaves something out says so.

mod arithmetic;
mod backward;
mod colours;
mod difference;
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
mod window;

pub use arithmetic::{Arithmetic, Channel, FollowingLayer, Pixel};
pub use backward::{Contribution, GradientAt, InputGradient, Term};
pub use colours::ColourMap;
pub use difference::{Change, Difference};
pub use features::Features;
pub use layers::{Layer, LayerKind};
pub use recording::Recording;
pub use saliency::{SaliencyMap, SaliencyMethod};
pub use sheet::{Grid, Range, Scale, Sheet, SheetQuery, Sort};
pub use statistics::{Histogram, Statistics};
pub use tile_values::{TileValues, ValueSource};
pub use tiles::{Axes, Axis, SheetKind, Tile, Tiles};
pub use window::{
    Direction, FollowingMap, PoolGeometry, PoolSpan, SlidingWindow, SourcePlane, WindowGeometry,
    WindowOperation, WindowQuery,
};

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::contract::Normalisation;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::networks::Model;

/// A network to inspect, from several threads at a time if needed.
///
/// ```
/// use vivarium_models::inspect::{Inspector, SheetQuery};
/// use vivarium_models::networks::Model;
/// # use vivarium_models::{data::{self, Library}, form};
/// # let document = serde_json::json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
/// # let run = form::check(&document, &Library::none()).unwrap();
/// let digits = data::load(&run.data, &Library::none())?;
/// let model = Model::new(&run.network, &digits.input, digits.classes.len(), 0)?;
/// let inspector = Inspector::new(model, digits.classes, digits.normalisation)?;
///
/// let recording = inspector.record_normalised(digits.test.values(0)?)?;
/// assert_eq!(inspector.predict(&recording).len(), 10);
/// let maps = inspector.feature_sheet(&recording, "net.0", &SheetQuery::default())?;
/// assert!(maps.sheet.png()?.starts_with(b"\x89PNG"));
/// # Ok::<(), vivarium_models::Error>(())
/// ```
#[derive(Debug)]
pub struct Inspector {
    model: Arc<Model>,
    classes: Vec<String>,
    normalisation: Normalisation,
    layers: Vec<Layer>,
    /// Statistics of the tiles of each layer's filters, computed on first use.
    filters: Vec<OnceLock<Vec<Tile>>>,
}

impl Inspector {
    /// An inspector of a network in memory, with the names of its classes and its normalisation.
    ///
    /// # Errors
    /// When a pass fails, or `normalisation` has another number of channels.
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

    /// An inspector of the network of a graph, loaded from a state dict.
    ///
    /// # Errors
    /// When the network cannot be built, or the file does not contain exactly its tensors.
    pub fn open(
        graph: Graph,
        classes: Vec<String>,
        normalisation: Normalisation,
        weights: &Path,
    ) -> Result<Self> {
        Self::open_watched(graph, classes, normalisation, weights, &mut |_, _| {})
    }

    /// As [`Inspector::open`], and calls `watch` with the bytes that are read, and those of the file.
    ///
    /// # Errors
    /// As [`Inspector::open`].
    pub fn open_watched(
        graph: Graph,
        classes: Vec<String>,
        normalisation: Normalisation,
        weights: &Path,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<Self> {
        let model = Model::of_zeros(graph)?;
        model.load_state_dict_watched(weights, watch)?;
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

    /// The number of trainable parameters.
    pub fn parameters(&self) -> u64 {
        self.model.store().count()
    }

    /// The memory of the network's parameters and buffers, in bytes.
    pub fn bytes(&self) -> u64 {
        let sizes = self
            .model
            .store()
            .tensors()
            .map(|(_, tensor)| tensor.elem_count() * tensor.dtype().size_in_bytes());
        sizes.sum::<usize>() as u64
    }

    /// All layers in the order of a pass; the first is the input.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer of a name.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer does not exist.
    pub fn layer(&self, name: &str) -> Result<&Layer> {
        Ok(&self.layers[self.place(name)?])
    }

    /// The index of a layer in the catalogue and in every recording.
    fn place(&self, name: &str) -> Result<usize> {
        self.layers
            .iter()
            .position(|layer| layer.name == name)
            .ok_or_else(|| Error::setting("layer", format!("there is no layer {name:?}")))
    }

    /// The requested class, or the predicted one.
    fn class(&self, recording: &Recording, class: Option<usize>) -> Result<usize> {
        match class {
            None => Ok(recording.best()),
            Some(class) => check_index("class", class, self.classes.len()),
        }
    }
}

/// An index that must be below `count`.
fn check_index(path: &str, index: usize, count: usize) -> Result<usize> {
    if index < count {
        return Ok(index);
    }
    let message = format!("must be below {count}, and is {index}");
    Err(Error::setting(path, message))
}
