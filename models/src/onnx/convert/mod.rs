//! The nodes of a file as a [`Graph`].
//!
//! | module | what it reads |
//! |---|---|
//! | `layers` | layers with parameters, activations, dropout |
//! | `windows` | pools, and the padding of windows |
//! | `arithmetic` | sums, products, concatenations, constants for channels |
//! | `shapes` | what moves values, and the sizes that it takes |

mod arithmetic;
mod layers;
mod shapes;
mod windows;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::attributes::Attributes;
use super::constant::{Constant, MAX_VALUES, Values};
use super::names::Hint;
use super::proto::{self, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use super::values::{Affine, Size, Value};
use super::{ImportError, Outcome};
use crate::graph::{Graph, MAX_NODES, Operation};

/// A file's graph, read.
pub(super) struct Converted {
    pub(super) graph: Graph,
    /// The tensors of each node, and what its name may be.
    pub(super) layers: Vec<LayerTensors>,
    /// The node of the result.
    pub(super) result: usize,
    pub(super) notes: Vec<String>,
}

/// The tensors of a node.
#[derive(Default)]
pub(super) struct LayerTensors {
    pub(super) hint: Hint,
    /// The name in the layer, the shape, the values.
    pub(super) tensors: Vec<(&'static str, Vec<usize>, Vec<f32>)>,
}

/// Reads nodes one by one, each after those whose results it takes.
pub(super) struct Converter<'a> {
    pub(super) graph: Graph,
    pub(super) layers: Vec<LayerTensors>,
    values: HashMap<&'a str, Value>,
    initializers: HashMap<&'a str, &'a TensorProto>,
    /// How many nodes take each value.
    uses: HashMap<&'a str, usize>,
    /// The results of all nodes.
    results: HashSet<&'a str>,
    /// The size of a batch, where the file has one.
    pub(super) batch: Option<i64>,
    /// How many values have been read from tensors.
    values_read: usize,
    /// The tensors that layers have, to find those that are shared.
    taken: HashMap<String, String>,
    notes: Vec<String>,
}

/// The side of images where the file leaves it free: that of ImageNet's networks.
const FREE_SIDE: usize = 224;

pub(super) fn convert(file: &GraphProto) -> Outcome<Converted> {
    if file.node.len() > MAX_NODES {
        return Err(ImportError::new(format!(
            "the file has {} nodes, more than {MAX_NODES}",
            file.node.len()
        )));
    }
    let initializers: HashMap<_, _> = file
        .initializer
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    let mut inputs = file
        .input
        .iter()
        .filter(|input| !initializers.contains_key(input.name.as_str()));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(ImportError::new("the model must take one input: images"));
    };
    let mut notes = Vec::new();
    let (batch, shape) = input_shape(input, &mut notes)?;
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in file.node.iter().flat_map(|node| &node.input) {
        *uses.entry(name).or_default() += 1;
    }
    let results = file.node.iter().flat_map(|node| &node.output);
    let mut converter = Converter {
        graph: Graph::new("imported", &shape),
        layers: vec![LayerTensors::default()],
        values: HashMap::from([(input.name.as_str(), Value::Node(0))]),
        initializers,
        uses,
        results: results.map(String::as_str).collect(),
        batch,
        values_read: 0,
        taken: HashMap::new(),
        notes,
    };
    for node in &file.node {
        converter.read(node)?;
    }
    let [output] = &file.output[..] else {
        return Err(ImportError::new(format!(
            "the model must have one result, the scores of the classes, not {}",
            file.output.len()
        )));
    };
    let value = converter.values.get(output.name.as_str()).cloned();
    let result = match value {
        Some(Value::Softmax(node)) => {
            converter.notes.push(
                "The softmax at the end was left out: scores are taken before it.".to_owned(),
            );
            node
        }
        Some(Value::Node(node)) => node,
        _ => {
            return Err(ImportError::new(format!(
                "the result {} is not computed from the input",
                output.name
            )));
        }
    };
    Ok(Converted {
        graph: converter.graph,
        layers: converter.layers,
        result,
        notes: converter.notes,
    })
}

