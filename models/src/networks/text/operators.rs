//! Operators on values: arithmetic, comparison, repetition, items and slices.

use ruff_python_ast::{CmpOp, Operator, UnaryOp};
use ruff_text_size::TextRange;

use super::arguments::shorten;
use super::error::{Fault, Outcome};
use super::interpreter::Interpreter;
use super::value::Value;

impl<'a> Interpreter<'a> {
    pub(super) fn binary(
        &mut self,
        op: Operator,
        left: &Value<'a>,
        right: &Value<'a>,
        range: TextRange,
    ) -> Outcome<Value<'a>> {
        if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
            return whole_numbers(op, a, b, range);
        }
        if let (Some(a), Some(b)) = (left.as_number(), right.as_number()) {
            return numbers(op, a, b, range);
        }
        match (op, left, right) {
            (Operator::Add, Value::Str(a), Value::Str(b)) => self.string(format!("{a}{b}"), range),
            (Operator::Add, Value::List(_), Value::List(_))
            | (Operator::Add, Value::Tuple(_), Value::Tuple(_)) => {
                let mut items = left.items().unwrap_or_default();
                items.extend(right.items().unwrap_or_default());
                match left {
                    Value::List(_) => self.list(items, range),
                    _ => self.tuple(items, range),
                }
            }
            (Operator::Mult, value, count) | (Operator::Mult, count, value)
                if count.as_int().is_some()
                    && matches!(value, Value::Str(_) | Value::List(_) | Value::Tuple(_)) =>
            {
                self.repeat(value, count.as_int().unwrap_or(0), range)
            }
            _ => Err(Fault::new(
                range,
                format!(
                    "{} has no place between {} and {}",
                    op.as_str(),
                    left.a_type(),
                    right.a_type()
                ),
            )),
        }
    }

    fn repeat(&mut self, value: &Value<'a>, count: i64, range: TextRange) -> Outcome<Value<'a>> {
        let count = usize::try_from(count).unwrap_or(0);
        let items = value.items().unwrap_or_default();
        let len = match value {
            Value::Str(text) => text.len(),
            _ => items.len(),
        };
        // Before the memory is taken.
        self.allocate(len.saturating_mul(count), range)?;
        match value {
            Value::Str(text) => self.string(text.repeat(count), range),
            _ => {
                let len = items.len() * count;
                let items = items.into_iter().cycle().take(len).collect();
                match value {
                    Value::Tuple(_) => self.tuple(items, range),
                    _ => self.list(items, range),
                }
            }
        }
    }

    pub(super) fn slice(
        &mut self,
        container: &Value<'a>,
        from: Option<Value<'a>>,
        to: Option<Value<'a>>,
        step: Option<Value<'a>>,
        range: TextRange,
    ) -> Outcome<Value<'a>> {
        let items = match container {
            Value::Str(_) => self.iterate(container, range)?,
            _ => match container.items() {
                Some(items) => items,
                None => {
                    let message = format!("{} has no parts", container.a_type());
                    return Err(Fault::new(range, message));
                }
            },
        };
        let whole = |value: Option<Value<'a>>| match value {
            None | Some(Value::None) => Ok(None),
            Some(value) => match value.as_int() {
                Some(number) => Ok(Some(number)),
                None => Err(Fault::new(
                    range,
                    "the bounds of a part are whole numbers".to_owned(),
                )),
            },
        };
        let (from, to, step) = (whole(from)?, whole(to)?, whole(step)?.unwrap_or(1));
        if step == 0 {
            return Err(Fault::new(range, "the step of a part is not 0".to_owned()));
        }
        let len = items.len() as i64;
        let clamp = |bound: i64| {
            let bound = if bound < 0 {
                bound.saturating_add(len)
            } else {
                bound
            };
            if step > 0 {
                bound.clamp(0, len)
            } else {
                bound.clamp(-1, len - 1)
            }
        };
        let (first, end) = if step > 0 { (0, len) } else { (len - 1, -1) };
        let mut at = from.map_or(first, clamp);
        let end = to.map_or(end, clamp);
        let mut part = Vec::new();
        while if step > 0 { at < end } else { at > end } {
            part.push(items[at as usize].clone());
            at = at.saturating_add(step);
        }
        match container {
            Value::Tuple(_) => self.tuple(part, range),
            Value::Str(_) => {
                let text = part.iter().filter_map(|part| match part {
                    Value::Str(text) => Some(&**text),
                    _ => None,
                });
                self.string(text.collect(), range)
            }
            _ => self.list(part, range),
        }
    }
}

fn too_large(range: TextRange) -> Box<Fault> {
    Fault::new(range, "the result is too large a number".to_owned())
}

pub(super) fn unary<'a>(op: UnaryOp, value: &Value<'a>, range: TextRange) -> Outcome<Value<'a>> {
    match (op, value) {
        (UnaryOp::Not, value) => Ok(Value::Bool(!value.is_true())),
        (UnaryOp::USub, Value::Float(number)) => Ok(Value::Float(-number)),
        (UnaryOp::USub, value) if value.as_int().is_some() => {
            let negated = value.as_int().and_then(i64::checked_neg);
            negated.map(Value::Int).ok_or_else(|| too_large(range))
        }
        (UnaryOp::UAdd, value) if value.as_number().is_some() => Ok(value.clone()),
        (op, value) => {
            let message = format!("{} has no place before {}", op.as_str(), value.a_type());
            Err(Fault::new(range, message))
        }
    }
}

