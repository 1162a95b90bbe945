//! What a text says about its network: its docstring, the options of its function, and the variables `defaults`, `loss`,
//! `inputs` and `weights`.

use ruff_python_ast::{Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};
use serde_json::{Map, Value as Json};

use super::arguments::shorten;
use super::error::{Fault, Outcome};
use super::interpreter::Interpreter;
use super::options::NetworkOption;
use super::value::{Function, Scope, Value};
use crate::graph::Criterion;
use crate::networks::fields;
use crate::spec::Field;

/// What a text says about its network.
pub(super) struct Description {
    /// The name of the function.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) fields: Vec<Field>,
    pub(super) defaults: Map<String, Json>,
    pub(super) criterion: Criterion,
    pub(super) dimensions: Vec<usize>,
    pub(super) weights: Option<String>,
}

impl Description {
    /// Runs the statements of a text.
    pub(super) fn read(body: &[Stmt]) -> Outcome<Self> {
        let function = function(body)?;
        let range = function.name.range;
        let mut interpreter = Interpreter::new();
        let globals = interpreter.run(body)?;
        let name = function.name.to_string();
        let (title, summary) = title_and_summary(body, &name);
        let Some(Value::Function(value)) = globals.get(&name) else {
            let message = format!("{name} is not the function any more");
            return Err(Fault::new(range, message));
        };
        let options = options(&value, function)?;
        let mut fields: Vec<_> = options.into_iter().map(|option| option.field).collect();
        if !fields.iter().any(|field| field.key() == "init") {
            fields.push(fields::INIT);
        }
        let mut defaults = match globals.get("defaults") {
            None => Map::new(),
            Some(value) => defaults(&value, range)?,
        };
        move_defaults(&mut defaults, &mut fields, range)?;
        let criterion = criterion(&globals, range)?;
        let weights = match globals.get("weights") {
            None | Some(Value::None) => None,
            Some(value) => Some(weights(&value, range)?),
        };
        if weights.is_some() {
            fields.push(fields::INITIAL_WEIGHTS);
        }
        Ok(Self {
            name,
            title,
            summary,
            fields,
            defaults,
            criterion,
            dimensions: dimensions(globals.get("inputs").as_ref(), range)?,
            weights,
        })
    }
}

/// The function that makes the network: the last.
pub(super) fn function(body: &[Stmt]) -> Outcome<&StmtFunctionDef> {
    let functions = body.iter().filter_map(Stmt::as_function_def_stmt);
    functions.last().ok_or_else(|| {
        let message = "a network is a function that returns a module: there is no def".to_owned();
        Fault::new(TextRange::default(), message)
    })
}

/// The title and the summary in the first string of a text; without a title, one from the network's name.
fn title_and_summary(body: &[Stmt], name: &str) -> (String, String) {
    let docstring = match body.first() {
        Some(Stmt::Expr(first)) => first.value.as_string_literal_expr(),
        _ => None,
    };
    let docstring = docstring.map_or("", |literal| literal.value.to_str().trim());
    let (title, summary) = docstring.split_once('\n').unwrap_or((docstring, ""));
    let title = match title.trim() {
        "" => name.replace('_', " "),
        title => title.to_owned(),
    };
    let summary = summary.split_whitespace().collect::<Vec<_>>();
    (title, summary.join(" "))
}

/// The options of the function, which `value` is.
pub(super) fn options<'a>(
    value: &Function<'a>,
    function: &StmtFunctionDef,
) -> Outcome<Vec<NetworkOption<'a>>> {
    let parameters = &function.parameters;
    if let Some(rest) = parameters.vararg.as_ref().or(parameters.kwarg.as_ref()) {
        let message = "the parameters of a network are its options: * has no place here".to_owned();
        return Err(Fault::new(rest.range, message));
    }
    let mut options = Vec::new();
    for parameter in parameters.iter_non_variadic_params() {
        let name = parameter.parameter.name.as_str();
        let range = parameter.range();
        match value.defaults.get(name) {
            Some(_) if matches!(name, "kind" | "source" | "revision" | "weights" | "classes") => {
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

/// Those of the network's own options become the defaults of these.
fn move_defaults(
    defaults: &mut Map<String, Json>,
    fields: &mut [Field],
    range: TextRange,
) -> Outcome<()> {
    for field in fields {
        let Some(value) = defaults.remove(&*field.path) else {
            continue;
        };
        let value = field.check(&value).map_err(|errors| {
            let message = errors.first().map_or("", |error| &error.message);
            Fault::new(range, format!("the default of {} {message}", field.path))
        })?;
        field.default = value.to_string().into();
    }
    Ok(())
}

/// The variable `loss`.
fn criterion(globals: &Scope<'_>, range: TextRange) -> Outcome<Criterion> {
    match globals.get("loss") {
        None => Ok(Criterion::CrossEntropy),
        Some(Value::Str(word)) if &*word == "cross_entropy" => Ok(Criterion::CrossEntropy),
        Some(Value::Str(word)) if &*word == "perceptron" => Ok(Criterion::Perceptron),
        Some(other) => {
            let message = format!(
                "loss must be \"cross_entropy\" or \"perceptron\", not {}",
                shorten(other.repr())
            );
            Err(Fault::new(range, message))
        }
    }
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
