//! Operations that move values, and the sizes that they take.

use std::rc::Rc;

use super::super::Outcome;
use super::super::constant::{Constant, Values};
use super::super::proto;
use super::super::values::{Size, Value};
use super::arithmetic::bounded;
use super::{Arguments, Converter};
use crate::graph::Operation;

impl Converter<'_> {
    pub(super) fn constant_node(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        if let Some(tensor) = a.attributes.tensor("value") {
            let mut constant = self.constant(tensor).map_err(|error| a.fault(error))?;
            constant.name = a
                .attributes
                .node
                .output
                .first()
                .cloned()
                .unwrap_or_default();
            return Ok(Value::Constant(Rc::new(constant)));
        }
        let numbers = |name| a.attributes.numbers(name);
        let scalar = |values| {
            Value::Constant(Rc::new(Constant {
                name: String::new(),
                shape: Vec::new(),
                values,
            }))
        };
        if numbers("value_float").is_some() {
            let value = a.attributes.float("value_float", 0.0)?;
            return Ok(scalar(Values::F32(vec![value])));
        }
        if numbers("value_int").is_some() {
            let value = a.attributes.int("value_int", 0)?;
            return Ok(scalar(Values::I64(vec![value])));
        }
        if let Some(values) = a.attributes.ints("value_ints")? {
            let sizes = values.iter().copied().map(Size::Known).collect();
            return Ok(Value::Sizes(sizes));
        }
        if let Some(attribute) = numbers("value_floats") {
            return Ok(Value::Constant(Rc::new(Constant {
                name: String::new(),
                shape: vec![attribute.floats.len()],
                values: Values::F32(attribute.floats.clone()),
            })));
        }
        Err(a.fault("a constant of this kind is not read"))
    }

    pub(super) fn mean(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.image(a, 0)?;
        let axes = a.numbers("axes", 1)?.unwrap_or_default();
        let mut axes: Vec<_> = axes.iter().map(|axis| axis.rem_euclid(4)).collect();
        axes.sort_unstable();
        if axes != [2, 3] {
            return Err(a.fault(format!(
                "means over the axes {axes:?} are not read: only over height and width, 2 and 3"
            )));
        }
        let operation = match a.attributes.int("keepdims", 1)? {
            0 => Operation::Mean,
            _ => Operation::AdaptiveAvgPool2d { output: [1, 1] },
        };
        self.layer(a, operation, vec![x])
    }

    pub(super) fn flatten(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.node(a, 0)?;
        match a.attributes.int("axis", 1)? {
            1 => self.flat(a, x),
            axis if axis < 0 && axis + self.shape_of(x).len() as i64 + 1 == 1 => self.flat(a, x),
            axis => Err(a.fault(format!(
                "flattens from axis {axis}: only from 1, after the batch, is read"
            ))),
        }
    }

    /// An image as values.
    fn flat(&mut self, a: &Arguments<'_>, x: usize) -> Outcome<Value> {
        match self.shape_of(x).len() {
            1 => Ok(Value::Node(x)),
            _ => self.layer(a, Operation::Flatten, vec![x]),
        }
    }

    pub(super) fn reshape(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let sizes = a.input(1)?.sizes();
        let sizes = sizes.ok_or_else(|| a.fault("the new shape must be known"))?;
        if let Value::Constant(constant) = a.input(0)? {
            return self.reshape_constant(a, constant, &sizes);
        }
        let x = self.node(a, 0)?;
        let shape = self.shape_of(x).to_vec();
        let len: i64 = shape.iter().map(|side| *side as i64).product();
        let is_batch = |size: Size| match size {
            Size::Batch | Size::Known(-1) => true,
            Size::Known(0) => a.attributes.int("allowzero", 0) == Ok(0),
            Size::Known(size) => Some(size) == self.batch,
        };
        match sizes[..] {
            [first, Size::Known(rest)]
                if is_batch(first) && (rest == len || rest == -1 && first != Size::Known(-1)) =>
            {
                self.flat(a, x)
            }
            [first, ref rest @ ..]
                if is_batch(first)
                    && rest.len() == shape.len()
                    && rest.iter().zip(&shape).all(|(new, side)| {
                        matches!(*new, Size::Known(new) if new == *side as i64 || new == -1 || new == 0)
                    }) =>
            {
                Ok(Value::Node(x))
            }
            _ => Err(a.fault(format!(
                "a new shape of {sizes:?} is not read: only images as values, [N, values]"
            ))),
        }
    }

    fn reshape_constant(
        &self,
        a: &Arguments<'_>,
        constant: &Constant,
        sizes: &[Size],
    ) -> Outcome<Value> {
        let len: usize = constant.shape.iter().product();
        let mut shape = Vec::new();
        let mut free = None;
        for (at, size) in sizes.iter().enumerate() {
            match size {
                Size::Known(0) if at < constant.shape.len() => shape.push(constant.shape[at]),
                Size::Known(-1) if free.is_none() => {
                    free = Some(at);
                    shape.push(1);
                }
                Size::Known(size) => shape.push(a.attributes.size("a side", *size, 0)?),
                Size::Batch => {
                    return Err(a.fault("a constant with the size of a batch is not read"));
                }
            }
        }
        let others = shape
            .iter()
            .try_fold(1usize, |len, side| len.checked_mul(*side));
        if let (Some(at), Some(others)) = (free, others)
            && others > 0
        {
            shape[at] = len / others;
        }
        if shape
            .iter()
            .try_fold(1usize, |len, side| len.checked_mul(*side))
            != Some(len)
        {
            return Err(a.fault(format!(
                "{} does not have the shape {shape:?}",
                constant.shown()
            )));
        }
        Ok(Value::Constant(Rc::new(Constant {
            shape,
            ..constant.clone()
        })))
    }

    pub(super) fn squeeze(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let axes = a.numbers("axes", 1)?;
        let value = a.input(0)?;
        if value.sizes().is_some() {
            return Ok(value.clone());
        }
        if let Value::Constant(constant) = value {
            let rank = constant.shape.len() as i64;
            let is_gone = |at: usize, side: usize| match &axes {
                None => side == 1,
                Some(axes) => {
                    side == 1
                        && axes
                            .iter()
                            .any(|axis| axis.rem_euclid(rank.max(1)) == at as i64)
                }
            };
            let sides = constant.shape.iter().enumerate();
            let shape = sides
                .filter(|(at, side)| !is_gone(*at, **side))
                .map(|(_, side)| *side)
                .collect();
            return Ok(Value::Constant(Rc::new(Constant {
                shape,
                ..(**constant).clone()
            })));
        }
        let x = self.node(a, 0)?;
        let mut axes: Vec<_> = axes
            .unwrap_or_else(|| vec![2, 3])
            .iter()
            .map(|axis| axis.rem_euclid(4))
            .collect();
        axes.sort_unstable();
        match *self.shape_of(x) {
            [_, 1, 1] if axes == [2, 3] => self.flat(a, x),
            _ => Err(a.fault(format!(
                "removes the axes {axes:?}: only height and width of 1 are read"
            ))),
        }
    }

    pub(super) fn unsqueeze(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let axes = a.numbers("axes", 1)?.unwrap_or_default();
        match a.input(0)? {
            Value::Affine(affine) if affine.without_dimension && (axes == [1] || axes == [-3]) => {
                let mut affine = affine.clone();
                affine.without_dimension = false;
                Ok(Value::Affine(affine))
            }
            Value::Constant(constant) if constant.floats().is_ok() => {
                let rank = (constant.shape.len() + axes.len()) as i64;
                let axes: Vec<_> = axes
                    .iter()
                    .map(|axis| axis.rem_euclid(rank.max(1)))
                    .collect();
                let mut sides = constant.shape.iter().copied();
                let side = |at: i64| {
                    if axes.contains(&at) {
                        Some(1)
                    } else {
                        sides.next()
                    }
                };
                let shape: Option<Vec<_>> = (0..rank).map(side).collect();
                let shape = shape.ok_or_else(|| a.fault("the axes are none of a tensor"))?;
                Ok(Value::Constant(Rc::new(Constant {
                    shape,
                    ..(**constant).clone()
                })))
            }
            value if value.sizes().is_some() => Ok(value.clone()),
            _ => Err(a.fault("a new dimension of a result is not read")),
        }
    }

    pub(super) fn transpose(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let Value::Constant(constant) = a.input(0)? else {
            return Err(a.fault(
                "the order of a result's dimensions is changed, which is not read: images must be [N, channels, height, \
                 width] throughout",
            ));
        };
        let rank = constant.shape.len();
        let order: Vec<usize> = match a.attributes.ints("perm")? {
            None => (0..rank).rev().collect(),
            Some(order) => order
                .iter()
                .map(|axis| usize::try_from(*axis).unwrap_or(rank))
                .collect(),
        };
        let turned = constant.permuted(&order);
        let turned = turned.ok_or_else(|| a.fault("perm is no order of the dimensions"))?;
        Ok(Value::Constant(Rc::new(turned)))
    }

    pub(super) fn shape(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let sizes = match a.input(0)? {
            Value::Constant(constant) => constant
                .shape
                .iter()
                .map(|side| Size::Known(*side as i64))
                .collect(),
            Value::Affine(affine) if !affine.without_dimension => self.sizes_of(affine.node),
            _ => {
                let x = self.node(a, 0)?;
                self.sizes_of(x)
            }
        };
        let rank = sizes.len() as i64;
        let clamp = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
        let (start, end) = (
            clamp(a.attributes.int("start", 0)?),
            clamp(a.attributes.int("end", rank)?),
        );
        Ok(Value::Sizes(
            sizes.get(start..end).unwrap_or_default().to_vec(),
        ))
    }

    pub(super) fn gather(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let axis = a.attributes.int("axis", 0)?;
        let indices = a.input(1)?.numbers();
        let indices = indices.ok_or_else(|| a.fault("indices must be known"))?;
        if let Some(sizes) = a.input(0)?.sizes() {
            let len = sizes.len() as i64;
            let pick = |index: &i64| {
                let at = if *index < 0 { index + len } else { *index };
                usize::try_from(at)
                    .ok()
                    .and_then(|at| sizes.get(at).copied())
            };
            let picked: Option<Vec<_>> = indices.iter().map(pick).collect();
            let picked = picked.filter(|_| axis == 0);
            let picked = picked.ok_or_else(|| a.fault("the indices are none of a shape"))?;
            return Ok(Value::Sizes(bounded(a, picked)?));
        }
        let is_scalar = match a.input(1)? {
            Value::Constant(constant) => constant.shape.is_empty(),
            _ => false,
        };
        let channels = self
            .affine(a.input(0)?)
            .filter(|affine| axis == 1 && !affine.without_dimension);
        let mut affine = channels
            .ok_or_else(|| a.fault("parts of a result are read for channels alone, axis 1"))?;
        let count = affine.channels.len() as i64;
        let pick = |index: &i64| {
            let at = if *index < 0 { index + count } else { *index };
            usize::try_from(at)
                .ok()
                .and_then(|at| affine.channels.get(at).copied())
        };
        let picked: Option<Vec<_>> = indices.iter().map(pick).collect();
        affine.channels = picked
            .filter(|picked| !picked.is_empty())
            .ok_or_else(|| a.fault("there is no such channel"))?;
        affine.without_dimension = is_scalar;
        Ok(Value::Affine(affine))
    }

    pub(super) fn slice(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let known = |name: &str, at| {
            let numbers = a.numbers(name, at)?;
            numbers.ok_or_else(|| a.fault(format!("{name} must be known")))
        };
        let (starts, ends) = (known("starts", 1)?, known("ends", 2)?);
        let axes = a.numbers("axes", 3)?.unwrap_or_else(|| vec![0]);
        let steps = a.numbers("steps", 4)?.unwrap_or_else(|| vec![1]);
        let (&[start], &[end], &[axis], [1]) = (&starts[..], &ends[..], &axes[..], &steps[..])
        else {
            return Err(a.fault("parts along one axis, one by one, are read alone"));
        };
        let range = |len: usize| {
            let len = len as i64;
            let clamp =
                |at: i64| (if at < 0 { at.saturating_add(len) } else { at }).clamp(0, len) as usize;
            clamp(start)..clamp(end)
        };
        if let Some(sizes) = a.input(0)?.sizes() {
            let part = sizes.get(range(sizes.len())).filter(|_| axis == 0);
            let part = part.ok_or_else(|| a.fault("is no part of a shape"))?;
            return Ok(Value::Sizes(part.to_vec()));
        }
        let affine = self
            .affine(a.input(0)?)
            .filter(|affine| !affine.without_dimension);
        let Some(mut affine) = affine else {
            return Err(a.fault("parts of a result are read for channels alone, axis 1"));
        };
        let of = |at: usize| self.shape_of(affine.node)[at];
        match axis.rem_euclid(4) {
            1 => {
                let part = affine.channels.get(range(affine.channels.len()));
                let part = part.filter(|part| !part.is_empty());
                affine.channels = part
                    .ok_or_else(|| a.fault("there are no such channels"))?
                    .to_vec();
                Ok(Value::Affine(affine))
            }
            side @ 2..=3 if range(of(side as usize - 1)) == (0..of(side as usize - 1)) => {
                Ok(Value::Affine(affine))
            }
            0 if start == 0 && end >= 1 << 31 => Ok(Value::Affine(affine)),
            _ => Err(a.fault("parts of a result are read for channels alone, axis 1")),
        }
    }

    pub(super) fn cast(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let to = a.attributes.int("to", 0)?;
        let value = a.input(0)?;
        let is_same = match value {
            Value::Constant(constant) => match constant.values {
                Values::F32(_) => to == i64::from(proto::FLOAT),
                Values::I64(_) => to == i64::from(proto::INT64),
            },
            Value::Sizes(_) => to == i64::from(proto::INT64),
            _ => to == i64::from(proto::FLOAT),
        };
        if !is_same {
            let name = super::super::constant::type_name(i32::try_from(to).unwrap_or(-1));
            return Err(a.fault(format!(
                "values of the type {name} are not read: only f32, and i64 for shapes"
            )));
        }
        Ok(value.clone())
    }

    /// Zeros around an image, which pools and convolutions take, or around values.
    pub(super) fn pad(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let x = self.node(a, 0)?;
        let pads = a.numbers("pads", 1)?.unwrap_or_default();
        let value = match a.optional(2) {
            Some(_) => a.constant(2, "the value")?.scalar().unwrap_or(f32::NAN),
            None => a.attributes.float("value", 0.0)?,
        };
        let mode = a.attributes.text("mode")?.unwrap_or("constant");
        let is_image = self.shape_of(x).len() == 3;
        let around = match (is_image, &pads[..]) {
            (true, &[0, 0, top, left, 0, 0, bottom, right]) => [top, left, bottom, right],
            (false, &[0, before, 0, after]) => [0, before, 0, after],
            _ => {
                let sides = if is_image {
                    "height and width"
                } else {
                    "the values of a sample"
                };
                return Err(a.fault(format!(
                    "pads of {pads:?} are not read: only {sides}, and not negative"
                )));
            }
        };
        let size = |value| a.attributes.size("pads", value, 0);
        let [top, left, bottom, right] = around;
        let pads = [size(top)?, size(left)?, size(bottom)?, size(right)?];
        let has_zeros = mode == "constant" && value == 0.0;
        match pads {
            [0, 0, 0, 0] => Ok(Value::Node(x)),
            _ if !has_zeros => Err(a.fault("a padding with zeros is read alone")),
            _ if is_image => Ok(Value::Padded { node: x, pads }),
            [_, before, _, after] => {
                let padding = [before, after];
                self.layer(a, Operation::ZeroPad1d { padding }, vec![x])
            }
        }
    }
}
