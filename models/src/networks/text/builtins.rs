//! The functions of the language, and the methods of lists and strings: those of Python that texts of networks use.

use ruff_python_ast::Operator;

use super::arguments::{CallArguments, shorten};
use super::error::{Fault, Outcome};
use super::interpreter::Interpreter;
use super::options;
use super::python::{self, shown};
use super::value::Value;

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Abs,
    All,
    Any,
    Bool,
    Enumerate,
    Float,
    Int,
    Len,
    List,
    Max,
    Min,
    Option,
    Range,
    Reversed,
    Round,
    Str,
    Sum,
    Tuple,
    Zip,
}

pub(super) const BUILTINS: &[(&str, Builtin)] = &[
    ("abs", Builtin::Abs),
    ("all", Builtin::All),
    ("any", Builtin::Any),
    ("bool", Builtin::Bool),
    ("enumerate", Builtin::Enumerate),
    ("float", Builtin::Float),
    ("int", Builtin::Int),
    ("len", Builtin::Len),
    ("list", Builtin::List),
    ("max", Builtin::Max),
    ("min", Builtin::Min),
    ("option", Builtin::Option),
    ("range", Builtin::Range),
    ("reversed", Builtin::Reversed),
    ("round", Builtin::Round),
    ("str", Builtin::Str),
    ("sum", Builtin::Sum),
    ("tuple", Builtin::Tuple),
    ("zip", Builtin::Zip),
];