/// The size of a batch, if it is fixed, and the shape of a sample.
fn input_shape(
    input: &ValueInfoProto,
    notes: &mut Vec<String>,
) -> Outcome<(Option<i64>, Vec<usize>)> {
    let fault = |message: &str| ImportError::new(format!("the input {} {message}", input.name));
    let tensor = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| fault("is no tensor"))?;
    if tensor.elem_type != proto::FLOAT {
        let name = super::constant::type_name(tensor.elem_type);
        return Err(fault(&format!("must be f32, not {name}")));
    }
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let [batch, sides @ ..] = dims else {
        return Err(fault("has no shape"));
    };
    if !matches!(sides.len(), 1 | 3) {
        let message = format!(
            "must be images [N, channels, height, width], not of {} dimensions",
            dims.len()
        );
        return Err(fault(&message));
    }
    let mut shape = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        shape.push(match side.dim_value {
            None if at > 0 => {
                let note = format!(
                    "The file leaves the size of images free; {FREE_SIDE} pixels a side were taken."
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
                FREE_SIDE
            }
            None => return Err(fault("must say how many channels it has")),
            Some(side) => match usize::try_from(side) {
                Ok(side) if (1..=1 << 16).contains(&side) => side,
                _ => return Err(fault(&format!("has a side of {side}"))),
            },
        });
    }
    Ok((batch.dim_value.filter(|batch| *batch > 0), shape))
}

/// The arguments of a node.
pub(super) struct Arguments<'a> {
    pub(super) attributes: Attributes<'a>,
    /// The inputs; `None` for one that is left out.
    pub(super) inputs: Vec<Option<Value>>,
}

impl Arguments<'_> {
    pub(super) fn fault(&self, message: impl std::fmt::Display) -> ImportError {
        self.attributes.fault(message)
    }

    /// An input that must be there.
    pub(super) fn input(&self, at: usize) -> Outcome<&Value> {
        let input = self.inputs.get(at).and_then(Option::as_ref);
        input.ok_or_else(|| self.fault(format!("has no input {at}")))
    }

    /// An input that may be left out.
    pub(super) fn optional(&self, at: usize) -> Option<&Value> {
        self.inputs.get(at).and_then(Option::as_ref)
    }

    /// A tensor that is known.
    pub(super) fn constant(&self, at: usize, what: &str) -> Outcome<Rc<Constant>> {
        match self.input(at)? {
            Value::Constant(constant) => Ok(constant.clone()),
            _ => Err(self.fault(format!("{what} must be a tensor of the file, not computed"))),
        }
    }

    /// Whole numbers from an attribute, or from an input as in later versions.
    pub(super) fn numbers(&self, attribute: &str, at: usize) -> Outcome<Option<Vec<i64>>> {
        if let Some(numbers) = self.attributes.ints(attribute)? {
            return Ok(Some(numbers.to_vec()));
        }
        match self.optional(at) {
            None => Ok(None),
            Some(value) => match value.numbers() {
                Some(numbers) if numbers.len() <= 16 => Ok(Some(numbers)),
                _ => Err(self.fault(format!("{attribute} must be whole numbers of the file"))),
            },
        }
    }
}

impl<'a> Converter<'a> {
    fn read(&mut self, node: &'a NodeProto) -> Outcome<()> {
        let attributes = Attributes { node };
        if !matches!(&*node.domain, "" | "ai.onnx") {
            return Err(attributes.fault(format!(
                "operations of {:?} are not read",
                node.domain.chars().take(40).collect::<String>()
            )));
        }
        if node.input.len() > MAX_NODES {
            return Err(attributes.fault("has too many inputs"));
        }
        let inputs = node
            .input
            .iter()
            .map(|name| self.value(name, &attributes))
            .collect::<Outcome<Vec<_>>>()?;
        let arguments = Arguments { attributes, inputs };
        let value = self.operation(&arguments)?;
        let Some(output) = node.output.first() else {
            return Err(arguments.fault("has no result"));
        };
        if self.values.contains_key(output.as_str()) {
            return Err(arguments.fault(format!("gives {output} a second time")));
        }
        self.values.insert(output, value);
        Ok(())
    }

