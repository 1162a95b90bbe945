//! An optimizer with what it keeps between steps, by parameter.

use crate::error::{Error, Result};
use crate::layers::Store;
use crate::ops::{AdamW, Gradients, Sgd, adamw_step, sgd_step};
use crate::spec::OptimizerSpec;

/// An optimizer with what it keeps between steps.
#[derive(Debug)]
pub(crate) struct Optimizer {
    rule: OptimizerSpec,
    /// Steps done.
    steps: u64,
    /// For each parameter what [`slots`] names.
    state: Vec<Vec<Vec<f32>>>,
}

impl Optimizer {
    /// An optimizer before its first step.
    pub(crate) fn new(rule: &OptimizerSpec, store: &Store) -> Self {
        let slots = slots(rule).len();
        let zeros = |len| vec![vec![0.0; len]; slots];
        let state = store
            .parameters()
            .map(|(_, variable)| zeros(variable.elem_count()))
            .collect();
        Self {
            rule: rule.clone(),
            steps: 0,
            state,
        }
    }

    /// Changes every parameter by its gradient, where it has one.
    pub(crate) fn step(&mut self, store: &Store, gradients: &Gradients, lr: f64) -> Result<()> {
        self.steps += 1;
        for ((name, variable), state) in store.parameters().zip(&mut self.state) {
            let Some(gradient) = gradients.of(variable) else {
                continue;
            };
            let done = match (&self.rule, &mut state[..]) {
                (
                    OptimizerSpec::Sgd {
                        momentum,
                        weight_decay,
                        nesterov,
                        ..
                    },
                    slots,
                ) => {
                    let rule = Sgd {
                        lr,
                        momentum: *momentum,
                        weight_decay: *weight_decay,
                        nesterov: *nesterov,
                    };
                    let velocity = slots.first_mut().map_or(&mut [][..], |slot| &mut slot[..]);
                    sgd_step(variable, gradient, velocity, &rule)
                }
                (
                    OptimizerSpec::AdamW {
                        beta1,
                        beta2,
                        eps,
                        weight_decay,
                        ..
                    },
                    [mean, square],
                ) => {
                    let rule = AdamW {
                        lr,
                        beta1: *beta1,
                        beta2: *beta2,
                        eps: *eps,
                        weight_decay: *weight_decay,
                        step: self.steps,
                    };
                    adamw_step(variable, gradient, mean, square, &rule)
                }
                (OptimizerSpec::AdamW { .. }, _) => continue,
            };
            done.map_err(|source| Error::Layer {
                layer: name.to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    /// Steps done.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// All that is kept, as `velocity.net.0.weight` and its values.
    pub(crate) fn state<'a>(
        &'a self,
        store: &'a Store,
    ) -> impl Iterator<Item = (String, &'a [f32])> {
        let slots = slots(&self.rule);
        store
            .parameters()
            .zip(&self.state)
            .flat_map(move |((name, _), values)| {
                slots
                    .iter()
                    .zip(values)
                    .map(move |(slot, values)| (format!("{slot}.{name}"), &values[..]))
            })
    }

    /// Takes over what another kept; `take` gives the values of a name once.
    ///
    /// # Errors
    /// In words, when values are missing, too few, too many or not finite; then this optimizer must not be used.
    pub(crate) fn restore(
        &mut self,
        store: &Store,
        steps: u64,
        mut take: impl FnMut(&str) -> Option<Vec<f32>>,
    ) -> std::result::Result<(), String> {
        let names: Vec<_> = self
            .state(store)
            .map(|(name, values)| (name, values.len()))
            .collect();
        for ((name, len), kept) in names.iter().zip(self.state.iter_mut().flatten()) {
            let values = take(name).ok_or_else(|| format!("{name} is missing"))?;
            if values.len() != *len {
                return Err(format!(
                    "{name} has {} values instead of {len}",
                    values.len()
                ));
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(format!("{name} has values that are not finite"));
            }
            *kept = values;
        }
        self.steps = steps;
        Ok(())
    }
}

/// What a rule keeps for each parameter.
fn slots(rule: &OptimizerSpec) -> &'static [&'static str] {
    match rule {
        OptimizerSpec::Sgd { momentum: 0.0, .. } => &[],
        OptimizerSpec::Sgd { .. } => &["velocity"],
        OptimizerSpec::AdamW { .. } => &["mean", "square"],
    }
}
