//! The catalogue of a network: all operations that a forward pass records, in order.

use candle_core::{DType, Device, Tensor};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;
use crate::graph::Graph;
use crate::networks::Model;
use crate::nn::{Context, LayerOp, LayerRecord, Mode};
use crate::ops::ConvParams;

/// The operation of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// The network's input: the normalised image.
    Input,
    /// A convolution.
    Conv,
    /// A depthwise convolution.
    Depthwise,
    /// A 1x1 convolution.
    Pointwise,
    /// A fully connected layer.
    Linear,
    /// Batch normalisation.
    BatchNorm,
    /// An activation function.
    Activation,
    /// Max or average pooling.
    Pool,
    /// Dropout, which does nothing in evaluation.
    Dropout,
    /// The sum of several layers.
    Sum,
    /// The product of several layers.
    Mul,
    /// The concatenation of several layers on their channels.
    Join,
}

impl LayerKind {
    /// Whether the layer is a convolution of any kind.
    pub fn convolves(self) -> bool {
        matches!(self, Self::Conv | Self::Depthwise | Self::Pointwise)
    }
}

/// A layer of the catalogue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Layer {
    /// The name of the PyTorch module, if there is one.
    pub name: String,
    /// Its operation.
    pub kind: LayerKind,
    /// The part of the network.
    pub group: String,
    /// The layers whose outputs it reads.
    pub inputs: Vec<String>,
    /// The shape of its output for one image: `[channels, height, width]` or `[values]`.
    pub shape: Vec<usize>,
    /// The number of its trainable parameters.
    pub parameters: u64,
    /// The shape of its weights: `[outputs, inputs, height, width]` or `[outputs, inputs]`.
    pub weights: Option<Vec<usize>>,
    /// Whether its weights have a picture.
    pub has_filters: bool,
    /// Whether its activations have a picture.
    pub has_features: bool,
    #[serde(skip)]
    pub(super) numbers: Option<Weights>,
}

/// The weights of a layer; they share the memory of the network's.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    /// Stride, padding and groups; `None` for a fully connected layer.
    pub(super) params: Option<ConvParams>,
    /// Whether the layer reads the image itself.
    pub(super) reads_image: bool,
}

/// The shape of one sample's activation as users see it: channels first, without the batch.
fn shape(output: &Tensor) -> Vec<usize> {
    match *output.dims() {
        [_, height, width, channels] => vec![channels, height, width],
        ref dims => dims[1..].to_vec(),
    }
}

/// The name of the first layer of the catalogue.
const INPUT: &str = "input";

/// The layers that a node of a graph reads; nodes that only move values are no layers.
fn inputs(graph: &Graph, name: &str) -> Vec<String> {
    let found = graph.nodes.iter().find(|node| node.name == name);
    let sources = found.into_iter().flat_map(|node| &node.inputs);
    let layer = |source: &usize| {
        let mut at = *source;
        while at > 0 && graph.nodes[at].operation.moves_only() {
            at = graph.nodes[at].inputs.first().copied().unwrap_or(0);
        }
        match at {
            0 => INPUT.to_owned(),
            _ => graph.nodes[at].name.clone(),
        }
    };
    sources.map(layer).collect()
}

/// Records one pass of a sample of zeros.
pub(super) fn catalogue(model: &Model) -> Result<Vec<Layer>> {
    let mut layers = vec![Layer {
        name: INPUT.to_owned(),
        kind: LayerKind::Input,
        group: INPUT.to_owned(),
        inputs: Vec::new(),
        shape: model.input().to_vec(),
        parameters: 0,
        weights: None,
        has_filters: false,
        has_features: true,
        numbers: None,
    }];
    let mut learns = false;
    let mut recorder = |record: &LayerRecord<'_>| {
        let layer = layer(record, model.graph(), !learns && model.input().len() == 3);
        learns |= layer.numbers.is_some();
        layers.push(layer);
        Ok(())
    };
    let sample = [&[1], model.input()].concat();
    let x = Tensor::zeros(sample, DType::F32, &Device::Cpu)?;
    model.forward(&x, &mut Context::recorded(Mode::Evaluate, &mut recorder))?;
    Ok(layers)
}

fn layer(record: &LayerRecord<'_>, graph: &Graph, reads_image: bool) -> Layer {
    let (kind, parameters, numbers) = match record.op {
        LayerOp::Conv {
            weight,
            bias,
            params,
        } => {
            let kind = match weight.dims() {
                [outputs, 1, ..] if params.groups > 1 && params.groups == *outputs => {
                    LayerKind::Depthwise
                }
                [_, _, 1, 1] => LayerKind::Pointwise,
                _ => LayerKind::Conv,
            };
            let numbers = Weights {
                weight: weight.clone(),
                bias: bias.cloned(),
                params: Some(params),
                reads_image,
            };
            (kind, parameters([Some(weight), bias]), Some(numbers))
        }
        LayerOp::Linear { weight, bias } => {
            let numbers = Weights {
                weight: weight.clone(),
                bias: bias.cloned(),
                params: None,
                reads_image,
            };
            let parameters = parameters([Some(weight), bias]);
            (LayerKind::Linear, parameters, Some(numbers))
        }
        LayerOp::BatchNorm { weight, bias } => {
            let parameters = parameters([Some(weight), Some(bias)]);
            (LayerKind::BatchNorm, parameters, None)
        }
        LayerOp::Activation(_) | LayerOp::Clip => (LayerKind::Activation, 0, None),
        LayerOp::Pool => (LayerKind::Pool, 0, None),
        LayerOp::Dropout => (LayerKind::Dropout, 0, None),
        LayerOp::Sum => (LayerKind::Sum, 0, None),
        LayerOp::Mul => (LayerKind::Mul, 0, None),
        LayerOp::Concat => (LayerKind::Join, 0, None),
    };
    Layer {
        name: record.name.to_owned(),
        kind,
        group: record.group.to_owned(),
        inputs: inputs(graph, record.name),
        shape: shape(record.output),
        parameters,
        weights: numbers
            .as_ref()
            .map(|numbers| numbers.weight.dims().to_vec()),
        has_filters: numbers.is_some(),
        has_features: true,
        numbers,
    }
}

fn parameters(tensors: [Option<&Tensor>; 2]) -> u64 {
    let counts = tensors.into_iter().flatten().map(Tensor::elem_count);
    counts.sum::<usize>() as u64
}
