//! Networks as texts in Python's syntax.
//!
//! | module | what it is |
//! |---|---|
//! | `value` | the values of a text: numbers, strings, lists, functions, modules |
//! | `arguments` | the arguments of a call, bound to parameters |
//! | `modules` | modules as in PyTorch |
//! | `options` | `option(…)`: the options of a network, which are the fields of a form |
//! | `builtins` | the other functions of the language, and methods |
//! | `language` | the words of the language with their help, for editors |
//! | `interpreter` | runs the statements |
//! | `operators` | operators on values |
//! | `python` | values as Python writes them |
//! | `tree` | the graph of a tree of modules |
//! | `depth` | the bound of nesting |
//!
//! The last function of a text is the network. It returns a module. Its parameters are the network's options, but for
//! `classes`, which is the number of classes. The text's first string is the title, and below it a summary.

mod arguments;
mod builtins;
mod depth;
mod interpreter;
mod language;
mod modules;
mod operators;
mod options;
mod python;
mod tree;
mod value;

use ruff_python_ast::{Expr, ModModule, Stmt, StmtFunctionDef};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use arguments::{CallArguments, shorten};
use interpreter::Interpreter;
pub use language::{LANGUAGE, Language, Word};
use options::NetworkOption;
use value::Value;

use super::fields;
use crate::graph::{Criterion, Graph, InitScheme};
use crate::spec::Field;

/// The longest text, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// The stack of the parser and the interpreter.
const STACK: usize = 8 << 20;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The layer whose shapes do not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub layer: Option<String>,
    /// The option whose value the network refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub option: Option<String>,
    /// Whether a larger image would do.
    #[serde(skip)]
    pub(crate) is_too_small: bool,
}

