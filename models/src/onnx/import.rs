//! A file as a network's text, its tensors, and notes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use prost::Message as _;
use serde_json::Map;

use super::convert::{Converted, LayerTensors, convert};
use super::names::{Place, places};
use super::proto::ModelProto;
use super::text::{Source, module};
use super::tree::tree;
use super::{ImportError, Outcome, wire};
use crate::contract::Normalisation;
use crate::error::Result;
use crate::graph::{Graph, Operation};
use crate::networks::{NetworkText, TensorValues};
use crate::tensor_file::{self, Slice, TensorSlice};

/// A network that was read from a file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its text.
    pub source: String,
    /// The shape of a sample: `[channels, height, width]` or `[values]`.
    pub input: Vec<usize>,
    /// The number of classes.
    pub classes: usize,
    /// Its tensors, in the order of [`Model::weights`](crate::networks::Model::weights).
    pub tensors: Vec<(String, Vec<usize>, TensorValues)>,
    /// What a user should know, in sentences.
    pub notes: Vec<String>,
    /// The metadata of the file.
    pub metadata: BTreeMap<String, String>,
}

/// The first operator set in which the operations are as they are read.
const FIRST_OPSET: i64 = 7;

/// Reads an ONNX file as a network's text with its weights. `title` is the text's title.
///
/// What is read: classifiers of images that PyTorch exports, from convolutions, normalisations, fully connected layers,
/// activations, pools, sums, products and concatenations. The graph must be one of branches that begin and end together, as
/// a text is.
///
/// # Errors
/// When the file has more than `max_bytes`, is no ONNX model, or has what is not read. The error names the node or the
/// tensor.
pub fn import(bytes: Vec<u8>, title: &str, max_bytes: usize) -> Outcome<Imported> {
    if bytes.len() > max_bytes {
        return Err(ImportError::new(format!(
            "the file has {} bytes, more than {max_bytes}",
            bytes.len()
        )));
    }
    wire::check(&bytes)?;
    let model = ModelProto::decode(prost::bytes::Bytes::from(bytes))
        .map_err(|error| ImportError::new(format!("the file is not an ONNX model: {error}")))?;
    let opsets = model.opset_import.iter();
    let opset = opsets
        .filter(|set| matches!(&*set.domain, "" | "ai.onnx"))
        .find_map(|set| set.version);
    match opset {
        Some(version) if version >= FIRST_OPSET => {}
        Some(version) => {
            return Err(ImportError::new(format!(
                "the file is of operator set {version}: {FIRST_OPSET} and later ones are read"
            )));
        }
        None => {
            return Err(ImportError::new(
                "the file is not an ONNX model: it names no operator set",
            ));
        }
    }
    let file = model
        .graph
        .ok_or_else(|| ImportError::new("the file has no graph"))?;
    let mut converted = convert(&file)?;
    // The tensors are copied.
    drop(file);
    let result = converted.result;
    let [classes] = converted.graph.nodes[result].shape[..] else {
        let shape = &converted.graph.nodes[result].shape;
        return Err(ImportError::new(format!(
            "the result must be the scores of classes [N, classes], not [N, {shape:?}]"
        )));
    };
    let places = places(&converted.graph, &converted.layers);
    let has_weights: Vec<_> = converted
        .layers
        .iter()
        .map(|layer| !layer.tensors.is_empty())
        .collect();
    let shown = |at: usize| match &places[at] {
        Place::Named(name) => name.clone(),
        Place::Within(path) if !path.is_empty() => format!("a layer of {path}"),
        _ => format!("layer {at}"),
    };
    let items = tree(&mut converted.graph, result, &|at| has_weights[at], &shown)?;
    let head = head(&converted.graph, result);
    if head.is_none() {
        converted.notes.push(format!(
            "The number of classes does not follow from the last layer: the text is for {classes} classes alone."
        ));
    }
    let source = Source {
        graph: &converted.graph,
        places: &places,
        classes: head,
    };
    let summary = match model.producer_name.as_str() {
        "" => "Imported from an ONNX file.".to_owned(),
        producer => format!("Imported from an ONNX file of {}.", plain(producer)),
    };
    let properties = model.metadata_props.into_iter();
    let metadata: BTreeMap<_, _> = properties.map(|entry| (entry.key, entry.value)).collect();
    let normalisation = normalisation(&metadata, converted.graph.input());
    let source = text(
        title,
        &summary,
        converted.graph.input(),
        normalisation.as_ref(),
        fit(&metadata),
        &module(&source, &items),
    );
    let graph = NetworkText::read(&source)
        .and_then(|text| text.graph(&Map::new(), converted.graph.input(), classes));
    let graph = graph
        .map_err(|error| ImportError::new(format!("the network cannot be a text: {error}")))?;
    let tensors = tensors(&graph, &places, &mut converted)?;
    Ok(Imported {
        source,
        input: converted.graph.input().to_vec(),
        classes,
        tensors,
        notes: converted.notes,
        metadata,
    })
}

impl Imported {
    /// Writes the tensors as a safetensors file, which [`Model::load_state_dict`](crate::networks::Model::load_state_dict)
    /// reads.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_state_dict(&self, path: &Path) -> Result<()> {
        let tensors = self.tensors.iter().map(|(name, shape, values)| {
            let slice = TensorSlice {
                shape: shape.clone(),
                values: match values {
                    TensorValues::F32(values) => Slice::F32(values),
                    TensorValues::I64(values) => Slice::I64(values),
                },
            };
            (name.clone(), slice)
        });
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        tensor_file::write(path, tensors.collect::<Vec<_>>(), format)
    }
}

