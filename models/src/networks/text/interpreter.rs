//! Runs the statements of a text: functions, assignments, loops, conditions, arithmetic on numbers, strings and lists.
//!
//! There is no way out of a text: no import, no file, no clock. Every step costs fuel, and every item of a list or a
//! string costs memory, so that a text ends soon and small whatever it says.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::{
    Arguments, BoolOp, Comprehension, ConversionFlag, Expr, ExprGenerator, ExprListComp,
    FStringPart, InterpolatedStringElement, Number, Operator, Parameters, Stmt, UnaryOp,
};
use ruff_text_size::{Ranged, TextRange};

use super::arguments::{CallArguments, shorten};
use super::builtins::{self, Builtin};
use super::modules::CLASSES;
use super::operators::{compare, item, item_place, too_large};
use super::python;
use super::value::{Body, Function, Scope, Value};
use super::{Fault, Outcome};

/// The most steps.
const MAX_STEPS: u64 = 2_000_000;

/// The most items of all lists, and bytes of all strings, together.
const MAX_MEMORY: usize = 1 << 20;

/// What a scope costs of that.
const SCOPE: usize = 8;

/// The deepest nesting of expressions and statements, across calls.
const MAX_DEPTH: usize = 1000;

/// The most calls within calls.
const MAX_CALLS: usize = 50;

/// The most modules.
const MAX_MODULES: usize = 50_000;

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

/// What follows a statement.
enum Flow<'a> {
    Next,
    /// Out of the loop, with the place of the statement.
    Break(TextRange),
    /// On with the loop, with the place of the statement.
    Continue(TextRange),
    Return(Value<'a>),
}

