//! Computes one value of a convolution step by step: patch, kernel, products and sum.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::layers::{LayerKind, Weights};
use super::recording::{Recording, read};
use super::{Inspector, check_index};
use crate::error::{Error, Result};
use crate::ops::ConvParams;

/// Channels that are listed one by one.
pub(super) const SHOWN: usize = 16;

/// A value of a layer's activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pixel {
    /// The feature map.
    pub map: usize,
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
}

/// A matrix, by rows.
pub(super) type Rows<T> = Vec<Vec<T>>;

/// The computation of one value of a convolution.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Arithmetic {
    /// The layer.
    pub layer: String,
    /// Height and width of the kernel.
    #[schema(min_items = 2, max_items = 2)]
    pub kernel: [usize; 2],
    /// The stride, down and across.
    #[schema(min_items = 2, max_items = 2)]
    pub stride: [usize; 2],
    /// The zero padding, in rows and columns.
    #[schema(min_items = 2, max_items = 2)]
    pub padding: [usize; 2],
    /// The position of the value.
    pub position: Pixel,
    /// The number of channels in the sum.
    pub inputs: usize,
    /// The number of channels listed one by one.
    pub shown: usize,
    /// The channels with the largest contributions, largest first.
    pub channels: Vec<Channel>,
    /// The sum of the other contributions.
    pub rest_sum: f64,
    /// The bias of the feature map.
    pub bias: f64,
    /// The total: all channels and the bias.
    pub sum: f64,
    /// The value that the network computed.
    pub value: f32,
    /// The value after the normalisation and activation that follow directly.
    pub then: Vec<FollowingLayer>,
}

/// The contribution of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ChannelSum)]
pub struct Channel {
    /// The channel of the layer's input.
    pub input: usize,
    /// The patch under the kernel; `null` in the padding, which counts as 0.
    #[schema(value_type = Vec<Vec<Option<f32>>>)]
    pub patch: Rows<Option<f32>>,
    /// The kernel.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub kernel: Rows<f32>,
    /// Their products.
    #[schema(value_type = Vec<Vec<f64>>)]
    pub products: Rows<f64>,
    /// The sum of the products.
    pub sum: f64,
}

/// The value at the same pixel in a following layer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FollowingLayer {
    /// The layer.
    pub layer: String,
    /// Its operation.
    pub kind: LayerKind,
    /// Its output at the pixel.
    pub value: f32,
}

/// A convolution with its input and output for one image.
pub(super) struct Convolution<'a> {
    weights: &'a Weights,
    pub(super) params: ConvParams,
    /// Outputs, inputs of a group, height and width of the kernel.
    pub(super) dims: [usize; 4],
    /// Height, width and channels of the input.
    pub(super) image: [usize; 3],
    /// Height, width and channels of the output.
    pub(super) result: [usize; 3],
    pub(super) input: &'a Tensor,
    pub(super) output: &'a Tensor,
}

/// Height, width and channels.
fn sizes(image: &Tensor) -> Option<[usize; 3]> {
    match *image.dims() {
        [_, height, width, channels] => Some([height, width, channels]),
        _ => None,
    }
}

impl<'a> Convolution<'a> {
    pub(super) fn new(
        inspector: &'a Inspector,
        recording: &'a Recording,
        place: usize,
    ) -> Result<Self> {
        let layer = &inspector.layers()[place];
        let refused = || {
            let message = format!("{:?} is no convolution", layer.name);
            Error::setting("layer", message)
        };
        inspector.maps_of(recording, place)?;
        let step = &recording.steps[place];
        let weights = layer.numbers.as_ref().ok_or_else(refused)?;
        let (Some(params), Some(input)) = (weights.params, step.inputs.first()) else {
            return Err(refused());
        };
        let [outputs, inputs, height, width] = *weights.weight.dims() else {
            return Err(refused());
        };
        Ok(Self {
            weights,
            params,
            dims: [outputs, inputs, height, width],
            image: sizes(input).ok_or_else(refused)?,
            result: sizes(&step.output).ok_or_else(refused)?,
            input,
            output: &step.output,
        })
    }

    /// Checks that a position is in the output.
    pub(super) fn check(&self, at: Pixel) -> Result<()> {
        let [height, width, channels] = self.result;
        check_index("map", at.map, channels)?;
        check_index("y", at.y, height)?;
        check_index("x", at.x, width)?;
        Ok(())
    }

    /// The input channels of a feature map.
    pub(super) fn channels(&self, map: usize) -> std::ops::Range<usize> {
        let [outputs, inputs, ..] = self.dims;
        let group = map / (outputs / self.params.groups).max(1);
        group * inputs..(group + 1) * inputs
    }

    /// The input pixel under a kernel tap; `null` in the padding.
    pub(super) fn meets(&self, at: Pixel, ky: usize, kx: usize) -> Option<[usize; 2]> {
        let ConvParams {
            stride,
            padding,
            dilation,
            ..
        } = self.params;
        let y = (at.y * stride[0] + ky * dilation[0]).checked_sub(padding[0])?;
        let x = (at.x * stride[1] + kx * dilation[1]).checked_sub(padding[1])?;
        (y < self.image[0] && x < self.image[1]).then_some([y, x])
    }