fn whole_numbers<'a>(op: Operator, a: i64, b: i64, range: TextRange) -> Outcome<Value<'a>> {
    let result = match op {
        Operator::Add => a.checked_add(b),
        Operator::Sub => a.checked_sub(b),
        Operator::Mult => a.checked_mul(b),
        Operator::FloorDiv | Operator::Mod | Operator::Div if b == 0 => {
            return Err(Fault::new(range, "division by zero".to_owned()));
        }
        Operator::FloorDiv => a.checked_div_euclid(b).map(|quotient| {
            // Python rounds down.
            if b < 0 && quotient.checked_mul(b) != Some(a) {
                quotient - 1
            } else {
                quotient
            }
        }),
        Operator::Mod => a
            .checked_rem_euclid(b)
            .map(|rest| if b < 0 && rest != 0 { rest + b } else { rest }),
        Operator::Pow if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        _ => return numbers(op, a as f64, b as f64, range),
    };
    result.map(Value::Int).ok_or_else(|| too_large(range))
}

fn numbers<'a>(op: Operator, a: f64, b: f64, range: TextRange) -> Outcome<Value<'a>> {
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div | Operator::FloorDiv | Operator::Mod if b == 0.0 => {
            return Err(Fault::new(range, "division by zero".to_owned()));
        }
        Operator::Div => a / b,
        Operator::FloorDiv => (a / b).floor(),
        Operator::Mod => a - b * (a / b).floor(),
        Operator::Pow => a.powf(b),
        other => {
            let message = format!("{} has no place here", other.as_str());
            return Err(Fault::new(range, message));
        }
    };
    if result.is_finite() {
        Ok(Value::Float(result))
    } else {
        Err(too_large(range))
    }
}

pub(super) fn compare<'a>(
    op: CmpOp,
    left: &Value<'a>,
    right: &Value<'a>,
    range: TextRange,
) -> Outcome<bool> {
    let ordering = || {
        let order = match (left, right) {
            (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
            _ => match (left.as_number(), right.as_number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => None,
            },
        };
        order.ok_or_else(|| {
            let message = format!(
                "{} has no place between {} and {}",
                op.as_str(),
                left.a_type(),
                right.a_type()
            );
            Fault::new(range, message)
        })
    };
    Ok(match op {
        CmpOp::Eq => left.equals(right),
        CmpOp::NotEq => !left.equals(right),
        CmpOp::Is => left.equals(right) && left.type_name() == right.type_name(),
        CmpOp::IsNot => !(left.equals(right) && left.type_name() == right.type_name()),
        CmpOp::Lt => ordering()?.is_lt(),
        CmpOp::LtE => ordering()?.is_le(),
        CmpOp::Gt => ordering()?.is_gt(),
        CmpOp::GtE => ordering()?.is_ge(),
        CmpOp::In | CmpOp::NotIn => {
            let is_in = match (right, left) {
                (Value::Str(text), Value::Str(part)) => text.contains(&**part),
                (Value::Dict(items), key) => {
                    items.borrow().iter().any(|(known, _)| known.equals(key))
                }
                (right, left) => match right.items() {
                    Some(items) => items.iter().any(|item| item.equals(left)),
                    None => {
                        let message = format!("nothing is in {}", right.a_type());
                        return Err(Fault::new(range, message));
                    }
                },
            };
            is_in == (op == CmpOp::In)
        }
    })
}

/// The place of an item, counted from the end if it is negative.
pub(super) fn item_place(index: &Value<'_>, len: usize, range: TextRange) -> Outcome<usize> {
    let place = match index {
        Value::Int(index) if *index < 0 => index.checked_add(len as i64),
        Value::Int(index) => Some(*index),
        other => {
            let message = format!(
                "items are counted by whole numbers, not by {}",
                other.a_type()
            );
            return Err(Fault::new(range, message));
        }
    };
    let place = place.and_then(|place| usize::try_from(place).ok());
    place.filter(|place| *place < len).ok_or_else(|| {
        Fault::new(
            range,
            format!("there is no item {}: there are {len}", index.repr()),
        )
    })
}

pub(super) fn item<'a>(
    container: &Value<'a>,
    index: &Value<'a>,
    range: TextRange,
) -> Outcome<Value<'a>> {
    match container {
        Value::Dict(items) => {
            let items = items.borrow();
            let found = items.iter().find(|(key, _)| key.equals(index));
            found.map(|(_, value)| value.clone()).ok_or_else(|| {
                Fault::new(range, format!("there is no key {}", shorten(index.repr())))
            })
        }
        Value::Str(text) => {
            let characters: Vec<_> = text.chars().collect();
            let place = item_place(index, characters.len(), range)?;
            Ok(Value::Str(characters[place].to_string().into()))
        }
        _ => match container.items() {
            Some(items) => Ok(items[item_place(index, items.len(), range)?].clone()),
            None => {
                let message = format!("{} has no items", container.a_type());
                Err(Fault::new(range, message))
            }
        },
    }
}