/// The fault of a statement that leaves a loop or a function where there is none.
fn outside(range: TextRange) -> Box<Fault> {
    let message = "return, break and continue have a place only within a function or a loop";
    Fault::new(range, message.to_owned())
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

    fn block(&mut self, body: &'a [Stmt], scope: &Rc<Scope<'a>>) -> Outcome<Flow<'a>> {
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
            Stmt::AugAssign(assign) => {
                let old = self.expression(&assign.target, scope)?;
                let change = self.expression(&assign.value, scope)?;
                let range = statement.range();
                if let (Value::List(list), Operator::Add) = (&old, assign.op) {
                    let more = self.iterate(&change, range)?;
                    self.allocate(more.len(), range)?;
                    list.borrow_mut().extend(more);
                } else {
                    let new = self.binary(assign.op, &old, &change, range)?;
                    self.assign(&assign.target, new, scope)?;
                }
            }
            Stmt::For(each) if !each.is_async => {
                let items = self.expression(&each.iter, scope)?;
                let items = self.iterate(&items, each.iter.range())?;
                for item in items {
                    self.step(statement.range())?;
                    self.assign(&each.target, item, scope)?;
                    match self.block(&each.body, scope)? {
                        Flow::Next | Flow::Continue(_) => {}
                        Flow::Break(_) => return Ok(Flow::Next),
                        flow => return Ok(flow),
                    }
                }
                return self.block(&each.orelse, scope);
            }
            Stmt::While(repeat) => {
                while self.expression(&repeat.test, scope)?.is_true() {
                    self.step(statement.range())?;
                    match self.block(&repeat.body, scope)? {
                        Flow::Next | Flow::Continue(_) => {}
                        Flow::Break(_) => return Ok(Flow::Next),
                        flow => return Ok(flow),
                    }
                }
                return self.block(&repeat.orelse, scope);
            }
            Stmt::If(choice) => {
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
            }
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

    fn assign(&mut self, target: &'a Expr, value: Value<'a>, scope: &Rc<Scope<'a>>) -> Outcome<()> {
        let range = target.range();
        match target {
            Expr::Name(name) => scope.set(&name.id, value),
            Expr::Tuple(targets) => self.unpack(&targets.elts, &value, range, scope)?,
            Expr::List(targets) => self.unpack(&targets.elts, &value, range, scope)?,
            Expr::Subscript(at) => {
                let container = self.expression(&at.value, scope)?;
                let index = self.expression(&at.slice, scope)?;
                match &container {
                    Value::List(items) => {
                        let len = items.borrow().len();
                        let place = item_place(&index, len, range)?;
                        items.borrow_mut()[place] = value;
                    }
                    Value::Dict(items) => {
                        let place = items
                            .borrow()
                            .iter()
                            .position(|(key, _)| key.equals(&index));
                        match place {
                            Some(place) => items.borrow_mut()[place].1 = value,
                            None => {
                                self.allocate(1, range)?;
                                items.borrow_mut().push((index, value));
                            }
                        }
                    }
                    other => {
                        let message = format!("the items of {} cannot be set", other.a_type());
                        return Err(Fault::new(range, message));
                    }
                }
            }
            _ => return Err(Fault::new(range, "cannot be assigned to".to_owned())),
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        targets: &'a [Expr],
        value: &Value<'a>,
        range: TextRange,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<()> {
        let items = self.iterate(value, range)?;
        if items.len() != targets.len() {
            let message = format!(
                "{} values for {} names: {}",
                items.len(),
                targets.len(),
                shorten(value.repr())
            );
            return Err(Fault::new(range, message));
        }
        for (target, item) in targets.iter().zip(items) {
            self.assign(target, item, scope)?;
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
            Expr::FString(string) => {
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
                                        if value.format_spec.is_some() {
                                            let message =
                                                "formats within a string have no place here";
                                            return Err(Fault::new(range, message.to_owned()));
                                        }
                                        if value.debug_text.is_some() {
                                            let message = "= within a string has no place here: write the name out";
                                            return Err(Fault::new(range, message.to_owned()));
                                        }
                                        let conversion = value.conversion;
                                        let value = self.expression(&value.expression, scope)?;
                                        text.push_str(&match conversion {
                                            ConversionFlag::None | ConversionFlag::Str => {
                                                shown(python::str(&value), range)?
                                            }
                                            ConversionFlag::Repr => {
                                                shown(python::repr(&value), range)?
                                            }
                                            ConversionFlag::Ascii => {
                                                let message =
                                                    "!a within a string has no place here";
                                                return Err(Fault::new(range, message.to_owned()));
                                            }
                                        });
                                    }
                                }
                                self.allocate(text.len(), range)?;
                            }
                        }
                    }
                }
                self.string(text, range)?
            }
            Expr::Name(name) => self.name(&name.id, range, scope)?,
            Expr::List(list) => {
                let items = self.items(&list.elts, scope)?;
                self.list(items, range)?
            }
            Expr::Tuple(tuple) => {
                let items = self.items(&tuple.elts, scope)?;
                self.tuple(items, range)?
            }
            Expr::Dict(dict) => {
                let mut items: Vec<(Value<'a>, Value<'a>)> = Vec::new();
                for item in &dict.items {
                    let Some(key) = &item.key else {
                        return Err(Fault::new(range, "** has no place here".to_owned()));
                    };
                    let key = self.expression(key, scope)?;
                    let value = self.expression(&item.value, scope)?;
                    items.retain(|(known, _)| !known.equals(&key));
                    items.push((key, value));
                }
                self.allocate(1 + items.len(), range)?;
                self.keep(Value::Dict(Rc::new(items.into())))
            }
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
                match (operation.op, &value) {
                    (UnaryOp::Not, value) => Value::Bool(!value.is_true()),
                    (UnaryOp::USub, Value::Float(number)) => Value::Float(-number),
                    (UnaryOp::USub, value) if value.as_int().is_some() => {
                        let negated = value.as_int().and_then(i64::checked_neg);
                        Value::Int(negated.ok_or_else(|| too_large(range))?)
                    }
                    (UnaryOp::UAdd, value) if value.as_number().is_some() => value.clone(),
                    (op, value) => {
                        let message =
                            format!("{} has no place before {}", op.as_str(), value.a_type());
                        return Err(Fault::new(range, message));
                    }
                }
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
            Expr::Subscript(at) => {
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
                item(&container, &index, range)?
            }
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

    /// The values of a list, with those of starred lists in it.
    fn items(&mut self, elements: &'a [Expr], scope: &Rc<Scope<'a>>) -> Outcome<Vec<Value<'a>>> {
        let mut items = Vec::new();
        for element in elements {
            match element {
                Expr::Starred(starred) => {
                    let value = self.expression(&starred.value, scope)?;
                    items.extend(self.iterate(&value, starred.range())?);
                }
                element => {
                    self.allocate(1, element.range())?;
                    items.push(self.expression(element, scope)?);
                }
            }
        }
        Ok(items)
    }

    fn comprehension(
        &mut self,
        element: &'a Expr,
        generators: &'a [Comprehension],
        scope: &Rc<Scope<'a>>,
        results: &mut Vec<Value<'a>>,
    ) -> Outcome<()> {
        let Some((generator, rest)) = generators.split_first() else {
            self.allocate(1, element.range())?;
            results.push(self.expression(element, scope)?);
            return Ok(());
        };
        let items = self.expression(&generator.iter, scope)?;
        'items: for item in self.iterate(&items, generator.iter.range())? {
            self.step(generator.range)?;
            self.assign(&generator.target, item, scope)?;
            for condition in &generator.ifs {
                if !self.expression(condition, scope)?.is_true() {
                    continue 'items;
                }
            }
            self.comprehension(element, rest, scope, results)?;
        }
        Ok(())
    }

    fn defaults(
        &mut self,
        parameters: &'a Parameters,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<HashMap<&'a str, Value<'a>>> {
        let mut defaults = HashMap::new();
        let mut names = HashSet::new();
        for parameter in parameters.iter() {
            let name = parameter.name();
            if !names.insert(name.as_str()) {
                let message = format!("two parameters have the name {name}");
                return Err(Fault::new(name.range, message));
            }
        }
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                let value = self.expression(default, scope)?;
                defaults.insert(&*parameter.parameter.name.id, value);
            }
        }
        Ok(defaults)
    }

    fn arguments(
        &mut self,
        arguments: &'a Arguments,
        range: TextRange,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<CallArguments<'a>> {
        let positional = self.items(&arguments.args, scope)?;
        let mut keyword: Vec<(&'a str, Value<'a>)> = Vec::new();
        for argument in &arguments.keywords {
            let Some(name) = &argument.arg else {
                let message = "** has no place here: write the arguments out".to_owned();
                return Err(Fault::new(argument.range(), message));
            };
            let name: &'a str = &name.id;
            if keyword.iter().any(|(known, _)| *known == name) {
                return Err(Fault::new(
                    argument.range(),
                    format!("{name} is given twice"),
                ));
            }
            keyword.push((name, self.expression(&argument.value, scope)?));
        }
        Ok(CallArguments {
            positional,
            keyword,
            range,
        })
    }

    pub(super) fn call(
        &mut self,
        function: &Value<'a>,
        arguments: CallArguments<'a>,
    ) -> Outcome<Value<'a>> {
        match function {
            Value::Function(function) => self.call_function(function, arguments),
            Value::Builtin(builtin) => builtin.call(self, arguments),
            Value::Method(method) => builtins::call_method(self, &method.0, method.1, arguments),
            Value::Class(class) => {
                self.modules += 1;
                if self.modules > MAX_MODULES {
                    let message = format!("makes more than {MAX_MODULES} modules");
                    return Err(Fault::new(arguments.range, message));
                }
                let mut ranges = vec![arguments.range];
                // The outermost call is that of the network itself.
                ranges.extend(self.calls.iter().skip(1).rev());
                Ok(Value::Module(Rc::new(class.call(arguments, ranges)?)))
            }
            other => Err(Fault::new(
                arguments.range,
                format!("{} cannot be called", other.a_type()),
            )),
        }
    }

    /// Calls a function of the text.
    pub(super) fn call_function(
        &mut self,
        function: &Function<'a>,
        arguments: CallArguments<'a>,
    ) -> Outcome<Value<'a>> {
        let range = arguments.range;
        if self.calls.len() >= MAX_CALLS {
            let message = format!("more than {MAX_CALLS} calls within calls");
            return Err(Fault::new(range, message));
        }
        let scope = self.scope(Some(function.scope.clone()), range)?;
        self.bind(function, arguments, &scope)?;
        self.calls.push(range);
        let result = match &function.body {
            Body::Statements(def) => match self.block(&def.body, &scope) {
                Ok(Flow::Return(value)) => Ok(value),
                Ok(Flow::Next) => Ok(Value::None),
                Ok(Flow::Break(range) | Flow::Continue(range)) => Err(outside(range)),
                Err(fault) => Err(fault),
            },
            Body::Expression(body) => self.expression(body, &scope),
        };
        self.calls.pop();
        result
    }

    fn bind(
        &mut self,
        function: &Function<'a>,
        arguments: CallArguments<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<()> {
        let name = function.name;
        let range = arguments.range;
        let fault = |message| Err(Fault::new(range, message));
        let Some(parameters) = function.parameters else {
            return if arguments.positional.is_empty() && arguments.keyword.is_empty() {
                Ok(())
            } else {
                fault(format!("{name}() takes no arguments"))
            };
        };
        let mut positional = arguments.positional.into_iter();
        let mut keyword = arguments.keyword;
        let by_place = parameters.posonlyargs.iter().chain(&parameters.args);
        let by_place = by_place.map(|parameter| (parameter, true));
        let by_name = parameters
            .kwonlyargs
            .iter()
            .map(|parameter| (parameter, false));
        for (parameter, takes_place) in by_place.chain(by_name) {
            let of: &'a str = &parameter.parameter.name.id;
            let named = keyword.iter().position(|(given, _)| *given == of);
            let value = match (takes_place.then(|| positional.next()).flatten(), named) {
                (Some(_), Some(_)) => return fault(format!("{name}() is given {of} twice")),
                (Some(value), None) => value,
                (None, Some(place)) => keyword.remove(place).1,
                (None, None) => match function.defaults.get(of) {
                    Some(value) => value.clone(),
                    None => return fault(format!("{name}() needs the argument {of}")),
                },
            };
            scope.set(of, value);
        }
        let rest: Vec<_> = positional.collect();
        match &parameters.vararg {
            Some(vararg) => scope.set(&vararg.name.id, self.tuple(rest, range)?),
            None if rest.is_empty() => {}
            None => {
                return fault(format!(
                    "{name}() is given {} arguments too many",
                    rest.len()
                ));
            }
        }
        match (&parameters.kwarg, keyword.first()) {
            (None, Some((unknown, _))) => fault(format!("{name}() has no argument {unknown}")),
            (Some(_), _) => fault("** has no place here".to_owned()),
            (None, None) => Ok(()),
        }
    }
}

/// A value as a string, if it is not too long for one.
pub(super) fn shown(text: Option<String>, range: TextRange) -> Outcome<String> {
    text.ok_or_else(|| {
        let message = "is too long, or nested too deeply, to be a string";
        Fault::new(range, message.to_owned())
    })
}

/// A value as a message shows it: as a string, or shortened where it is too long for one.
fn message_of(value: &Value<'_>) -> String {
    python::str(value).unwrap_or_else(|| value.repr())
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
