//! A layer's window at all positions: what it reads, its weights and what it gives, for one output map or, backward,
//! for the gradient of one input channel. A page slides the window over these numbers without further requests.
//!
//! | module | what it is |
//! |---|---|
//! | here | the [`SlidingWindow`], and which layers have one |
//! | `conv` | convolutions |
//! | `pool` | pooling: the maximum or the mean of each channel |
//! | `linear` | fully connected layers, whose window is all of the input |

mod conv;
mod linear;
mod pool;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::backward::BackwardPass;
use super::layers::LayerKind;
use super::recording::{Recording, read};
use super::{Inspector, check_index};
use crate::error::{Error, Result};

/// The most values of the planes of one answer.
const MOST_VALUES: usize = 1 << 19;

/// The most planes of one answer.
const MOST_PLANES: usize = 64;

/// The direction in which a layer is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the input to an output map.
    #[default]
    Forward,
    /// From the gradients of the outputs to the gradient of an input channel.
    Backward,
}

/// What a window computes at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowOperation {
    /// The sum of the products with the kernel.
    Convolution,
    /// The maximum.
    MaxPool,
    /// The mean.
    MeanPool,
    /// The sum of the products of all inputs with their weights.
    Linear,
}

/// Which numbers of a layer are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowQuery {
    /// The direction.
    pub direction: Direction,
    /// The output map, or the output value of a fully connected layer.
    pub map: usize,
    /// The input channel, or the input value of a fully connected layer; by default the first that the map reads.
    pub input: Option<usize>,
    /// The class whose score is differentiated, by default the predicted one.
    pub class: Option<usize>,
}

/// A layer's window at all positions. The *target* is what is computed: an output map, or backward the gradient of an
/// input channel. The *sources* are what it is computed from: input channels, or backward the gradients of output maps.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SlidingWindow {
    /// The layer.
    pub layer: String,
    /// What the window computes.
    pub operation: WindowOperation,
    /// The direction.
    pub direction: Direction,
    /// The output map or value: the target, or backward one of the sources.
    pub map: usize,
    /// The input channel or value: one of the sources, or backward the target.
    pub input: usize,
    /// The shape of the sources: `[channels, height, width]` or `[values]`.
    pub source: Vec<usize>,
    /// The shape of what the target is a channel or a value of.
    pub target: Vec<usize>,
    /// The first channel of the sources that is read, and the one after the last.
    #[schema(min_items = 2, max_items = 2)]
    pub reads: [usize; 2],
    /// How the kernel of a convolution moves.
    pub geometry: Option<WindowGeometry>,
    /// What the window of a pooling layer covers.
    pub pool: Option<PoolGeometry>,
    /// The sources with the largest contributions to the target, largest first, and the one that was asked for.
    pub planes: Vec<SourcePlane>,
    /// The contributions of the sources that are not in `planes`, at each position of the target.
    #[schema(value_type = Option<Vec<Option<f32>>>)]
    pub rest: Option<Vec<f32>>,
    /// The bias of the output map.
    pub bias: Option<f32>,
    /// The target as the network computed it, row by row; all values of a fully connected layer.
    #[schema(value_type = Vec<Option<f32>>)]
    pub values: Vec<f32>,
    /// The output map after the normalisation and activation that follow directly.
    pub then: Vec<FollowingMap>,
    /// The class whose score is differentiated.
    pub class: Option<usize>,
    /// Its score.
    pub score: Option<f32>,
}

/// How the kernel of a convolution moves. Pairs are down and across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowGeometry {
    /// Height and width of the kernel.
    #[schema(min_items = 2, max_items = 2)]
    pub kernel: [usize; 2],
    /// Pixels from one position to the next.
    #[schema(min_items = 2, max_items = 2)]
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    #[schema(min_items = 2, max_items = 2)]
    pub padding: [usize; 2],
    /// Pixels from one tap of the kernel to the next.
    #[schema(min_items = 2, max_items = 2)]
    pub dilation: [usize; 2],
    /// The number of groups.
    pub groups: usize,
}

/// What the window of a pooling layer covers at each row and column of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PoolGeometry {
    /// The part of the input's height for each row.
    pub rows: Vec<PoolSpan>,
    /// The part of the input's width for each column.
    pub columns: Vec<PoolSpan>,
    /// For a maximum: the input's pixel, counted row by row, that each output value came from.
    pub winners: Option<Vec<usize>>,
}

/// A part of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PoolSpan {
    /// The first pixel.
    pub start: usize,
    /// The pixel after the last.
    pub end: usize,
    /// The pixels that a mean is taken over; they may include padding.
    pub count: usize,
}

