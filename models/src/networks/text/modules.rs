//! Modules as in PyTorch: classes that a text calls, and the tree of modules that results.

use std::rc::Rc;

use ruff_text_size::TextRange;

use super::arguments::{Bound, CallArguments};
use super::error::{Fault, Outcome};
use super::value::Value;
use crate::graph::{InitScheme, Operation, WeightInit};
use crate::ops::{Activation, PoolWindow};

/// A class of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Conv2d,
    Linear,
    BatchNorm1d,
    BatchNorm2d,
    Activation(Activation),
    Hardtanh,
    MaxPool2d,
    AvgPool2d,
    AdaptiveAvgPool2d,
    Mean,
    Dropout,
    Flatten,
    Identity,
    ZeroPad1d,
    ZeroPad2d,
    Sequential,
    Sum,
    Mul,
    Concat,
}

/// The classes by their names.
pub(super) const CLASSES: &[(&str, Class)] = &[
    ("Conv2d", Class::Conv2d),
    ("Linear", Class::Linear),
    ("BatchNorm1d", Class::BatchNorm1d),
    ("BatchNorm2d", Class::BatchNorm2d),
    ("ReLU", Class::Activation(Activation::Relu)),
    ("ReLU6", Class::Activation(Activation::Relu6)),
    ("SiLU", Class::Activation(Activation::Silu)),
    ("GELU", Class::Activation(Activation::Gelu)),
    ("Hardswish", Class::Activation(Activation::Hardswish)),
    ("Sigmoid", Class::Activation(Activation::Sigmoid)),
    ("Hardsigmoid", Class::Activation(Activation::Hardsigmoid)),
    ("Tanh", Class::Activation(Activation::Tanh)),
    ("Hardtanh", Class::Hardtanh),
    ("MaxPool2d", Class::MaxPool2d),
    ("AvgPool2d", Class::AvgPool2d),
    ("AdaptiveAvgPool2d", Class::AdaptiveAvgPool2d),
    ("Mean", Class::Mean),
    ("Dropout", Class::Dropout),
    ("Flatten", Class::Flatten),
    ("Identity", Class::Identity),
    ("ZeroPad1d", Class::ZeroPad1d),
    ("ZeroPad2d", Class::ZeroPad2d),
    ("Sequential", Class::Sequential),
    ("Sum", Class::Sum),
    ("Mul", Class::Mul),
    ("Concat", Class::Concat),
];

/// A module.
pub(super) struct Module {
    pub(super) kind: Kind,
    /// The name from the root, if the text gives one. Otherwise the name is the place in the tree.
    pub(super) name: Option<String>,
    /// Where the module is made, then the calls that led there.
    pub(super) ranges: Vec<TextRange>,
    /// Modules within modules.
    depth: usize,
}

/// The most modules within modules.
const MAX_DEPTH: usize = 100;

pub(super) enum Kind {
    Layer(Operation),
    Sequential(Vec<Child>),
    /// A [`Operation::Sum`], [`Operation::Mul`] or [`Operation::Concat`] of branches.
    Join(Operation, Vec<Child>),
}

/// A module in another, with its name there.
pub(super) type Child = (String, Rc<Module>);

impl Module {
    pub(super) fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Layer(operation) | Kind::Join(operation, _) => operation.name(),
            Kind::Sequential(_) => "Sequential",
        }
    }
}

