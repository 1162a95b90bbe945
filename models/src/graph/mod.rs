//! A network as data: operations under PyTorch's names, in the order of computation, each with the shape of its result.
//!
//! | module | what it is |
//! |---|---|
//! | `operation` | what a node computes: PyTorch's modules, with their settings |
//! | `shape` | the shape of a result from the shapes of the inputs |
//! | `criterion` | the loss function |
//! | `detail` | the settings of an operation in a few words |
//! | `init` | the distributions of initial weights |
//! | `parameters` | the shapes of parameters, and their number |
//! | `cost` | multiplications |
//! | `groups` | the parts of a network, as pictures show them |
//! | `blocks` | the parts that are frozen or trained as a whole |
//! | `file` | the graph in a file |
//! | `pytorch` | the graph as PyTorch source |
//! | `plan` | the steps of a forward pass: which nodes are computed by one fused operation |
//!
//! Everything else about a network follows from its graph.

mod blocks;
mod cost;
mod criterion;
mod detail;
mod file;
mod groups;
mod init;
mod operation;
mod parameters;
mod plan;
mod pytorch;
mod shape;

pub use blocks::Block;
pub use criterion::Criterion;
pub use init::{Init, InitScheme};
pub use operation::{Operation, WeightInit};
pub(crate) use plan::{Fusion, Plan, Step};
pub(crate) use pytorch::is_state_of_module;
pub use shape::ShapeError;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The most nodes of a graph.
pub const MAX_NODES: usize = 10_000;

/// A network for samples of one shape and a number of classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::UncheckedGraph")]
pub struct Graph {
    /// The network's name. A module without a name of its own, because it is the whole network, has this one.
    pub name: String,
    /// The distribution of initial weights, where a node has none of its own.
    pub init: InitScheme,
    /// The loss function of its training.
    pub criterion: Criterion,
    /// The nodes. The first is the input, the last is the output; each comes after its inputs.
    pub nodes: Vec<Node>,
}

/// One operation of a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The name of its PyTorch module, such as `features.0`.
    pub name: String,
    /// What it computes.
    #[serde(flatten)]
    pub operation: Operation,
    /// The nodes whose results it takes.
    pub inputs: Vec<usize>,
    /// The shape of its result for one sample: `[channels, height, width]` or `[values]`.
    pub shape: Vec<usize>,
    /// Whether the module is the whole network. Its parameters then have no prefix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// The lines of the text that made it, from 1: where the module is made, then the calls that led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u32>,
}

impl Node {
    /// The name of its PyTorch module's class.
    pub fn class(&self) -> &'static str {
        match (&self.operation, self.shape.len()) {
            (Operation::BatchNorm { .. }, 1) => "BatchNorm1d",
            (Operation::BatchNorm { .. }, _) => "BatchNorm2d",
            (operation, _) => operation.name(),
        }
    }
}

impl Graph {
    /// A graph of the input alone.
    pub fn new(name: &str, input: &[usize]) -> Self {
        Self {
            name: name.to_owned(),
            init: InitScheme::Kaiming,
            criterion: Criterion::CrossEntropy,
            nodes: vec![Node {
                name: "input".to_owned(),
                operation: Operation::Input,
                inputs: Vec::new(),
                shape: input.to_vec(),
                root: false,
                lines: Vec::new(),
            }],
        }
    }

    /// The shape of a sample.
    pub fn input(&self) -> &[usize] {
        self.nodes.first().map_or(&[], |node| &node.shape)
    }

    /// The shape of the result.
    pub fn output(&self) -> &[usize] {
        self.nodes.last().map_or(&[], |node| &node.shape)
    }

    /// Adds an operation on the results of earlier nodes. Returns its index.
    ///
    /// # Errors
    /// When the operation does not take inputs of these shapes.
    pub fn push(
        &mut self,
        name: String,
        operation: Operation,
        inputs: Vec<usize>,
    ) -> Result<usize, ShapeError> {
        let shapes: Vec<_> = inputs.iter().map(|i| &*self.nodes[*i].shape).collect();
        let shape = operation.shape(&shapes)?;
        self.nodes.push(Node {
            name,
            operation,
            inputs,
            shape,
            root: false,
            lines: Vec::new(),
        });
        Ok(self.nodes.len() - 1)
    }

    /// The nodes in the order of a PyTorch state dict: a module's children stand together, where the first of them stands.
    pub(crate) fn state_dict_order(&self) -> Vec<usize> {
        let mut first_seen: HashMap<&str, usize> = HashMap::new();
        let mut keyed: Vec<(Vec<usize>, usize)> = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let dots = node.name.match_indices('.').map(|(at, _)| at);
            let key = dots
                .chain([node.name.len()])
                .map(|end| *first_seen.entry(&node.name[..end]).or_insert(place))
                .collect();
            keyed.push((key, place));
        }
        keyed.sort();
        keyed.into_iter().map(|(_, place)| place).collect()
    }

    /// The nodes that take the result of each node.
    pub(crate) fn consumers(&self) -> Vec<Vec<usize>> {
        let mut consumers = vec![Vec::new(); self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                consumers[input].push(place);
            }
        }
        consumers
    }

    /// Whether batches of one sample teach nothing: a batch normalisation of single values turns them into its bias.
    pub fn needs_batches(&self) -> bool {
        let normalises_values = |node: &Node| {
            matches!(node.operation, Operation::BatchNorm { .. }) && node.shape.len() == 1
        };
        self.nodes.iter().any(normalises_values)
    }
}
