//! Statements, one after another, and how they leave loops and functions.

use std::rc::Rc;

use ruff_python_ast::{Expr, Stmt, StmtFor, StmtIf, StmtWhile};
use ruff_text_size::{Ranged, TextRange};

use super::Interpreter;
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::python;
use crate::networks::text::value::{Body, Function, Scope, Value};

/// What follows a statement.
pub(super) enum Flow<'a> {
    Next,
    /// Out of the loop, with the place of the statement.
    Break(TextRange),
    /// On with the loop, with the place of the statement.
    Continue(TextRange),
    Return(Value<'a>),
}

/// The fault of a statement that leaves a loop or a function where there is none.
pub(super) fn outside(range: TextRange) -> Box<Fault> {
    let message = "return, break and continue have a place only within a function or a loop";
    Fault::new(range, message.to_owned())
}

impl<'a> Interpreter<'a> {
    pub(super) fn block(&mut self, body: &'a [Stmt], scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        for statement in body {
            match self.statement(statement, scope)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &'a Stmt, scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        self.step(statement.range())?;
        self.deeper(statement.range(), |this| {
            this.run_statement(statement, scope)
        })
    }

    fn run_statement(&mut self, statement: &'a Stmt, scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        match statement {
            Stmt::FunctionDef(def) if !def.is_async && def.decorator_list.is_empty() => {
                let function = Function {
                    name: &def.name.id,
                    parameters: Some(&def.parameters),
                    defaults: self.defaults(&def.parameters, scope)?,
                    body: Body::Statements(def),
                    scope: scope.clone(),
                };
                let function = self.keep(Value::Function(Rc::new(function)));
                scope.set(&def.name.id, function);
            }
            Stmt::Return(ret) => {
                let value = match &ret.value {
                    Some(value) => self.expression(value, scope)?,
                    None => Value::None,
                };
                return Ok(Flow::Return(value));
            }
            Stmt::Assign(assign) => {
                let value = self.expression(&assign.value, scope)?;
                for target in &assign.targets {
                    self.assign(target, value.clone(), scope)?;
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.expression(value, scope)?;
                    self.assign(&assign.target, value, scope)?;
                }
            }
            Stmt::AugAssign(assign) => self.augmented_assign(assign, scope)?,
            Stmt::For(each) if !each.is_async => return self.for_loop(each, scope),
            Stmt::While(repeat) => return self.while_loop(repeat, scope),
            Stmt::If(choice) => return self.if_statement(choice, scope),
            Stmt::Raise(raise) => {
                let mut fault = Fault::new(statement.range(), "refused".to_owned());
                if let Some(what) = &raise.exc {
                    (fault.option, fault.message) = self.raised(what, scope)?;
                }
                return Err(fault);
            }
            Stmt::Assert(assert) => {
                if !self.expression(&assert.test, scope)?.is_true() {
                    let message = match &assert.msg {
                        Some(message) => {
                            let message = self.expression(message, scope)?;
                            message_of(&message)
                        }
                        None => "what is asserted does not hold".to_owned(),
                    };
                    return Err(Fault::new(statement.range(), message));
                }
            }
            Stmt::Expr(expression) => {
                self.expression(&expression.value, scope)?;
            }
            Stmt::Pass(_) => {}
            Stmt::Break(at) => return Ok(Flow::Break(at.range)),
            Stmt::Continue(at) => return Ok(Flow::Continue(at.range)),
            other => {
                let message = format!("{} is not part of a network's text", statement_name(other));
                return Err(Fault::new(other.range(), message));
            }
        }
        Ok(Flow::Next)
    }

    fn for_loop(&mut self, each: &'a StmtFor, scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        let items = self.expression(&each.iter, scope)?;
        let items = self.iterate(&items, each.iter.range())?;
        for item in items {
            self.step(each.range())?;
            self.assign(&each.target, item, scope)?;
            match self.block(&each.body, scope)? {
                Flow::Next | Flow::Continue(_) => {}
                Flow::Break(_) => return Ok(Flow::Next),
                flow => return Ok(flow),
            }
        }
        self.block(&each.orelse, scope)
    }

    fn while_loop(&mut self, repeat: &'a StmtWhile, scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        while self.expression(&repeat.test, scope)?.is_true() {
            self.step(repeat.range())?;
            match self.block(&repeat.body, scope)? {
                Flow::Next | Flow::Continue(_) => {}
                Flow::Break(_) => return Ok(Flow::Next),
                flow => return Ok(flow),
            }
        }
        self.block(&repeat.orelse, scope)
    }

    fn if_statement(&mut self, choice: &'a StmtIf, scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
        if self.expression(&choice.test, scope)?.is_true() {
            return self.block(&choice.body, scope);
        }
        for clause in &choice.elif_else_clauses {
            let holds = match &clause.test {
                Some(test) => self.expression(test, scope)?.is_true(),
                None => true,
            };
            if holds {
                return self.block(&clause.body, scope);
            }
        }
        Ok(Flow::Next)
    }

    /// The message of `raise ValueError("…")`; with the option of `raise OptionError("hidden", "…")`.
    fn raised(
        &mut self,
        what: &'a Expr,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<(Option<String>, String)> {
        let Expr::Call(call) = what else {
            let name = what.as_name_expr().map(|name| name.id.to_string());
            return Ok((None, name.unwrap_or_else(|| "refused".to_owned())));
        };
        let is_of_option = call
            .func
            .as_name_expr()
            .is_some_and(|name| name.id == "OptionError");
        let mut words = Vec::new();
        for argument in &call.arguments.args {
            let word = self.expression(argument, scope)?;
            words.push(message_of(&word));
        }
        Ok(match &words[..] {
            [option, message] if is_of_option => (Some(option.clone()), message.clone()),
            _ => (None, words.join(" ")),
        })
    }
}

/// A value as a message shows it: as a string, or shortened where it is too long for one.
fn message_of(value: &Value<'_>) -> String {
    python::str(value).unwrap_or_else(|| value.repr())
}

fn statement_name(statement: &Stmt) -> &'static str {
    match statement {
        Stmt::Import(_) | Stmt::ImportFrom(_) => "import",
        Stmt::ClassDef(_) => "class",
        Stmt::With(_) => "with",
        Stmt::Try(_) => "try",
        Stmt::Delete(_) => "del",
        Stmt::Global(_) => "global",
        Stmt::Nonlocal(_) => "nonlocal",
        Stmt::Match(_) => "match",
        Stmt::FunctionDef(def) if def.is_async => "async",
        Stmt::FunctionDef(_) => "a decorator",
        _ => "this statement",
    }
}
