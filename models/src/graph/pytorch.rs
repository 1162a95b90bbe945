//! A graph as PyTorch source, with the same names in its state dict.
//!
//! Layers that follow each other under one name become an `nn.Sequential`; other names become an `nn.ModuleList` or an
//! `nn.ModuleDict`, whose modules `forward` calls one by one. Names that these refuse, because they have such an attribute,
//! are set among the modules of a plain `nn.Module`: that is all that state dicts depend on.

mod names;

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Graph, Operation};
use crate::ops::PoolWindow;
pub(crate) use names::is_state_of_module;
use names::{class_name, is_attribute, is_plain};

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

    /// Whether containers of PyTorch refuse the name of a child.
    fn has_refused_names(&self) -> bool {
        self.children.iter().any(|(name, _)| is_attribute(name))
    }

    /// Whether containers of PyTorch refuse a name here or further down.
    fn has_refused_names_below(&self) -> bool {
        self.has_refused_names()
            || self
                .children
                .iter()
                .any(|(_, child)| child.has_refused_names_below())
    }
}

/// The container of the modules under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    /// `nn.Sequential`, whose items have numbers.
    Sequential,
    /// `nn.Sequential`, whose items have names.
    NamedSequential,
    /// `nn.ModuleList`
    List,
    /// `nn.ModuleDict`
    Dict,
    /// An `nn.Module`, for names that the others refuse.
    Plain,
}

impl Container {
    /// What stands before the children, and after them.
    fn brackets(self) -> (&'static str, &'static str) {
        match self {
            Self::Sequential => ("nn.Sequential(", ")"),
            Self::NamedSequential => ("nn.Sequential(OrderedDict([", "]))"),
            Self::List => ("nn.ModuleList([", "])"),
            Self::Dict => ("nn.ModuleDict({", "})"),
            Self::Plain => ("with_modules({", "})"),
        }
    }
}

/// The function that a source has for [`Container::Plain`].
const WITH_MODULES: &str = "

def with_modules(modules):
    module = nn.Module()
    module._modules.update(modules)
    return module
";

struct Writer<'a> {
    graph: &'a Graph,
    consumers: Vec<Vec<usize>>,
    tree: Tree,
    /// Whether the network itself is a layer, which the class extends.
    is_layer: bool,
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
            is_layer: false,
            calls: HashMap::new(),
        };
        // The attributes of a layer are more than those of a module.
        writer.is_layer = graph
            .nodes
            .iter()
            .any(|node| node.root && is_module(&node.operation));
        for (name, child) in &tree.children {
            let path = match is_plain(name) && !writer.is_layer {
                true => format!("self.{name}"),
                false => format!("self._modules[\"{name}\"]"),
            };
            writer.find_calls(child, &path);
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

    fn container(&self, tree: &Tree) -> Container {
        if tree.has_refused_names() {
            return Container::Plain;
        }
        let is_chain = !tree.has_refused_names_below() && self.is_chain(&tree.nodes());
        match (is_chain, tree.is_numbered()) {
            (true, true) => Container::Sequential,
            (true, false) => Container::NamedSequential,
            (false, true) => Container::List,
            (false, false) => Container::Dict,
        }
    }

    fn find_calls(&mut self, tree: &Tree, path: &str) {
        let nodes = tree.nodes();
        let container = self.container(tree);
        if let (Some(first), Some(last)) = (nodes.first(), nodes.last())
            && (tree.node.is_some()
                || matches!(
                    container,
                    Container::Sequential | Container::NamedSequential
                ))
        {
            self.calls.insert(*first, (path.to_owned(), *last));
            return;
        }
        for (name, child) in &tree.children {
            let path = match container {
                Container::Sequential | Container::List => format!("{path}[{name}]"),
                Container::NamedSequential | Container::Dict => format!("{path}[\"{name}\"]"),
                Container::Plain => format!("{path}._modules[\"{name}\"]"),
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
        let uses = |container| {
            let mut children = self.tree.children.iter();
            children.any(|(_, child)| self.uses(child, container))
        };
        if uses(Container::NamedSequential) {
            text.insert_str(0, "from collections import OrderedDict\n\n");
        }
        if uses(Container::Plain) {
            text += WITH_MODULES;
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
            let module = self.constructor(child, 8);
            let _ = match (is_plain(name), is_attribute(name) || self.is_layer) {
                (_, true) => writeln!(text, "        self._modules[\"{name}\"] = {module}"),
                (true, false) => writeln!(text, "        self.{name} = {module}"),
                (false, false) => {
                    writeln!(text, "        self.add_module(\"{name}\", {module})")
                }
            };
        }
        text += "\n    def forward(self, x):\n";
        self.forward(&mut text);
        text
    }

    /// Whether a container stands at a place of the tree or below it.
    fn uses(&self, tree: &Tree, container: Container) -> bool {
        tree.node.is_none()
            && (self.container(tree) == container
                || tree
                    .children
                    .iter()
                    .any(|(_, child)| self.uses(child, container)))
    }

    /// The constructor of a module with those below it.
    fn constructor(&self, tree: &Tree, indent: usize) -> String {
        if let Some(place) = tree.node {
            return self.module(place);
        }
        let inner = " ".repeat(indent + 4);
        let outer = " ".repeat(indent);
        let container = self.container(tree);
        let (before, after) = container.brackets();
        let mut text = format!("{before}\n");
        for (name, child) in &tree.children {
            let child = self.constructor(child, indent + 4);
            let _ = match container {
                Container::Sequential | Container::List => writeln!(text, "{inner}{child},"),
                Container::NamedSequential => writeln!(text, "{inner}(\"{name}\", {child}),"),
                Container::Dict | Container::Plain => {
                    writeln!(text, "{inner}\"{name}\": {child},")
                }
            };
        }
        text + &outer + after
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
            Operation::ZeroPad2d {
                padding: [left, right, top, bottom],
            } => format!("nn.ZeroPad2d(({left}, {right}, {top}, {bottom}))"),
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

fn base_class(module: &str) -> String {
    module.split('(').next().unwrap_or("nn.Module").to_owned()
}
