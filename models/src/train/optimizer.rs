//! Optimizers with their state.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::VarStore;
use crate::ops::{AdamW, FusedBackward, Gradients, Optimizer, ParamGroup, Sgd, Tape};
use crate::spec::OptimizerSpec;

/// An optimizer with its state.
#[derive(Debug)]
pub(crate) struct StatefulOptimizer {
    spec: OptimizerSpec,
    /// The number of steps.
    steps: u64,
    /// For each trained parameter, the tensors that [`slots`] names.
    fused: FusedBackward,
}

/// The group of a parameter by its name; `None` for one that is not trained.
pub(crate) type GroupOf<'a> = dyn Fn(&str) -> Option<ParamGroup> + 'a;

impl StatefulOptimizer {
    /// An optimizer before its first step.
    pub(crate) fn new(spec: &OptimizerSpec, store: &VarStore, group_of: &GroupOf<'_>) -> Self {
        let mut optimizer = Self {
            spec: spec.clone(),
            steps: 0,
            fused: FusedBackward::default(),
        };
        optimizer.add(store, group_of);
        optimizer
    }

    /// Adds the parameters that a group has and that were not trained yet.
    pub(crate) fn add(&mut self, store: &VarStore, group_of: &GroupOf<'_>) {
        let slots = slots(&self.spec).len();
        for (name, variable) in store.parameters() {
            if let (false, Some(group)) = (self.fused.has(variable), group_of(name)) {
                self.fused.add(variable, slots, group);
            }
        }
    }

    /// Runs the backward pass of a loss and updates each parameter as soon as its gradient is known. No gradients are
    /// kept.
    pub(crate) fn fused_step(&mut self, tape: Tape, loss: &Tensor, lr: f64) -> Result<()> {
        self.steps += 1;
        let optimizer = self.optimizer(lr);
        Ok(self.fused.step(tape, loss, &optimizer)?)
    }

    /// Updates every parameter that has a gradient.
    pub(crate) fn step(&mut self, store: &VarStore, gradients: &Gradients, lr: f64) -> Result<()> {
        self.steps += 1;
        let optimizer = self.optimizer(lr);
        for (_, variable) in store.parameters() {
            if let Some(gradient) = gradients.of(variable) {
                self.fused.update(variable, gradient, &optimizer)?;
            }
        }
        Ok(())
    }

    /// The optimizer of the current step.
    fn optimizer(&self, lr: f64) -> Optimizer {
        match self.spec {
            OptimizerSpec::Sgd {
                momentum,
                weight_decay,
                nesterov,
                ..
            } => Optimizer::Sgd(Sgd {
                lr,
                momentum,
                weight_decay,
                nesterov,
            }),
            OptimizerSpec::AdamW {
                beta1,
                beta2,
                eps,
                weight_decay,
                ..
            } => Optimizer::AdamW(AdamW {
                lr,
                beta1,
                beta2,
                eps,
                weight_decay,
                step: self.steps,
            }),
        }
    }

    /// The number of steps.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The state, under names such as `velocity.net.0.weight`.
    pub(crate) fn state<'a>(
        &'a self,
        store: &'a VarStore,
    ) -> impl Iterator<Item = (String, &'a [f32])> {
        let names = slots(&self.spec);
        store.parameters().flat_map(move |(name, variable)| {
            names
                .iter()
                .zip(self.fused.slots(variable))
                .map(move |(slot, values)| (format!("{slot}.{name}"), &values[..]))
        })
    }

    /// The names of the state's tensors with their lengths; with `all`, as if all parameters were trained.
    pub(crate) fn layout(&self, store: &VarStore, all: bool) -> Vec<(String, usize)> {
        let names = slots(&self.spec);
        let trained = store
            .parameters()
            .filter(|(_, variable)| all || self.fused.has(variable));
        let layout = trained.flat_map(|(name, variable)| {
            let len = variable.elem_count();
            names
                .iter()
                .map(move |slot| (format!("{slot}.{name}"), len))
        });
        layout.collect()
    }

    /// Restores the state; `take` returns the values of a name once.
    ///
    /// # Errors
    /// A message, when values are missing, too few, too many or not finite; then this optimizer must not be used.
    pub(crate) fn restore(
        &mut self,
        store: &VarStore,
        steps: u64,
        mut take: impl FnMut(&str) -> Option<Vec<f32>>,
    ) -> std::result::Result<(), String> {
        for (name, variable) in store.parameters() {
            // A parameter that is not trained has no slots.
            let kept = self.fused.slots_mut(variable).iter_mut();
            for (slot, kept) in slots(&self.spec).iter().zip(kept) {
                let name = format!("{slot}.{name}");
                let values = take(&name).ok_or_else(|| format!("{name} is missing"))?;
                if values.len() != kept.len() {
                    return Err(format!(
                        "{name} has {} values instead of {}",
                        values.len(),
                        kept.len()
                    ));
                }
                if !values.iter().all(|value| value.is_finite()) {
                    return Err(format!("{name} has values that are not finite"));
                }
                *kept = values;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// The state tensors of an optimizer for each parameter.
fn slots(optimizer: &OptimizerSpec) -> &'static [&'static str] {
    match optimizer {
        OptimizerSpec::Sgd { momentum: 0.0, .. } => &[],
        OptimizerSpec::Sgd { .. } => &["velocity"],
        OptimizerSpec::AdamW { .. } => &["mean", "square"],
    }
}
