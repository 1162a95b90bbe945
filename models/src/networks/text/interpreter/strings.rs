//! Strings with values in them: `f"block{i}"`.

use std::rc::Rc;

use ruff_python_ast::{
    ConversionFlag, ExprFString, FStringPart, InterpolatedElement, InterpolatedStringElement,
};
use ruff_text_size::{Ranged, TextRange};

use super::Interpreter;
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::python::{self, shown};
use crate::networks::text::value::{Scope, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn formatted(
        &mut self,
        string: &'a ExprFString,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<Value<'a>> {
        let range = string.range();
        let mut text = String::new();
        for part in string.value.iter() {
            match part {
                FStringPart::Literal(literal) => text.push_str(literal.as_str()),
                FStringPart::FString(string) => {
                    for element in &string.elements {
                        match element {
                            InterpolatedStringElement::Literal(literal) => {
                                text.push_str(&literal.value);
                            }
                            InterpolatedStringElement::Interpolation(value) => {
                                text.push_str(&self.interpolated(value, range, scope)?);
                            }
                        }
                        self.allocate(text.len(), range)?;
                    }
                }
            }
        }
        self.string(text, range)
    }

    /// A value within the string at `range`.
    fn interpolated(
        &mut self,
        element: &'a InterpolatedElement,
        range: TextRange,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<String> {
        let refuse = |message: &str| Err(Fault::new(range, message.to_owned()));
        if element.format_spec.is_some() {
            return refuse("formats within a string have no place here");
        }
        if element.debug_text.is_some() {
            return refuse("= within a string has no place here: write the name out");
        }
        let value = self.expression(&element.expression, scope)?;
        match element.conversion {
            ConversionFlag::None | ConversionFlag::Str => shown(python::str(&value), range),
            ConversionFlag::Repr => shown(python::repr(&value), range),
            ConversionFlag::Ascii => refuse("!a within a string has no place here"),
        }
    }
}
