//! Functions of the text, and calls of them, of the language's functions, of methods and of classes of modules.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::{Arguments, Parameters};
use ruff_text_size::{Ranged, TextRange};

use super::Interpreter;
use super::statements::{Flow, outside};
use crate::networks::text::arguments::CallArguments;
use crate::networks::text::builtins;
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::value::{Body, Function, Scope, Value};

/// The most calls within calls.
const MAX_CALLS: usize = 50;

/// The most modules.
const MAX_MODULES: usize = 50_000;

impl<'a> Interpreter<'a> {
    pub(super) fn defaults(
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

    pub(super) fn arguments(
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
    pub(in crate::networks::text) fn call_function(
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