/// The layer that has an output for each class: the last one with a weight, if each of its channels stays by itself.
fn head(graph: &Graph, result: usize) -> Option<usize> {
    let mut at = result;
    loop {
        let node = &graph.nodes[at];
        let input = node.inputs.first().copied();
        let before = input.map_or(&[][..], |input| &graph.nodes[input].shape);
        match node.operation {
            Operation::Linear { .. } | Operation::Conv2d { groups: 1, .. } => return Some(at),
            Operation::Flatten if !matches!(before, [_, 1, 1]) => return None,
            Operation::Flatten
            | Operation::Mean
            | Operation::Activation { .. }
            | Operation::Hardtanh { .. }
            | Operation::Dropout { .. }
            | Operation::BatchNorm { .. }
            | Operation::MaxPool2d { .. }
            | Operation::AvgPool2d { .. }
            | Operation::AdaptiveAvgPool2d { .. } => at = input?,
            _ => return None,
        }
    }
}

/// A text without what would end a string.
fn plain(text: &str) -> String {
    let keep = |c: &char| !c.is_control() && !matches!(c, '"' | '\\');
    text.chars().filter(keep).take(60).collect()
}

/// The normalisation that the metadata of a file tell, if they do for each channel of the input.
fn normalisation(metadata: &BTreeMap<String, String>, input: &[usize]) -> Option<Normalisation> {
    let numbers = |key: &str| serde_json::from_str::<Vec<f64>>(metadata.get(key)?).ok();
    let (mean, deviation) = (numbers("mean")?, numbers("std")?);
    let channels = *input.first()?;
    (mean.len() == channels && deviation.len() == channels)
        .then_some(Normalisation { mean, deviation })
}

/// How images become squares, where the metadata of a file say so and pixels are rounded, as those of photos are: runs
/// on other sets have no such setting.
fn fit(metadata: &BTreeMap<String, String>) -> Option<&str> {
    let fit = metadata.get("fit")?.as_str();
    let is_rounded = metadata.get("round").is_some_and(|round| round == "true");
    (is_rounded && matches!(fit, "crop" | "pad" | "stretch")).then_some(fit)
}

/// Whether a normalisation is that of ImageNet.
fn is_of_imagenet(normalisation: Option<&Normalisation>, input: &[usize]) -> bool {
    let ([channels @ (1 | 3), ..], Some(given)) = (input, normalisation) else {
        return false;
    };
    let known = Normalisation::of_imagenet(*channels);
    let known = known.mean.iter().chain(&known.deviation);
    let mut given = given.mean.iter().chain(&given.deviation);
    known.zip(&mut given).all(|(a, b)| (a - b).abs() < 1e-3)
}

fn text(
    title: &str,
    summary: &str,
    input: &[usize],
    normalisation: Option<&Normalisation>,
    fit: Option<&str>,
    module: &str,
) -> String {
    let mut text = format!("\"\"\"{}\n\n{summary}\n\"\"\"\n\n", plain(title));
    match *input {
        [channels, height, width] => {
            text += "inputs = [\"images\"]\n";
            if height == width && matches!(channels, 1 | 3) {
                let of_imagenet = match is_of_imagenet(normalisation, input) {
                    true => format!(", \"data.normalisation\": \"{}\"", Normalisation::IMAGENET),
                    false => String::new(),
                };
                let fit = fit.map(|fit| format!(", \"data.fit\": \"{fit}\""));
                let fit = fit.unwrap_or_default();
                text += &format!(
                    "defaults = {{\"data.size\": {height}, \"data.channels\": {channels}{of_imagenet}{fit}}}\n"
                );
            }
        }
        _ => text += "inputs = [\"points\"]\n",
    }
    text + &format!("\n\ndef network(classes):\n    return {module}\n")
}

/// The tensors of the text's network, in its order.
fn tensors(
    graph: &Graph,
    places: &[Place],
    converted: &mut Converted,
) -> Outcome<Vec<(String, Vec<usize>, TensorValues)>> {
    let mut by_name: HashMap<String, (Vec<usize>, TensorValues)> = HashMap::new();
    for (place, LayerTensors { tensors, .. }) in places.iter().zip(&mut converted.layers) {
        let Place::Named(layer) = place else { continue };
        for (name, shape, values) in tensors.drain(..) {
            if name == "running_mean" {
                let counter = (Vec::new(), TensorValues::I64(vec![0]));
                by_name.insert(format!("{layer}.num_batches_tracked"), counter);
            }
            if !values.iter().all(|value| value.is_finite()) {
                let message = format!("{layer}.{name} has values that are not finite");
                return Err(ImportError::new(message));
            }
            by_name.insert(
                format!("{layer}.{name}"),
                (shape, TensorValues::F32(values)),
            );
        }
    }
    let mut tensors = Vec::new();
    for (name, expected) in graph.state_dict() {
        match by_name.remove(&name) {
            Some((shape, values)) if shape == expected => tensors.push((name, shape, values)),
            _ => {
                let message = format!("the text does not have the tensors of the file: {name}");
                return Err(ImportError::new(message));
            }
        }
    }
    // Layers that the result does not depend on have no place in the text.
    if let Some(name) = by_name.keys().min() {
        converted.notes.push(format!(
            "{name} and what else the result does not depend on were left out ({} tensors).",
            by_name.len()
        ));
    }
    Ok(tensors)
}
