//! Optimizers with their state.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::VarStore;
use crate::ops::{AdamW, FusedBackward, Gradients, Optimizer, Sgd, Tape};
use crate::spec::OptimizerSpec;

/// An optimizer with its state.
#[derive(Debug)]
pub(crate) struct StatefulOptimizer {
    spec: OptimizerSpec,
    /// The number of steps.
    steps: u64,
    /// For each parameter, the tensors that [`slots`] names.
    fused: FusedBackward,
}

impl StatefulOptimizer {
    /// An optimizer before its first step.
    pub(crate) fn new(spec: &OptimizerSpec, store: &VarStore) -> Self {
        let slots = slots(spec).len();
        let mut fused = FusedBackward::default();
        for (_, variable) in store.parameters() {
            fused.add(variable, slots);
        }
        Self {
            spec: spec.clone(),
            steps: 0,
            fused,
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
                optimizer.step(variable, gradient, self.fused.slots_mut(variable))?;
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
