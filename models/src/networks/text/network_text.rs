//! A text that was read, and the graph of its network.

use ruff_python_ast::{Expr, ModModule, Stmt, StmtFunctionDef};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange};
use serde_json::{Map, Value as Json};

use super::arguments::{CallArguments, shorten};
use super::description::{Description, function, options};
use super::error::{Fault, Outcome, TextError};
use super::interpreter::Interpreter;
use super::value::{Function, Value};
use super::{depth, tree};
use crate::graph::{Criterion, Graph, InitScheme};
use crate::spec::Field;

/// The longest text, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// The stack of the parser and the interpreter.
const STACK: usize = 8 << 20;

/// A network's text, read.
#[derive(Debug)]
pub struct NetworkText {
    source: String,
    parsed: Parsed<ModModule>,
    /// The name of its function.
    pub name: String,
    /// The name that users see.
    pub title: String,
    /// A description in one or two sentences.
    pub summary: String,
    /// Its options, as fields under `network.`.
    pub fields: Vec<Field>,
    /// Its defaults for other fields, by path.
    pub defaults: Map<String, Json>,
    /// The loss function of its training.
    pub criterion: Criterion,
    /// The data it takes: 2 for points, 3 for images.
    pub dimensions: Vec<usize>,
    /// The file of the weights that its runs may start from.
    pub weights: Option<String>,
}

impl NetworkText {
    /// Reads a text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn read(source: &str) -> Result<Self, TextError> {
        on_large_stack(|| Self::read_here(source))
    }

    fn read_here(source: &str) -> Result<Self, TextError> {
        if source.len() > MAX_SOURCE {
            let message = format!(
                "the text has {} bytes, more than {MAX_SOURCE}",
                source.len()
            );
            return Err(TextError::at(1, 1, message));
        }
        if let Some(line) = depth::too_deep(source) {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            return Err(TextError::at(line, 1, "is nested too deeply".to_owned()));
        }
        let parsed = ruff_python_parser::parse_module(source).map_err(|error| {
            let fault = Fault::new(error.location, error.error.to_string());
            fault.in_text(source)
        })?;
        let description = Description::read(&parsed.syntax().body);
        let description = description.map_err(|fault| fault.in_text(source))?;
        Ok(Self {
            source: source.to_owned(),
            parsed,
            name: description.name,
            title: description.title,
            summary: description.summary,
            fields: description.fields,
            defaults: description.defaults,
            criterion: description.criterion,
            dimensions: description.dimensions,
            weights: description.weights,
        })
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// A mistake of a variable of the text, such as `weights`, or of an entry of one that is a dictionary: where it is set
    /// last.
    pub fn mistake_of(&self, variable: &str, key: Option<&str>, message: String) -> TextError {
        let range = self.place_of(variable, key).unwrap_or_default();
        Fault::new(range, message).in_text(&self.source)
    }

    fn place_of(&self, variable: &str, key: Option<&str>) -> Option<TextRange> {
        let values = self.body().iter().rev().filter_map(|statement| {
            let assign = statement.as_assign_stmt()?;
            let mut targets = assign.targets.iter().filter_map(Expr::as_name_expr);
            targets
                .any(|target| target.id == variable)
                .then_some((statement.range(), &*assign.value))
        });
        let (whole, value) = values.into_iter().next()?;
        let entries = value
            .as_dict_expr()
            .into_iter()
            .flat_map(|dict| &dict.items);
        let mut keys = entries.filter_map(|item| item.key.as_ref());
        let entry = keys.find(|entry| {
            let literal = entry.as_string_literal_expr();
            literal.is_some_and(|literal| Some(literal.value.to_str()) == key)
        });
        Some(entry.map_or(whole, Ranged::range))
    }

    fn body(&self) -> &[Stmt] {
        &self.parsed.syntax().body
    }

    /// The graph for inputs of one shape and a number of classes. `options` are checked values of the fields; those that
    /// are missing have their defaults.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn graph(
        &self,
        options: &Map<String, Json>,
        input: &[usize],
        classes: usize,
    ) -> Result<Graph, TextError> {
        on_large_stack(|| {
            self.graph_here(options, input, classes)
                .map_err(|fault| fault.in_text(&self.source))
        })
    }

    fn graph_here(
        &self,
        given: &Map<String, Json>,
        input: &[usize],
        classes: usize,
    ) -> Outcome<Graph> {
        let function = function(self.body())?;
        let mut interpreter = Interpreter::new();
        let globals = interpreter.run(self.body())?;
        let range = function.name.range;
        let Some(Value::Function(value)) = globals.get(&self.name) else {
            return Err(Fault::new(range, "is not a function any more".to_owned()));
        };
        let keyword = self.arguments(given, classes, function, &value, &mut interpreter)?;
        let arguments = CallArguments {
            positional: Vec::new(),
            keyword,
            range,
        };
        let result = interpreter.call_function(&value, arguments)?;
        let Value::Module(root) = result else {
            let message = format!(
                "{} must return a module, such as Sequential(…), not {}",
                self.name,
                shorten(result.repr())
            );
            return Err(Fault::new(range, message));
        };
        let breaks = self.source.bytes().enumerate();
        let breaks = breaks.filter(|(_, byte)| *byte == b'\n');
        let breaks: Vec<_> = breaks.map(|(at, _)| at).collect();
        let line = |range: TextRange| {
            let line = 1 + breaks.partition_point(|at| *at < range.start().to_usize());
            u32::try_from(line).unwrap_or(u32::MAX)
        };
        let mut graph = tree::graph(&root, &self.name, input, &line)?;
        graph.criterion = self.criterion;
        if graph.output() != [classes] {
            let shape = graph.output().to_vec();
            let message = match shape[..] {
                [values] => {
                    format!("gives {values} scores for {classes} classes: end with Linear(classes)")
                }
                _ => format!("gives a result of {shape:?}: end with Flatten() and Linear(classes)"),
            };
            return Err(Fault::new(range, message));
        }
        if let Some(scheme) = given
            .get("init")
            .cloned()
            .and_then(|word| serde_json::from_value::<InitScheme>(word).ok())
        {
            graph.init = scheme;
        }
        Ok(graph)
    }

    /// The arguments of the call of the function, `value`: the number of classes and the options.
    fn arguments<'a>(
        &self,
        given: &Map<String, Json>,
        classes: usize,
        function: &'a StmtFunctionDef,
        value: &Function<'a>,
        interpreter: &mut Interpreter<'a>,
    ) -> Outcome<Vec<(&'a str, Value<'a>)>> {
        let parameters = function.parameters.iter_non_variadic_params();
        let names: Vec<_> = parameters
            .map(|parameter| parameter.parameter.name.as_str())
            .collect();
        let mut arguments = Vec::new();
        if names.contains(&"classes") {
            arguments.push(("classes", Value::Int(classes as i64)));
        }
        for option in options(value, function)? {
            let key = option.field.key();
            let default;
            let json = match given.get(key) {
                Some(json) => json,
                None => {
                    let mut fields = self.fields.iter();
                    let field = fields.find(|field| field.path == option.field.path);
                    let text = &field.unwrap_or(&option.field).default;
                    default = serde_json::from_str(text).unwrap_or(Json::Null);
                    &default
                }
            };
            let name = names.iter().find(|name| **name == key);
            let value = option.value(json, interpreter)?;
            arguments.push((name.copied().unwrap_or(""), value));
        }
        Ok(arguments)
    }
}

/// Runs something recursive. Its depth is bounded, but may be more than the stack of a thread allows.
fn on_large_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK, STACK, run)
}
