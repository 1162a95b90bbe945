//! The machine's ceilings: arithmetic from a product of large matrices, memory bandwidth from a sum of two long arrays.

use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;
use vivarium_models::ops::{linear, threads};

use crate::cases::normal;

/// The work of an operation.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Floating-point operations of the definition.
    Arithmetic(f64),
    /// Bytes read and written, counted once per necessary pass.
    Memory(f64),
}

/// The data for measuring the ceilings.
pub(crate) struct Ceilings {
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    arrays: [Vec<f32>; 3],
}

/// Side of the matrices.
const SIDE: usize = 2048;

/// Values of the largest activations of a step: 16 MiB, which may fit in the last-level cache.
const IMAGES: usize = 1 << 22;

/// Values of an array of 128 MiB, larger than most caches.
const LONG: usize = 1 << 25;

const ROUNDS: usize = 3;

fn fastest(mut round: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        round()?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    Ok(best)
}

impl Ceilings {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            x: normal("x", &[SIDE, SIDE])?,
            weight: normal("w", &[SIDE, SIDE])?,
            bias: Tensor::zeros(SIDE, DType::F32, &Device::Cpu)?,
            arrays: [0.0, 1.0, 2.0].map(|value| vec![value; LONG]),
        })
    }

    /// Floating-point operations per second of a matrix product.
    fn product(&self) -> Result<f64> {
        let seconds = fastest(|| linear(&self.x, &self.weight, &self.bias).map(drop))?;
        Ok(2.0 * (SIDE as f64).powi(3) / seconds)
    }

    /// Bytes per second of `a = b + 3c`, for so many values.
    fn triad(&mut self, len: usize) -> Result<f64> {
        let [a, b, c] = &mut self.arrays;
        let (a, b, c) = (&mut a[..len], &b[..len], &c[..len]);
        let part = len.div_ceil(threads::threads());
        let seconds = fastest(|| {
            a.par_chunks_mut(part)
                .zip(b.par_chunks(part).zip(c.par_chunks(part)))
                .for_each(|(a, (b, c))| {
                    for (a, (b, c)) in a.iter_mut().zip(b.iter().zip(c)) {
                        *a = *b + 3.0 * *c;
                    }
                });
            std::hint::black_box(&mut *a);
            Ok(())
        })?;
        Ok(12.0 * len as f64 / seconds)
    }

    /// The current ceiling of a kind of work; it changes with the machine's temperature and other load.
    pub(crate) fn of(&mut self, work: Work) -> Result<f64> {
        match work {
            Work::Arithmetic(_) => self.product(),
            Work::Memory(_) => self.triad(IMAGES),
        }
    }

    /// A description of all ceilings.
    pub(crate) fn describe(&mut self) -> Result<String> {
        Ok(format!(
            "ceilings: {:.0} GFLOP/s in a {SIDE}³ product; {:.1} GB/s in a = b + 3c over 16 MiB each \
             ({:.1} GB/s over 128 MiB)",
            self.product()? / 1e9,
            self.triad(IMAGES)? / 1e9,
            self.triad(LONG)? / 1e9
        ))
    }
}

impl Work {
    pub(crate) fn amount(self) -> f64 {
        match self {
            Self::Arithmetic(amount) | Self::Memory(amount) => amount,
        }
    }

    /// A rate with its unit.
    pub(crate) fn rate(self, rate: f64) -> String {
        match self {
            Self::Arithmetic(_) => format!("{:.0} GFLOP/s", rate / 1e9),
            Self::Memory(_) => format!("{:.1} GB/s", rate / 1e9),
        }
    }
}
