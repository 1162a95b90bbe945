//! The catalogue of a network: all operations that a forward pass records, in order. Everything but the weights follows
//! from the graph.

use candle_core::{DType, Device, Tensor};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::graph::{Graph, Operation};
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

/// The name of the first layer of the catalogue.
const INPUT: &str = "input";

impl Layer {
    /// All layers of a graph in the order of a pass, the first of which is the input.
    pub fn all_of(graph: &Graph) -> Vec<Self> {
        let groups = graph.groups();
        let input = Self {
            name: INPUT.to_owned(),
            kind: LayerKind::Input,
            group: INPUT.to_owned(),
            inputs: Vec::new(),
            shape: graph.input().to_vec(),
            parameters: 0,
            weights: None,
            has_filters: false,
            has_features: true,
            numbers: None,
        };
        let places = (0..graph.nodes.len()).zip(groups);
        let layers = places.filter_map(|(place, group)| {
            let node = &graph.nodes[place];
            let shape = graph.weight_shape(place);
            let kind = kind(&node.operation, &shape)?;
            let weights = (kind.convolves() || kind == LayerKind::Linear).then_some(shape);
            Some(Self {
                name: node.name.clone(),
                kind,
                group,
                inputs: node.inputs.iter().map(|at| source(graph, *at)).collect(),
                shape: node.shape.clone(),
                parameters: graph.parameters_of(place),
                has_filters: weights.is_some(),
                weights,
                has_features: true,
                numbers: None,
            })
        });
        [input].into_iter().chain(layers).collect()
    }
}

/// The kind of a layer with weights of a shape; `None` for an operation that only moves values, which is no layer.
fn kind(operation: &Operation, weights: &[usize]) -> Option<LayerKind> {
    Some(match operation {
        Operation::Conv2d { groups, .. } => match weights {
            [outputs, 1, ..] if *groups > 1 && groups == outputs => LayerKind::Depthwise,
            [_, _, 1, 1] => LayerKind::Pointwise,
            _ => LayerKind::Conv,
        },
        Operation::Linear { .. } => LayerKind::Linear,
        Operation::BatchNorm { .. } => LayerKind::BatchNorm,
        Operation::Activation { .. } | Operation::Hardtanh { .. } => LayerKind::Activation,
        Operation::MaxPool2d { .. }
        | Operation::AvgPool2d { .. }
        | Operation::AdaptiveAvgPool2d { .. }
        | Operation::Mean => LayerKind::Pool,
        Operation::Dropout { .. } => LayerKind::Dropout,
        Operation::Sum => LayerKind::Sum,
        Operation::Mul => LayerKind::Mul,
        Operation::Concat => LayerKind::Join,
        Operation::Input
        | Operation::Flatten
        | Operation::Identity
        | Operation::ZeroPad1d { .. }
        | Operation::ZeroPad2d { .. } => return None,
    })
}

/// The layer that a node's result comes from; nodes that only move values are no layers.
fn source(graph: &Graph, mut at: usize) -> String {
    while at > 0 && graph.nodes[at].operation.moves_only() {
        at = graph.nodes[at].inputs.first().copied().unwrap_or(0);
    }
    match at {
        0 => INPUT.to_owned(),
        _ => graph.nodes[at].name.clone(),
    }
}

/// The layers of a network with their weights, of which one pass of a sample of zeros tells.
pub(super) fn catalogue(model: &Model) -> Result<Vec<Layer>> {
    let mut layers = Layer::all_of(model.graph());
    let mut recorded = layers.iter_mut().skip(1);
    let mut learns = false;
    let mut recorder = |record: &LayerRecord<'_>| {
        let numbers = weights(record, !learns && model.input().len() == 3);
        learns |= numbers.is_some();
        // A pass records the layers in the order of the graph.
        let layer = recorded.find(|layer| layer.name == record.name);
        let missing = || Error::setting("layer", format!("the graph has no {:?}", record.name));
        layer.ok_or_else(missing)?.numbers = numbers;
        Ok(())
    };
    let sample = [&[1], model.input()].concat();
    let x = Tensor::zeros(sample, DType::F32, &Device::Cpu)?;
    model.forward(&x, &mut Context::recorded(Mode::Evaluate, &mut recorder))?;
    Ok(layers)
}

/// The weights of a recorded layer, if they have a picture.
fn weights(record: &LayerRecord<'_>, reads_image: bool) -> Option<Weights> {
    let (weight, bias, params) = match record.op {
        LayerOp::Conv {
            weight,
            bias,
            params,
        } => (weight, bias, Some(params)),
        LayerOp::Linear { weight, bias } => (weight, bias, None),
        _ => return None,
    };
    Some(Weights {
        weight: weight.clone(),
        bias: bias.cloned(),
        params,
        reads_image,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::NETWORKS;

    #[test]
    fn a_graph_tells_the_layers_that_a_pass_records() {
        for row in NETWORKS.iter() {
            let document = serde_json::json!({
                "data": {"set": "digits", "size": 32, "channels": 3}, "network": {"kind": row.kind}
            });
            let spec = crate::form::check(&document, &crate::data::Library::none()).unwrap();
            let graph = spec.network.graph(&[3, 32, 32], 10).unwrap();
            let layers = Layer::all_of(&graph);
            let model = Model::of_graph(graph, 0).unwrap();
            let mut place = 0;
            let mut recorder = |record: &LayerRecord<'_>| {
                place += 1;
                let (layer, name) = (&layers[place], record.name);
                assert_eq!((&*layer.name, &*layer.group), (name, record.group));
                let shape = match *record.output.dims() {
                    [_, height, width, channels] => vec![channels, height, width],
                    ref dims => dims[1..].to_vec(),
                };
                assert_eq!(layer.shape, shape, "{name}");
                let tensors = match record.op {
                    LayerOp::Conv { weight, bias, .. } | LayerOp::Linear { weight, bias } => {
                        assert_eq!(layer.weights.as_deref(), Some(weight.dims()), "{name}");
                        [Some(weight), bias]
                    }
                    LayerOp::BatchNorm { weight, bias } => [Some(weight), Some(bias)],
                    _ => [None, None],
                };
                let counts = tensors.into_iter().flatten().map(Tensor::elem_count);
                assert_eq!(layer.parameters, counts.sum::<usize>() as u64, "{name}");
                Ok(())
            };
            let x = Tensor::zeros(&[1, 3, 32, 32], DType::F32, &Device::Cpu).unwrap();
            model
                .forward(&x, &mut Context::recorded(Mode::Evaluate, &mut recorder))
                .unwrap();
            assert_eq!(place + 1, layers.len(), "{}", row.kind);
        }
    }
}