/// One source, with its weights to the target.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SourcePlane {
    /// The channel; 0 for a fully connected layer.
    pub channel: usize,
    /// The values, row by row.
    #[schema(value_type = Vec<Option<f32>>)]
    pub values: Vec<f32>,
    /// The kernel between this source and the target, row by row, or the weight of each value; empty for pooling.
    #[schema(value_type = Vec<Option<f32>>)]
    pub weights: Vec<f32>,
}

/// The output map in a following layer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FollowingMap {
    /// The layer.
    pub layer: String,
    /// Its operation.
    pub kind: LayerKind,
    /// Its values, row by row.
    #[schema(value_type = Vec<Option<f32>>)]
    pub values: Vec<f32>,
}

/// Channels, height and width of an activation; a vector has maps of one pixel.
fn size(activation: &Tensor) -> [usize; 3] {
    match *activation.dims() {
        [_, height, width, channels] => [channels, height, width],
        _ => [activation.elem_count(), 1, 1],
    }
}

/// The shape of an activation as users see it.
fn shape(activation: &Tensor) -> Vec<usize> {
    match *activation.dims() {
        [_, height, width, channels] => vec![channels, height, width],
        _ => vec![activation.elem_count()],
    }
}

/// A channel of a channels-last activation, row by row.
fn plane(values: &[f32], channels: usize, channel: usize) -> Vec<f32> {
    let of_channel = values.iter().skip(channel).step_by(channels.max(1));
    of_channel.copied().collect()
}

/// A backward pass that ends at a layer, with the score that it began with.
struct LayerGradients {
    class: usize,
    score: f32,
    /// The gradient of the layer's output.
    output: Tensor,
    /// The gradient of the layer's input, through this layer only.
    input: Option<Tensor>,
}

impl Inspector {
    /// A layer's window at all positions.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer, map, channel or class does not exist, or the layer has no window: it is neither
    /// a convolution nor a pooling layer nor fully connected.
    pub fn window(
        &self,
        recording: &Recording,
        layer: &str,
        query: WindowQuery,
    ) -> Result<SlidingWindow> {
        let place = self.place(layer)?;
        match self.layers()[place].kind {
            kind if kind.convolves() => self.conv_window(recording, place, query),
            LayerKind::Linear => self.linear_window(recording, place, query),
            LayerKind::Pool => self.pool_window(recording, place, query),
            _ => {
                let message = format!(
                    "{layer:?} is neither a convolution nor a pooling layer nor fully connected"
                );
                Err(Error::setting("layer", message))
            }
        }
    }

    /// The gradients at a layer, in the direction that needs them.
    fn layer_gradients(
        &self,
        recording: &Recording,
        place: usize,
        query: WindowQuery,
    ) -> Result<Option<LayerGradients>> {
        if query.direction == Direction::Forward {
            return Ok(None);
        }
        let class = self.class(recording, query.class)?;
        let BackwardPass { layer, through, .. } = self.backward(recording, class, Some(place))?;
        let not_there = || Error::setting("layer", "is not part of the pass");
        let (_, output) = layer.ok_or_else(not_there)?;
        let input = match through {
            Some(through) => Some(through.contiguous()?),
            None => None,
        };
        Ok(Some(LayerGradients {
            class,
            score: recording.scores[class],
            output,
            input,
        }))
    }

    /// A map of the layers that directly follow.
    fn following_maps(
        &self,
        recording: &Recording,
        place: usize,
        map: usize,
    ) -> Result<Vec<FollowingMap>> {
        let following = self.following(recording, place).into_iter();
        let maps = following.map(|place| {
            let output = &recording.steps[place].output;
            let [channels, height, width] = size(output);
            let values = read(output, |values| match [height, width] {
                [1, 1] if output.rank() == 2 => values.to_vec(),
                _ => plane(values, channels, map),
            })?;
            let layer = &self.layers()[place];
            Ok(FollowingMap {
                layer: layer.name.clone(),
                kind: layer.kind,
                values,
            })
        });
        maps.collect()
    }
}

/// A channel that must be one of those that are read.
fn check_read(path: &str, channel: usize, reads: [usize; 2], of: &str) -> Result<usize> {
    if (reads[0]..reads[1]).contains(&channel) {
        return Ok(channel);
    }
    let message = format!(
        "must be from {} to {}, which {of}, and is {channel}",
        reads[0],
        reads[1] - 1
    );
    Err(Error::setting(path, message))
}

/// The input's channel by default: the first that is read.
fn chosen_input(query: WindowQuery, channels: usize, first: usize) -> Result<usize> {
    match query.input {
        Some(input) => check_index("input", input, channels),
        None => Ok(first),
    }
}
