//! The graph of a run, in a file of its directory. A run is resumed and looked into by its graph, so it does not depend
//! on a text that changed since, nor on what a later version makes of it.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use serde::Deserialize;

use super::{Criterion, Graph, InitScheme, MAX_NODES, Node, Operation};
use crate::error::{Error, Result};
use crate::links;

/// The largest file, in bytes: a graph of [`MAX_NODES`] nodes has less than 4 MiB.
const MAX_BYTES: u64 = 64 << 20;

/// The longest side of a result, and the largest setting of an operation.
const MAX_SIDE: usize = 1 << 31;

/// A graph that has not been checked.
#[derive(Deserialize)]
pub(super) struct UncheckedGraph {
    name: String,
    init: InitScheme,
    criterion: Criterion,
    nodes: Vec<Node>,
}

impl TryFrom<UncheckedGraph> for Graph {
    type Error = String;

    /// Computes every shape again, from nodes that only take results of earlier ones.
    fn try_from(file: UncheckedGraph) -> std::result::Result<Self, String> {
        let mut nodes = file.nodes.into_iter();
        let Some(input) = nodes.next() else {
            return Err("a graph has at least an input".to_owned());
        };
        if input.operation != Operation::Input || !is_shape(&input.shape) {
            return Err("the first node must be the input, with its shape".to_owned());
        }
        let mut graph = Self::new(&file.name, &input.shape);
        graph.init = file.init;
        graph.criterion = file.criterion;
        for node in nodes {
            let place = graph.nodes.len();
            let at = |message: &str| format!("node {place}, {}: {message}", node.name);
            if place == MAX_NODES {
                return Err(format!("a graph has at most {MAX_NODES} nodes"));
            }
            if node.operation == Operation::Input {
                return Err(at("there is one input, the first node"));
            }
            if node.inputs.iter().any(|input| *input >= place) {
                return Err(at("its inputs must stand before it"));
            }
            let expected = node.shape.clone();
            let (root, lines) = (node.root, node.lines.clone());
            graph
                .push(
                    node.name.clone(),
                    node.operation.clone(),
                    node.inputs.clone(),
                )
                .map_err(|error| at(&error.message))?;
            let pushed = &mut graph.nodes[place];
            if pushed.shape != expected || !is_shape(&expected) {
                return Err(at("its shape does not follow from its inputs"));
            }
            (pushed.root, pushed.lines) = (root, lines);
        }
        Ok(graph)
    }
}

fn is_shape(shape: &[usize]) -> bool {
    matches!(shape.len(), 1 | 3) && shape.iter().all(|side| (1..=MAX_SIDE).contains(side))
}

impl Graph {
    /// Reads the graph in a file, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a graph.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let file = match links::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(path, error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::file(path, e))?;
        match serde_json::from_slice(&bytes) {
            Ok(graph) => Ok(Some(graph)),
            Err(error) => Err(Error::file(path, error.into())),
        }
    }

    /// Writes the graph to a file, which is whole whenever it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let partial = path.with_extension("json.new");
        let write = || {
            links::refuse(&partial)?;
            let mut file = fs::File::create(&partial)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&partial, path)
        };
        write().map_err(|e| Error::file(path, e))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn graph() -> Graph {
        let convolution = Operation::Conv2d {
            out_channels: 8,
            kernel: [3, 3],
            stride: [1, 1],
            padding: [1, 1],
            dilation: [1, 1],
            groups: 1,
            bias: true,
            init: None,
        };
        let linear = Operation::Linear {
            out_features: 10,
            bias: true,
            init: None,
        };
        let mut graph = Graph::new("net", &[3, 32, 32]);
        for (name, operation) in [("0", convolution), ("1", Operation::Flatten), ("2", linear)] {
            let last = graph.nodes.len() - 1;
            graph.push(name.to_owned(), operation, vec![last]).unwrap();
        }
        graph
    }

    #[test]
    fn a_graph_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.json");
        assert_eq!(Graph::read(&path).unwrap(), None);
        let graph = graph();
        graph.write(&path).unwrap();
        assert_eq!(Graph::read(&path).unwrap(), Some(graph));
    }

    #[test]
    fn a_graph_that_does_not_hold_together_is_refused() {
        let good = serde_json::to_value(graph()).unwrap();
        let cases = [
            ("/nodes/1/inputs/0", json!(1), "before it"),
            ("/nodes/1/inputs", json!([]), "takes one input"),
            ("/nodes/1/shape/0", json!(65), "does not follow"),
            ("/nodes/1/stride", json!([0, 0]), "does not fit"),
            ("/nodes/1/groups", json!(0), "groups"),
            ("/nodes/1/padding/0", json!(u64::MAX), "does not fit"),
            ("/nodes/0/operation", json!("Flatten"), "the input"),
            ("/nodes/0/shape", json!([3, 0, 32]), "the input"),
            ("/nodes", json!([]), "at least an input"),
        ];
        for (path, value, message) in cases {
            let mut bad = good.clone();
            *bad.pointer_mut(path).unwrap() = value;
            let error = serde_json::from_value::<Graph>(bad)
                .unwrap_err()
                .to_string();
            assert!(error.contains(message), "{path}: {error}");
        }
        assert!(serde_json::from_value::<Graph>(Value::Null).is_err());
    }
}
