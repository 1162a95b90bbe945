//! Sums and products: of branches, of a bias, and of constants for channels.

use super::super::Outcome;
use super::super::constant::Constant;
use super::super::values::{Affine, Channel, Size, Value};
use super::{Arguments, Converter, LayerTensors};
use crate::graph::Operation;
use crate::ops::Activation;

impl Converter<'_> {
    pub(super) fn arithmetic(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let op = &*a.attributes.node.op_type;
        let is_known =
            |value: &Option<Value>| matches!(value, Some(Value::Constant(_) | Value::Sizes(_)));
        match &a.inputs[..] {
            [x, y] if is_known(x) && is_known(y) => self.sizes_arithmetic(a),
            [Some(x), Some(Value::Constant(constant))] => {
                self.with_constant(a, (0, x.clone()), constant, false)
            }
            [Some(Value::Constant(constant)), Some(x)] => {
                self.with_constant(a, (1, x.clone()), constant, true)
            }
            [Some(_), Some(_)] if op == "Mul" => self.product(a),
            inputs if matches!(op, "Add" | "Sum") && !inputs.is_empty() => {
                let nodes = (0..inputs.len()).map(|at| self.node(a, at));
                let nodes = nodes.collect::<Outcome<Vec<_>>>()?;
                self.layer(a, Operation::Sum, nodes)
            }
            _ => Err(a.fault(format!("{op} of two results is not read"))),
        }
    }

    /// A product of two results. With a sigmoid of the other factor it is an activation.
    fn product(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let (x, y) = (self.node(a, 0)?, self.node(a, 1)?);
        for (at, gate, x) in [(0, x, y), (1, y, x)] {
            let node = &self.graph.nodes[gate];
            let whole = match node.operation {
                Operation::Activation {
                    function: Activation::Sigmoid,
                } => Activation::Silu,
                Operation::Activation {
                    function: Activation::Hardsigmoid,
                } => Activation::Hardswish,
                _ => continue,
            };
            if node.inputs == [x] && self.is_only_use(a, at) {
                self.graph.nodes[gate].operation = Operation::Activation { function: whole };
                return Ok(Value::Node(gate));
            }
        }
        self.layer(a, Operation::Mul, vec![x, y])
    }

    /// A result and a constant: a bias, or a scale or shift of channels. `is_first` says whether the constant comes first.
    fn with_constant(
        &mut self,
        a: &Arguments<'_>,
        (at, value): (usize, Value),
        constant: &Constant,
        is_first: bool,
    ) -> Outcome<Value> {
        let op = &*a.attributes.node.op_type;
        if let (Value::Node(node), "Add") = (&value, op)
            && self.add_bias(a, at, *node, constant)?
        {
            return Ok(value);
        }
        let Some(mut affine) = self.affine(&value) else {
            // Errors for what is no image.
            let node = self.node_of(a, value)?;
            if self.is_neutral(op, constant, is_first)? {
                return Ok(Value::Node(node));
            }
            return Err(a.fault(format!(
                "{op} of values and {} is not read, but for the bias of a layer before it",
                constant.shown()
            )));
        };
        let values = constant.floats()?;
        let count = affine.channels.len();
        let of_channels = match constant.shape[..] {
            [n, 1, 1] | [1, n, 1, 1] if !affine.without_dimension => n == count,
            _ => false,
        };
        if values.len() != 1 && !of_channels {
            return Err(a.fault(format!(
                "{} of the shape {:?} is neither one number nor one for each of {count} channels",
                constant.shown(),
                constant.shape
            )));
        }
        for (at, channel) in affine.channels.iter_mut().enumerate() {
            let number = f64::from(if values.len() == 1 {
                values[0]
            } else {
                values[at]
            });
            let Channel { scale, shift, .. } = *channel;
            (channel.scale, channel.shift) = match (op, is_first) {
                ("Add" | "Sum", _) => (scale, shift + number),
                ("Sub", false) => (scale, shift - number),
                ("Sub", true) => (-scale, number - shift),
                ("Mul", _) => (scale * number, shift * number),
                ("Div", false) if number != 0.0 => (scale / number, shift / number),
                _ => return Err(a.fault("divides by what is not known, or by 0")),
            };
        }
        Ok(Value::Affine(affine))
    }

    /// Whether an operation changes nothing.
    fn is_neutral(&self, op: &str, constant: &Constant, is_first: bool) -> Outcome<bool> {
        let values = constant.floats()?;
        Ok(match op {
            "Add" | "Sum" => values.iter().all(|value| *value == 0.0),
            "Sub" => !is_first && values.iter().all(|value| *value == 0.0),
            "Mul" => values.iter().all(|value| *value == 1.0),
            _ => !is_first && values.iter().all(|value| *value == 1.0),
        })
    }

    /// Makes a constant the bias of the layer that alone gives an input and has none.
    fn add_bias(
        &mut self,
        a: &Arguments<'_>,
        at: usize,
        node: usize,
        constant: &Constant,
    ) -> Outcome<bool> {
        if !self.is_only_use(a, at) {
            return Ok(false);
        }
        let (outputs, has_bias, fits) = match &mut self.graph.nodes[node].operation {
            Operation::Linear {
                out_features, bias, ..
            } => {
                let fits = matches!(constant.shape[..], [n] | [1, n] if n == *out_features);
                (*out_features, bias, fits)
            }
            Operation::Conv2d {
                out_channels, bias, ..
            } => {
                let fits =
                    matches!(constant.shape[..], [n, 1, 1] | [1, n, 1, 1] if n == *out_channels);
                (*out_channels, bias, fits)
            }
            _ => return Ok(false),
        };
        if *has_bias || !fits {
            return Ok(false);
        }
        *has_bias = true;
        let values = constant.floats()?.to_vec();
        self.layers[node]
            .tensors
            .push(("bias", vec![outputs], values));
        Ok(true)
    }

    /// Channels that are scaled and shifted, as a convolution of 1x1.
    pub(super) fn apply_affine(&mut self, a: &Arguments<'_>, affine: &Affine) -> Outcome<usize> {
        let inputs = self.shape_of(affine.node)[0];
        if affine.is_whole(inputs) {
            return Ok(affine.node);
        }
        if affine.without_dimension {
            return Err(a.fault("takes channels without their dimension"));
        }
        let outputs = affine.channels.len();
        let is_depthwise = affine.is_in_order(inputs);
        let weight = if is_depthwise {
            affine
                .channels
                .iter()
                .map(|channel| channel.scale as f32)
                .collect()
        } else {
            let mut weight = vec![0.0; outputs * inputs];
            for (row, channel) in weight.chunks_exact_mut(inputs).zip(&affine.channels) {
                row[channel.index] = channel.scale as f32;
            }
            weight
        };
        let columns = if is_depthwise { 1 } else { inputs };
        let mut tensors = vec![("weight", vec![outputs, columns, 1, 1], weight)];
        let shifts: Vec<_> = affine
            .channels
            .iter()
            .map(|channel| channel.shift as f32)
            .collect();
        let bias = shifts.iter().any(|shift| *shift != 0.0);
        if bias {
            tensors.push(("bias", vec![outputs], shifts));
        }
        let operation = Operation::Conv2d {
            out_channels: outputs,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: if is_depthwise { inputs } else { 1 },
            bias,
            init: None,
        };
        let layer = LayerTensors {
            tensors,
            ..LayerTensors::default()
        };
        match self.push(a, operation, vec![affine.node], layer)? {
            Value::Node(node) => Ok(node),
            _ => Err(a.fault("is no layer")),
        }
    }

    pub(super) fn concat(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let axis = a.attributes.int("axis", 1)?;
        let inputs: Vec<_> = (0..a.inputs.len())
            .map(|at| a.input(at).cloned())
            .collect::<Outcome<_>>()?;
        let sizes: Option<Vec<_>> = inputs.iter().map(Value::sizes).collect();
        if let Some(sizes) = sizes {
            return Ok(Value::Sizes(bounded(a, sizes.concat())?));
        }
        // Channels of one image, put together again.
        if inputs.iter().any(|input| matches!(input, Value::Affine(_)))
            && axis == 1
            && let Some(parts) = inputs
                .iter()
                .map(|input| self.affine(input))
                .collect::<Option<Vec<_>>>()
            && parts
                .iter()
                .all(|part| part.node == parts[0].node && !part.without_dimension)
        {
            return Ok(Value::Affine(Affine {
                node: parts[0].node,
                channels: parts.into_iter().flat_map(|part| part.channels).collect(),
                without_dimension: false,
            }));
        }
        let nodes = (0..inputs.len()).map(|at| self.node(a, at));
        let nodes = nodes.collect::<Outcome<Vec<_>>>()?;
        let rank = nodes
            .first()
            .map_or(0, |node| self.shape_of(*node).len() as i64 + 1);
        if axis != 1 && axis + rank != 1 {
            return Err(a.fault(format!(
                "concatenates on axis {axis}: only channels, axis 1, are read"
            )));
        }
        match nodes[..] {
            [] => Err(a.fault("has no input")),
            [only] => Ok(Value::Node(only)),
            _ => self.layer(a, Operation::Concat, nodes),
        }
    }

    /// Sums and products of sizes.
    fn sizes_arithmetic(&self, a: &Arguments<'_>) -> Outcome<Value> {
        let op = &*a.attributes.node.op_type;
        let numbers = |at: usize| a.input(at).ok().and_then(Value::numbers);
        let (Some(x), Some(y)) = (numbers(0), numbers(1)) else {
            return Err(a.fault(format!("{op} of constants is read for known sizes alone")));
        };
        let len = x.len().max(y.len());
        let at = |list: &[i64], at: usize| list.get(if list.len() == 1 { 0 } else { at }).copied();
        let compute = |place: usize| {
            let (x, y) = (at(&x, place)?, at(&y, place)?);
            match op {
                "Add" | "Sum" => x.checked_add(y),
                "Sub" => x.checked_sub(y),
                "Mul" => x.checked_mul(y),
                _ => x.checked_div(y),
            }
        };
        let result: Option<Vec<_>> = (0..len)
            .map(|place| compute(place).map(Size::Known))
            .collect();
        let result = result.ok_or_else(|| a.fault("computes a size that is none"))?;
        Ok(Value::Sizes(result))
    }
}

/// A list of sizes that is not longer than shapes are.
pub(super) fn bounded(a: &Arguments<'_>, sizes: Vec<Size>) -> Outcome<Vec<Size>> {
    const MOST: usize = 64;
    if sizes.len() > MOST {
        return Err(a.fault(format!("a list of more than {MOST} sizes is not read")));
    }
    Ok(sizes)
}
