//! A graph as PyTorch source, with the same names in its state dict.
//!
//! Layers that follow each other under one name become an `nn.Sequential`; other names become an `nn.ModuleList` or an
//! `nn.ModuleDict`, whose modules `forward` calls one by one.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Graph, Operation};
use crate::ops::PoolWindow;

impl Graph {
    /// The source of a PyTorch module that computes the same.
    pub fn pytorch(&self) -> String {
        let writer = Writer::new(self);
        writer.source()
    }
}

/// Modules by the components of their names.
#[derive(Default)]
struct Tree {
    children: Vec<(String, Self)>,
    /// The node of a module without children.
    node: Option<usize>,
}

impl Tree {
    fn insert(&mut self, path: &[&str], node: usize) {
        let Some((first, rest)) = path.split_first() else {
            self.node = Some(node);
            return;
        };
        let place = match self.children.iter().position(|(name, _)| name == first) {
            Some(place) => place,
            None => {
                self.children.push(((*first).to_owned(), Self::default()));
                self.children.len() - 1
            }
        };
        self.children[place].1.insert(rest, node);
    }

    /// The nodes, in the order of their names.
    fn nodes(&self) -> Vec<usize> {
        let below = self.children.iter().flat_map(|(_, child)| child.nodes());
        self.node.into_iter().chain(below).collect()
    }

    /// Whether the children are called `0`, `1`, `2`….
    fn is_numbered(&self) -> bool {
        let mut names = self.children.iter().enumerate();
        names.all(|(place, (name, _))| *name == place.to_string())
    }
}

struct Writer<'a> {
    graph: &'a Graph,
    consumers: Vec<Vec<usize>>,
    tree: Tree,
    /// The expression of the module that begins with a node, and its last node.
    calls: HashMap<usize, (String, usize)>,
}

/// Whether PyTorch has a module for an operation.
fn is_module(operation: &Operation) -> bool {
    !matches!(
        operation,
        Operation::Input
            | Operation::Sum
            | Operation::Mul
            | Operation::Concat
            | Operation::Mean
            | Operation::Flatten
    )
}

