//! Expressions, and what a name means.

use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{BoolOp, Expr, ExprGenerator, ExprListComp, ExprSubscript, Number};
use ruff_text_size::{Ranged, TextRange};

use super::Interpreter;
use crate::networks::text::builtins::{self, Builtin};
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::modules::CLASSES;
use crate::networks::text::operators::{compare, item, unary};
use crate::networks::text::value::{Body, Function, Scope, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn expression(
        &mut self,
        expression: &'a Expr,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<Value<'a>> {
        let range = expression.range();
        self.step(range)?;
        self.deeper(range, |this| this.evaluate(expression, range, scope))
    }

    fn evaluate(
        &mut self,
        expression: &'a Expr,
        range: TextRange,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<Value<'a>> {
        Ok(match expression {
            Expr::NoneLiteral(_) => Value::None,
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => match number.as_i64() {
                    Some(number) => Value::Int(number),
                    None => return Err(Fault::new(range, "is too large a number".to_owned())),
                },
                Number::Float(number) => Value::Float(*number),
                Number::Complex { .. } => {
                    return Err(Fault::new(
                        range,
                        "complex numbers have no place here".to_owned(),
                    ));
                }
            },
            Expr::StringLiteral(literal) => {
                self.string(literal.value.to_str().to_owned(), range)?
            }
            Expr::FString(string) => self.formatted(string, scope)?,
            Expr::Name(name) => self.name(&name.id, range, scope)?,
            Expr::List(list) => {
                let items = self.items(&list.elts, scope)?;
                self.list(items, range)?
            }
            Expr::Tuple(tuple) => {
                let items = self.items(&tuple.elts, scope)?;
                self.tuple(items, range)?
            }
            Expr::Dict(dict) => self.dict(dict, scope)?,
            Expr::ListComp(ExprListComp {
                elt, generators, ..
            })
            | Expr::Generator(ExprGenerator {
                elt, generators, ..
            }) => {
                let mut items = Vec::new();
                let inner = self.scope(Some(scope.clone()), range)?;
                self.comprehension(elt, generators, &inner, &mut items)?;
                self.list(items, range)?
            }
            Expr::BoolOp(operation) => {
                let mut last = Value::None;
                for value in &operation.values {
                    last = self.expression(value, scope)?;
                    if last.is_true() == (operation.op == BoolOp::Or) {
                        break;
                    }
                }
                last
            }
            Expr::UnaryOp(operation) => {
                let value = self.expression(&operation.operand, scope)?;
                unary(operation.op, &value, range)?
            }
            Expr::BinOp(operation) => {
                let left = self.expression(&operation.left, scope)?;
                let right = self.expression(&operation.right, scope)?;
                self.binary(operation.op, &left, &right, range)?
            }
            Expr::Compare(comparison) => {
                let mut left = self.expression(&comparison.left, scope)?;
                for (op, right) in comparison.ops.iter().zip(&comparison.comparators) {
                    let right = self.expression(right, scope)?;
                    if !compare(*op, &left, &right, range)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            Expr::If(choice) => {
                if self.expression(&choice.test, scope)?.is_true() {
                    self.expression(&choice.body, scope)?
                } else {
                    self.expression(&choice.orelse, scope)?
                }
            }
            Expr::Lambda(lambda) => {
                let defaults = match &lambda.parameters {
                    Some(parameters) => self.defaults(parameters, scope)?,
                    None => HashMap::new(),
                };
                self.keep(Value::Function(Rc::new(Function {
                    name: "lambda",
                    parameters: lambda.parameters.as_deref(),
                    defaults,
                    body: Body::Expression(&lambda.body),
                    scope: scope.clone(),
                })))
            }
            Expr::Subscript(at) => self.subscript(at, scope)?,
            Expr::Attribute(attribute) => {
                let value = self.expression(&attribute.value, scope)?;
                let name: &'a str = &attribute.attr.id;
                if !builtins::has_method(&value, name) {
                    let message = format!("{} has no {name}", value.a_type());
                    return Err(Fault::new(range, message));
                }
                self.keep(Value::Method(Rc::new((value, name))))
            }
            Expr::Call(call) => {
                let function = self.expression(&call.func, scope)?;
                let arguments = self.arguments(&call.arguments, range, scope)?;
                self.call(&function, arguments)?
            }
            other => {
                let message = format!("{} is not part of a network's text", expression_name(other));
                return Err(Fault::new(range, message));
            }
        })
    }

    fn subscript(&mut self, at: &'a ExprSubscript, scope: &Rc<Scope<'a>>) -> Outcome<Value<'a>> {
        let range = at.range();
        let container = self.expression(&at.value, scope)?;
        if let Expr::Slice(slice) = &*at.slice {
            let mut bound = |bound: &'a Option<Box<Expr>>| match bound {
                Some(bound) => self.expression(bound, scope).map(Some),
                None => Ok(None),
            };
            let (from, to, step) = (
                bound(&slice.lower)?,
                bound(&slice.upper)?,
                bound(&slice.step)?,
            );
            return self.slice(&container, from, to, step, range);
        }
        let index = self.expression(&at.slice, scope)?;
        item(&container, &index, range)
    }

    fn name(
        &mut self,
        name: &'a str,
        range: TextRange,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<Value<'a>> {
        if let Some(value) = scope.get(name) {
            return Ok(value);
        }
        if let Some((_, class)) = CLASSES.iter().find(|(known, _)| *known == name) {
            return Ok(Value::Class(*class));
        }
        if let Some(builtin) = Builtin::by_name(name) {
            return Ok(Value::Builtin(builtin));
        }
        let message = match closest(name) {
            Some(known) => format!("there is no {name}: is {known} meant?"),
            None => format!("there is no {name}"),
        };
        Err(Fault::new(range, message))
    }
}

/// The known name that one may have meant.
fn closest(name: &str) -> Option<&'static str> {
    let known = CLASSES.iter().map(|(known, _)| *known);
    let mut known = known.chain(Builtin::names());
    let lower = name.to_lowercase();
    known.find(|known| {
        let known = known.to_lowercase();
        known == lower
            || known.starts_with(&lower)
            || (lower.starts_with(&known) && known.len() > 3)
    })
}

fn expression_name(expression: &Expr) -> &'static str {
    match expression {
        Expr::Await(_) => "await",
        Expr::Yield(_) | Expr::YieldFrom(_) => "yield",
        Expr::Named(_) => ":=",
        Expr::Set(_) | Expr::SetComp(_) => "a set",
        Expr::DictComp(_) => "a comprehension of a dict",
        Expr::BytesLiteral(_) => "a literal of bytes",
        Expr::Starred(_) => "* here",
        _ => "this expression",
    }
}
