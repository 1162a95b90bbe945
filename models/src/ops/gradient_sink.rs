//! Where the gradients of parameters go while a tape is played backwards: to whoever takes them, straight from the
//! operation that computes them. Where nobody does they are handed out like those of any other tensor.

use std::cell::RefCell;

use candle_core::{Device, Result, Tensor};

use super::float::Float;
use super::fused_backward::FusedStep;
use super::gradients::Gradients;
use super::matmul::{Matrix, matmul};
use super::tape::{Scoped, requires_grad};

/// Who takes the gradients of parameters.
#[derive(Debug)]
pub(super) enum GradientSink {
    /// Keeps them.
    Gradients(Gradients),
    /// Changes the parameters by them.
    Fused(FusedStep),
}

thread_local! {
    /// Who takes the gradients of the backward pass that this thread is in.
    static SINK: RefCell<Option<GradientSink>> = const { RefCell::new(None) };
}

/// Has somebody take the gradients of all parameters while `play` plays a tape backwards.
pub(super) fn with_sink<R>(sink: &mut GradientSink, play: impl FnOnce() -> Result<R>) -> Result<R> {
    let nobody = GradientSink::Gradients(Gradients::default());
    let _scope = Scoped::set(&SINK, Some(std::mem::replace(sink, nobody)));
    let done = play();
    if let Some(after) = SINK.take() {
        *sink = after;
    }
    done
}

/// Does `work` with who takes a parameter's gradient, where there is somebody and the numbers are those of training;
/// gives `work` back otherwise.
fn with_sink_for<T: Float, W, R>(
    argument: &Tensor,
    work: W,
    act: impl FnOnce(W, &mut GradientSink) -> R,
) -> std::result::Result<R, W> {
    if !argument.is_variable() || T::of_f32(&mut []).is_none() {
        return Err(work);
    }
    // Taken and not borrowed: a thread that waits for a part of the work may begin another backward pass.
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

/// Gives on the gradient of an operation's argument that is, or may be, a parameter. `compute` writes it, or where its
/// second argument says so adds it to what is there. The parameter may change as soon as `compute` is done, so nothing
/// may be computed from it later, and its values must not be held then. Gives the tensor for Candle, `None` where that
/// need not know.
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

/// What computes into f32, which `T` is known to be.
fn into_f32<T: Float>(
    compute: impl FnOnce(&mut [T], bool) -> Result<()>,
) -> impl FnOnce(&mut [f32], bool) -> Result<()> {
    |values, add| T::of_f32(values).map_or(Ok(()), |values| compute(values, add))
}

/// As [`accumulate_grad`], of a matrix `[m, n]` whose gradient is `a` `[m, k]` times `b` `[k, n]`. That of a large one need not
/// stand in memory as a whole.
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