impl<'a> Writer<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut tree = Tree::default();
        for (place, node) in graph.nodes.iter().enumerate() {
            if is_module(&node.operation) && !node.root {
                let path: Vec<_> = node.name.split('.').collect();
                tree.insert(&path, place);
            }
        }
        let mut writer = Self {
            graph,
            consumers: graph.consumers(),
            tree: Tree::default(),
            calls: HashMap::new(),
        };
        for (name, child) in &tree.children {
            writer.find_calls(child, &format!("self.{name}"));
        }
        writer.tree = tree;
        writer
    }

    /// Whether nodes follow each other, each the only one that takes the result of the one before.
    fn is_chain(&self, nodes: &[usize]) -> bool {
        nodes.windows(2).all(|pair| {
            self.graph.nodes[pair[1]].inputs == [pair[0]] && self.consumers[pair[0]] == [pair[1]]
        })
    }

    fn find_calls(&mut self, tree: &Tree, path: &str) {
        let nodes = tree.nodes();
        if let (Some(first), Some(last)) = (nodes.first(), nodes.last())
            && self.is_chain(&nodes)
        {
            self.calls.insert(*first, (path.to_owned(), *last));
            return;
        }
        let numbered = tree.is_numbered();
        for (name, child) in &tree.children {
            let path = if numbered {
                format!("{path}[{name}]")
            } else {
                format!("{path}[\"{name}\"]")
            };
            self.find_calls(child, &path);
        }
    }

    fn source(&self) -> String {
        let class = class_name(&self.graph.name);
        let root = self
            .graph
            .nodes
            .iter()
            .position(|node| node.root && is_module(&node.operation));
        let base = root.map_or_else(
            || "nn.Module".to_owned(),
            |place| base_class(&self.module(place)),
        );
        let mut text = String::from("import torch\nfrom torch import nn\n");
        if self.needs_ordered_dict(&self.tree) {
            text.insert_str(0, "from collections import OrderedDict\n\n");
        }
        let _ = write!(
            text,
            "\n\nclass {class}({base}):\n    def __init__(self):\n"
        );
        match root {
            None => text += "        super().__init__()\n",
            Some(place) => {
                let module = self.module(place);
                let arguments = module
                    .split_once('(')
                    .map_or(")", |(_, arguments)| arguments);
                let _ = writeln!(text, "        super().__init__({arguments}");
            }
        }
        for (name, child) in &self.tree.children {
            let _ = writeln!(text, "        self.{name} = {}", self.container(child, 8));
        }
        text += "\n    def forward(self, x):\n";
        self.forward(&mut text);
        text
    }

    fn needs_ordered_dict(&self, tree: &Tree) -> bool {
        let here = !tree.children.is_empty() && self.is_chain(&tree.nodes()) && !tree.is_numbered();
        let is_top = std::ptr::eq(tree, &self.tree);
        (here && !is_top)
            || tree
                .children
                .iter()
                .any(|(_, child)| self.needs_ordered_dict(child))
    }

    /// The constructor of a module with those below it.
    fn container(&self, tree: &Tree, indent: usize) -> String {
        if let Some(place) = tree.node {
            return self.module(place);
        }
        let inner = " ".repeat(indent + 4);
        let outer = " ".repeat(indent);
        let is_chain = self.is_chain(&tree.nodes());
        let numbered = tree.is_numbered();
        let mut text = match (is_chain, numbered) {
            (true, true) => "nn.Sequential(\n".to_owned(),
            (true, false) => "nn.Sequential(OrderedDict([\n".to_owned(),
            (false, true) => "nn.ModuleList([\n".to_owned(),
            (false, false) => "nn.ModuleDict({\n".to_owned(),
        };
        for (name, child) in &tree.children {
            let child = self.container(child, indent + 4);
            let _ = match (is_chain, numbered) {
                (_, true) => writeln!(text, "{inner}{child},"),
                (true, false) => writeln!(text, "{inner}(\"{name}\", {child}),"),
                (false, false) => writeln!(text, "{inner}\"{name}\": {child},"),
            };
        }
        text + &outer
            + match (is_chain, numbered) {
                (true, true) => ")",
                (true, false) => "]))",
                (false, true) => "])",
                (false, false) => "})",
            }
    }

    /// The constructor of a node's module.
    fn module(&self, place: usize) -> String {
        let node = &self.graph.nodes[place];
        let inputs = node
            .inputs
            .first()
            .map_or(0, |input| self.graph.nodes[*input].shape[0]);
        match node.operation {
            Operation::Conv2d {
                out_channels,
                kernel,
                stride,
                padding,
                dilation,
                groups,
                bias,
                ..
            } => {
                let mut text = format!("nn.Conv2d({inputs}, {out_channels}, {}", pair(kernel));
                if stride != [1, 1] {
                    let _ = write!(text, ", stride={}", pair(stride));
                }
                if padding != [0, 0] {
                    let _ = write!(text, ", padding={}", pair(padding));
                }
                if dilation != [1, 1] {
                    let _ = write!(text, ", dilation={}", pair(dilation));
                }
                if groups != 1 {
                    let _ = write!(text, ", groups={groups}");
                }
                text + if bias { ")" } else { ", bias=False)" }
            }
            Operation::Linear {
                out_features, bias, ..
            } => {
                let bias = if bias { "" } else { ", bias=False" };
                format!("nn.Linear({inputs}, {out_features}{bias})")
            }
            Operation::BatchNorm { eps, momentum } => {
                let dimensions = if node.shape.len() == 3 { 2 } else { 1 };
                let mut text = format!("nn.BatchNorm{dimensions}d({inputs}");
                if eps != Operation::EPS {
                    let _ = write!(text, ", eps={eps:?}");
                }
                if momentum != Operation::MOMENTUM {
                    let _ = write!(text, ", momentum={momentum:?}");
                }
                text + ")"
            }
            Operation::Activation { function } => format!("nn.{}()", function.class()),
            Operation::Hardtanh { min, max } => format!("nn.Hardtanh({min:?}, {max:?})"),
            Operation::MaxPool2d { window } => format!("nn.MaxPool2d({})", arguments(window)),
            Operation::AvgPool2d {
                window,
                count_include_pad,
            } => {
                let rest = if count_include_pad {
                    ""
                } else {
                    ", count_include_pad=False"
                };
                format!("nn.AvgPool2d({}{rest})", arguments(window))
            }
            Operation::AdaptiveAvgPool2d { output } => {
                format!("nn.AdaptiveAvgPool2d({})", pair(output))
            }
            Operation::Dropout { p } => format!("nn.Dropout({p:?})"),
            Operation::ZeroPad1d {
                padding: [before, after],
            } => format!("nn.ZeroPad1d(({before}, {after}))"),
            _ => "nn.Identity()".to_owned(),
        }
    }

    fn forward(&self, text: &mut String) {
        const NAMES: [&str; 6] = ["x", "y", "z", "u", "v", "w"];
        // The variable of each result, and the steps that still take it.
        let mut variables: HashMap<usize, (String, usize)> = HashMap::new();
        variables.insert(0, ("x".to_owned(), self.consumers[0].len()));
        let mut covered = vec![false; self.graph.nodes.len()];
        for place in 1..self.graph.nodes.len() {
            if covered[place] {
                continue;
            }
            let node = &self.graph.nodes[place];
            let inputs: Vec<_> = node
                .inputs
                .iter()
                .map(|input| {
                    variables
                        .get(input)
                        .map_or("x", |(name, _)| name)
                        .to_owned()
                })
                .collect();
            let x = inputs.first().map_or("x", String::as_str);
            let (value, last) = match (&node.operation, self.calls.get(&place)) {
                (Operation::Sum, _) => (inputs.join(" + "), place),
                (Operation::Mul, _) => (inputs.join(" * "), place),
                (Operation::Concat, _) => (format!("torch.cat([{}], 1)", inputs.join(", ")), place),
                (Operation::Mean, _) => (format!("{x}.mean((2, 3))"), place),
                (Operation::Flatten, _) => (format!("{x}.flatten(1)"), place),
                (_, Some((path, last))) => (format!("{path}({x})"), *last),
                (_, None) => (format!("super().forward({x})"), place),
            };
            let mut at = last;
            covered[at] = true;
            while at != place {
                at = self.graph.nodes[at].inputs[0];
                covered[at] = true;
            }
            for input in &node.inputs {
                if let Some((_, uses)) = variables.get_mut(input) {
                    *uses -= 1;
                }
            }
            variables.retain(|_, (_, uses)| *uses > 0);
            let is_taken = |name: &str| variables.values().any(|(taken, _)| taken == name);
            let name = NAMES
                .iter()
                .find(|name| !is_taken(name))
                .map(|name| (*name).to_owned());
            let name = name.unwrap_or_else(|| format!("v{last}"));
            if last + 1 == self.graph.nodes.len() {
                let _ = writeln!(text, "        return {value}");
            } else {
                let _ = writeln!(text, "        {name} = {value}");
            }
            variables.insert(last, (name, self.consumers[last].len()));
        }
    }
}

/// A number, or two that differ.
fn pair([a, b]: [usize; 2]) -> String {
    if a == b {
        a.to_string()
    } else {
        format!("({a}, {b})")
    }
}

/// The window of a pooling, as arguments.
fn arguments(window: PoolWindow) -> String {
    let PoolWindow {
        kernel,
        stride,
        padding,
        ceil_mode,
    } = window;
    let mut text = pair(kernel);
    if stride != kernel {
        let _ = write!(text, ", stride={}", pair(stride));
    }
    if padding != [0, 0] {
        let _ = write!(text, ", padding={}", pair(padding));
    }
    if ceil_mode {
        text += ", ceil_mode=True";
    }
    text
}

/// A name as that of a class: `residual_small` is `ResidualSmall`.
fn class_name(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let words = words.map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(char::to_uppercase);
        first
            .into_iter()
            .flatten()
            .chain(characters)
            .collect::<String>()
    });
    let name: String = words.collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Network{name}")
    } else {
        name
    }
}

fn base_class(module: &str) -> String {
    module.split('(').next().unwrap_or("nn.Module").to_owned()
}
