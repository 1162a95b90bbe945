//! The options of a network: the parameters of its function, declared by their defaults.
//!
//! `dropout=0.5` is an option. `dropout=option(0.5, max=0.95, help="…")` says more about it.

use std::rc::Rc;

use ruff_text_size::TextRange;
use serde_json::Value as Json;

use super::arguments::{CallArguments, MAX_SIZE, shorten};
use super::error::{Fault, Outcome};
use super::interpreter::Interpreter;
use super::value::Value;
use crate::spec::{Choice, Field, FieldKind, Topic};

/// The call `option(…)`.
pub(super) struct OptionDeclaration<'a> {
    default: Value<'a>,
    choices: Vec<Value<'a>>,
    min: Option<f64>,
    max: Option<f64>,
    /// The fewest and the most items of a list.
    len: [usize; 2],
    label: Option<String>,
    help: String,
    advanced: bool,
    /// Whether a list may be given as pairs of neighbours.
    pairs: bool,
    range: TextRange,
}

/// The most items of a list, where the option does not say.
const MAX_LEN: usize = 64;

/// The most choices.
const MAX_CHOICES: usize = 64;

/// The most characters of a label or a help text.
const MAX_TEXT: usize = 500;

/// Calls `option(…)`.
pub(super) fn declare<'a>(arguments: CallArguments<'a>) -> Outcome<Value<'a>> {
    let range = arguments.range;
    let names = &[
        "default", "choices", "min", "max", "len", "label", "help", "advanced", "pairs",
    ];
    let mut a = arguments.bind("option", names)?;
    let default = a.require("default")?;
    let choices = match a.take("choices") {
        None | Some(Value::None) => Vec::new(),
        Some(value) => match value.items() {
            Some(items) if (1..=MAX_CHOICES).contains(&items.len()) => items,
            _ => {
                let must_be = format!("a list of 1 to {MAX_CHOICES} choices");
                return Err(a.refuse("choices", &must_be, &value));
            }
        },
    };
    let mut words = Vec::new();
    for choice in &choices {
        let word = word_of(choice);
        if word.is_some() && words.contains(&word) {
            let message = format!("two choices of option() are {}", shorten(choice.repr()));
            return Err(a.fault(message));
        }
        words.push(word);
    }
    let len = a.pair("len", 0, Some([1, MAX_LEN]))?;
    if len[0] > len[1] {
        let message = format!("len of option() is the fewest and the most items, not {len:?}");
        return Err(a.fault(message));
    }
    let mut text = |name| match a.text(name)? {
        Some(text) if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) => {
            Err(a.fault(format!(
                "{name} of option() is at most {MAX_TEXT} characters in one line"
            )))
        }
        text => Ok(text),
    };
    let (label, help) = (text("label")?, text("help")?);
    let (min, max) = (a.number("min")?, a.number("max")?);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = format!("min of option() must be at most its max: {min} is more than {max}");
        return Err(a.fault(message));
    }
    Ok(Value::Option(Rc::new(OptionDeclaration {
        default,
        choices,
        min,
        max,
        len,
        label,
        help: help.unwrap_or_default(),
        advanced: a.switch("advanced", false)?,
        pairs: a.switch("pairs", false)?,
        range,
    })))
}

/// An option of a network.
pub(super) struct NetworkOption<'a> {
    declaration: Rc<OptionDeclaration<'a>>,
    pub(super) field: Field,
}

impl<'a> NetworkOption<'a> {
    /// The option of a parameter with its default.
    pub(super) fn new(name: &str, default: &Value<'a>, range: TextRange) -> Outcome<Self> {
        let declaration = match default {
            Value::Option(declaration) => declaration.clone(),
            value => Rc::new(OptionDeclaration {
                default: value.clone(),
                choices: match value {
                    Value::Str(_) | Value::Class(_) => vec![value.clone()],
                    _ => Vec::new(),
                },
                min: None,
                max: None,
                len: [1, MAX_LEN],
                label: None,
                help: String::new(),
                advanced: false,
                pairs: false,
                range,
            }),
        };
        let field = field(name, &declaration)?;
        let default = serde_json::from_str(&field.default).unwrap_or(Json::Null);
        if let Err(errors) = field.check(&default) {
            let message = errors.first().map_or("", |error| &error.message);
            let message = format!("the default of {name} {message}");
            return Err(Fault::new(declaration.range, message));
        }
        Ok(Self { declaration, field })
    }

