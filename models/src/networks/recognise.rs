//! Finds the network that a file of weights belongs to, by the names and shapes of its tensors.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::pretrained::read;
use super::{NetworkRow, NetworkText, name_of, prefixes};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::{Field, FieldKind};
use crate::tensor_file::Content;

/// The most values of options that are tried for a network.
const MAX_OPTIONS: usize = 32;

/// Options that change no tensor.
const WITHOUT_TENSORS: [&str; 3] = ["activation", "init", "weights"];

/// The side of images, where a network has no default of its own.
const SIDE: usize = 32;

/// A network whose tensors a file has.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// The network.
    pub row: Arc<NetworkRow>,
    /// Its options that differ from their defaults.
    pub options: Map<String, Value>,
    /// The shape of a sample.
    pub input: Vec<usize>,
    /// The number of classes.
    pub classes: usize,
}

/// The name of a network's text among a file's metadata.
const NETWORK: &str = "vivarium.network";

/// The network of a text that came with a file.
fn row_of(path: &Path, source: &str) -> Result<NetworkRow> {
    let text = NetworkText::read(source).map_err(|error| {
        let message = format!("the network's text in its metadata, {NETWORK}, {error}");
        Error::checkpoint(path, message)
    })?;
    Ok(NetworkRow::new(&name_of(&text.title), text))
}

/// Finds the first of some networks that has exactly the tensors of a safetensors file. The text of a network among the
/// file's metadata, `vivarium.network`, comes before them. The number of classes, the
/// channels of the images and the options that are choices or switches are those of the file.
///
/// # Errors
/// When the file cannot be read, or belongs to none of the networks.
pub fn recognise(
    path: &Path,
    candidates: impl IntoIterator<Item = Arc<NetworkRow>>,
) -> Result<Recognised> {
    let Content {
        tensors, metadata, ..
    } = read(path)?;
    let shapes = tensors.into_iter().map(|(name, (shape, _))| (name, shape));
    let shapes: HashMap<String, Vec<usize>> = shapes.collect();
    let own = metadata.get(NETWORK).map(|source| row_of(path, source));
    let own = own.transpose()?.map(Arc::new);
    let mut names = Vec::new();
    // The text that came with the tensors says most about them.
    for row in own.into_iter().chain(candidates) {
        names.push(row.kind.clone());
        for options in variants(&row.fields) {
            for input in inputs(&row, &shapes) {
                let Ok(graph) = row.graph_of(&options, &input, 1) else {
                    continue;
                };
                if let Some(classes) = classes_of(&graph, &shapes) {
                    return Ok(Recognised {
                        row,
                        options,
                        input,
                        classes,
                    });
                }
            }
        }
    }
    let first = shapes.keys().min().map_or("none", String::as_str);
    let message = format!(
        "its tensors, such as {first}, are those of no network here: {}. A network that is described, too, is read from an ONNX file",
        names.join(", ")
    );
    Err(Error::checkpoint(path, message))
}

/// The values of the options that are choices or switches: the defaults, then all others.
fn variants(fields: &[Field]) -> Vec<Map<String, Value>> {
    let mut variants = vec![Map::new()];
    for field in fields
        .iter()
        .filter(|field| !WITHOUT_TENSORS.contains(&field.key()))
    {
        let values: Vec<Value> = match &field.kind {
            FieldKind::Choice { options } => options
                .iter()
                .map(|choice| Value::from(&*choice.value))
                .collect(),
            FieldKind::Switch => vec![Value::Bool(false), Value::Bool(true)],
            _ => continue,
        };
        let others = values
            .into_iter()
            .filter(|value| value.to_string() != field.default);
        let others: Vec<Value> = others.collect();
        if variants.len() * (1 + others.len()) > MAX_OPTIONS {
            continue;
        }
        let with = |value: &Value| {
            let name = field.key().to_owned();
            let with = |variant: &Map<String, Value>| {
                let mut variant = variant.clone();
                variant.insert(name.clone(), value.clone());
                variant
            };
            variants.iter().map(with).collect::<Vec<_>>()
        };
        let more: Vec<_> = others.iter().flat_map(with).collect();
        variants.extend(more);
    }
    variants
}

/// The shapes of samples that a file's first layer may take.
fn inputs(row: &NetworkRow, shapes: &HashMap<String, Vec<usize>>) -> Vec<Vec<usize>> {
    let side = row.defaults.get("data.size").and_then(Value::as_u64);
    let side = side
        .and_then(|side| usize::try_from(side).ok())
        .unwrap_or(SIDE);
    let mut inputs = Vec::new();
    if row.dimensions.contains(&3) {
        inputs.extend([3, 1].map(|channels| vec![channels, side, side]));
        // A fully connected layer takes square images of a size.
        let mut widths: Vec<usize> = shapes
            .values()
            .filter(|shape| shape.len() == 2)
            .map(|shape| shape[1])
            .collect();
        widths.sort_unstable();
        widths.dedup();
        for width in widths {
            for channels in [3, 1] {
                let side = (width / channels).isqrt();
                if side > 0 && side * side * channels == width {
                    inputs.push(vec![channels, side, side]);
                }
            }
        }
    }
    if row.dimensions.contains(&2) {
        inputs.push(vec![2]);
    }
    inputs
}

/// The number of classes, if the file has exactly the graph's tensors but for those.
fn classes_of(graph: &Graph, shapes: &HashMap<String, Vec<usize>>) -> Option<usize> {
    let own = graph.state_dict();
    let names: HashSet<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
    let mut theirs = HashMap::new();
    for (name, shape) in shapes {
        match prefixes::strip(name, &names) {
            Some(unwrapped) => drop(theirs.insert(unwrapped.name, shape)),
            None if prefixes::is_foreign(name) => {}
            None => return None,
        }
    }
    let head = own.iter().rfind(|(name, _)| name.ends_with("weight"))?;
    let layer = head.0.strip_suffix("weight")?;
    let classes = *theirs.get(&head.0)?.first()?;
    let fits = |(name, shape): &(String, Vec<usize>)| {
        let Some(given) = theirs.get(name) else {
            return name.ends_with("num_batches_tracked");
        };
        let is_head = name.starts_with(layer);
        if is_head {
            return given.first() == Some(&classes) && given.get(1..) == shape.get(1..);
        }
        name.ends_with("num_batches_tracked") || *given == shape
    };
    own.iter().all(fits).then_some(classes)
}
