//! Gradients of parameters, kept in the same memory from step to step.
//!
//! While [`Gradients::backward`] runs, the operations of this crate write the gradients of parameters straight into
//! buffers kept here and hand out none. Outside of it they hand them out like any operation.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, TensorId, Var};

use super::real::Real;
use super::tape::{Tape, wanted};

/// The gradients of the parameters of one network.
#[derive(Debug, Default)]
pub struct Gradients {
    buffers: Buffers,
}

type Buffers = HashMap<TensorId, Buffer>;

#[derive(Debug)]
struct Buffer {
    values: Vec<f32>,
    /// Whether they are of the step under way.
    fresh: bool,
}

thread_local! {
    /// The buffers of the backward pass that this thread is in.
    static UNDER_WAY: RefCell<Option<Buffers>> = const { RefCell::new(None) };
}

impl Gradients {
    /// Computes the gradients of a loss, a scalar on the tape, by every parameter that it depends on.
    ///
    /// # Errors
    /// When an operation on the way back fails.
    pub fn backward(&mut self, tape: Tape, loss: &Tensor) -> Result<()> {
        let mut buffers = std::mem::take(&mut self.buffers);
        buffers.values_mut().for_each(|buffer| buffer.fresh = false);
        UNDER_WAY.with(|under_way| under_way.replace(Some(buffers)));
        let done = tape.backward(loss);
        self.buffers = UNDER_WAY.with(RefCell::take).unwrap_or_default();
        done.map(|_| ())
    }

    /// The gradient of a parameter; `None` when the loss does not depend on it.
    pub fn of(&self, parameter: &Var) -> Option<&[f32]> {
        let buffer = self
            .buffers
            .get(&parameter.id())
            .filter(|buffer| buffer.fresh)?;
        Some(&buffer.values)
    }
}

/// A parameter's buffer, and whether it holds a part of the step's gradient already.
fn taken<'a>(buffers: &'a mut Buffers, parameter: &Tensor) -> (&'a mut [f32], bool) {
    let empty = || Buffer {
        values: vec![0.0; parameter.elem_count()],
        fresh: false,
    };
    let buffer = buffers.entry(parameter.id()).or_insert_with(empty);
    (
        &mut buffer.values,
        std::mem::replace(&mut buffer.fresh, true),
    )
}

/// Gives on the gradient of an operation's argument that is, or may be, a parameter. `compute` writes it, or where its
/// second argument says so adds it to what is there. Gives the tensor for Candle, `None` where that need not know.
pub(super) fn deliver<T: Real>(
    argument: &Tensor,
    compute: impl FnOnce(&mut [T], bool) -> Result<()>,
) -> Result<Option<Tensor>> {
    if !wanted(argument) {
        return Ok(None);
    }
    UNDER_WAY.with(|under_way| {
        let mut under_way = under_way.borrow_mut();
        if let Some(buffers) = under_way
            .as_mut()
            .filter(|_| argument.is_variable() && T::of_f32(&mut []).is_some())
        {
            let (buffer, add) = taken(buffers, argument);
            if let Some(buffer) = T::of_f32(buffer) {
                return compute(buffer, add).map(|()| None);
            }
        }
        let mut values = vec![T::ZERO; argument.elem_count()];
        compute(&mut values, false)?;
        Tensor::from_vec(values, argument.shape(), &Device::Cpu).map(Some)
    })
}
