//! A graph with its tensors as an ONNX file.

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;

use super::proto::{
    self, AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto, kind,
};
use crate::contract::Normalisation;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Operation};
use crate::networks::TensorValues;
use crate::ops::{Activation, PoolWindow};

/// The operator set: the first with `Gelu`, and with means of windows as PyTorch has them.
const OPSET: i64 = 20;

/// The version of the format that belongs to the operator set.
const IR_VERSION: i64 = 9;

/// Protobuf's limit on a message.
const MAX_BYTES: usize = (1 << 31) - 1;

/// What a user of a file must know about its inputs and results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The names of the classes, in the order of the scores.
    pub labels: Vec<String>,
    /// How samples are normalised before the network sees them.
    pub normalisation: Normalisation,
    /// How an image becomes a square: `crop`, `pad` or `stretch`.
    pub fit: String,
    /// Whether resized values are rounded to bytes.
    pub round: bool,
    /// More entries, by their names.
    pub more: BTreeMap<String, String>,
}

/// Writes a network for evaluation as an ONNX file. `tensors` are those of [`Model::weights`](crate::networks::Model::weights):
/// they keep their names. The input is called `input`, the result `scores`; the size of a batch, `N`, is free.
///
/// The file's metadata say how an image becomes an input: `mean`, `std` and `size` (height and width) as JSON lists,
/// `channels`, `fit`, `round`, and `preprocessing` in sentences; and what the scores are of: `labels`, a JSON list.
///
/// # Errors
/// [`Error::Setting`] when a tensor is missing, or the file would be larger than the 2 GiB that the format allows.
pub fn export(
    graph: &Graph,
    tensors: &[(String, Vec<usize>, TensorValues)],
    metadata: &Metadata,
) -> Result<Vec<u8>> {
    let tensors = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), (shape.as_slice(), values)));
    let mut writer = Writer {
        graph,
        tensors: tensors.collect(),
        values: Vec::with_capacity(graph.nodes.len()),
        out: GraphProto {
            name: graph.name.clone(),
            input: vec![value_info(INPUT, graph.input())],
            output: vec![value_info(SCORES, graph.output())],
            ..GraphProto::default()
        },
    };
    for place in 0..graph.nodes.len() {
        writer.node(place)?;
    }
    writer.name_the_result();
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "Vivarium".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: String::new(),
        graph: Some(writer.out),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: Some(OPSET),
        }],
        metadata_props: properties(graph, metadata),
    };
    if model.encoded_len() > MAX_BYTES {
        let message = "has more than the 2 GiB of weights that an ONNX file can hold";
        return Err(Error::setting("network", message));
    }
    Ok(model.encode_to_vec())
}

/// The name of the input.
const INPUT: &str = "input";

/// The name of the result.
const SCORES: &str = "scores";

struct Writer<'a> {
    graph: &'a Graph,
    tensors: HashMap<&'a str, (&'a [usize], &'a TensorValues)>,
    /// The name of each node's result.
    values: Vec<String>,
    out: GraphProto,
}