impl TextError {
    /// A mistake that is no single statement's.
    pub fn at(line: u32, column: u32, message: String) -> Self {
        Self {
            line,
            column,
            message,
            layer: None,
            option: None,
            is_too_small: false,
        }
    }
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(layer) = &self.layer {
            write!(f, "{layer}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TextError {}

/// What is wrong, while the text runs.
struct Fault {
    range: TextRange,
    message: String,
    layer: Option<String>,
    option: Option<String>,
    is_too_small: bool,
}

type Outcome<T> = Result<T, Box<Fault>>;

impl Fault {
    fn new(range: TextRange, message: String) -> Box<Self> {
        Box::new(Self {
            range,
            message,
            layer: None,
            option: None,
            is_too_small: false,
        })
    }
}

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
        let at = |line, message: String| TextError {
            line,
            column: 1,
            message,
            layer: None,
            option: None,
            is_too_small: false,
        };
        if source.len() > MAX_SOURCE {
            let message = format!(
                "the text has {} bytes, more than {MAX_SOURCE}",
                source.len()
            );
            return Err(at(1, message));
        }
        if let Some(line) = depth::too_deep(source) {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            return Err(at(line, "is nested too deeply".to_owned()));
        }
        let parsed = ruff_python_parser::parse_module(source).map_err(|error| {
            let fault = Fault::new(error.location, error.error.to_string());
            place(source, *fault)
        })?;
        let mut text = Self {
            source: source.to_owned(),
            name: String::new(),
            title: String::new(),
            summary: String::new(),
            fields: Vec::new(),
            defaults: Map::new(),
            criterion: Criterion::CrossEntropy,
            dimensions: Vec::new(),
            weights: None,
            parsed,
        };
        let described = text.describe().map_err(|fault| place(source, *fault))?;
        (text.name, text.title, text.summary) = described.names;
        text.fields = described.fields;
        text.defaults = described.defaults;
        text.criterion = described.criterion;
        text.dimensions = described.dimensions;
        text.weights = described.weights;
        Ok(text)
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// A mistake of a variable of the text, such as `weights`, or of an entry of one that is a dictionary: where it is set
    /// last.
    pub fn mistake_of(&self, variable: &str, key: Option<&str>, message: String) -> TextError {
        let range = self.place_of(variable, key).unwrap_or_default();
        place(&self.source, *Fault::new(range, message))
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

    /// The function that makes the network: the last.
    fn function(&self) -> Outcome<&StmtFunctionDef> {
        let functions = self.body().iter().filter_map(Stmt::as_function_def_stmt);
        functions.last().ok_or_else(|| {
            let message =
                "a network is a function that returns a module: there is no def".to_owned();
            Fault::new(TextRange::default(), message)
        })
    }

    fn describe(&self) -> Outcome<Description> {
        let function = self.function()?;
        let mut interpreter = Interpreter::new();
        let globals = interpreter.run(self.body())?;
        let name = function.name.to_string();
        let docstring = match self.body().first() {
            Some(Stmt::Expr(first)) => first.value.as_string_literal_expr(),
            _ => None,
        };
        let docstring = docstring.map(|literal| literal.value.to_str().trim().to_owned());
        let docstring = docstring.unwrap_or_default();
        let (title, summary) = docstring.split_once('\n').unwrap_or((&docstring, ""));
        let title = match title.trim() {
            "" => name.replace('_', " "),
            title => title.to_owned(),
        };
        let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut fields = Vec::new();
        let value = globals.get(&name);
        let Some(Value::Function(value)) = &value else {
            let message = format!("{name} is not the function any more");
            return Err(Fault::new(function.name.range, message));
        };
        for option in self.options(value, function)? {
            fields.push(option.field);
        }
        if !fields.iter().any(|field| field.key() == "init") {
            fields.push(fields::INIT);
        }
        let mut defaults = match globals.get("defaults") {
            None => Map::new(),
            Some(value) => defaults(&value, function.name.range)?,
        };
        // Those of the network's own options are the options' defaults.
        for field in &mut fields {
            let Some(value) = defaults.remove(&*field.path) else {
                continue;
            };
            let value = field.check(&value).map_err(|errors| {
                let message = errors.first().map_or("", |error| &error.message);
                Fault::new(
                    function.name.range,
                    format!("the default of {} {message}", field.path),
                )
            })?;
            field.default = value.to_string().into();
        }
        let criterion = match globals.get("loss") {
            None => Criterion::CrossEntropy,
            Some(Value::Str(word)) if &*word == "cross_entropy" => Criterion::CrossEntropy,
            Some(Value::Str(word)) if &*word == "perceptron" => Criterion::Perceptron,
            Some(other) => {
                let message = format!(
                    "loss must be \"cross_entropy\" or \"perceptron\", not {}",
                    shorten(other.repr())
                );
                return Err(Fault::new(function.name.range, message));
            }
        };
        let weights = match globals.get("weights") {
            None | Some(Value::None) => None,
            Some(value) => Some(weights(&value, function.name.range)?),
        };
        if weights.is_some() {
            fields.push(fields::INITIAL_WEIGHTS);
        }
        let inputs = globals.get("inputs");
        Ok(Description {
            names: (name, title, summary),
            fields,
            defaults,
            criterion,
            dimensions: dimensions(inputs.as_ref(), function.name.range)?,
            weights,
        })
    }

    /// The options of the function.
    fn options<'a>(
        &self,
        value: &value::Function<'a>,
        function: &StmtFunctionDef,
    ) -> Outcome<Vec<NetworkOption<'a>>> {
        let parameters = &function.parameters;
        if let Some(rest) = parameters.vararg.as_ref().or(parameters.kwarg.as_ref()) {
            let message =
                "the parameters of a network are its options: * has no place here".to_owned();
            return Err(Fault::new(rest.range, message));
        }
        let mut options = Vec::new();
        for parameter in parameters.iter_non_variadic_params() {
            let name = parameter.parameter.name.as_str();
            let range = parameter.range();
            match value.defaults.get(name) {
                Some(_)
                    if matches!(name, "kind" | "source" | "revision" | "weights" | "classes") =>
                {
                    return Err(Fault::new(
                        range,
                        format!("an option cannot have the name {name}"),
                    ));
                }
                Some(default) => options.push(NetworkOption::new(name, default, range)?),
                None if name == "classes" => {}
                None => {
                    let message = format!("the option {name} needs a default: {name}=…");
                    return Err(Fault::new(range, message));
                }
            }
        }
        Ok(options)
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
                .map_err(|fault| place(&self.source, *fault))
        })
    }

    fn graph_here(
        &self,
        given: &Map<String, Json>,
        input: &[usize],
        classes: usize,
    ) -> Outcome<Graph> {
        let function = self.function()?;
        let mut interpreter = Interpreter::new();
        let globals = interpreter.run(self.body())?;
        let range = function.name.range;
        let Some(value @ Value::Function(_)) = globals.get(&self.name) else {
            return Err(Fault::new(range, "is not a function any more".to_owned()));
        };
        let Value::Function(parts) = &value else {
            return Err(Fault::new(range, "is not a function any more".to_owned()));
        };
        let mut keyword = Vec::new();
        let takes_classes = function
            .parameters
            .iter_non_variadic_params()
            .any(|parameter| parameter.parameter.name.as_str() == "classes");
        if takes_classes {
            keyword.push(("classes", Value::Int(classes as i64)));
        }
        let names = function.parameters.iter_non_variadic_params();
        let names: Vec<&str> = names
            .map(|parameter| parameter.parameter.name.as_str())
            .collect();
        for option in self.options(parts, function)? {
            let key = option.field.key();
            let default;
            let json = match given.get(key) {
                Some(json) => json,
                None => {
                    let field = self
                        .fields
                        .iter()
                        .find(|field| field.path == option.field.path);
                    let text = field.map_or(&option.field.default, |field| &field.default);
                    default = serde_json::from_str(text).unwrap_or(Json::Null);
                    &default
                }
            };
            let name = names.iter().find(|name| **name == key);
            let value = option.value(json, &mut interpreter)?;
            keyword.push((name.copied().unwrap_or(""), value));
        }
        let arguments = CallArguments {
            positional: Vec::new(),
            keyword,
            range,
        };
        let result = interpreter.call_function(parts, arguments)?;
        let Value::Module(root) = result else {
            let message = format!(
                "{} must return a module, such as Sequential(…), not {}",
                self.name,
                shorten(result.repr())
            );
            return Err(Fault::new(range, message));
        };
        let breaks = self
            .source
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n');
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
}

