//! PyTorch's update rules of SGD and AdamW. Each updates a parameter in place, in one pass over memory.

use std::cell::Cell;
use std::ops::Range;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};

use super::float::Float;
use super::kernel::{check_len, simd_dispatch};
use super::reference;
use super::threads;

/// Stochastic gradient descent with momentum. PyTorch's `SGD` without dampening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
    /// The momentum factor.
    pub momentum: f64,
    /// The weight decay (L2 penalty), added to the gradient.
    pub weight_decay: f64,
    /// Whether to use Nesterov's momentum.
    pub nesterov: bool,
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019). PyTorch's `AdamW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub lr: f64,
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// The decoupled weight decay.
    pub weight_decay: f64,
    /// The number of this step, from 1, for the bias correction.
    pub step: u64,
}

/// An optimizer with its settings for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

/// What the parameters of a group have for themselves: PyTorch's `param_groups`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamGroup {
    /// What the learning rate is multiplied by.
    pub lr_factor: f64,
    /// The steps before the first in which the parameters are trained. Bias corrections count from there.
    pub steps_before: u64,
}

impl Default for ParamGroup {
    fn default() -> Self {
        Self {
            lr_factor: 1.0,
            steps_before: 0,
        }
    }
}

impl Optimizer {
    /// The optimizer for the parameters of a group.
    pub(super) fn of_group(&self, group: &ParamGroup) -> Self {
        match *self {
            Self::Sgd(sgd) => Self::Sgd(Sgd {
                lr: sgd.lr * group.lr_factor,
                ..sgd
            }),
            Self::AdamW(adamw) => Self::AdamW(AdamW {
                lr: adamw.lr * group.lr_factor,
                step: adamw.step.saturating_sub(group.steps_before).max(1),
                ..adamw
            }),
        }
    }

    /// How many values of state the optimizer keeps for each value of a parameter. They start at 0. SGD keeps the
    /// velocity, or nothing without momentum; AdamW keeps the first and the second moment.
    pub fn slots(&self) -> usize {
        match self {
            Self::Sgd(Sgd { momentum: 0.0, .. }) => 0,
            Self::Sgd(_) => 1,
            Self::AdamW(_) => 2,
        }
    }

    /// Updates a parameter by its gradient. `slots` is its state; each slot is as long as the parameter.
    ///
    /// # Errors
    /// When the parameter, the gradient and the slots differ in length, or the number of slots is wrong.
    pub fn step(&self, parameter: &Tensor, gradient: &[f32], slots: &mut [Vec<f32>]) -> Result<()> {
        if reference::selected() {
            return reference::step(self, parameter, gradient, slots);
        }
        let kernel = UpdateKernel::new(self);
        update_in_place(parameter, slots, self.slots(), |mut whole| {
            check_len(whole.len(), gradient.len())?;
            let part = threads::chunk_len(whole.len());
            let parts = whole.chunks(part).into_iter().zip(gradient.chunks(part));
            threads::for_each(parts, |(mut slice, gradient)| {
                kernel.apply(&mut slice, gradient);
            });
            Ok(())
        })
    }
}

/// Neighbouring values of a parameter, and their state. Slots that the optimizer does not use are empty.
pub(super) struct ParamSlice<'a> {
    values: &'a mut [f32],
    slots: [&'a mut [f32]; 2],
}

impl ParamSlice<'_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// A part of the values.
    pub(super) fn part(&mut self, range: Range<usize>) -> ParamSlice<'_> {
        let [first, second] = &mut self.slots;
        ParamSlice {
            values: &mut self.values[range.clone()],
            slots: [some(first, &range), some(second, &range)],
        }
    }

    /// Splits it into chunks of `len` values; the last may be shorter.
    pub(super) fn chunks(&mut self, len: usize) -> Vec<ParamSlice<'_>> {
        let [first, second] = &mut self.slots;
        let (mut first, mut second) = (first.chunks_mut(len), second.chunks_mut(len));
        let chunks = self.values.chunks_mut(len);
        chunks
            .map(|values| ParamSlice {
                values,
                slots: [
                    first.next().unwrap_or_default(),
                    second.next().unwrap_or_default(),
                ],
            })
            .collect()
    }
}

/// A part of a slot, which may be empty.
fn some<'a>(slot: &'a mut [f32], range: &Range<usize>) -> &'a mut [f32] {
    slot.get_mut(range.clone()).unwrap_or_default()
}