impl Builtin {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let found = BUILTINS.iter().find(|(known, _)| *known == name);
        found.map(|(_, builtin)| *builtin)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        BUILTINS.iter().map(|(name, _)| *name)
    }

    fn name(self) -> &'static str {
        let found = BUILTINS.iter().find(|(_, builtin)| *builtin == self);
        found.map_or("", |(name, _)| name)
    }

    pub(super) fn call<'a>(
        self,
        interpreter: &mut Interpreter<'a>,
        arguments: CallArguments<'a>,
    ) -> Outcome<Value<'a>> {
        let range = arguments.range;
        if self == Self::Option {
            return options::declare(arguments);
        }
        let fault = |message| Err(Fault::new(range, message));
        if let Some((name, _)) = arguments
            .keyword
            .first()
            .filter(|_| self != Self::Enumerate)
        {
            return fault(format!("{}() has no argument {name}", self.name()));
        }
        let wrong_count = || {
            Fault::new(
                range,
                format!("{}() is given the wrong number of arguments", self.name()),
            )
        };
        let values = &arguments.positional;
        let one = || match &values[..] {
            [value] => Ok(value),
            _ => Err(wrong_count()),
        };
        match self {
            Self::Range => {
                let bounds: Vec<_> = values.iter().map(Value::as_int).collect();
                let (from, to, step) = match bounds[..] {
                    [Some(to)] => (0, to, 1),
                    [Some(from), Some(to)] => (from, to, 1),
                    [Some(from), Some(to), Some(step)] if step != 0 => (from, to, step),
                    _ => {
                        return fault(
                            "range() takes one to three whole numbers, and no step of 0".to_owned(),
                        );
                    }
                };
                let len = (i128::from(to) - i128::from(from)) / i128::from(step)
                    + i128::from((i128::from(to) - i128::from(from)) % i128::from(step) != 0);
                let len = usize::try_from(len.max(0)).unwrap_or(usize::MAX);
                // Before the memory is taken.
                interpreter.allocate(len, range)?;
                let items = (0..len as i64).map(|i| Value::Int(from + i * step));
                interpreter.list(items.collect(), range)
            }
            Self::Len => match one()? {
                Value::Str(text) => Ok(Value::Int(text.chars().count() as i64)),
                value => match value.len() {
                    Some(len) => Ok(Value::Int(len as i64)),
                    None => fault(format!("{} has no length", value.a_type())),
                },
            },
            Self::List => {
                let items = match &values[..] {
                    [] => Vec::new(),
                    _ => interpreter.iterate(one()?, range)?,
                };
                interpreter.list(items, range)
            }
            Self::Tuple => {
                let items = interpreter.iterate(one()?, range)?;
                interpreter.tuple(items, range)
            }
            Self::Reversed => {
                let mut items = interpreter.iterate(one()?, range)?;
                items.reverse();
                interpreter.list(items, range)
            }
            Self::Enumerate => {
                let start = match (arguments.keyword.first(), values.get(1)) {
                    (Some((name, value)), None) if *name == "start" => value.as_int(),
                    (None, Some(value)) => value.as_int(),
                    (None, None) => Some(0),
                    _ => None,
                };
                let (Some(start), Some(items)) = (start, values.first()) else {
                    return Err(wrong_count());
                };
                let items = interpreter.iterate(items, range)?;
                let mut pairs = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let index = Value::Int(start.saturating_add(index as i64));
                    pairs.push(interpreter.tuple(vec![index, item], range)?);
                }
                interpreter.list(pairs, range)
            }
            Self::Zip => {
                let mut columns = Vec::new();
                for value in values {
                    columns.push(interpreter.iterate(value, range)?);
                }
                let len = columns.iter().map(Vec::len).min().unwrap_or(0);
                let mut rows = Vec::new();
                for row in 0..len {
                    let row = columns.iter().map(|column| column[row].clone()).collect();
                    rows.push(interpreter.tuple(row, range)?);
                }
                interpreter.list(rows, range)
            }
            Self::All | Self::Any => {
                let items = interpreter.iterate(one()?, range)?;
                Ok(Value::Bool(match self {
                    Self::All => items.iter().all(Value::is_true),
                    _ => items.iter().any(Value::is_true),
                }))
            }
            Self::Sum => {
                let (items, start) = match &values[..] {
                    [items] => (items, Value::Int(0)),
                    [_, Value::Str(_)] => return fault("sum() joins no strings".to_owned()),
                    [items, start] => (items, start.clone()),
                    _ => return Err(wrong_count()),
                };
                let items = interpreter.iterate(items, range)?;
                items.iter().try_fold(start, |sum, item| {
                    interpreter.binary(Operator::Add, &sum, item, range)
                })
            }
            Self::Max | Self::Min => {
                let items = match &values[..] {
                    [list] => interpreter.iterate(list, range)?,
                    _ => values.clone(),
                };
                let numbers: Option<Vec<_>> = items.iter().map(Value::as_number).collect();
                let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
                    return fault(format!("{}() takes numbers", self.name()));
                };
                let mut best = 0;
                for (place, number) in numbers.iter().enumerate() {
                    let is_better = match self {
                        Self::Max => *number > numbers[best],
                        _ => *number < numbers[best],
                    };
                    if is_better {
                        best = place;
                    }
                }
                Ok(items[best].clone())
            }
            Self::Str => interpreter.string(shown(python::str(one()?), range)?, range),
            Self::Bool => Ok(Value::Bool(one()?.is_true())),
            Self::Int => {
                let value = one()?;
                let number = match value {
                    Value::Str(text) => text.trim().parse().ok(),
                    _ => value.as_int().or_else(|| value.as_number().and_then(whole)),
                };
                match number {
                    Some(number) => Ok(Value::Int(number)),
                    None => fault(format!(
                        "int() takes a number, not {}",
                        shorten(value.repr())
                    )),
                }
            }
            Self::Float => {
                let value = one()?;
                let number = match value {
                    Value::Str(text) => text.trim().parse().ok(),
                    _ => value.as_number(),
                };
                match number.filter(|number: &f64| number.is_finite()) {
                    Some(number) => Ok(Value::Float(number)),
                    None => fault(format!(
                        "float() takes a number, not {}",
                        shorten(value.repr())
                    )),
                }
            }
            Self::Abs => match one()? {
                Value::Float(number) => Ok(Value::Float(number.abs())),
                value => match value.as_int().and_then(i64::checked_abs) {
                    Some(number) => Ok(Value::Int(number)),
                    None => fault("abs() takes a number".to_owned()),
                },
            },
            Self::Round => match &values[..] {
                // Python rounds halves to even.
                [value] | [value, Value::None] => match value.as_int() {
                    Some(number) => Ok(Value::Int(number)),
                    None => match value.as_number().map(f64::round_ties_even).and_then(whole) {
                        Some(number) => Ok(Value::Int(number)),
                        None => fault("round() takes a number".to_owned()),
                    },
                },
                [value, digits] => match (value.as_int(), value.as_number(), digits.as_int()) {
                    (Some(number), _, Some(0..)) => Ok(Value::Int(number)),
                    (Some(number), _, Some(digits)) => {
                        let digits = u32::try_from(digits.unsigned_abs()).unwrap_or(u32::MAX);
                        match python::round_to_tens(number, digits) {
                            Some(number) => Ok(Value::Int(number)),
                            None => fault("the result is too large a number".to_owned()),
                        }
                    }
                    (None, Some(number), Some(digits @ 0..=MAX_DIGITS)) => {
                        Ok(Value::Float(python::round(number, digits as usize)))
                    }
                    _ => fault(format!(
                        "round() takes a number and how many digits to keep, of a float 0 to {MAX_DIGITS}"
                    )),
                },
                _ => Err(wrong_count()),
            },
            Self::Option => Err(wrong_count()),
        }
    }
}

