//! An optimizer with what it keeps between steps, by parameter.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::VarStore;
use crate::ops::{AdamW, FusedBackward, Gradients, Optimizer, Sgd, Tape};
use crate::spec::OptimizerSpec;

/// An optimizer with what it keeps between steps.
#[derive(Debug)]
pub(crate) struct StatefulOptimizer {
    spec: OptimizerSpec,
    /// Steps done.
    steps: u64,
    /// For each parameter what [`slots`] names.
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

    /// Changes every parameter by its gradient of a loss, where it has one, and keeps none of them.
    pub(crate) fn fused_step(&mut self, tape: Tape, loss: &Tensor, lr: f64) -> Result<()> {
        self.steps += 1;
        let optimizer = self.optimizer(lr);
        Ok(self.fused.step(tape, loss, &optimizer)?)
    }

    /// Changes every parameter by its gradient, where it has one.
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

    /// The rule of the step under way.
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

    /// Steps done.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// All that is kept, as `velocity.net.0.weight` and its values.
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

    /// Takes over what another kept; `take` gives the values of a name once.
    ///
    /// # Errors
    /// In words, when values are missing, too few, too many or not finite; then this optimizer must not be used.
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

/// What a rule keeps for each parameter.
fn slots(optimizer: &OptimizerSpec) -> &'static [&'static str] {
    match optimizer {
        OptimizerSpec::Sgd { momentum: 0.0, .. } => &[],
        OptimizerSpec::Sgd { .. } => &["velocity"],
        OptimizerSpec::AdamW { .. } => &["mean", "square"],
    }
}