impl Writer<'_> {
    /// Adds a node's operations.
    fn node(&mut self, place: usize) -> Result<()> {
        let node = &self.graph.nodes[place];
        let inputs: Vec<_> = node
            .inputs
            .iter()
            .map(|input| self.values[*input].clone())
            .collect();
        let x = inputs.first().cloned().unwrap_or_default();
        let image = node
            .inputs
            .first()
            .map_or(&[][..], |input| &self.graph.nodes[*input].shape);
        let value = match &node.operation {
            Operation::Input => INPUT.to_owned(),
            // They do nothing in evaluation.
            Operation::Dropout { .. } | Operation::Identity => x,
            Operation::Conv2d {
                kernel,
                stride,
                padding,
                dilation,
                groups,
                bias,
                ..
            } => {
                let inputs = self.parameters(node, x, *bias)?;
                let attributes = vec![
                    ints("kernel_shape", kernel),
                    ints("strides", stride),
                    ints("pads", &[*padding, *padding].concat()),
                    ints("dilations", dilation),
                    int("group", *groups),
                ];
                self.add(node, "Conv", inputs, attributes)
            }
            Operation::Linear { bias, .. } => {
                let inputs = self.parameters(node, x, *bias)?;
                self.add(node, "Gemm", inputs, vec![int("transB", 1)])
            }
            Operation::BatchNorm { eps, momentum } => {
                let mut inputs = vec![x];
                for name in ["weight", "bias", "running_mean", "running_var"] {
                    inputs.push(self.tensor(node, name)?);
                }
                // ONNX weighs what was before, PyTorch what is new.
                let attributes = vec![float("epsilon", *eps), float("momentum", 1.0 - momentum)];
                self.add(node, "BatchNormalization", inputs, attributes)
            }
            Operation::Activation { function } => self.activation(node, *function, x),
            Operation::Hardtanh { min, max } => {
                let bounds = [("min", *min), ("max", *max)];
                let mut inputs = vec![x];
                for (bound, value) in bounds {
                    inputs.push(self.constant(node, bound, &[], &[value as f32]));
                }
                self.add(node, "Clip", inputs, Vec::new())
            }
            Operation::MaxPool2d { window } => {
                let attributes = of_window(window, &[window.padding, ends(window, image)].concat());
                self.add(node, "MaxPool", inputs, attributes)
            }
            Operation::AvgPool2d {
                window,
                count_include_pad,
            } => self.mean(node, x, window, *count_include_pad, image),
            Operation::AdaptiveAvgPool2d { output } => self.adaptive(node, x, image, *output),
            Operation::Mean => {
                let means = self.step(node, "means", "GlobalAveragePool", inputs, Vec::new());
                self.add(node, "Flatten", vec![means], vec![int("axis", 1)])
            }
            Operation::Flatten => self.add(node, "Flatten", inputs, vec![int("axis", 1)]),
            Operation::ZeroPad1d {
                padding: [before, after],
            } => {
                let pads = [0, *before as i64, 0, *after as i64];
                let pads = self.numbers(node, "pads", &pads);
                self.add(node, "Pad", vec![x, pads], Vec::new())
            }
            Operation::ZeroPad2d {
                padding: [left, right, top, bottom],
            } => {
                let pads = [0, 0, *top, *left, 0, 0, *bottom, *right].map(|side| side as i64);
                let pads = self.numbers(node, "pads", &pads);
                self.add(node, "Pad", vec![x, pads], Vec::new())
            }
            Operation::Sum if inputs.len() == 2 => self.add(node, "Add", inputs, Vec::new()),
            Operation::Sum => self.add(node, "Sum", inputs, Vec::new()),
            Operation::Mul => {
                let Some((last, rest)) = inputs.split_last().filter(|(_, rest)| !rest.is_empty())
                else {
                    self.values.push(x);
                    return Ok(());
                };
                let last = last.clone();
                let mut product = rest[0].clone();
                for (at, factor) in rest.iter().enumerate().skip(1) {
                    let name = format!("product{at}");
                    product = self.step(
                        node,
                        &name,
                        "Mul",
                        vec![product, factor.clone()],
                        Vec::new(),
                    );
                }
                self.add(node, "Mul", vec![product, last], Vec::new())
            }
            Operation::Concat => self.add(node, "Concat", inputs, vec![int("axis", 1)]),
        };
        self.values.push(value);
        Ok(())
    }

    fn activation(&mut self, node: &Node, function: Activation, x: String) -> String {
        let (op, inputs, attributes) = match function {
            Activation::Relu => ("Relu", vec![x], Vec::new()),
            Activation::Relu6 => {
                let (min, max) = (
                    self.constant(node, "min", &[], &[0.0]),
                    self.constant(node, "max", &[], &[6.0]),
                );
                ("Clip", vec![x, min, max], Vec::new())
            }
            Activation::Silu => {
                let gate = self.step(node, "gate", "Sigmoid", vec![x.clone()], Vec::new());
                ("Mul", vec![x, gate], Vec::new())
            }
            Activation::Gelu => ("Gelu", vec![x], Vec::new()),
            Activation::Hardswish => ("HardSwish", vec![x], Vec::new()),
            Activation::Sigmoid => ("Sigmoid", vec![x], Vec::new()),
            Activation::Hardsigmoid => {
                let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
                ("HardSigmoid", vec![x], attributes)
            }
            Activation::Tanh => ("Tanh", vec![x], Vec::new()),
        };
        self.add(node, op, inputs, attributes)
    }

    /// Means under a window.
    fn mean(
        &mut self,
        node: &Node,
        x: String,
        window: &PoolWindow,
        count_include_pad: bool,
        image: &[usize],
    ) -> String {
        let (padding, ends) = (window.padding, ends(window, image));
        if !count_include_pad || ends == padding {
            let mut attributes = of_window(window, &[padding, ends].concat());
            attributes.push(int("count_include_pad", usize::from(count_include_pad)));
            return self.add(node, "AveragePool", vec![x], attributes);
        }
        // The padding counts, and what is left over does not: the padding becomes part of the image.
        let [height, width] = padding.map(|side| side as i64);
        let beyond = [ends[0] - padding[0], ends[1] - padding[1]];
        let attributes = of_window(window, &[[0, 0], beyond].concat());
        if padding == [0, 0] {
            return self.add(node, "AveragePool", vec![x], attributes);
        }
        let pads = self.numbers(node, "pads", &[0, 0, height, width, 0, 0, height, width]);
        let padded = self.step(node, "padded", "Pad", vec![x, pads], Vec::new());
        self.add(node, "AveragePool", vec![padded], attributes)
    }

    /// Means over a grid: one operation where all its parts have the same size, else two products with the shares of
    /// rows and columns.
    fn adaptive(&mut self, node: &Node, x: String, image: &[usize], output: [usize; 2]) -> String {
        if output == [1, 1] {
            return self.add(node, "GlobalAveragePool", vec![x], Vec::new());
        }
        let [_, height, width] = *image else { return x };
        if height.is_multiple_of(output[0]) && width.is_multiple_of(output[1]) {
            let part = [height / output[0], width / output[1]];
            let window = PoolWindow {
                kernel: part,
                stride: part,
                padding: [0, 0],
                ceil_mode: false,
            };
            return self.add(node, "AveragePool", vec![x], of_window(&window, &[0; 4]));
        }
        let rows = shares(height, output[0]);
        let rows = self.constant(node, "rows", &[output[0], height], &rows);
        let columns = shares(width, output[1]);
        let mut transposed = vec![0.0; columns.len()];
        for (at, share) in columns.iter().enumerate() {
            transposed[at % width * output[1] + at / width] = *share;
        }
        let columns = self.constant(node, "columns", &[width, output[1]], &transposed);
        let means = self.step(node, "means", "MatMul", vec![rows, x], Vec::new());
        self.add(node, "MatMul", vec![means, columns], Vec::new())
    }

    /// The input and the parameters of a layer.
    fn parameters(&mut self, node: &Node, x: String, bias: bool) -> Result<Vec<String>> {
        let mut inputs = vec![x, self.tensor(node, "weight")?];
        if bias {
            inputs.push(self.tensor(node, "bias")?);
        }
        Ok(inputs)
    }

    /// Adds a tensor of the network. Returns its name.
    fn tensor(&mut self, node: &Node, parameter: &str) -> Result<String> {
        let name = if node.root {
            parameter.to_owned()
        } else {
            format!("{}.{parameter}", node.name)
        };
        let (shape, values) = match self.tensors.get(name.as_str()) {
            Some((shape, TensorValues::F32(values))) => (*shape, values),
            _ => return Err(Error::setting(&name, "is missing, or not f32")),
        };
        self.out.initializer.push(floats(&name, shape, values));
        Ok(name)
    }

    /// Adds a constant of a node. Returns its name.
    fn constant(&mut self, node: &Node, what: &str, shape: &[usize], values: &[f32]) -> String {
        let name = format!("/{}/{what}", node.name);
        self.out.initializer.push(floats(&name, shape, values));
        name
    }

    /// Adds whole numbers. Returns their name.
    fn numbers(&mut self, node: &Node, what: &str, values: &[i64]) -> String {
        let name = format!("/{}/{what}", node.name);
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.out.initializer.push(TensorProto {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: proto::INT64,
            raw_data: Some(raw.into()),
            ..TensorProto::default()
        });
        name
    }

    /// Adds the operation that gives a node's result. Names of results begin with `/`, as no name of a parameter does.
    fn add(
        &mut self,
        node: &Node,
        op_type: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) -> String {
        let output = format!("/{}", node.name);
        self.push(node.name.clone(), output, op_type, input, attribute)
    }

    /// Adds an operation on the way to a node's result.
    fn step(
        &mut self,
        node: &Node,
        what: &str,
        op_type: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) -> String {
        let name = format!("{}/{what}", node.name);
        self.push(name.clone(), format!("/{name}"), op_type, input, attribute)
    }

    fn push(
        &mut self,
        name: String,
        output: String,
        op_type: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) -> String {
        self.out.node.push(NodeProto {
            input,
            output: vec![output.clone()],
            name,
            op_type: op_type.to_owned(),
            attribute,
            ..NodeProto::default()
        });
        output
    }

    /// Gives the last result the name of the output.
    fn name_the_result(&mut self) {
        let Some(result) = self.values.last().cloned() else {
            return;
        };
        let taken_once = !self
            .out
            .node
            .iter()
            .any(|node| node.input.contains(&result));
        let last = self
            .out
            .node
            .iter_mut()
            .find(|node| node.output[0] == result);
        match last {
            Some(node) if taken_once => node.output[0] = SCORES.to_owned(),
            _ => {
                self.push(
                    SCORES.to_owned(),
                    SCORES.to_owned(),
                    "Identity",
                    vec![result],
                    Vec::new(),
                );
            }
        }
    }
}

