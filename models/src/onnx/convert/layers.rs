//! Layers with parameters, activations and dropout.

use super::super::Outcome;
use super::super::constant::Constant;
use super::super::names::Hint;
use super::super::values::Value;
use super::{Arguments, Converter, LayerTensors};
use crate::graph::Operation;
use crate::ops::Activation;

impl Converter<'_> {
    pub(super) fn conv(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let around = match a.input(0)? {
            Value::Padded { pads, .. } => *pads,
            _ => [0; 4],
        };
        let x = match a.input(0)? {
            Value::Padded { node, .. } => *node,
            _ => self.image(a, 0)?,
        };
        let weight = a.constant(1, "the weight")?;
        let [outputs, inputs, height, width] = weight.shape[..] else {
            return Err(a.fault(format!(
                "convolutions of images are read, whose weight has 4 dimensions, not {}",
                weight.shape.len()
            )));
        };
        let kernel = a.attributes.pair("kernel_shape", 1, [height, width])?;
        let groups = a
            .attributes
            .size("group", a.attributes.int("group", 1)?, 1)?;
        let channels = self.shape_of(x)[0];
        if kernel != [height, width]
            || height * width == 0
            || outputs == 0
            || inputs.checked_mul(groups) != Some(channels)
        {
            return Err(a.fault(format!(
                "the weight {} of the shape {:?} does not fit {channels} channels in {groups} groups and a kernel of \
                 {kernel:?}",
                weight.shown(),
                weight.shape
            )));
        }
        let stride = a.attributes.pair("strides", 1, [1, 1])?;
        let dilation = a.attributes.pair("dilations", 1, [1, 1])?;
        let extent = [0, 1].map(|side| (kernel[side] - 1).saturating_mul(dilation[side]) + 1);
        let pads = self.pads(a, x, extent, stride)?;
        let [top, left, bottom, right] = [0, 1, 2, 3].map(|at| pads[at] + around[at]);
        // PyTorch's convolutions pad both sides alike.
        let is_symmetric = (top, left) == (bottom, right);
        let (x, padding) = if is_symmetric {
            (x, [top, left])
        } else {
            let padding = [left, right, top, bottom];
            let padded = self.layer(a, Operation::ZeroPad2d { padding }, vec![x])?;
            match padded {
                Value::Node(padded) => (padded, [0, 0]),
                _ => return Err(a.fault("the padding of the image is not read")),
            }
        };
        let mut tensors = vec![("weight", weight.shape.clone(), weight.floats()?.to_vec())];
        let bias = a.optional(2).is_some();
        if bias {
            let bias = a.constant(2, "the bias")?;
            tensors.push(("bias", vec![outputs], vector(a, &bias, outputs)?));
        }
        self.take(&weight, a);
        let operation = Operation::Conv2d {
            out_channels: outputs,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
            init: None,
        };
        let hint = Hint::of_tensor(&weight.name, a.attributes.node);
        self.push(a, operation, vec![x], LayerTensors { hint, tensors })
    }

    pub(super) fn batch_norm(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.node(a, 0)?;
        if a.attributes.int("training_mode", 0)? != 0 {
            return Err(a.fault("is in training mode: export the model after model.eval()"));
        }
        let channels = self.shape_of(x)[0];
        let mut tensors = Vec::new();
        let mut hint = Hint::default();
        for (at, name) in ["weight", "bias", "running_mean", "running_var"]
            .into_iter()
            .enumerate()
        {
            let constant = a.constant(at + 1, name)?;
            if at == 0 {
                hint = Hint::of_tensor(&constant.name, a.attributes.node);
            }
            tensors.push((name, vec![channels], vector(a, &constant, channels)?));
        }
        let eps = short(a.attributes.float("epsilon", 1e-5)?);
        let momentum = short_rest(a.attributes.float("momentum", 0.9)?);
        if !(eps > 0.0 && eps <= 1.0) {
            return Err(a.fault(format!(
                "epsilon must be greater than 0 and at most 1, not {eps}"
            )));
        }
        // Evaluation does not depend on it.
        let momentum = if momentum > 0.0 && momentum <= 1.0 {
            momentum
        } else {
            Operation::MOMENTUM
        };
        let operation = Operation::BatchNorm { eps, momentum };
        self.push(a, operation, vec![x], LayerTensors { hint, tensors })
    }

    pub(super) fn gemm(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.vector_input(a)?;
        if a.attributes.int("transA", 0)? != 0 {
            return Err(a.fault("a first input that is transposed is not read"));
        }
        let weight = a.constant(1, "the weight")?;
        let is_transposed = a.attributes.int("transB", 0)? != 0;
        let alpha = a.attributes.float("alpha", 1.0)?;
        let (outputs, mut values) = linear_weight(a, &weight, self.shape_of(x)[0], is_transposed)?;
        values.iter_mut().for_each(|value| *value *= alpha);
        let mut tensors = vec![("weight", vec![outputs, self.shape_of(x)[0]], values)];
        let bias = a.optional(2).is_some();
        if bias {
            let bias = a.constant(2, "the bias")?;
            let beta = a.attributes.float("beta", 1.0)?;
            let values = match bias.scalar() {
                Some(value) => vec![value; outputs],
                None => vector(a, &bias, outputs)?,
            };
            let values = values.into_iter().map(|value| value * beta).collect();
            tensors.push(("bias", vec![outputs], values));
        }
        self.take(&weight, a);
        let hint = Hint::of_tensor(&weight.name, a.attributes.node);
        let operation = Operation::Linear {
            out_features: outputs,
            bias,
            init: None,
        };
        self.push(a, operation, vec![x], LayerTensors { hint, tensors })
    }

    pub(super) fn matmul(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        if let Value::Constant(_) = a.input(0)? {
            return Err(a.fault("products along the height or width of images are not read"));
        }
        let x = self.vector_input(a)?;
        let weight = a.constant(1, "the second factor")?;
        let (outputs, values) = linear_weight(a, &weight, self.shape_of(x)[0], false)?;
        self.take(&weight, a);
        let hint = Hint::of_tensor(&weight.name, a.attributes.node);
        let tensors = vec![("weight", vec![outputs, self.shape_of(x)[0]], values)];
        let operation = Operation::Linear {
            out_features: outputs,
            bias: false,
            init: None,
        };
        self.push(a, operation, vec![x], LayerTensors { hint, tensors })
    }

    /// The first input, which must be values.
    fn vector_input(&mut self, a: &Arguments<'_>) -> Outcome<usize> {
        let x = self.node(a, 0)?;
        match self.shape_of(x).len() {
            1 => Ok(x),
            _ => Err(a.fault("products along the height or width of images are not read")),
        }
    }

    pub(super) fn activation(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let function = match &*a.attributes.node.op_type {
            "Relu" => Activation::Relu,
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "HardSwish" => Activation::Hardswish,
            "Swish" if a.attributes.float("alpha", 1.0)? == 1.0 => Activation::Silu,
            "Gelu" => match a.attributes.text("approximate")? {
                None | Some("none") => Activation::Gelu,
                Some(_) => return Err(a.fault("GELU is read in its exact form alone")),
            },
            "HardSigmoid" => {
                let alpha = a.attributes.float("alpha", 0.2)?;
                let beta = a.attributes.float("beta", 0.5)?;
                if (alpha - 1.0 / 6.0).abs() > 1e-6 || beta != 0.5 {
                    return Err(a.fault(format!(
                        "a HardSigmoid with alpha 1/6 and beta 1/2 is read, as PyTorch's, not {alpha} and {beta}"
                    )));
                }
                Activation::Hardsigmoid
            }
            other => return Err(a.fault(format!("{other} with these settings is not read"))),
        };
        let x = self.node(a, 0)?;
        self.layer(a, Operation::Activation { function }, vec![x])
    }

    pub(super) fn clip(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.node(a, 0)?;
        let mut bounds = [f64::NEG_INFINITY, f64::INFINITY];
        for (at, name) in ["min", "max"].into_iter().enumerate() {
            // An attribute in early versions, then an input.
            let attribute = a.attributes.float(name, f32::NAN)?;
            let value = match a.optional(at + 1) {
                None => attribute,
                Some(_) => {
                    let bound = a.constant(at + 1, name)?;
                    let bound = bound.scalar();
                    bound.ok_or_else(|| a.fault(format!("{name} must be one number")))?
                }
            };
            if !value.is_nan() {
                bounds[at] = short(value);
            }
        }
        let operation = match bounds {
            [0.0, f64::INFINITY] => Operation::Activation {
                function: Activation::Relu,
            },
            [0.0, 6.0] => Operation::Activation {
                function: Activation::Relu6,
            },
            [f64::NEG_INFINITY, f64::INFINITY] => return Ok(Value::Node(x)),
            [min, max] if min < max => Operation::Hardtanh {
                min: min.max(f64::from(f32::MIN)),
                max: max.min(f64::from(f32::MAX)),
            },
            [min, max] => return Err(a.fault(format!("clips between {min} and {max}"))),
        };
        self.layer(a, operation, vec![x])
    }

    pub(super) fn dropout(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.node(a, 0)?;
        let p = match a.optional(1) {
            Some(_) => a.constant(1, "the ratio")?.scalar().unwrap_or(0.5),
            None => a.attributes.float("ratio", 0.5)?,
        };
        let p = short(p);
        if !(0.0..1.0).contains(&p) {
            return Err(a.fault(format!(
                "the ratio must be at least 0 and less than 1, not {p}"
            )));
        }
        match p {
            0.0 => Ok(Value::Node(x)),
            _ => self.layer(a, Operation::Dropout { p }, vec![x]),
        }
    }
}

