//! Assignments to names, items of lists and dictionaries, and tuples of such.

use std::rc::Rc;

use ruff_python_ast::{Expr, Operator, StmtAugAssign};
use ruff_text_size::{Ranged, TextRange};

use super::Interpreter;
use crate::networks::text::arguments::shorten;
use crate::networks::text::error::{Fault, Outcome};
use crate::networks::text::operators::item_place;
use crate::networks::text::value::{Scope, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn assign(
        &mut self,
        target: &'a Expr,
        value: Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<()> {
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

    /// `+=` and the like. `+=` changes a list itself, as in Python.
    pub(super) fn augmented_assign(
        &mut self,
        assign: &'a StmtAugAssign,
        scope: &Rc<Scope<'a>>,
    ) -> Outcome<()> {
        let old = self.expression(&assign.target, scope)?;
        let change = self.expression(&assign.value, scope)?;
        let range = assign.range();
        if let (Value::List(list), Operator::Add) = (&old, assign.op) {
            let more = self.iterate(&change, range)?;
            self.allocate(more.len(), range)?;
            list.borrow_mut().extend(more);
        } else {
            let new = self.binary(assign.op, &old, &change, range)?;
            self.assign(&assign.target, new, scope)?;
        }
        Ok(())
    }
}
