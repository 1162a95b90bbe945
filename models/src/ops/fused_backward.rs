//! Optimizer steps fused with the backward pass: every parameter is updated as soon as its gradient is known, and the
//! gradient is dropped.
//!
//! Only the gradient of the current parameter needs memory. A large matrix is updated tile by tile while the gradient
//! of the tile is in the cache, so its gradient is never in memory as a whole. Such matrices (the head of VGG16) are
//! bound by memory, so this also saves time.

use std::collections::{HashMap, HashSet};

use candle_core::{Result, Tensor, TensorId, Var};
use rayon::prelude::*;

use super::float::Float;
use super::gradient_sink::{GradientSink, with_sink};
use super::matmul::{Matrix, single_threaded_by_rows};
use super::optimizer::{Optimizer, ParamGroup, UpdateKernel, update_in_place};
use super::tape::Tape;

/// Rows and columns of a tile: 512 KiB of f32, which fits a core's second-level cache together with its factors.
/// Flatter tiles spend more time on packing the factors.
const TILE: [usize; 2] = [256, 512];

/// The number of values from which a matrix is updated in tiles.
const LARGE: usize = 1 << 20;

/// The state of an optimizer by parameter, and the step that updates parameters during the backward pass. See
/// [`Optimizer::slots`].
#[derive(Debug, Default)]
pub struct FusedBackward {
    states: HashMap<TensorId, ParamState>,
    /// Memory for the current gradient.
    scratch: Vec<f32>,
}

/// The state of a parameter.
#[derive(Debug)]
struct ParamState {
    slots: Vec<Vec<f32>>,
    group: ParamGroup,
}

impl ParamState {
    fn step(&mut self, parameter: &Tensor, gradient: &[f32], optimizer: &Optimizer) -> Result<()> {
        let optimizer = optimizer.of_group(&self.group);
        optimizer.step(parameter, gradient, &mut self.slots)
    }
}

impl FusedBackward {
    /// Adds a trainable parameter, with `slots` slots of zeros.
    pub fn add(&mut self, parameter: &Var, slots: usize, group: ParamGroup) {
        let slots = vec![vec![0.0; parameter.elem_count()]; slots];
        self.states
            .insert(parameter.id(), ParamState { slots, group });
    }

    /// Whether a parameter was added.
    pub fn has(&self, parameter: &Var) -> bool {
        self.states.contains_key(&parameter.id())
    }

    /// The slots of a parameter; empty for a parameter that was not added.
    pub fn slots(&self, parameter: &Var) -> &[Vec<f32>] {
        let state = self.states.get(&parameter.id());
        state.map_or(&[], |state| state.slots.as_slice())
    }

    /// The mutable slots of a parameter.
    pub fn slots_mut(&mut self, parameter: &Var) -> &mut [Vec<f32>] {
        let state = self.states.get_mut(&parameter.id());
        state.map_or(&mut [], |state| state.slots.as_mut_slice())
    }

    /// Updates a parameter by its gradient. One that was not added is unchanged.
    ///
    /// # Errors
    /// As [`Optimizer::step`].
    pub fn update(
        &mut self,
        parameter: &Var,
        gradient: &[f32],
        optimizer: &Optimizer,
    ) -> Result<()> {
        match self.states.get_mut(&parameter.id()) {
            Some(state) => state.step(parameter, gradient, optimizer),
            None => Ok(()),
        }
    }

    /// Runs the backward pass of `loss`, a scalar on the tape, and updates each parameter that was added. A parameter
    /// that the loss does not depend on is unchanged.
    ///
    /// # Errors
    /// When an operation of the backward pass fails; then some parameters may have been updated.
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
            if let Some(state) = self.states.get_mut(&parameter.id()) {
                state.step(&parameter, &gradient, optimizer)?;
            }
        }
        Ok(())
    }
}

/// A step in progress.
#[derive(Debug)]
pub(super) struct FusedStep {
    optimizer: Optimizer,
    /// Tensors that several operations use. Their gradients are sums, complete only at the end.
    shared: HashSet<TensorId>,
    deferred: Vec<(Tensor, Vec<f32>)>,
    fused: FusedBackward,
}

impl FusedStep {
    /// Whether the parameter is one of those that are updated.
    pub(super) fn trains(&self, parameter: &Tensor) -> bool {
        self.fused.states.contains_key(&parameter.id())
    }

    /// Updates a parameter by the gradient that `compute` writes. Where its second argument is true, `compute` adds to
    /// the buffer instead.
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
        let FusedBackward { states, scratch } = &mut self.fused;
        let Some(state) = states.get_mut(&parameter.id()) else {
            return Ok(());
        };
        let len = parameter.elem_count();
        if scratch.len() < len {
            // A new buffer, because growing this one would copy its content.
            *scratch = Vec::new();
            *scratch = vec![0.0; len];
        }
        let gradient = &mut scratch[..len];
        compute(gradient, false)?;
        state.step(parameter, gradient, &self.optimizer)
    }

    /// Updates a large matrix `[m, n]` by the gradient `a` `[m, k]` times `b` `[k, n]`, tile by tile. Threads share the
    /// rows; the tiles do not depend on the number of threads. Returns false where the matrix is too small for tiles.
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
        let Some(state) = self.fused.states.get_mut(&parameter.id()) else {
            return Ok(false);
        };
        let kernel = UpdateKernel::new(&self.optimizer.of_group(&state.group));
        let (slots, count) = (&mut state.slots, self.optimizer.slots());
        update_in_place(parameter, slots, count, |mut whole| {
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
