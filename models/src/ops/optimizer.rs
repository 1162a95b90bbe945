//! The rules that change parameters, each in one pass over memory, in place. The rules are PyTorch's.

use std::cell::RefCell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::kernel::{same_length, widest};
use super::real::Real;
use super::threads;

/// Stochastic gradient descent with momentum. PyTorch's `SGD` without dampening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
    /// The share of the previous step that is kept.
    pub momentum: f64,
    /// Added to the gradient, times the parameter.
    pub weight_decay: f64,
    /// Whether the momentum is looked ahead by.
    pub nesterov: bool,
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019). PyTorch's `AdamW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the gradient's mean.
    pub beta1: f64,
    /// Decay of the squared gradient's mean.
    pub beta2: f64,
    /// Added to the root of the squared gradient's mean.
    pub eps: f64,
    /// Taken from the parameter, times the parameter and the learning rate.
    pub weight_decay: f64,
    /// The number of this step, from 1; corrects the means, which start at 0.
    pub step: u64,
}

/// Changes a parameter by its gradient. `velocity` is what this keeps between steps: zeros before the first, as long as
/// the parameter; without momentum it is not used and may be empty.
///
/// # Errors
/// When the tensors or the state are not equally long.
pub fn sgd_step(
    parameter: &Tensor,
    gradient: &[f32],
    velocity: &mut [f32],
    rule: &Sgd,
) -> Result<()> {
    let step = SgdStep {
        gradient,
        rule: *rule,
        velocity: RefCell::new(velocity),
    };
    parameter.inplace_op1(&step)
}

/// Changes a parameter by its gradient. `mean` and `square` are what this keeps between steps: zeros before the first,
/// as long as the parameter.
///
/// # Errors
/// When the tensors or the state are not equally long.
pub fn adamw_step(
    parameter: &Tensor,
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
    rule: &AdamW,
) -> Result<()> {
    let step = AdamWStep {
        gradient,
        rule: *rule,
        state: RefCell::new((mean, square)),
    };
    parameter.inplace_op1(&step)
}

/// The parameter's numbers, to be changed.
fn changed<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let CpuStorage::F32(values) = storage else {
        bail!("parameters are trained in f32")
    };
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("parameters lie in one piece")
    };
    Ok(&mut values[start..end])
}

widest! {
    fn descend[T: Real](p: &mut [T], g: &[T], lr: T, decay: T) {
        for (p, g) in p.iter_mut().zip(g) {
            *p -= lr * (*g + decay * *p);
        }
    }
}

widest! {
    fn descend_with_momentum[T: Real](p: &mut [T], g: &[T], v: &mut [T], lr: T, decay: T, momentum: T, ahead: bool) {
        if ahead {
            for (p, (g, v)) in p.iter_mut().zip(g.iter().zip(v)) {
                let g = *g + decay * *p;
                *v = momentum * *v + g;
                *p -= lr * (g + momentum * *v);
            }
        } else {
            for (p, (g, v)) in p.iter_mut().zip(g.iter().zip(v)) {
                let g = *g + decay * *p;
                *v = momentum * *v + g;
                *p -= lr * *v;
            }
        }
    }
}

struct SgdStep<'a> {
    gradient: &'a [f32],
    rule: Sgd,
    velocity: RefCell<&'a mut [f32]>,
}

impl InplaceOp1 for SgdStep<'_> {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn cpu_fwd(&self, p: &mut CpuStorage, lp: &Layout) -> Result<()> {
        let (p, g) = (changed(p, lp)?, self.gradient);
        same_length(p.len(), g.len())?;
        let rule = &self.rule;
        let (lr, decay, momentum) = (
            rule.lr as f32,
            rule.weight_decay as f32,
            rule.momentum as f32,
        );
        let part = threads::part(p.len());
        if momentum == 0.0 {
            let parts = p.par_chunks_mut(part).zip(g.par_chunks(part));
            in_parts(parts, part >= g.len(), |(p, g)| descend(p, g, lr, decay));
            return Ok(());
        }
        let mut velocity = self.velocity.borrow_mut();
        same_length(p.len(), velocity.len())?;
        let parts = p
            .par_chunks_mut(part)
            .zip(g.par_chunks(part))
            .zip(velocity.par_chunks_mut(part));
        in_parts(parts, part >= g.len(), |((p, g), v)| {
            descend_with_momentum(p, g, v, lr, decay, momentum, rule.nesterov);
        });
        Ok(())
    }
}

/// Works on the parts: on this thread when there is but one.
fn in_parts<P>(parts: P, one: bool, work: impl Fn(P::Item) + Sync + Send)
where
    P: IndexedParallelIterator,
{
    if one {
        // A single part is produced without waking another thread.
        parts.with_min_len(usize::MAX).for_each(work);
    } else {
        parts.for_each(work);
    }
}

/// AdamW's numbers that are the same for all parameters of a step.
#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    towards_gradient: f32,
    beta2: f32,
    towards_square: f32,
    step: f32,
    root: f32,
    eps: f32,
}

impl Factors {
    fn new(rule: &AdamW) -> Self {
        let exponent = i32::try_from(rule.step).unwrap_or(i32::MAX);
        let correction1 = 1.0 - rule.beta1.powi(exponent);
        let correction2 = 1.0 - rule.beta2.powi(exponent);
        Self {
            keep: (1.0 - rule.lr * rule.weight_decay) as f32,
            towards_gradient: (1.0 - rule.beta1) as f32,
            beta2: rule.beta2 as f32,
            towards_square: (1.0 - rule.beta2) as f32,
            step: (rule.lr / correction1) as f32,
            root: (1.0 / correction2.sqrt()) as f32,
            eps: rule.eps as f32,
        }
    }
}

widest! {
    fn adapt[F: Fn(&mut f32, f32, &mut f32, &mut f32)](p: &mut [f32], g: &[f32], m: &mut [f32], s: &mut [f32], change: F) {
        for ((p, g), (m, s)) in p.iter_mut().zip(g).zip(m.iter_mut().zip(s)) {
            change(p, *g, m, s);
        }
    }
}

struct AdamWStep<'a> {
    gradient: &'a [f32],
    rule: AdamW,
    state: RefCell<(&'a mut [f32], &'a mut [f32])>,
}

impl InplaceOp1 for AdamWStep<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, p: &mut CpuStorage, lp: &Layout) -> Result<()> {
        let (p, g) = (changed(p, lp)?, self.gradient);
        let mut state = self.state.borrow_mut();
        let (mean, square) = &mut *state;
        for other in [g.len(), mean.len(), square.len()] {
            same_length(p.len(), other)?;
        }
        let factors = Factors::new(&self.rule);
        let part = threads::part(p.len());
        let state = mean.par_chunks_mut(part).zip(square.par_chunks_mut(part));
        let parts = p.par_chunks_mut(part).zip(g.par_chunks(part)).zip(state);
        let change = |p: &mut f32, g: f32, m: &mut f32, s: &mut f32| {
            *p *= factors.keep;
            *m += (g - *m) * factors.towards_gradient;
            *s = *s * factors.beta2 + g * g * factors.towards_square;
            *p -= factors.step * *m / (s.sqrt() * factors.root + factors.eps);
        };
        in_parts(parts, part >= g.len(), |((p, g), (m, s))| {
            adapt(p, g, m, s, change)
        });
        Ok(())
    }
}