    /// The value of a name; `None` for the empty name of an input that is left out.
    fn value(&mut self, name: &'a str, at: &Attributes<'_>) -> Outcome<Option<Value>> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(value) = self.values.get(name) {
            return Ok(Some(value.clone()));
        }
        let Some(tensor) = self.initializers.get(name) else {
            let shown: String = name.chars().take(100).collect();
            return Err(at.fault(if self.results.contains(name) {
                format!("takes {shown}, which comes later: the nodes are out of order, or go round in a circle")
            } else {
                format!("takes {shown}, which is not in the file")
            }));
        };
        let constant = self.constant(tensor)?;
        let value = Value::Constant(Rc::new(constant));
        // One that is taken once is not kept: weights are large.
        if self.uses.get(name).is_some_and(|uses| *uses > 1) {
            self.values.insert(name, value.clone());
        }
        Ok(Some(value))
    }

    /// Reads a tensor, if all tensors together are not too large.
    pub(super) fn constant(&mut self, tensor: &TensorProto) -> Outcome<Constant> {
        let constant = Constant::read(tensor)?;
        let len = match &constant.values {
            Values::F32(values) => values.len(),
            Values::I64(values) => values.len(),
        };
        self.values_read += len;
        if self.values_read > MAX_VALUES {
            return Err(ImportError::new(format!(
                "the file has more than {MAX_VALUES} parameters"
            )));
        }
        Ok(constant)
    }

    fn operation(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        match &*a.attributes.node.op_type {
            "Identity" => Ok(a.input(0)?.clone()),
            "Constant" => self.constant_node(a),
            "Conv" => self.conv(a),
            "BatchNormalization" => self.batch_norm(a),
            "Gemm" => self.gemm(a),
            "MatMul" => self.matmul(a),
            "Relu" | "Sigmoid" | "Tanh" | "HardSwish" | "HardSigmoid" | "Gelu" | "Swish" => {
                self.activation(a)
            }
            "Clip" => self.clip(a),
            "Dropout" => self.dropout(a),
            "Add" | "Sub" | "Mul" | "Div" | "Sum" => self.arithmetic(a),
            "Concat" => self.concat(a),
            "MaxPool" | "AveragePool" => self.pool(a),
            "GlobalAveragePool" => {
                let x = self.image(a, 0)?;
                self.layer(a, Operation::AdaptiveAvgPool2d { output: [1, 1] }, vec![x])
            }
            "ReduceMean" => self.mean(a),
            "Flatten" => self.flatten(a),
            "Reshape" => self.reshape(a),
            "Squeeze" => self.squeeze(a),
            "Unsqueeze" => self.unsqueeze(a),
            "Softmax" | "LogSoftmax" => {
                let x = self.node(a, 0)?;
                Ok(Value::Softmax(x))
            }
            "Transpose" => self.transpose(a),
            "Shape" => self.shape(a),
            "Gather" => self.gather(a),
            "Slice" => self.slice(a),
            "Cast" => self.cast(a),
            "Pad" => self.pad(a),
            other => {
                let shown: String = other.chars().take(60).collect();
                Err(a.fault(format!("the operation {shown} is not read")))
            }
        }
    }

    /// The node of an input. Channels that are scaled become a convolution.
    pub(super) fn node(&mut self, a: &Arguments<'_>, at: usize) -> Outcome<usize> {
        let value = a.input(at)?.clone();
        self.node_of(a, value)
    }

    pub(super) fn node_of(&mut self, a: &Arguments<'_>, value: Value) -> Outcome<usize> {
        match value {
            Value::Node(node) => Ok(node),
            Value::Affine(affine) => self.apply_affine(a, &affine),
            Value::Softmax(_) => Err(a.fault("takes a softmax, which is read at the end alone")),
            Value::Padded { .. } => {
                Err(a.fault("takes an image with zeros around it, which is read before Conv and AveragePool alone"))
            }
            Value::Constant(constant) => Err(a.fault(format!(
                "takes {} where the result of a layer is expected",
                constant.shown()
            ))),
            Value::Sizes(_) => Err(a.fault("computes with sizes what is not read")),
        }
    }

    /// The node of an input that must be an image.
    pub(super) fn image(&mut self, a: &Arguments<'_>, at: usize) -> Outcome<usize> {
        let node = self.node(a, at)?;
        match self.graph.nodes[node].shape.len() {
            3 => Ok(node),
            _ => Err(a.fault("takes images, and gets values")),
        }
    }

    pub(super) fn shape_of(&self, node: usize) -> &[usize] {
        &self.graph.nodes[node].shape
    }

    /// Adds a layer without tensors.
    pub(super) fn layer(
        &mut self,
        a: &Arguments<'_>,
        operation: Operation,
        inputs: Vec<usize>,
    ) -> Outcome<Value> {
        let hint = Hint::of_node(a.attributes.node);
        self.push(
            a,
            operation,
            inputs,
            LayerTensors {
                hint,
                tensors: Vec::new(),
            },
        )
    }

    pub(super) fn push(
        &mut self,
        a: &Arguments<'_>,
        operation: Operation,
        inputs: Vec<usize>,
        layer: LayerTensors,
    ) -> Outcome<Value> {
        // The values of one sample: an image of 2^16 pixels a side with 2^12 channels has more than any network.
        const MAX_RESULT: usize = 1 << 32;
        let pushed = self.graph.push(String::new(), operation, inputs);
        let place = pushed.map_err(|error| a.fault(error.message))?;
        let len = self
            .shape_of(place)
            .iter()
            .try_fold(1usize, |len, side| len.checked_mul(*side));
        if len.is_none_or(|len| len > MAX_RESULT) {
            return Err(a.fault("gives more values than fit into memory"));
        }
        self.layers.push(layer);
        Ok(Value::Node(place))
    }

    /// Whether a node of the file is the only one that takes an input.
    pub(super) fn is_only_use(&self, a: &Arguments<'_>, at: usize) -> bool {
        let name = a.attributes.node.input.get(at).map_or("", String::as_str);
        self.uses.get(name) == Some(&1)
    }

    /// Notes that a tensor is now that of a layer.
    pub(super) fn take(&mut self, constant: &Constant, a: &Arguments<'_>) {
        let here = a.attributes.shown();
        if constant.name.is_empty() {
            return;
        }
        if let Some(other) = self.taken.insert(constant.name.clone(), here.clone()) {
            self.notes.push(format!(
                "{} is shared by {other} and {here}; in the text each has weights of its own.",
                constant.name
            ));
        }
    }

    fn sizes_of(&self, node: usize) -> Vec<Size> {
        let sides = self
            .shape_of(node)
            .iter()
            .map(|side| Size::Known(*side as i64));
        [Size::Batch].into_iter().chain(sides).collect()
    }

    /// An input as channels that may be scaled.
    pub(super) fn affine(&self, value: &Value) -> Option<Affine> {
        match value {
            Value::Affine(affine) => Some(affine.clone()),
            Value::Node(node) => match *self.shape_of(*node) {
                [channels, ..] if self.shape_of(*node).len() == 3 => {
                    Some(Affine::whole(*node, channels))
                }
                _ => None,
            },
            _ => None,
        }
    }
}
