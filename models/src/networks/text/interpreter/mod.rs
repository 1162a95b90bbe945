//! Runs a text: functions, assignments, loops, conditions, arithmetic on numbers, strings and lists.
//!
//! | module | what it is |
//! |---|---|
//! | `statements` | statements, and how they leave loops and functions |
//! | `assignment` | assignments to names, items and tuples |
//! | `expressions` | expressions, and what a name means |
//! | `displays` | lists and dictionaries that are written out, and comprehensions |
//! | `strings` | strings with values in them: f"…" |
//! | `calls` | functions of the text, and calls of everything |
//!
//! There is no way out of a text: no import, no file, no clock. Every step costs fuel, and every item of a list or a
//! string costs memory, so that a text ends soon and small whatever it says. This file has these bounds and the state
//! that they limit.

mod assignment;
mod calls;
mod displays;
mod expressions;
mod statements;
mod strings;

use std::rc::Rc;

use ruff_python_ast::Stmt;
use ruff_text_size::{Ranged, TextRange};

use super::error::{Fault, Outcome};
use super::value::{Scope, Value};
use statements::{Flow, outside};

/// The most steps.
const MAX_STEPS: u64 = 2_000_000;

/// The most items of all lists, and bytes of all strings, together.
const MAX_MEMORY: usize = 1 << 20;

/// What a scope costs of that.
const SCOPE: usize = 8;

/// The deepest nesting of expressions and statements, across calls.
const MAX_DEPTH: usize = 1000;

/// The state of a run.
pub(super) struct Interpreter<'a> {
    steps: u64,
    memory: usize,
    depth: usize,
    modules: usize,
    /// The places of the calls that led here, the innermost last.
    calls: Vec<TextRange>,
    /// All scopes and all values that hold others. They may hold each other in circles, or in chains so long that to drop
    /// them recursively would overflow the stack.
    scopes: Vec<Rc<Scope<'a>>>,
    values: Vec<Value<'a>>,
}

impl Drop for Interpreter<'_> {
    fn drop(&mut self) {
        self.scopes.iter().for_each(|scope| scope.clear());
        for value in &self.values {
            match value {
                Value::List(items) => drop(items.take()),
                Value::Dict(items) => drop(items.take()),
                _ => {}
            }
        }
        // What is left holds only what was made before it.
        while self.values.pop().is_some() {}
    }
}

impl<'a> Interpreter<'a> {
    pub(super) fn new() -> Self {
        Self {
            steps: 0,
            memory: 0,
            depth: 0,
            modules: 0,
            calls: Vec::new(),
            scopes: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Runs the statements of a text. Returns its variables.
    pub(super) fn run(&mut self, body: &'a [Stmt]) -> Outcome<Rc<Scope<'a>>> {
        let globals = self.scope(None, TextRange::default())?;
        match self.block(body, &globals)? {
            Flow::Next => Ok(globals),
            Flow::Break(range) | Flow::Continue(range) => Err(outside(range)),
            Flow::Return(_) => Err(outside(
                body.iter()
                    .find(|statement| statement.is_return_stmt())
                    .or(body.first())
                    .map_or_else(TextRange::default, Ranged::range),
            )),
        }
    }

    fn scope(&mut self, parent: Option<Rc<Scope<'a>>>, range: TextRange) -> Outcome<Rc<Scope<'a>>> {
        self.allocate(SCOPE, range)?;
        let scope = Scope::new(parent);
        self.scopes.push(scope.clone());
        Ok(scope)
    }

    /// Keeps a value that holds others.
    fn keep(&mut self, value: Value<'a>) -> Value<'a> {
        self.values.push(value.clone());
        value
    }

    pub(super) fn list(&mut self, items: Vec<Value<'a>>, range: TextRange) -> Outcome<Value<'a>> {
        self.allocate(1 + items.len(), range)?;
        Ok(self.keep(Value::List(Rc::new(items.into()))))
    }

    pub(super) fn tuple(&mut self, items: Vec<Value<'a>>, range: TextRange) -> Outcome<Value<'a>> {
        self.allocate(1 + items.len(), range)?;
        Ok(self.keep(Value::Tuple(items.into())))
    }

    pub(super) fn string(&mut self, text: String, range: TextRange) -> Outcome<Value<'a>> {
        self.allocate(1 + text.len(), range)?;
        Ok(Value::Str(text.into()))
    }

    /// Runs something one level deeper.
    fn deeper<T>(
        &mut self,
        range: TextRange,
        run: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::new(range, "is nested too deeply".to_owned()));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn step(&mut self, range: TextRange) -> Outcome<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let message = format!("takes more than {MAX_STEPS} steps");
            return Err(Fault::new(range, message));
        }
        Ok(())
    }

    /// Accounts for items of a list or bytes of a string that is made.
    pub(super) fn allocate(&mut self, items: usize, range: TextRange) -> Outcome<()> {
        self.memory = self.memory.saturating_add(items);
        if self.memory > MAX_MEMORY {
            let message = "makes lists and strings that are too long".to_owned();
            return Err(Fault::new(range, message));
        }
        Ok(())
    }

    /// The items that a loop goes through.
    pub(super) fn iterate(
        &mut self,
        value: &Value<'a>,
        range: TextRange,
    ) -> Outcome<Vec<Value<'a>>> {
        let items = match value {
            Value::Str(text) => text
                .chars()
                .map(|c| Value::Str(c.to_string().into()))
                .collect(),
            Value::Dict(items) => items.borrow().iter().map(|(key, _)| key.clone()).collect(),
            _ => match value.items() {
                Some(items) => items,
                None => {
                    let message = format!("{} has no items to go through", value.a_type());
                    return Err(Fault::new(range, message));
                }
            },
        };
        self.allocate(items.len(), range)?;
        Ok(items)
    }
}
