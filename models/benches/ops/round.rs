//! What is timed: one call of an operation forward, or its way back alone.

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};
use vivarium_models::ops::{Gradients, Tape};

/// Does something once and says how many seconds the part of it took that is measured.
pub(crate) type Round = Box<dyn FnMut() -> Result<f64>>;

const WARM_UP: usize = 2;
const FEWEST: usize = 5;
const MOST: usize = 1000;

/// The median of rounds over some time.
pub(crate) fn median_of(mut round: Round, each: Duration) -> Result<f64> {
    for _ in 0..WARM_UP {
        round()?;
    }
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < FEWEST || (began.elapsed() < each && times.len() < MOST) {
        times.push(round()?);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// All that `work` does.
pub(crate) fn whole(mut work: impl FnMut() -> Result<()> + 'static) -> Round {
    Box::new(move || {
        let began = Instant::now();
        work()?;
        Ok(began.elapsed().as_secs_f64())
    })
}

/// The operation as it is computed while training, up to its result.
pub(crate) fn forward(operation: impl Fn() -> Result<Tensor> + 'static) -> Round {
    Box::new(move || {
        let began = Instant::now();
        let (y, tape) = Tape::record(&operation);
        let time = began.elapsed().as_secs_f64();
        drop((y?, tape));
        Ok(time)
    })
}

/// The gradients of the operation's variables, from a gradient of ones. Parameters' gradients go where training puts
/// them, or, where `kept` is false, into tensors of their own, as those of images do.
pub(crate) fn backward(kept: bool, operation: impl Fn() -> Result<Tensor> + 'static) -> Round {
    let mut gradients = Gradients::default();
    Box::new(move || {
        let (y, tape) = Tape::record(&operation);
        let y = y?;
        // The tape makes the ones itself; that is not the operation's time.
        let began = Instant::now();
        let ones = y.ones_like()?;
        let making_ones = began.elapsed();
        drop(ones);
        let began = Instant::now();
        if kept {
            gradients.backward(tape, &y)?;
        } else {
            drop(tape.backward(&y)?);
        }
        Ok(began.elapsed().saturating_sub(making_ones).as_secs_f64())
    })
}
