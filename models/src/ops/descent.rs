//! Steps of an optimizer while the tape is played backwards: every parameter is changed as soon as its gradient is
//! known, and the gradient forgotten.
//!
//! No gradients need memory then but those of the parameter at hand, and of a large matrix not even those: it is changed
//! tile by tile, while a tile's gradient is still in the cache. Such matrices, the head of VGG16, are bound by memory,
//! so what is neither written nor read is also time.

use std::collections::{HashMap, HashSet};

use candle_core::{Result, Tensor, TensorId, Var};
use rayon::prelude::*;

use super::deliver::{Taker, with_taker};
use super::optimizer::{Change, Rule, change_in_place};
use super::product::{Matrix, alone_by_rows};
use super::real::Real;
use super::tape::Tape;

/// Rows and columns of a tile: 512 KiB of f32, which a core's own cache holds with what it is made of. Flatter ones take
/// more time to pack their factors.
const TILE: [usize; 2] = [256, 512];

/// Values from which a matrix is worth its tiles.
const LARGE: usize = 1 << 20;

/// What an optimizer keeps between steps, by parameter: see [`Rule::slots`].
#[derive(Debug, Default)]
pub struct Descent {
    slots: HashMap<TensorId, Vec<Vec<f32>>>,
    /// Memory for the gradient at hand.
    room: Vec<f32>,
}

impl Descent {
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
    pub fn step(&mut self, tape: Tape, loss: &Tensor, rule: &Rule) -> Result<()> {
        let several = tape.taken_several_times();
        let mut taker = Taker::Descent(Descending {
            rule: *rule,
            several,
            late: Vec::new(),
            descent: std::mem::take(self),
        });
        let done = with_taker(&mut taker, || tape.backward(loss));
        let mut late = Vec::new();
        if let Taker::Descent(descending) = taker {
            (*self, late) = (descending.descent, descending.late);
        }
        done?;
        for (parameter, gradient) in late {
            if let Some(slots) = self.slots.get_mut(&parameter.id()) {
                rule.step(&parameter, &gradient, slots)?;
            }
        }
        Ok(())
    }
}

/// A step under way.
#[derive(Debug)]
pub(super) struct Descending {
    rule: Rule,
    /// Tensors that several operations take: their gradients are sums, and known at the end.
    several: HashSet<TensorId>,
    late: Vec<(Tensor, Vec<f32>)>,
    descent: Descent,
}

impl Descending {
    /// Whether this changes the parameter.
    pub(super) fn learns(&self, parameter: &Tensor) -> bool {
        self.descent.slots.contains_key(&parameter.id())
    }

    /// Changes a parameter by a gradient, or a part of one, that `compute` writes, or adds to what is there.
    pub(super) fn take(
        &mut self,
        parameter: &Tensor,
        compute: impl FnOnce(&mut [f32], bool) -> Result<()>,
    ) -> Result<()> {
        if self.several.contains(&parameter.id()) {
            let known = |(late, _): &&mut (Tensor, _)| late.id() == parameter.id();
            if let Some((_, sum)) = self.late.iter_mut().find(known) {
                return compute(sum, true);
            }
            let mut sum = vec![0.0; parameter.elem_count()];
            compute(&mut sum, false)?;
            self.late.push((parameter.clone(), sum));
            return Ok(());
        }
        let Descent { slots, room } = &mut self.descent;
        let Some(slots) = slots.get_mut(&parameter.id()) else {
            return Ok(());
        };
        let len = parameter.elem_count();
        if room.len() < len {
            // Not grown, which would copy what is of no use.
            *room = Vec::new();
            *room = vec![0.0; len];
        }
        let gradient = &mut room[..len];
        compute(gradient, false)?;
        self.rule.step(parameter, gradient, slots)
    }

    /// Changes a large matrix `[m, n]` by the gradient `a` `[m, k]` times `b` `[k, n]`, tile by tile; threads share the
    /// rows. The tiles are the same for any number of threads. Says whether it did.
    pub(super) fn take_product<T: Real>(
        &mut self,
        parameter: &Tensor,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        (m, k, n): (usize, usize, usize),
    ) -> Result<bool> {
        let [height, width] = TILE;
        if m * n < LARGE || m < 2 * height || self.several.contains(&parameter.id()) {
            return Ok(false);
        }
        let Some(slots) = self.descent.slots.get_mut(&parameter.id()) else {
            return Ok(false);
        };
        let change = Change::new(&self.rule);
        change_in_place(parameter, slots, self.rule.slots(), |mut whole| {
            whole
                .chunks(height * n)
                .into_par_iter()
                .with_max_len(1)
                .enumerate()
                .try_for_each_init(
                    || vec![0.0; height * width],
                    |room, (i, mut rows)| {
                        let (count, a) = (rows.len() / n, a.rows_from(i * height));
                        for from in (0..n).step_by(width) {
                            let to = (from + width).min(n);
                            let tile = &mut room[..count * (to - from)];
                            if let Some(tile) = T::of_f32(tile) {
                                let dims = (count, k, to - from);
                                alone_by_rows(a, b.columns_from(from), dims, tile, false)?;
                            }
                            for (row, gradient) in tile.chunks_exact(to - from).enumerate() {
                                let mut stretch = rows.part(row * n + from..row * n + to);
                                change.apply(&mut stretch, gradient);
                            }
                        }
                        Ok(())
                    },
                )
        })?;
        Ok(true)
    }
}
