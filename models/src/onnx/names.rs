//! The names of modules, from those of tensors and nodes.
//!
//! A tensor `features.0.weight` belongs to the module `features.0`. Where an exporter has made new tensors, its nodes say
//! from which module they are: PyTorch's older exporter in their names (`/features/features.0/Conv`), the newer one in their
//! metadata.

use std::collections::HashSet;

use super::convert::LayerTensors;
use super::proto::NodeProto;
use crate::graph::{Graph, Operation, is_state_of_module};

/// What the name of a layer may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hint {
    /// The module that its weight belongs to.
    of_weight: Option<String>,
    /// The module that its node is from.
    of_node: Option<String>,
}

/// The longest name of a module.
const MAX_NAME: usize = 150;

impl Hint {
    pub(super) fn of_node(node: &NodeProto) -> Self {
        let scopes = node
            .metadata_props
            .iter()
            .find(|entry| entry.key == "pkg.torch.onnx.name_scopes");
        let of_node = match scopes {
            Some(entry) => of_scopes(&entry.value),
            None => of_path(&node.name),
        };
        Self {
            of_weight: None,
            of_node: of_node.filter(|path| is_path(path)),
        }
    }

    /// The hint of a layer with a weight.
    pub(super) fn of_tensor(weight: &str, node: &NodeProto) -> Self {
        let of_weight = weight.strip_suffix(".weight").filter(|path| is_path(path));
        Self {
            of_weight: of_weight.map(str::to_owned),
            ..Self::of_node(node)
        }
    }
}

/// Whether a text is names with dots between, which modules of PyTorch can have.
fn is_path(path: &str) -> bool {
    let is_component = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !is_state_of_module(part)
    };
    path.len() <= MAX_NAME && path.split('.').all(is_component)
}

/// The last module of a list such as `['', 'layer1', 'layer1.0', 'relu_1']`, whose last item is the operation.
fn of_scopes(list: &str) -> Option<String> {
    let items: Vec<_> = list.split('\'').skip(1).step_by(2).collect();
    let (_, modules) = items.split_last()?;
    modules.last().map(|path| (*path).to_owned())
}

/// The module of a name such as `/layer1/layer1.0/relu/Relu`: items of a sequence are called after it.
fn of_path(name: &str) -> Option<String> {
    let Some(rest) = name.strip_prefix('/') else {
        return name.contains('.').then(|| name.to_owned());
    };
    let parts: Vec<_> = rest.split('/').collect();
    let (_, modules) = parts.split_last()?;
    let mut path: Vec<&str> = Vec::new();
    for module in modules {
        match path.last_mut() {
            Some(last)
                if module
                    .strip_prefix(*last)
                    .is_some_and(|rest| rest.starts_with('.')) =>
            {
                *last = module;
            }
            _ => path.push(module),
        }
    }
    Some(path.join("."))
}

/// Where a node has its place among the modules.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// The name of the layer.
    Named(String),
    /// Somewhere in a module.
    Within(String),
    Unknown,
}

/// The names of layers so far.
#[derive(Default)]
struct Taken {
    layers: HashSet<String>,
    containers: HashSet<String>,
}

impl Taken {
    /// Takes a name, unless a module has it, or is above or below it.
    fn take(&mut self, path: &str) -> bool {
        let mut above = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        if path.is_empty()
            || self.layers.contains(path)
            || self.containers.contains(path)
            || above.any(|above| self.layers.contains(above))
        {
            return false;
        }
        self.layers.insert(path.to_owned());
        let above = path
            .match_indices('.')
            .map(|(dot, _)| path[..dot].to_owned());
        self.containers.extend(above);
        true
    }
}

/// The places of all nodes.
pub(super) fn places(graph: &Graph, layers: &[LayerTensors]) -> Vec<Place> {
    let mut taken = Taken::default();
    let mut places = vec![Place::Unknown; graph.nodes.len()];
    // Layers with weights first: their names are those of tensors.
    let mut unnamed = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        if layer.tensors.is_empty() {
            continue;
        }
        let hints = [&layer.hint.of_weight, &layer.hint.of_node];
        let name = hints.into_iter().flatten().find(|name| taken.take(name));
        match name {
            Some(name) => places[at] = Place::Named(name.clone()),
            None => unnamed.push(at),
        }
    }
    for at in unnamed {
        let word = match graph.nodes[at].operation {
            Operation::Linear { .. } => "linear",
            Operation::BatchNorm { .. } => "norm",
            _ => "conv",
        };
        let names = (0..).map(|number| format!("{word}{number}"));
        if let Some(name) = names.into_iter().find(|name| taken.take(name)) {
            places[at] = Place::Named(name);
        }
    }
    for (at, layer) in layers.iter().enumerate() {
        let Some(path) = &layer.hint.of_node else {
            continue;
        };
        if !layer.tensors.is_empty() {
            continue;
        }
        let joins = graph.nodes[at].operation.joins();
        places[at] = if taken.containers.contains(path) || path.is_empty() {
            Place::Within(path.clone())
        } else if !joins && taken.take(path) {
            Place::Named(path.clone())
        } else {
            let above = path.rsplit_once('.').map_or("", |(above, _)| above);
            Place::Within(above.to_owned())
        };
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_the_names_of_both_exporters() {
        let of = |name: &str| of_path(name).unwrap_or_default();
        assert_eq!(of("/layer1/layer1.0/relu/Relu"), "layer1.0.relu");
        assert_eq!(
            of("/features/features.1/block/block.0/block.0.0/Conv"),
            "features.1.block.0.0"
        );
        assert_eq!(of("/Flatten"), "");
        assert_eq!(of_path("Conv_12"), None);
        let scopes = "['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1']";
        assert_eq!(of_scopes(scopes).as_deref(), Some("layer1.0.relu"));
        assert_eq!(of_scopes("['']"), None);
        assert_eq!(of_scopes("no list"), None);
    }
}