/// Lets `work` update a parameter and its `slots`, of which there must be `count`. Nothing may borrow the parameter's
/// storage meanwhile.
///
/// # Errors
/// When the parameter is not f32 or not contiguous, or a slot has another length; and as `work`.
pub(super) fn update_in_place(
    parameter: &Tensor,
    slots: &mut [Vec<f32>],
    count: usize,
    work: impl FnOnce(ParamSlice<'_>) -> Result<()>,
) -> Result<()> {
    struct InPlace<F>(Cell<Option<F>>);

    impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for InPlace<F> {
        fn name(&self) -> &'static str {
            "optimizer"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
            let CpuStorage::F32(values) = storage else {
                bail!("parameters are trained in f32")
            };
            let Some((start, end)) = layout.contiguous_offsets() else {
                bail!("parameters lie in one piece")
            };
            match self.0.take() {
                Some(work) => work(&mut values[start..end]),
                None => Ok(()),
            }
        }
    }

    parameter.inplace_op1(&InPlace(Cell::new(Some(|values: &mut [f32]| {
        check_len(count, slots.len())?;
        for slot in &*slots {
            check_len(values.len(), slot.len())?;
        }
        let mut slots = slots.iter_mut();
        let mut slot = || slots.next().map_or(&mut [][..], |slot| &mut slot[..]);
        let slots = [slot(), slot()];
        work(ParamSlice { values, slots })
    }))))
}

/// The update of one value, with the constants of a step.
#[derive(Clone, Copy)]
pub(super) enum UpdateKernel {
    Sgd {
        lr: f32,
        decay: f32,
    },
    SgdMomentum {
        lr: f32,
        decay: f32,
        momentum: f32,
        nesterov: bool,
    },
    AdamW(AdamWFactors),
}

impl UpdateKernel {
    pub(super) fn new(optimizer: &Optimizer) -> Self {
        match optimizer {
            Optimizer::AdamW(optimizer) => Self::AdamW(AdamWFactors::new(optimizer)),
            Optimizer::Sgd(optimizer) => {
                let (lr, decay) = (optimizer.lr as f32, optimizer.weight_decay as f32);
                match optimizer.momentum {
                    0.0 => Self::Sgd { lr, decay },
                    momentum => Self::SgdMomentum {
                        lr,
                        decay,
                        momentum: momentum as f32,
                        nesterov: optimizer.nesterov,
                    },
                }
            }
        }
    }

    /// Updates values by their gradient, on this thread.
    pub(super) fn apply(&self, slice: &mut ParamSlice<'_>, gradient: &[f32]) {
        let ParamSlice {
            values: p,
            slots: [first, second],
        } = slice;
        match *self {
            Self::Sgd { lr, decay } => sgd(p, gradient, lr, decay),
            Self::SgdMomentum {
                lr,
                decay,
                momentum,
                nesterov,
            } => sgd_momentum(p, gradient, first, lr, decay, momentum, nesterov),
            Self::AdamW(factors) => {
                let change = |p: &mut f32, g: f32, m: &mut f32, s: &mut f32| {
                    *p *= factors.keep;
                    *m += (g - *m) * factors.towards_gradient;
                    *s = *s * factors.beta2 + g * g * factors.towards_square;
                    *p -= factors.step * *m / (s.sqrt() * factors.root + factors.eps);
                };
                adamw(p, gradient, first, second, change);
            }
        }
    }
}

simd_dispatch! {
    fn sgd[T: Float](p: &mut [T], g: &[T], lr: T, decay: T) {
        for (p, g) in p.iter_mut().zip(g) {
            *p -= lr * (*g + decay * *p);
        }
    }
}

simd_dispatch! {
    fn sgd_momentum[T: Float](p: &mut [T], g: &[T], v: &mut [T], lr: T, decay: T, momentum: T, nesterov: bool) {
        if nesterov {
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

/// The constants of an AdamW step.
#[derive(Clone, Copy)]
pub(super) struct AdamWFactors {
    keep: f32,
    towards_gradient: f32,
    beta2: f32,
    towards_square: f32,
    step: f32,
    root: f32,
    eps: f32,
}

impl AdamWFactors {
    fn new(optimizer: &AdamW) -> Self {
        let exponent = i32::try_from(optimizer.step).unwrap_or(i32::MAX);
        let correction1 = 1.0 - optimizer.beta1.powi(exponent);
        let correction2 = 1.0 - optimizer.beta2.powi(exponent);
        Self {
            keep: (1.0 - optimizer.lr * optimizer.weight_decay) as f32,
            towards_gradient: (1.0 - optimizer.beta1) as f32,
            beta2: optimizer.beta2 as f32,
            towards_square: (1.0 - optimizer.beta2) as f32,
            step: (optimizer.lr / correction1) as f32,
            root: (1.0 / correction2.sqrt()) as f32,
            eps: optimizer.eps as f32,
        }
    }
}

simd_dispatch! {
    fn adamw[F: Fn(&mut f32, f32, &mut f32, &mut f32)](p: &mut [f32], g: &[f32], m: &mut [f32], s: &mut [f32], change: F) {
        for ((p, g), (m, s)) in p.iter_mut().zip(g).zip(m.iter_mut().zip(s)) {
            change(p, *g, m, s);
        }
    }
}