/// What a text says about its network.
struct Description {
    /// The function's name, the title, the summary.
    names: (String, String, String),
    fields: Vec<Field>,
    defaults: Map<String, Json>,
    criterion: Criterion,
    dimensions: Vec<usize>,
    weights: Option<String>,
}

/// The variable `weights`: the name of a file.
fn weights(value: &Value<'_>, range: TextRange) -> Outcome<String> {
    match value {
        Value::Str(name) if is_weights_file(name) => Ok(name.to_string()),
        other => {
            let message = format!(
                "weights must be the name of a file such as \"resnet18.safetensors\", not {}",
                shorten(other.repr())
            );
            Err(Fault::new(range, message))
        }
    }
}

/// Whether a name is that of a file of weights, and not a path.
pub fn is_weights_file(name: &str) -> bool {
    let stem = name.strip_suffix(".safetensors").unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=100).contains(&stem.len()) && stem.chars().all(letters)
}

/// The variable `inputs`: a list of `"points"` and `"images"`. Without it a network takes both.
fn dimensions(value: Option<&Value<'_>>, range: TextRange) -> Outcome<Vec<usize>> {
    let Some(value) = value else {
        return Ok(vec![2, 3]);
    };
    let dimensions = value.items().unwrap_or_default();
    let dimensions = dimensions.iter().map(|item| match item {
        Value::Str(word) if &**word == "points" => Some(2),
        Value::Str(word) if &**word == "images" => Some(3),
        _ => None,
    });
    let dimensions: Option<Vec<_>> = dimensions.collect();
    dimensions
        .filter(|dimensions| !dimensions.is_empty())
        .ok_or_else(|| {
            let message = "inputs must be a list of \"points\" and \"images\"".to_owned();
            Fault::new(range, message)
        })
}

/// The variable `defaults`: a dictionary of paths and values.
fn defaults(value: &Value<'_>, range: TextRange) -> Outcome<Map<String, Json>> {
    let wrong = || {
        let message = "defaults must be a dictionary such as {\"training.epochs\": 5}".to_owned();
        Fault::new(range, message)
    };
    let Value::Dict(items) = value else {
        return Err(wrong());
    };
    let mut defaults = Map::new();
    for (path, value) in items.borrow().iter() {
        let Value::Str(path) = path else {
            return Err(wrong());
        };
        let value = match value {
            Value::None => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::Str(value) => Json::from(&**value),
            value => {
                let items = value.items().ok_or_else(wrong)?;
                let numbers = items.iter().map(Value::as_int);
                Json::from(numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?)
            }
        };
        defaults.insert(path.to_string(), value);
    }
    Ok(defaults)
}

/// Runs something recursive. Its depth is bounded, but may be more than the stack of a thread allows.
fn on_large_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK, STACK, run)
}

/// Line and column of the start of a range, from 1.
fn position(source: &str, range: TextRange) -> (u32, u32) {
    let mut start = range.start().to_usize().min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let before = &source[..start];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (bounded(line), bounded(column))
}

fn place(source: &str, fault: Fault) -> TextError {
    let (line, column) = position(source, fault.range);
    TextError {
        line,
        column,
        message: fault.message,
        layer: fault.layer,
        option: fault.option,
        is_too_small: fault.is_too_small,
    }
}