    /// The patch of one channel.
    pub(super) fn patch(&self, values: &[f32], at: Pixel, channel: usize) -> Rows<Option<f32>> {
        let [_, _, height, width] = self.dims;
        let value = |[y, x]: [usize; 2]| values[(y * self.image[1] + x) * self.image[2] + channel];
        let row = |ky| {
            (0..width)
                .map(|kx| self.meets(at, ky, kx).map(value))
                .collect()
        };
        (0..height).map(row).collect()
    }

    /// The kernel from an input channel to a feature map.
    pub(super) fn kernel(&self, weights: &[f32], map: usize, channel: usize) -> Rows<f32> {
        let [_, inputs, height, width] = self.dims;
        let input = channel - self.channels(map).start;
        let from = (map * inputs + input) * height * width;
        let kernel = &weights[from..from + height * width];
        kernel.chunks_exact(width).map(<[f32]>::to_vec).collect()
    }

    /// Reads the weights.
    pub(super) fn with_weights<R>(&self, look: impl FnOnce(&[f32]) -> R) -> Result<R> {
        read(&self.weights.weight, look)
    }

    /// The bias of a feature map, if the convolution has biases.
    pub(super) fn bias(&self, map: usize) -> Result<Option<f32>> {
        let bias = self.weights.bias.as_ref();
        bias.map(|bias| read(bias, |bias| bias[map])).transpose()
    }
}

/// A value of an activation `[1, height, width, channels]`.
pub(super) fn value_at(activation: &Tensor, at: Pixel) -> Result<f32> {
    let [_, width, channels] = sizes(activation).unwrap_or([0, 0, 0]);
    let place = (at.y * width + at.x) * channels + at.map;
    let value = read(activation, |values| values.get(place).copied())?;
    value.ok_or_else(|| Error::setting("map", "is no value of the layer"))
}

impl Inspector {
    /// Computes one value of a convolution step by step.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer or the value does not exist, or the layer is not a convolution.
    pub fn arithmetic(&self, recording: &Recording, layer: &str, at: Pixel) -> Result<Arithmetic> {
        let place = self.place(layer)?;
        let conv = Convolution::new(self, recording, place)?;
        conv.check(at)?;
        let mut channels: Vec<Channel> = conv.with_weights(|weights| {
            read(conv.input, |values| {
                let channel = |input| {
                    let patch = conv.patch(values, at, input);
                    let kernel = conv.kernel(weights, at.map, input);
                    let products = products(&patch, &kernel);
                    Channel {
                        input,
                        sum: products.iter().flatten().sum(),
                        patch,
                        kernel,
                        products,
                    }
                };
                conv.channels(at.map).map(channel).collect()
            })
        })??;
        channels.sort_by(|a, b| b.sum.abs().total_cmp(&a.sum.abs()));
        let inputs = channels.len();
        let rest_sum: f64 = channels.iter().skip(SHOWN).map(|channel| channel.sum).sum();
        channels.truncate(SHOWN);
        let bias = f64::from(conv.bias(at.map)?.unwrap_or(0.0));
        let sum: f64 = channels.iter().map(|channel| channel.sum).sum();
        Ok(Arithmetic {
            layer: layer.to_owned(),
            kernel: [conv.dims[2], conv.dims[3]],
            stride: conv.params.stride,
            padding: conv.params.padding,
            position: at,
            inputs,
            shown: channels.len(),
            channels,
            rest_sum,
            bias,
            sum: sum + rest_sum + bias,
            value: value_at(conv.output, at)?,
            then: self.then(recording, place, at)?,
        })
    }

    /// The value in the layers that directly follow.
    fn then(&self, recording: &Recording, place: usize, at: Pixel) -> Result<Vec<FollowingLayer>> {
        let following = self.following(recording, place).into_iter();
        let values = following.map(|place| {
            let layer = &self.layers()[place];
            Ok(FollowingLayer {
                layer: layer.name.clone(),
                kind: layer.kind,
                value: value_at(&recording.steps[place].output, at)?,
            })
        });
        values.collect()
    }

    /// The normalisation and the activation that directly follow a layer, by their index.
    pub(super) fn following(&self, recording: &Recording, place: usize) -> Vec<usize> {
        let mut following = Vec::new();
        let mut before = recording.steps[place].output.id();
        let rest = recording.steps.iter().zip(self.layers()).enumerate();
        for (at, (step, layer)) in rest.skip(place + 1) {
            let follows = step
                .inputs
                .first()
                .is_some_and(|input| input.id() == before);
            if !follows || !matches!(layer.kind, LayerKind::BatchNorm | LayerKind::Activation) {
                break;
            }
            before = step.output.id();
            following.push(at);
        }
        following
    }
}

/// A patch times a kernel, value by value; the padding is 0.
fn products(patch: &Rows<Option<f32>>, kernel: &Rows<f32>) -> Rows<f64> {
    let row = |(patch, kernel): (&Vec<Option<f32>>, &Vec<f32>)| {
        let both = patch.iter().zip(kernel);
        both.map(|(value, weight)| f64::from(value.unwrap_or(0.0)) * f64::from(*weight))
            .collect()
    };
    patch.iter().zip(kernel).map(row).collect()
}