impl Class {
    pub(super) fn name(self) -> &'static str {
        let named = CLASSES.iter().find(|(_, class)| *class == self);
        named.map_or("", |(name, _)| name)
    }

    /// Makes a module. `ranges` are the places of the calls, the innermost first.
    pub(super) fn call(
        self,
        mut arguments: CallArguments<'_>,
        ranges: Vec<TextRange>,
    ) -> Outcome<Module> {
        let name = take_name(&mut arguments)?;
        let kind = match self {
            Self::Sequential => Kind::Sequential(children(self, arguments)?),
            Self::Sum => Kind::Join(Operation::Sum, children(self, arguments)?),
            Self::Mul => Kind::Join(Operation::Mul, children(self, arguments)?),
            Self::Concat => Kind::Join(Operation::Concat, children(self, arguments)?),
            _ => Kind::Layer(self.layer(arguments)?),
        };
        let children: &[Child] = match &kind {
            Kind::Layer(_) => &[],
            Kind::Sequential(children) | Kind::Join(_, children) => children,
        };
        let depth = 1 + children
            .iter()
            .map(|(_, child)| child.depth)
            .max()
            .unwrap_or(0);
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} modules within modules");
            return Err(Fault::new(
                ranges.first().copied().unwrap_or_default(),
                message,
            ));
        }
        Ok(Module {
            kind,
            name,
            ranges,
            depth,
        })
    }

    fn layer(self, arguments: CallArguments<'_>) -> Outcome<Operation> {
        let bind = |names| arguments.bind(self.name(), names);
        Ok(match self {
            Self::Conv2d => {
                let mut a = bind(&[
                    "out", "kernel", "stride", "padding", "dilation", "groups", "bias", "init",
                ])?;
                let out_channels = a.size("out", 1, None)?;
                let kernel = a.pair("kernel", 1, None)?;
                let dilation = a.pair("dilation", 1, Some([1, 1]))?;
                Operation::Conv2d {
                    out_channels,
                    kernel,
                    stride: a.pair("stride", 1, Some([1, 1]))?,
                    padding: padding(&mut a, kernel, dilation)?,
                    dilation,
                    groups: a.size("groups", 1, Some(1))?,
                    bias: a.switch("bias", true)?,
                    init: init(&mut a)?,
                }
            }
            Self::Linear => {
                let mut a = bind(&["out", "bias", "init"])?;
                Operation::Linear {
                    out_features: a.size("out", 1, None)?,
                    bias: a.switch("bias", true)?,
                    init: init(&mut a)?,
                }
            }
            Self::BatchNorm1d | Self::BatchNorm2d => {
                let mut a = bind(&["eps", "momentum"])?;
                let mut number = |name, default: f64, most: f64| match a.number(name)? {
                    None => Ok(default),
                    Some(value) if value > 0.0 && value <= most => Ok(value),
                    Some(value) => {
                        let must_be = format!("greater than 0 and at most {most}");
                        Err(a.refuse(name, &must_be, &Value::Float(value)))
                    }
                };
                Operation::BatchNorm {
                    eps: number("eps", Operation::EPS, 1.0)?,
                    momentum: number("momentum", Operation::MOMENTUM, 1.0)?,
                }
            }
            Self::Activation(function) => {
                bind(&[])?;
                Operation::Activation { function }
            }
            Self::MaxPool2d => {
                let mut a = bind(&["kernel", "stride", "padding", "ceil_mode"])?;
                let window = window(&mut a)?;
                if window.kernel[0] * window.kernel[1] > PoolWindow::MAX_POSITIONS {
                    let message = format!(
                        "kernel of MaxPool2d() must have at most {} pixels, such as 15 by 15",
                        PoolWindow::MAX_POSITIONS
                    );
                    return Err(a.fault(message));
                }
                Operation::MaxPool2d { window }
            }
            Self::AvgPool2d => {
                let mut a = bind(&[
                    "kernel",
                    "stride",
                    "padding",
                    "ceil_mode",
                    "count_include_pad",
                ])?;
                Operation::AvgPool2d {
                    window: window(&mut a)?,
                    count_include_pad: a.switch("count_include_pad", true)?,
                }
            }
            Self::Hardtanh => {
                let mut a = bind(&["min_val", "max_val"])?;
                let (min, max) = (a.number("min_val")?, a.number("max_val")?);
                let (min, max) = (min.unwrap_or(-1.0), max.unwrap_or(1.0));
                let is_f32 = |bound: f64| (bound as f32).is_finite();
                if !(min < max && is_f32(min) && is_f32(max)) {
                    let message = "min_val of Hardtanh() must be less than max_val";
                    return Err(a.fault(message.to_owned()));
                }
                Operation::Hardtanh { min, max }
            }
            Self::AdaptiveAvgPool2d => {
                let mut a = bind(&["output"])?;
                Operation::AdaptiveAvgPool2d {
                    output: a.pair("output", 1, None)?,
                }
            }
            Self::Mean => {
                bind(&[])?;
                Operation::Mean
            }
            Self::Dropout => {
                let mut a = bind(&["p"])?;
                let p = a.number("p")?.unwrap_or(0.5);
                if !(0.0..1.0).contains(&p) {
                    let value = Value::Float(p);
                    return Err(a.refuse("p", "at least 0 and less than 1", &value));
                }
                Operation::Dropout { p }
            }
            Self::Flatten => {
                bind(&[])?;
                Operation::Flatten
            }
            Self::ZeroPad1d => {
                let mut a = bind(&["padding"])?;
                Operation::ZeroPad1d {
                    padding: a.pair("padding", 0, None)?,
                }
            }
            Self::ZeroPad2d => {
                let mut a = bind(&["padding"])?;
                Operation::ZeroPad2d {
                    padding: a.sides("padding")?,
                }
            }
            Self::Identity | Self::Sequential | Self::Sum | Self::Mul | Self::Concat => {
                bind(&[])?;
                Operation::Identity
            }
        })
    }
}

