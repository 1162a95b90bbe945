//! The arguments of a call, bound to the parameters of a function or a class of the language.

use ruff_text_size::TextRange;

use super::error::{Fault, Outcome};
use super::value::Value;

/// The arguments of a call as they are written.
pub(super) struct CallArguments<'a> {
    pub(super) positional: Vec<Value<'a>>,
    pub(super) keyword: Vec<(&'a str, Value<'a>)>,
    /// Where the call is.
    pub(super) range: TextRange,
}

/// Arguments by the names of parameters.
pub(super) struct Bound<'a> {
    function: &'static str,
    names: &'static [&'static str],
    values: Vec<Option<Value<'a>>>,
    range: TextRange,
}

impl<'a> CallArguments<'a> {
    /// Binds the arguments to parameters. Which of them are required, the caller finds out when it takes them.
    pub(super) fn bind(
        self,
        function: &'static str,
        names: &'static [&'static str],
    ) -> Outcome<Bound<'a>> {
        let fault = |message| Err(Fault::new(self.range, message));
        if self.positional.len() > names.len() {
            return fault(match names {
                [] => format!("{function}() takes no arguments"),
                _ => format!(
                    "{function}() takes {} arguments ({}), not {}",
                    names.len(),
                    names.join(", "),
                    self.positional.len()
                ),
            });
        }
        let mut values: Vec<_> = self.positional.into_iter().map(Some).collect();
        values.resize_with(names.len(), || None);
        for (name, value) in self.keyword {
            let Some(place) = names.iter().position(|known| *known == name) else {
                return fault(format!(
                    "{function}() has no argument {name}: it takes {}",
                    if names.is_empty() {
                        "none".to_owned()
                    } else {
                        names.join(", ")
                    }
                ));
            };
            if values[place].is_some() {
                return fault(format!("{function}() is given {name} twice"));
            }
            values[place] = Some(value);
        }
        Ok(Bound {
            function,
            names,
            values,
            range: self.range,
        })
    }
}

impl<'a> Bound<'a> {
    /// Takes an argument; `None` if it was not given.
    pub(super) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.values[place].take()
    }

    /// Takes an argument that must be given.
    pub(super) fn require(&mut self, name: &str) -> Outcome<Value<'a>> {
        let value = self.take(name);
        value.ok_or_else(|| self.fault(format!("{}() needs the argument {name}", self.function)))
    }

    pub(super) fn fault(&self, message: String) -> Box<Fault> {
        Fault::new(self.range, message)
    }

    /// An argument that is not what it must be.
    pub(super) fn refuse(&self, name: &str, must_be: &str, value: &Value<'a>) -> Box<Fault> {
        let shown = shorten(value.repr());
        self.fault(format!(
            "{name} of {}() must be {must_be}, not {shown}",
            self.function
        ))
    }

    /// Takes a whole number within bounds.
    pub(super) fn size(
        &mut self,
        name: &str,
        least: usize,
        default: Option<usize>,
    ) -> Outcome<usize> {
        match (self.take(name), default) {
            (None, Some(default)) => Ok(default),
            (None, None) => {
                Err(self.fault(format!("{}() needs the argument {name}", self.function)))
            }
            (Some(value), _) => self.as_size(name, least, &value),
        }
    }

    fn as_size(&self, name: &str, least: usize, value: &Value<'a>) -> Outcome<usize> {
        let number = match value {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        number
            .filter(|number| (least..=MAX_SIZE).contains(number))
            .ok_or_else(|| {
                let must_be = format!("a whole number from {least} to {MAX_SIZE}");
                self.refuse(name, &must_be, value)
            })
    }

    /// Takes a whole number, or a pair of them for height and width.
    pub(super) fn pair(
        &mut self,
        name: &str,
        least: usize,
        default: Option<[usize; 2]>,
    ) -> Outcome<[usize; 2]> {
        let value = match (self.take(name), default) {
            (None, Some(default)) => return Ok(default),
            (None, None) => {
                return Err(self.fault(format!("{}() needs the argument {name}", self.function)));
            }
            (Some(value), _) => value,
        };
        self.as_pair(name, least, &value)
    }

    pub(super) fn as_pair(
        &self,
        name: &str,
        least: usize,
        value: &Value<'a>,
    ) -> Outcome<[usize; 2]> {
        match value.items().as_deref() {
            Some([height, width]) => Ok([
                self.as_size(name, least, height)?,
                self.as_size(name, least, width)?,
            ]),
            Some(_) => Err(self.refuse(name, "a whole number or a pair of them", value)),
            None => self.as_size(name, least, value).map(|size| [size; 2]),
        }
    }

    /// Takes a whole number for all sides of an image, or four: left, right, top and bottom.
    pub(super) fn sides(&mut self, name: &str) -> Outcome<[usize; 4]> {
        let Some(value) = self.take(name) else {
            return Err(self.fault(format!("{}() needs the argument {name}", self.function)));
        };
        match value.items().as_deref() {
            Some([left, right, top, bottom]) => Ok([
                self.as_size(name, 0, left)?,
                self.as_size(name, 0, right)?,
                self.as_size(name, 0, top)?,
                self.as_size(name, 0, bottom)?,
            ]),
            Some(_) => Err(self.refuse(name, "a whole number or four of them", &value)),
            None => self.as_size(name, 0, &value).map(|size| [size; 4]),
        }
    }

    /// Takes `True` or `False`.
    pub(super) fn switch(&mut self, name: &str, default: bool) -> Outcome<bool> {
        match self.take(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(value) => Err(self.refuse(name, "True or False", &value)),
        }
    }

    /// Takes a number; `None` if it was not given.
    pub(super) fn number(&mut self, name: &str) -> Outcome<Option<f64>> {
        match self.take(name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => match value.as_number() {
                Some(number) => Ok(Some(number)),
                None => Err(self.refuse(name, "a number", &value)),
            },
        }
    }

    /// Takes a text; `None` if it was not given.
    pub(super) fn text(&mut self, name: &str) -> Outcome<Option<String>> {
        match self.take(name) {
            None | Some(Value::None) => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text.to_string())),
            Some(value) => Err(self.refuse(name, "a string", &value)),
        }
    }
}

/// The greatest number of channels, values or pixels.
pub(super) const MAX_SIZE: usize = 1 << 24;

/// A value as a message shows it.
pub(super) fn shorten(text: String) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
