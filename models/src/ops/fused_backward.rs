//! Steps of an optimizer while the tape is played backwards: every parameter is changed as soon as its gradient is
//! known, and the gradient forgotten.
//!
//! No gradients need memory then but those of the parameter at hand, and of a large matrix not even those: it is changed
//! tile by tile, while a tile's gradient is still in the cache. Such matrices, the head of VGG16, are bound by memory,
//! so what is neither written nor read is also time.

use std::collections::{HashMap, HashSet};

use candle_core::{Result, Tensor, TensorId, Var};
use rayon::prelude::*;

use super::float::Float;
use super::gradient_sink::{GradientSink, with_sink};
use super::matmul::{Matrix, single_threaded_by_rows};
use super::optimizer::{Optimizer, UpdateKernel, update_in_place};
use super::tape::Tape;

/// Rows and columns of a tile: 512 KiB of f32, which a core's own cache holds with what it is made of. Flatter ones take
/// more time to pack their factors.
const TILE: [usize; 2] = [256, 512];

/// Values from which a matrix is worth its tiles.
const LARGE: usize = 1 << 20;

/// What an optimizer keeps between steps, by parameter: see [`Optimizer::slots`].
#[derive(Debug, Default)]
pub struct FusedBackward {
    slots: HashMap<TensorId, Vec<Vec<f32>>>,
    /// Memory for the gradient at hand.
    scratch: Vec<f32>,
}

impl FusedBackward {
    /// Adds a parameter to those that learn, with zeros in so many slots.
    pub fn add(&mut self, parameter: &Var, slots: usize) {
        let zeros = vec![vec![0.0; parameter.elem_count()]; slots];
        self.slots.insert(parameter.id(), zeros);
    }

    /// What is kept of a parameter, slot by slot; nothing of one that was not added.
    pub fn slots(&self, parameter: &Var) -> &[Vec<f32>] {
        self.slots.get(&parameter.id()).map_or(&[], Vec::as_slice)
    }

    /// The same, to be changed.
    pub fn slots_mut(&mut self, parameter: &Var) -> &mut [Vec<f32>] {
        let slots = self.slots.get_mut(&parameter.id());
        slots.map_or(&mut [], Vec::as_mut_slice)
    }

    /// Changes each of the parameters that were added by its gradient of a loss, a scalar on the tape. One that the loss
    /// does not depend on stays as it is.
    ///
    /// # Errors
    /// When an operation on the way back fails; then some parameters may have been changed.
    pub fn step(&mut self, tape: Tape, loss: &Tensor, optimizer: &Optimizer) -> Result<()> {
        let shared = tape.reused_tensors();
        let mut sink = GradientSink::Fused(FusedStep {
            optimizer: *optimizer,
            shared,
            deferred: Vec::new(),
            fused: std::mem::take(self),
        });
        let done = with_sink(&mut sink, || tape.backward(loss));
        let mut deferred = Vec::new();
        if let GradientSink::Fused(step) = sink {
            (*self, deferred) = (step.fused, step.deferred);
        }
        done?;
        for (parameter, gradient) in deferred {
            if let Some(slots) = self.slots.get_mut(&parameter.id()) {
                optimizer.step(&parameter, &gradient, slots)?;
            }
        }
        Ok(())
    }
}

/// A step under way.
#[derive(Debug)]
pub(super) struct FusedStep {
    optimizer: Optimizer,
    /// Tensors that several operations take: their gradients are sums, and known at the end.
    shared: HashSet<TensorId>,
    deferred: Vec<(Tensor, Vec<f32>)>,
    fused: FusedBackward,
}

impl FusedStep {
    /// Whether this changes the parameter.
    pub(super) fn trains(&self, parameter: &Tensor) -> bool {
        self.fused.slots.contains_key(&parameter.id())
    }

    /// Changes a parameter by a gradient, or a part of one, that `compute` writes, or adds to what is there.
    pub(super) fn apply(
        &mut self,
        parameter: &Tensor,
        compute: impl FnOnce(&mut [f32], bool) -> Result<()>,
    ) -> Result<()> {
        if self.shared.contains(&parameter.id()) {
            let known = |(deferred, _): &&mut (Tensor, _)| deferred.id() == parameter.id();
            if let Some((_, sum)) = self.deferred.iter_mut().find(known) {
                return compute(sum, true);
            }
            let mut sum = vec![0.0; parameter.elem_count()];
            compute(&mut sum, false)?;
            self.deferred.push((parameter.clone(), sum));
            return Ok(());
        }
        let FusedBackward { slots, scratch } = &mut self.fused;
        let Some(slots) = slots.get_mut(&parameter.id()) else {
            return Ok(());
        };
        let len = parameter.elem_count();
        if scratch.len() < len {
            // Not grown, which would copy what is of no use.
            *scratch = Vec::new();
            *scratch = vec![0.0; len];
        }
        let gradient = &mut scratch[..len];
        compute(gradient, false)?;
        self.optimizer.step(parameter, gradient, slots)
    }

    /// Changes a large matrix `[m, n]` by the gradient `a` `[m, k]` times `b` `[k, n]`, tile by tile; threads share the
    /// rows. The tiles are the same for any number of threads. Says whether it did.
    pub(super) fn apply_matmul<T: Float>(
        &mut self,
        parameter: &Tensor,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        (m, k, n): (usize, usize, usize),
    ) -> Result<bool> {
        let [height, width] = TILE;
        if m * n < LARGE || m < 2 * height || self.shared.contains(&parameter.id()) {
            return Ok(false);
        }
        let Some(slots) = self.fused.slots.get_mut(&parameter.id()) else {
            return Ok(false);
        };
        let kernel = UpdateKernel::new(&self.optimizer);
        update_in_place(parameter, slots, self.optimizer.slots(), |mut whole| {
            whole
                .chunks(height * n)
                .into_par_iter()
                .with_max_len(1)
                .enumerate()
                .try_for_each_init(
                    || vec![0.0; height * width],
                    |scratch, (i, mut rows)| {
                        let (count, a) = (rows.len() / n, a.rows_from(i * height));
                        for from in (0..n).step_by(width) {
                            let to = (from + width).min(n);
                            let tile = &mut scratch[..count * (to - from)];
                            if let Some(tile) = T::of_f32(tile) {
                                let dims = (count, k, to - from);
                                single_threaded_by_rows(
                                    a,
                                    b.columns_from(from),
                                    dims,
                                    tile,
                                    false,
                                )?;
                            }
                            for (row, gradient) in tile.chunks_exact(to - from).enumerate() {
                                let mut slice = rows.part(row * n + from..row * n + to);
                                kernel.apply(&mut slice, gradient);
                            }
                        }
                        Ok(())
                    },
                )
        })?;
        Ok(true)
    }
}
