//! Timed functions: one forward call of an operation, or its backward pass alone.

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};
use vivarium_models::ops::{Gradients, Tape};

/// Runs once and returns the seconds of the measured part.
pub(crate) type Round = Box<dyn FnMut() -> Result<f64>>;

const WARM_UP: usize = 2;
const FEWEST: usize = 5;
const MOST: usize = 1000;

/// The median of repeated rounds.
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

/// Measures all of `work`.
pub(crate) fn whole(mut work: impl FnMut() -> Result<()> + 'static) -> Round {
    Box::new(move || {
        let began = Instant::now();
        work()?;
        Ok(began.elapsed().as_secs_f64())
    })
}

/// Measures the forward pass of an operation in training.
pub(crate) fn forward(operation: impl Fn() -> Result<Tensor> + 'static) -> Round {
    Box::new(move || {
        let began = Instant::now();
        let (y, tape) = Tape::record(&operation);
        let time = began.elapsed().as_secs_f64();
        drop((y?, tape));
        Ok(time)
    })
}

/// Measures the gradients of the operation's variables, from a gradient of ones. With `kept`, gradients of parameters
/// go to the memory that training uses, else to new tensors, like those of images.
pub(crate) fn backward(kept: bool, operation: impl Fn() -> Result<Tensor> + 'static) -> Round {
    let mut gradients = Gradients::default();
    Box::new(move || {
        let (y, tape) = Tape::record(&operation);
        let y = y?;
        // The ones are made outside the measured time.
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
