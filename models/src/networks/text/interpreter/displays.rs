//! Lists and dictionaries that are written out, and comprehensions. Python calls them displays.

use std::rc::Rc;

use ruff_python_ast::{Comprehension, Expr, ExprDict};
use ruff_text_size::Ranged;

use super::Interpreter;
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::value::{Scope, Value};

impl<'a> Interpreter<'a> {
    /// The values of a list, with those of starred lists in it.
    pub(super) fn items(
        &mut self,
        elements: &'a [Expr],
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<Vec<Value<'a>>> {
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

    pub(super) fn comprehension(
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

    pub(super) fn dict(&mut self, dict: &'a ExprDict, scope: &Rc<Scope<'a>>) -> Outcome<Value<'a>> {
        let range = dict.range();
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
        Ok(self.keep(Value::Dict(Rc::new(items.into()))))
    }
}
