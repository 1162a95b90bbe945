//! The scores of a network for the samples of a split: every evaluation of a network goes through here.

use std::ops::Range;

use candle_core::{Device, Tensor};

use crate::classify::evaluation_rows;
use crate::data::Samples;
use crate::error::Result;
use crate::networks::Model;
use crate::ops::threads;

/// A batch [n, …] from its values.
pub(super) fn batch(model: &Model, values: Vec<f32>, n: usize) -> Result<Tensor> {
    let shape = [&[n], model.input()].concat();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// A lower bound of the multiplications of a pass: parameters times samples.
pub(super) fn multiplications(model: &Model, samples: usize) -> usize {
    let parameters = usize::try_from(model.store().count()).unwrap_or(usize::MAX);
    parameters.saturating_mul(samples)
}

/// The scores [n, classes] of samples, in evaluation mode; with `flip`, of the mean over each image and its mirror.
pub(super) fn scores(model: &Model, values: Vec<f32>, n: usize, flip: bool) -> Result<Tensor> {
    let x = batch(model, values, n)?;
    let work = multiplications(model, n);
    threads::in_pool(work, || model.evaluate(&x, flip))
}

/// The scores of neighbouring samples, as [`scores`].
pub(super) fn of_samples(
    model: &Model,
    samples: &Samples,
    range: Range<usize>,
    flip: bool,
) -> Result<Tensor> {
    let n = range.len();
    scores(model, samples.slice(range)?.0, n, flip)
}

/// Calls a function with the targets and the scores [n, classes] of every batch of a split, in order; `scores_of` gives
/// the scores of neighbouring samples.
pub(super) fn for_each_batch(
    samples: &Samples,
    mut scores_of: impl FnMut(Range<usize>) -> Result<Tensor>,
    mut each: impl FnMut(&[u32], &Tensor) -> Result<()>,
) -> Result<()> {
    let rows = evaluation_rows(samples.size());
    for start in (0..samples.len()).step_by(rows) {
        let range = start..(start + rows).min(samples.len());
        each(&samples.labels()[range.clone()], &scores_of(range)?)?;
    }
    Ok(())
}