/// The values of a vector.
fn vector(a: &Arguments<'_>, constant: &Constant, len: usize) -> Outcome<Vec<f32>> {
    let values = constant.floats()?;
    let is_vector = constant.shape.iter().filter(|side| **side != 1).count() <= 1;
    if values.len() != len || !is_vector {
        return Err(a.fault(format!(
            "{} has the shape {:?} where {len} values belong",
            constant.shown(),
            constant.shape
        )));
    }
    Ok(values.to_vec())
}

/// The weight `[outputs, inputs]` of a fully connected layer, and the number of outputs.
fn linear_weight(
    a: &Arguments<'_>,
    weight: &Constant,
    inputs: usize,
    is_transposed: bool,
) -> Outcome<(usize, Vec<f32>)> {
    let outputs = match (&weight.shape[..], is_transposed) {
        (&[outputs, columns], true) if columns == inputs => outputs,
        (&[rows, outputs], false) if rows == inputs => outputs,
        _ => {
            return Err(a.fault(format!(
                "the weight {} of the shape {:?} does not fit {inputs} values",
                weight.shown(),
                weight.shape
            )));
        }
    };
    let values = weight.floats()?;
    if is_transposed {
        return Ok((outputs, values.to_vec()));
    }
    let turned = weight.permuted(&[1, 0]);
    let turned = turned.ok_or_else(|| a.fault("the weight has no rows and columns"))?;
    Ok((outputs, turned.floats()?.to_vec()))
}

/// The shortest decimal number that rounds to an f32: 0.001 is not 0.0010000000474974513.
fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// One less a momentum, as PyTorch counts it: of 0.9, which is 0.1.
fn short_rest(value: f32) -> f64 {
    let rest = 1.0 - short(value);
    (rest * 1e6).round() / 1e6
}
