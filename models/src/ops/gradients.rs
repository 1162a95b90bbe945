//! Gradients of parameters, kept in the same memory from step to step.
//!
//! While [`Gradients::backward`] runs, operations write the gradients of parameters straight into these buffers. Where
//! gradients are not needed as a whole, [`FusedBackward`](super::FusedBackward) does without buffers.

use std::collections::HashMap;

use candle_core::{Result, Tensor, TensorId, Var};

use super::gradient_sink::{GradientSink, with_sink};
use super::kernel::simd_dispatch;
use super::tape::Tape;
use super::threads;

/// The gradients of the parameters of one network.
#[derive(Debug, Default)]
pub struct Gradients {
    buffers: HashMap<TensorId, Buffer>,
}

#[derive(Debug)]
struct Buffer {
    values: Vec<f32>,
    /// Whether they are of the current step.
    fresh: bool,
}

impl Gradients {
    /// Runs the backward pass of `loss`, a scalar on the tape, and keeps the gradients of all parameters that it
    /// depends on.
    ///
    /// # Errors
    /// When an operation of the backward pass fails.
    pub fn backward(&mut self, tape: Tape, loss: &Tensor) -> Result<()> {
        self.buffers
            .values_mut()
            .for_each(|buffer| buffer.fresh = false);
        let mut sink = GradientSink::Gradients(std::mem::take(self));
        let done = with_sink(&mut sink, || tape.backward(loss));
        if let GradientSink::Gradients(gradients) = sink {
            *self = gradients;
        }
        done.map(|_| ())
    }

    /// A parameter's buffer, and whether it already holds a part of this step's gradient.
    pub(super) fn buffer(&mut self, parameter: &Tensor) -> (&mut [f32], bool) {
        let empty = || Buffer {
            values: vec![0.0; parameter.elem_count()],
            fresh: false,
        };
        let buffer = self.buffers.entry(parameter.id()).or_insert_with(empty);
        let there = std::mem::replace(&mut buffer.fresh, true);
        (&mut buffer.values, there)
    }

    /// Sets the gradient of a parameter.
    pub fn set(&mut self, parameter: &Var, values: Vec<f32>) {
        let fresh = true;
        self.buffers
            .insert(parameter.id(), Buffer { values, fresh });
    }

    /// The gradient of a parameter; `None` when the loss does not depend on it.
    pub fn of(&self, parameter: &Var) -> Option<&[f32]> {
        let buffer = self
            .buffers
            .get(&parameter.id())
            .filter(|buffer| buffer.fresh)?;
        Some(&buffer.values)
    }

    /// Scales the gradients of all parameters by one factor so that their joint norm is at most `most`, and returns the
    /// norm before. PyTorch's `clip_grad_norm_`: a norm of NaN makes all gradients NaN. The result does not depend on
    /// the number of threads.
    pub fn clip<'a>(
        &mut self,
        parameters: impl Iterator<Item = &'a Var> + Clone,
        most: f64,
    ) -> f64 {
        let gradients = parameters
            .clone()
            .filter_map(|parameter| self.of(parameter));
        let norm = gradients.map(sum_of_squares).sum::<f64>().sqrt();
        // PyTorch's epsilon against a division by 0.
        let factor = most / (norm + 1e-6);
        if factor < 1.0 || factor.is_nan() {
            for parameter in parameters {
                if let Some(buffer) = self.buffers.get_mut(&parameter.id()).filter(|b| b.fresh) {
                    scale(&mut buffer.values, factor as f32);
                }
            }
        }
        norm
    }
}

/// The sum of squares in double precision, in an order that does not depend on the number of threads.
fn sum_of_squares(values: &[f32]) -> f64 {
    /// Values of a part: no more than stay on one thread anyway.
    const PART: usize = threads::MIN_MAP / 2;
    if values.len() < threads::MIN_MAP || threads::threads() == 1 {
        return values.chunks(PART).map(squares).sum();
    }
    threads::map(values.chunks(PART), squares).iter().sum()
}

simd_dispatch! {
    fn squares[](values: &[f32]) -> f64 {
        // Several sums, so that the compiler vectorises them.
        let mut sums = [0.0; 16];
        let (rows, rest) = values.as_chunks::<16>();
        for row in rows {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(*value) * f64::from(*value);
        }
        sums.iter().sum()
    }
}

fn scale(values: &mut [f32], factor: f32) {
    let work = |part: &mut [f32]| part.iter_mut().for_each(|value| *value *= factor);
    let part = threads::chunk_len(values.len());
    threads::for_each(values.chunks_mut(part), work);
}