/// Takes the argument `name`, which every module has.
fn take_name(arguments: &mut CallArguments<'_>) -> Outcome<Option<String>> {
    let place = arguments
        .keyword
        .iter()
        .position(|(name, _)| *name == "name");
    let Some(place) = place else { return Ok(None) };
    let value = arguments.keyword.remove(place).1;
    let is_component = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match &value {
        Value::None => Ok(None),
        Value::Str(name)
            if name.len() <= MAX_NAME && (name.is_empty() || name.split('.').all(is_component)) =>
        {
            Ok(Some(name.to_string()))
        }
        _ => Err(Fault::new(
            arguments.range,
            format!(
                "name must be letters, digits and _ with dots between, such as \"blocks.0\", at most {MAX_NAME} \
                 characters, not {}",
                super::arguments::shorten(value.repr())
            ),
        )),
    }
}

/// The most characters of a module's name.
const MAX_NAME: usize = 200;

fn children(class: Class, arguments: CallArguments<'_>) -> Outcome<Vec<Child>> {
    let place = arguments.range;
    let positional = arguments.positional.into_iter().enumerate();
    let positional = positional.map(|(index, value)| (index.to_string(), value));
    let keyword = arguments.keyword.into_iter();
    let keyword = keyword.map(|(name, value)| (name.to_owned(), value));
    let children: Vec<_> = positional
        .chain(keyword)
        .map(|(name, value)| match value {
            Value::Module(module) => Ok((name, module)),
            Value::Class(other) => Err(Fault::new(
                place,
                format!(
                    "{} takes modules: write {other}() instead of {other}",
                    class.name(),
                    other = other.name()
                ),
            )),
            Value::List(_) | Value::Tuple(_) => Err(Fault::new(
                place,
                format!(
                    "{} takes modules, not a list: put * before it",
                    class.name()
                ),
            )),
            other => Err(Fault::new(
                place,
                format!(
                    "{} takes modules, not {}",
                    class.name(),
                    super::arguments::shorten(other.repr())
                ),
            )),
        })
        .collect::<Outcome<_>>()?;
    if children.is_empty() && class != Class::Sequential {
        return Err(Fault::new(
            place,
            format!("{} takes at least one branch", class.name()),
        ));
    }
    Ok(children)
}

/// Takes the padding: numbers, or "same" for that which keeps the size of the image.
fn padding(a: &mut Bound<'_>, kernel: [usize; 2], dilation: [usize; 2]) -> Outcome<[usize; 2]> {
    match a.take("padding") {
        None => Ok([0, 0]),
        Some(Value::Str(word)) if &*word == "valid" => Ok([0, 0]),
        Some(Value::Str(word)) if &*word == "same" => {
            let around = [0, 1].map(|side| (kernel[side] - 1) * dilation[side]);
            if around.iter().any(|side| !side.is_multiple_of(2)) {
                let message = "padding=\"same\" takes an odd kernel";
                return Err(a.fault(message.to_owned()));
            }
            Ok(around.map(|side| side / 2))
        }
        Some(value) => a.as_pair("padding", 0, &value),
    }
}

/// Takes the window of a pooling.
fn window(a: &mut Bound<'_>) -> Outcome<PoolWindow> {
    let kernel = a.pair("kernel", 1, None)?;
    let window = PoolWindow {
        kernel,
        stride: a.pair("stride", 1, Some(kernel))?,
        padding: a.pair("padding", 0, Some([0, 0]))?,
        ceil_mode: a.switch("ceil_mode", false)?,
    };
    if !window.is_valid() {
        return Err(a.fault("padding must be at most half of the kernel".to_owned()));
    }
    Ok(window)
}

/// Takes the distribution of initial weights.
fn init(a: &mut Bound<'_>) -> Outcome<Option<WeightInit>> {
    let value = match a.take("init") {
        None | Some(Value::None) => return Ok(None),
        Some(value) => value,
    };
    let scheme = match &value {
        Value::Str(word) if &**word == "zeros" => return Ok(Some(WeightInit::Zeros)),
        Value::Str(word) => {
            serde_json::from_value::<InitScheme>(serde_json::Value::from(&**word)).ok()
        }
        _ => match value.as_number() {
            Some(std) if std > 0.0 && std.is_finite() => return Ok(Some(WeightInit::Normal(std))),
            _ => None,
        },
    };
    match scheme {
        Some(scheme) => Ok(Some(WeightInit::Scheme(scheme))),
        None => Err(a.refuse(
            "init",
            "\"kaiming\", \"xavier\", \"kaiming_uniform\", \"xavier_uniform\", \"zeros\", or a number: the standard \
             deviation of a normal distribution",
            &value,
        )),
    }
}
