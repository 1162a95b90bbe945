//! The reference of losses.

use candle_core::{DType, Result, Tensor};

use super::apply;
use crate::ops::loss::{Loss, Targets, check, is_correct};

/// A loss from its scalar.
fn loss(scores: &Tensor, targets: &[u32], tensor: Tensor) -> Result<Loss> {
    let rows = scores.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let correct = rows
        .iter()
        .zip(targets)
        .filter(|(row, target)| is_correct(row, **target as usize));
    Ok(Loss {
        mean: tensor.to_dtype(DType::F64)?.to_scalar()?,
        correct: correct.count() as u64,
        tensor,
    })
}

pub(in crate::ops) fn cross_entropy(
    scores: &Tensor,
    targets: &[u32],
    smoothing: f64,
) -> Result<Loss> {
    check(scores, targets)?;
    let indices = Tensor::new(targets, scores.device())?;
    let tensor = apply([scores], move |[scores]| {
        let of_targets = candle_nn::loss::cross_entropy(scores, &indices)?;
        if smoothing == 0.0 {
            return Ok(of_targets);
        }
        let of_all = candle_nn::ops::log_softmax(scores, 1)?.mean_all()?.neg()?;
        (of_targets * (1.0 - smoothing))? + (of_all * smoothing)?
    })?;
    loss(scores, targets, tensor)
}

/// The targets of [`weighted_cross_entropy`], and what its sum is divided by.
#[derive(Clone, Copy)]
pub(in crate::ops) struct SoftTargets<'a> {
    pub(in crate::ops) targets: Targets<'a>,
    pub(in crate::ops) smoothing: f64,
    pub(in crate::ops) weights: Option<&'a [f64]>,
    pub(in crate::ops) divisor: f64,
}

pub(in crate::ops) fn weighted_cross_entropy(
    scores: &Tensor,
    soft: SoftTargets<'_>,
    dominant: &[u32],
) -> Result<Loss> {
    let (n, classes) = check(scores, dominant)?;
    let mut mass = vec![soft.smoothing / classes as f64; n * classes];
    let (second, share) = soft.targets.mixed.unwrap_or((dominant, 1.0));
    for (i, (first, second)) in soft.targets.classes.iter().zip(second).enumerate() {
        let hard = 1.0 - soft.smoothing;
        mass[i * classes + *first as usize] += hard * share;
        mass[i * classes + *second as usize] += hard * (1.0 - share);
    }
    if let Some(weights) = soft.weights {
        let weights = weights.iter().cycle();
        mass.iter_mut().zip(weights).for_each(|(q, w)| *q *= w);
    }
    let mass = Tensor::from_vec(mass, (n, classes), scores.device())?.to_dtype(scores.dtype())?;
    let tensor = apply([scores], move |[scores]| {
        let logarithm = candle_nn::ops::log_softmax(scores, 1)?;
        (logarithm * &mass)?.sum_all()? * (-1.0 / soft.divisor)
    })?;
    loss(scores, dominant, tensor)
}

pub(in crate::ops) fn perceptron_loss(scores: &Tensor, targets: &[u32]) -> Result<Loss> {
    let (_, classes) = check(scores, targets)?;
    let indices = Tensor::new(targets, scores.device())?.unsqueeze(1)?;
    let is_target = Tensor::arange(0, u32::try_from(classes)?, scores.device())?
        .unsqueeze(0)?
        .broadcast_eq(&indices)?;
    let tensor = apply([scores], move |[scores]| {
        let scores = &scores.contiguous()?;
        let lowest = Tensor::full(f32::NEG_INFINITY, scores.shape(), scores.device())?;
        let rival = is_target
            .where_cond(&lowest.to_dtype(scores.dtype())?, scores)?
            .argmax_keepdim(1)?;
        let lead = (scores.gather(&rival, 1)? - scores.gather(&indices, 1)?)?;
        let zero = lead.zeros_like()?;
        // 0, or NaN where a score of the row is not finite. Such a row has no gradient.
        let finite = (scores * 0.0)?.sum_keepdim(1)?;
        let is_mistake = (lead.ge(&zero)? * finite.eq(&zero)?)?;
        (is_mistake.where_cond(&lead, &zero)? + finite)?.mean_all()
    })?;
    loss(scores, targets, tensor)
}
