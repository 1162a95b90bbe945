//! Where the backward pass puts the gradients of parameters. An operation hands them straight to the sink of its
//! thread. Without a sink they are returned like the gradient of any other tensor.

use std::cell::RefCell;

use candle_core::{Device, Result, Tensor};

use super::float::Float;
use super::fused_backward::FusedStep;
use super::gradients::Gradients;
use super::matmul::{Matrix, matmul};
use super::tape::{Scoped, requires_grad};

/// Receives the gradients of parameters.
#[derive(Debug)]
pub(super) enum GradientSink {
    /// Keeps the gradients.
    Gradients(Gradients),
    /// Updates the parameters.
    Fused(FusedStep),
}

thread_local! {
    /// The sink of the backward pass that this thread is in.
    static SINK: RefCell<Option<GradientSink>> = const { RefCell::new(None) };
}

/// Runs the backward pass `play` with a sink for the gradients of parameters.
pub(super) fn with_sink<R>(sink: &mut GradientSink, play: impl FnOnce() -> Result<R>) -> Result<R> {
    let nobody = GradientSink::Gradients(Gradients::default());
    let _scope = Scoped::set(&SINK, Some(std::mem::replace(sink, nobody)));
    let done = play();
    if let Some(after) = SINK.take() {
        *sink = after;
    }
    done
}

/// Calls `act` with `work` and the sink of this thread. Returns `work` as the error where there is no sink for the
/// parameter, or `T` is not f32.
fn with_sink_for<T: Float, W, R>(
    argument: &Tensor,
    work: W,
    act: impl FnOnce(W, &mut GradientSink) -> R,
) -> std::result::Result<R, W> {
    if !argument.is_variable() || T::of_f32(&mut []).is_none() {
        return Err(work);
    }
    // Taken, not borrowed: while this thread waits for a part of the work, it may begin another backward pass.
    let Some(mut sink) = SINK.take() else {
        return Err(work);
    };
    let takes = match &sink {
        GradientSink::Gradients(_) => true,
        GradientSink::Fused(step) => step.trains(argument),
    };
    let done = if takes {
        Ok(act(work, &mut sink))
    } else {
        Err(work)
    };
    SINK.set(Some(sink));
    done
}

/// Hands the gradient of an argument, which may be a parameter, to the sink. `compute` writes the gradient, or adds it
/// to the buffer where its second argument is true. The parameter may be updated as soon as `compute` returns: nothing
/// may read it later, and its storage must not be borrowed then. Returns the gradient as a tensor where no sink took
/// it.
pub(super) fn accumulate_grad<T: Float>(
    argument: &Tensor,
    compute: impl FnOnce(&mut [T], bool) -> Result<()>,
) -> Result<Option<Tensor>> {
    if !requires_grad(argument) {
        return Ok(None);
    }
    let act = |compute: _, sink: &mut GradientSink| {
        let compute = into_f32(compute);
        match sink {
            GradientSink::Gradients(gradients) => {
                let (buffer, add) = gradients.buffer(argument);
                compute(buffer, add)
            }
            GradientSink::Fused(step) => step.apply(argument, compute),
        }
    };
    match with_sink_for::<T, _, _>(argument, compute, act) {
        Ok(done) => done.map(|()| None),
        Err(compute) => {
            let mut values = vec![T::ZERO; argument.elem_count()];
            compute(&mut values, false)?;
            Tensor::from_vec(values, argument.shape(), &Device::Cpu).map(Some)
        }
    }
}

/// `compute` for f32, which `T` is known to be.
fn into_f32<T: Float>(
    compute: impl FnOnce(&mut [T], bool) -> Result<()>,
) -> impl FnOnce(&mut [f32], bool) -> Result<()> {
    |values, add| T::of_f32(values).map_or(Ok(()), |values| compute(values, add))
}

/// As [`accumulate_grad`], for a matrix `[m, n]` whose gradient is `a` `[m, k]` times `b` `[k, n]`. The gradient of a
/// large matrix is not in memory as a whole.
pub(super) fn accumulate_grad_matmul<T: Float>(
    argument: &Tensor,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    dims: (usize, usize, usize),
) -> Result<Option<Tensor>> {
    if !requires_grad(argument) {
        return Ok(None);
    }
    let act = |(), sink: &mut GradientSink| match sink {
        GradientSink::Fused(step) => step.apply_matmul(argument, a, b, dims),
        GradientSink::Gradients(_) => Ok(false),
    };
    if let Ok(done) = with_sink_for::<T, _, _>(argument, (), act)
        && done?
    {
        return Ok(None);
    }
    accumulate_grad(argument, |out, add| matmul(a, b, dims, out, false, add))
}