/// The share of every pixel along a side in each of `count` means.
fn shares(side: usize, count: usize) -> Vec<f32> {
    let mut shares = vec![0.0; side * count];
    for (part, shares) in shares.chunks_exact_mut(side).enumerate() {
        let (start, end) = (part * side / count, ((part + 1) * side).div_ceil(count));
        shares[start..end].fill((1.0 / (end - start) as f64) as f32);
    }
    shares
}

fn of_window(window: &PoolWindow, pads: &[usize]) -> Vec<AttributeProto> {
    vec![
        ints("kernel_shape", &window.kernel),
        ints("strides", &window.stride),
        ints("pads", pads),
    ]
}

/// The padding below and at the right. A position for what is left over is written as padding that it covers, because
/// programs differ on how many positions `ceil_mode` gives.
fn ends(window: &PoolWindow, image: &[usize]) -> [usize; 2] {
    let [_, height, width] = *image else {
        return window.padding;
    };
    let sides = [height, width];
    let Some(positions) = window.positions(sides) else {
        return window.padding;
    };
    [0, 1].map(|side| {
        let covered = (positions[side] - 1) * window.stride[side] + window.kernel[side];
        let beyond = covered.saturating_sub(sides[side] + window.padding[side]);
        beyond.max(window.padding[side])
    })
}