    /// The value in a text of a checked value of the field.
    pub(super) fn value(
        &self,
        json: &Json,
        interpreter: &mut Interpreter<'a>,
    ) -> Outcome<Value<'a>> {
        let declaration = &self.declaration;
        let chosen = declaration.choices.iter();
        if let Some(choice) = json.as_str().and_then(|word| {
            chosen
                .clone()
                .find(|choice| word_of(choice).as_deref() == Some(word))
        }) {
            return Ok(choice.clone());
        }
        match json {
            Json::Bool(value) => Ok(Value::Bool(*value)),
            Json::Number(number) => match (&self.field.kind, number.as_i64(), number.as_f64()) {
                (FieldKind::Number { .. }, _, Some(number)) => Ok(Value::Float(number)),
                (_, Some(number), _) => Ok(Value::Int(number)),
                (_, None, number) => Ok(Value::Float(number.unwrap_or(0.0))),
            },
            Json::Array(items) => {
                let mut values = Vec::new();
                for item in items {
                    values.push(self.value(item, interpreter)?);
                }
                interpreter.list(values, declaration.range)
            }
            _ => Ok(Value::None),
        }
    }
}

/// The word of a choice in a document.
fn word_of(choice: &Value<'_>) -> Option<String> {
    match choice {
        Value::Str(word) => Some(word.to_string()),
        Value::Class(class) => Some(class.name().to_lowercase()),
        _ => None,
    }
}

/// A name as people read it: `long_skips` is “Long skips”.
fn in_words(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn choice(value: &Value<'_>) -> Option<Choice> {
    let word = word_of(value)?;
    let label = match value {
        Value::Class(class) => class.name().to_owned(),
        _ => in_words(&word),
    };
    Some(Choice {
        value: word.into(),
        label: label.into(),
    })
}

fn field(name: &str, declaration: &OptionDeclaration<'_>) -> Outcome<Field> {
    let fault = |message: String| Err(Fault::new(declaration.range, message));
    let whole = |bound: Option<f64>, default: u64| match bound {
        None => Ok(default),
        Some(bound) if bound >= 0.0 && bound.fract() == 0.0 && bound <= MAX_SIZE as f64 => {
            Ok(bound as u64)
        }
        Some(bound) => Err(Fault::new(
            declaration.range,
            format!("the bounds of {name} are whole numbers from 0 to {MAX_SIZE}, not {bound}"),
        )),
    };
    let bounds = || {
        Ok::<_, Box<Fault>>((
            whole(declaration.min, 0)?,
            whole(declaration.max, MAX_SIZE as u64)?,
        ))
    };
    let (kind, default) = match &declaration.default {
        value if !declaration.choices.is_empty() => {
            let choices: Option<Vec<_>> = declaration.choices.iter().map(choice).collect();
            let (Some(choices), Some(word)) = (choices, word_of(value)) else {
                return fault(format!("the choices of {name} are strings or modules"));
            };
            (
                FieldKind::Choice {
                    options: choices.into(),
                },
                Json::from(word),
            )
        }
        Value::Bool(value) => (FieldKind::Switch, Json::from(*value)),
        Value::Int(value) => {
            let (min, max) = bounds()?;
            (FieldKind::Integer { min, max, step: 1 }, Json::from(*value))
        }
        Value::Float(value) => (
            FieldKind::Number {
                min: declaration.min.unwrap_or(-1e9),
                max: declaration.max.unwrap_or(1e9),
                min_open: false,
            },
            Json::from(*value),
        ),
        value @ (Value::List(_) | Value::Tuple(_)) => {
            let items = value.items().unwrap_or_default();
            let numbers: Option<Vec<_>> = items
                .iter()
                .map(|item| item.as_int().map(Json::from))
                .collect();
            let Some(numbers) = numbers else {
                return fault(format!("the default of {name} is a list of whole numbers"));
            };
            let (min, max) = bounds()?;
            let [min_len, max_len] = declaration.len;
            (
                FieldKind::Integers {
                    min,
                    max,
                    min_len,
                    max_len,
                    pairs: declaration.pairs,
                },
                Json::from(numbers),
            )
        }
        other => {
            return fault(format!(
                "the default of {name} is a number, True or False, a list of whole numbers, or one of choices, not {}",
                other.a_type()
            ));
        }
    };
    let label = declaration.label.clone().unwrap_or_else(|| in_words(name));
    Ok(Field {
        path: format!("network.{name}").into(),
        label: label.into(),
        help: declaration.help.clone().into(),
        kind,
        default: default.to_string().into(),
        null_label: None,
        topic: declaration.advanced.then_some(Topic::Layers),
    })
}
