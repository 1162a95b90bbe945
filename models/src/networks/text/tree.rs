//! The graph of a tree of modules.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_text_size::TextRange;

use super::error::{Fault, Outcome};
use super::modules::{Kind, Module};
use crate::graph::{Graph, MAX_NODES, Node, Operation, is_state_of_module};
use crate::nn::MAX_PARAMETERS;

/// The graph of a module for inputs of one shape. `line` gives the line of a place in the text.
pub(super) fn graph(
    root: &Rc<Module>,
    name: &str,
    input: &[usize],
    line: &dyn Fn(TextRange) -> u32,
) -> Outcome<Graph> {
    let mut builder = Builder {
        graph: Graph::new(name, input),
        line,
        names: HashMap::from([("input".to_owned(), TextRange::default())]),
        layers: HashSet::new(),
        seen: HashMap::new(),
        parameters: 0,
    };
    builder.place(root, "", 0)?;
    builder.check_names()?;
    Ok(builder.graph)
}

struct Builder<'a> {
    graph: Graph,
    line: &'a dyn Fn(TextRange) -> u32,
    /// Where each name is taken.
    names: HashMap<String, TextRange>,
    /// The names of layers, which are not those of sums and concatenations.
    layers: HashSet<String>,
    /// Modules with parameters that have a place.
    seen: HashMap<*const Module, String>,
    /// The trainable values so far.
    parameters: u64,
}

fn range(module: &Module) -> TextRange {
    module.ranges.first().copied().unwrap_or_default()
}

impl Builder<'_> {
    /// Adds the nodes of a module on the result of the node `input`. Returns the node of its result.
    fn place(&mut self, module: &Rc<Module>, path: &str, input: usize) -> Outcome<usize> {
        let path = module.name.as_deref().unwrap_or(path);
        match &module.kind {
            Kind::Layer(Operation::Identity) => Ok(input),
            Kind::Layer(operation) => {
                let has_parameters = matches!(
                    operation,
                    Operation::Conv2d { .. }
                        | Operation::Linear { .. }
                        | Operation::BatchNorm { .. }
                );
                if has_parameters
                    && let Some(first) = self.seen.insert(Rc::as_ptr(module), path.to_owned())
                {
                    let message = format!(
                        "is used twice, as {first} and as {path}: weights are not shared; make a module for each place"
                    );
                    return Err(Fault::new(range(module), message));
                }
                self.node(module, path, operation.clone(), vec![input])
            }
            Kind::Sequential(children) => {
                let mut result = input;
                for (name, child) in children {
                    result = self.place(child, &join(path, name), result)?;
                }
                Ok(result)
            }
            Kind::Join(operation, children) => {
                let mut results = Vec::new();
                for (name, child) in children {
                    results.push(self.place(child, &join(path, name), input)?);
                }
                self.node(module, path, operation.clone(), results)
            }
        }
    }

    /// A layer has no layers below its name: `a` and `a.b` cannot both be modules of PyTorch.
    fn check_names(&self) -> Outcome<()> {
        let is_layer = |node: &&Node| !node.operation.joins();
        for node in self.graph.nodes.iter().filter(is_layer) {
            for (dot, _) in node.name.match_indices('.') {
                let above = &node.name[..dot];
                let taken = self.layers.contains(above);
                if taken {
                    let message = format!(
                        "{above} is a layer, so that no layer can have the name {}",
                        node.name
                    );
                    let at = self.names.get(&node.name).copied().unwrap_or_default();
                    return Err(Fault::new(at, message));
                }
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        module: &Module,
        path: &str,
        operation: Operation,
        inputs: Vec<usize>,
    ) -> Outcome<usize> {
        let at = range(module);
        let is_root = path.is_empty();
        let name = if is_root {
            self.graph.name.clone()
        } else {
            path.to_owned()
        };
        if self.graph.nodes.len() >= MAX_NODES {
            let message = format!("the network has more than {MAX_NODES} layers");
            return Err(Fault::new(at, message));
        }
        if self.names.insert(name.clone(), at).is_some() {
            let message =
                format!("two modules have the name {name}: give one of them another by name=\"…\"");
            return Err(Fault::new(at, message));
        }
        if !operation.joins() {
            if let Some(part) = name.split('.').find(|part| is_state_of_module(part)) {
                let message = format!(
                    "the name {name} has {part} in it, which every module of PyTorch keeps for itself: give it another name"
                );
                return Err(Fault::new(at, message));
            }
            self.layers.insert(name.clone());
        }
        let place = self
            .graph
            .push(name.clone(), operation, inputs)
            .map_err(|error| {
                let mut fault = Fault::new(at, error.message);
                fault.layer = Some(name);
                fault.is_too_small = error.is_too_small;
                fault
            })?;
        self.parameters = self
            .parameters
            .saturating_add(self.graph.parameters_of(place));
        if self.parameters > MAX_PARAMETERS {
            let message = format!("the network has more than {MAX_PARAMETERS} parameters");
            let mut fault = Fault::new(at, message);
            fault.layer = Some(self.graph.nodes[place].name.clone());
            return Err(fault);
        }
        let node = &mut self.graph.nodes[place];
        node.root = is_root;
        node.lines = module
            .ranges
            .iter()
            .map(|range| (self.line)(*range))
            .collect();
        Ok(place)
    }
}

fn join(path: &str, child: &str) -> String {
    if path.is_empty() {
        child.to_owned()
    } else {
        format!("{path}.{child}")
    }
}