fn int(name: &str, value: usize) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value as i64),
        r#type: kind::INT,
        ..AttributeProto::default()
    }
}

fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(value as f32),
        r#type: kind::FLOAT,
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: values.iter().map(|value| *value as i64).collect(),
        r#type: kind::INTS,
        ..AttributeProto::default()
    }
}

fn floats(name: &str, shape: &[usize], values: &[f32]) -> TensorProto {
    let raw: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    TensorProto {
        name: name.to_owned(),
        dims: shape.iter().map(|side| *side as i64).collect(),
        data_type: proto::FLOAT,
        raw_data: Some(raw.into()),
        ..TensorProto::default()
    }
}

/// A value of batches of samples.
fn value_info(name: &str, sample: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_param: Some("N".to_owned()),
        dim_value: None,
    };
    let side = |side: &usize| DimensionProto {
        dim_value: Some(*side as i64),
        dim_param: None,
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: proto::FLOAT,
                shape: Some(TensorShapeProto {
                    dim: [batch].into_iter().chain(sample.iter().map(side)).collect(),
                }),
            }),
        }),
    }
}

fn properties(graph: &Graph, metadata: &Metadata) -> Vec<StringStringEntryProto> {
    let Normalisation { mean, deviation } = &metadata.normalisation;
    let list = |values: &[f64]| serde_json::to_string(values).unwrap_or_default();
    let mut entries = metadata.more.clone();
    let mut add = |key: &str, value: String| entries.insert(key.to_owned(), value);
    add("mean", list(mean));
    add("std", list(deviation));
    add(
        "labels",
        serde_json::to_string(&metadata.labels).unwrap_or_default(),
    );
    let preprocessing = match *graph.input() {
        [channels, height, width] => {
            add("size", format!("[{height},{width}]"));
            let order = if channels == 1 { "grey" } else { "RGB" };
            add("channels", order.to_owned());
            add("fit", metadata.fit.clone());
            add("round", metadata.round.to_string());
            let square = match &*metadata.fit {
                "pad" => "Put the image between black bars so that it is a square, in its shape",
                "stretch" => "Take the whole image, distorted",
                _ => "Cut out the middle square",
            };
            let round = match metadata.round {
                true => "round to whole bytes, halves up, ",
                false => "",
            };
            format!(
                "{square}, scale it to {height}x{width} pixels ({order}) bilinearly with antialiasing, {round}divide by 255, \
                 subtract mean and divide by std for each channel, and arrange as N,C,H,W in float32."
            )
        }
        _ => "Subtract mean and divide by std for each value, as float32.".to_owned(),
    };
    add(
        "preprocessing",
        format!("{preprocessing} The result has a score for each of labels, before softmax."),
    );
    let entry = |(key, value)| StringStringEntryProto { key, value };
    entries.into_iter().map(entry).collect()
}
