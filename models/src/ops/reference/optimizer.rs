//! The reference of optimizers.

use candle_core::{Result, Tensor, bail};

use super::inplace::set;
use crate::ops::kernel::check_len;
use crate::ops::optimizer::{AdamW, Optimizer, Sgd};

/// [`Optimizer::step`]. candle-nn's optimizers keep their state to themselves, and its SGD has no momentum.
pub(in crate::ops) fn step(
    optimizer: &Optimizer,
    parameter: &Tensor,
    gradient: &[f32],
    slots: &mut [Vec<f32>],
) -> Result<()> {
    check_len(optimizer.slots(), slots.len())?;
    let of =
        |values: &[f32]| Tensor::from_slice(values, parameter.elem_count(), parameter.device());
    let (p, g) = (parameter.detach().flatten_all()?, of(gradient)?);
    let mut state = slots
        .iter()
        .map(|slot| of(slot))
        .collect::<Result<Vec<_>>>()?;
    let p = match optimizer {
        Optimizer::Sgd(optimizer) => sgd(optimizer, &p, &g, &mut state)?,
        Optimizer::AdamW(optimizer) => adamw(optimizer, &p, &g, &mut state)?,
    };
    for (slot, state) in slots.iter_mut().zip(state) {
        *slot = state.to_vec1()?;
    }
    set(parameter, &p)
}

fn sgd(optimizer: &Sgd, p: &Tensor, g: &Tensor, state: &mut [Tensor]) -> Result<Tensor> {
    let g = (g + (p * optimizer.weight_decay)?)?;
    let Some(velocity) = state.first_mut() else {
        return p - (g * optimizer.lr)?;
    };
    *velocity = ((&*velocity * optimizer.momentum)? + &g)?;
    if optimizer.nesterov {
        p - ((g + (&*velocity * optimizer.momentum)?)? * optimizer.lr)?
    } else {
        p - (&*velocity * optimizer.lr)?
    }
}

fn adamw(optimizer: &AdamW, p: &Tensor, g: &Tensor, state: &mut [Tensor]) -> Result<Tensor> {
    let AdamW {
        lr,
        beta1,
        beta2,
        eps,
        weight_decay,
        step,
    } = *optimizer;
    let [m, v] = state else {
        bail!("AdamW has two moments")
    };
    *m = ((&*m * beta1)? + (g * (1.0 - beta1))?)?;
    *v = ((&*v * beta2)? + (g.sqr()? * (1.0 - beta2))?)?;
    let unbiased = |moment: &Tensor, beta: f64| moment / (1.0 - beta.powf(step as f64));
    let change = (unbiased(m, beta1)? / (unbiased(v, beta2)?.sqrt()? + eps)?)?;
    (p * (1.0 - lr * weight_decay))? - (change * lr)?
}
