//! The values of a text.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Expr, Parameters, StmtFunctionDef};

use super::builtins::Builtin;
use super::modules::{Class, Module};
use super::options::OptionDeclaration;
use super::python;

/// A value. Lists and dictionaries are shared, as in Python.
#[derive(Clone)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(Rc<RefCell<Vec<Self>>>),
    Tuple(Rc<[Self]>),
    Dict(Rc<RefCell<Vec<(Self, Self)>>>),
    /// A function of the text.
    Function(Rc<Function<'a>>),
    /// A function of the language.
    Builtin(Builtin),
    /// A method, bound to its value.
    Method(Rc<(Self, &'a str)>),
    /// A class of modules, such as `Conv2d`.
    Class(Class),
    /// A module.
    Module(Rc<Module>),
    /// `option(…)`: the declaration of an option.
    Option(Rc<OptionDeclaration<'a>>),
}

/// How deep lists within lists are shown and compared. A list may hold itself.
const MAX_SHOWN_DEPTH: usize = 4;

/// The most items that are shown of each list.
const MAX_SHOWN_ITEMS: usize = 32;

/// A function of the text, with the variables around it.
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) parameters: Option<&'a Parameters>,
    pub(super) defaults: HashMap<&'a str, Value<'a>>,
    pub(super) body: Body<'a>,
    pub(super) scope: Rc<Scope<'a>>,
}

/// What a function does.
pub(super) enum Body<'a> {
    Statements(&'a StmtFunctionDef),
    Expression(&'a Expr),
}

/// Variables, and those of the function around.
pub(super) struct Scope<'a> {
    variables: RefCell<HashMap<&'a str, Value<'a>>>,
    parent: Option<Rc<Self>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(parent: Option<Rc<Self>>) -> Rc<Self> {
        Rc::new(Self {
            variables: RefCell::default(),
            parent,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        match self.variables.borrow().get(name) {
            Some(value) => Some(value.clone()),
            None => self.parent.as_ref().and_then(|parent| parent.get(name)),
        }
    }

    pub(super) fn set(&self, name: &'a str, value: Value<'a>) {
        self.variables.borrow_mut().insert(name, value);
    }

    /// Drops the variables: functions hold the scope that holds them.
    pub(super) fn clear(&self) {
        let variables = self.variables.take();
        drop(variables);
    }
}

impl<'a> Value<'a> {
    /// The name of its type in Python.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Function(_) | Self::Builtin(_) | Self::Method(_) => "function",
            Self::Class(_) => "class",
            Self::Module(_) => "module",
            Self::Option(_) => "option",
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(value) => !value.is_empty(),
            Self::List(items) => !items.borrow().is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::Dict(items) => !items.borrow().is_empty(),
            _ => true,
        }
    }

    /// The items of a list or a tuple.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.borrow().clone()),
            Self::Tuple(items) => Some(items.to_vec()),
            _ => None,
        }
    }

    /// The number of items of a list, a tuple or a dictionary.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.borrow().len()),
            Self::Tuple(items) => Some(items.len()),
            Self::Dict(items) => Some(items.borrow().len()),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number, also of a truth value.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some(i64::from(*value)),
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        self.equals_within(other, MAX_SHOWN_DEPTH)
    }

    fn equals_within(&self, other: &Self, depth: usize) -> bool {
        if let (Some(a), Some(b)) = (self.as_number(), other.as_number()) {
            return a == b;
        }
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(_), Self::List(_)) | (Self::Tuple(_), Self::Tuple(_)) => {
                let (a, b) = (
                    self.items().unwrap_or_default(),
                    other.items().unwrap_or_default(),
                );
                depth > 0
                    && a.len() == b.len()
                    && a.iter().zip(&b).all(|(a, b)| a.equals_within(b, depth - 1))
            }
            (Self::Class(a), Self::Class(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Its type with an article: `an int`.
    pub(super) fn a_type(&self) -> String {
        let name = self.type_name();
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        match self {
            Self::None => name.to_owned(),
            _ => format!("{article} {name}"),
        }
    }

    /// The value as a message shows it: as it is written in a text, but long lists shortened.
    pub(super) fn repr(&self) -> String {
        self.repr_within(MAX_SHOWN_DEPTH)
    }

    fn repr_within(&self, depth: usize) -> String {
        let Some(inner) = depth.checked_sub(1) else {
            return "…".to_owned();
        };
        let join = |items: &[Self]| {
            let shown = items.iter().take(MAX_SHOWN_ITEMS);
            let mut items: Vec<_> = shown.map(|item| item.repr_within(inner)).collect();
            if items.len() == MAX_SHOWN_ITEMS {
                items.push("…".to_owned());
            }
            items.join(", ")
        };
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => python::float(*value),
            Self::Str(text) => format!("{text:?}"),
            Self::List(items) => format!("[{}]", join(&items.borrow())),
            Self::Tuple(items) if items.len() == 1 => format!("({},)", join(items)),
            Self::Tuple(items) => format!("({})", join(items)),
            Self::Dict(items) => {
                let pairs: Vec<_> = items
                    .borrow()
                    .iter()
                    .take(MAX_SHOWN_ITEMS)
                    .map(|(key, value)| {
                        format!("{}: {}", key.repr_within(inner), value.repr_within(inner))
                    })
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Self::Function(function) => format!("<function {}>", function.name),
            Self::Builtin(_) | Self::Method(_) => "<function>".to_owned(),
            Self::Class(class) => class.name().to_owned(),
            Self::Module(module) => format!("{}(…)", module.kind_name()),
            Self::Option(_) => "option(…)".to_owned(),
        }
    }
}