/// The most digits of a float that `round()` keeps.
const MAX_DIGITS: i64 = 300;

/// A number without its fraction, where it is a whole number that i64 has.
fn whole(number: f64) -> Option<i64> {
    let number = number.trunc();
    (number.abs() < 9.0e18).then_some(number as i64)
}

/// Whether a value has a method.
pub(super) fn has_method(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::List(_) => matches!(
            name,
            "append" | "extend" | "pop" | "insert" | "index" | "count"
        ),
        Value::Tuple(_) => matches!(name, "index" | "count"),
        Value::Str(_) => matches!(name, "lower" | "upper" | "startswith" | "endswith"),
        Value::Dict(_) => matches!(name, "get" | "items" | "keys" | "values"),
        _ => false,
    }
}

/// Calls a method that the value has.
pub(super) fn call_method<'a>(
    interpreter: &mut Interpreter<'a>,
    value: &Value<'a>,
    name: &str,
    arguments: CallArguments<'a>,
) -> Outcome<Value<'a>> {
    let range = arguments.range;
    if let Some((unknown, _)) = arguments.keyword.first() {
        return Err(Fault::new(
            range,
            format!("{name}() has no argument {unknown}"),
        ));
    }
    let wrong = || Fault::new(range, format!("{name}() is given wrong arguments"));
    let given = &arguments.positional[..];
    match (value, name, given) {
        (Value::List(items), "append", [item]) => {
            interpreter.allocate(1, range)?;
            items.borrow_mut().push(item.clone());
            Ok(Value::None)
        }
        (Value::List(items), "extend", [more]) => {
            let more = interpreter.iterate(more, range)?;
            items.borrow_mut().extend(more);
            Ok(Value::None)
        }
        (Value::List(items), "pop", []) => {
            let last = items.borrow_mut().pop();
            last.ok_or_else(|| Fault::new(range, "there is nothing to pop".to_owned()))
        }
        (Value::List(items), "insert", [place, item]) => {
            interpreter.allocate(1, range)?;
            let len = items.borrow().len();
            let place = place.as_int().ok_or_else(wrong)?;
            let place = usize::try_from(place).map_err(|_| wrong())?.min(len);
            items.borrow_mut().insert(place, item.clone());
            Ok(Value::None)
        }
        (Value::List(_) | Value::Tuple(_), "index", [item]) => {
            let items = interpreter.iterate(value, range)?;
            match items.iter().position(|known| known.equals(item)) {
                Some(place) => Ok(Value::Int(place as i64)),
                None => {
                    let message = format!("{} is not in the list", shorten(item.repr()));
                    Err(Fault::new(range, message))
                }
            }
        }
        (Value::List(_) | Value::Tuple(_), "count", [item]) => {
            let items = interpreter.iterate(value, range)?;
            let count = items.iter().filter(|known| known.equals(item)).count();
            Ok(Value::Int(count as i64))
        }
        (Value::Str(text), "lower", []) => interpreter.string(text.to_lowercase(), range),
        (Value::Str(text), "upper", []) => interpreter.string(text.to_uppercase(), range),
        (Value::Str(text), "startswith", [Value::Str(start)]) => {
            Ok(Value::Bool(text.starts_with(&**start)))
        }
        (Value::Str(text), "endswith", [Value::Str(end)]) => {
            Ok(Value::Bool(text.ends_with(&**end)))
        }
        (Value::Dict(items), "get", [key, ..]) => {
            let found = items
                .borrow()
                .iter()
                .find(|(known, _)| known.equals(key))
                .cloned();
            Ok(match found {
                Some((_, value)) => value,
                None => given.get(1).cloned().unwrap_or(Value::None),
            })
        }
        (Value::Dict(items), "keys", []) => {
            let keys = items.borrow().iter().map(|(key, _)| key.clone()).collect();
            interpreter.list(keys, range)
        }
        (Value::Dict(items), "values", []) => {
            let values = items
                .borrow()
                .iter()
                .map(|(_, value)| value.clone())
                .collect();
            interpreter.list(values, range)
        }
        (Value::Dict(items), "items", []) => {
            let items = items.borrow().clone();
            let mut pairs = Vec::new();
            for (key, value) in items {
                pairs.push(interpreter.tuple(vec![key, value], range)?);
            }
            interpreter.list(pairs, range)
        }
        _ => Err(wrong()),
    }
}
