//! The most that the machine gives: arithmetic in a product of large matrices, memory in a sum of two long arrays.

use std::fmt;
use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;
use vivarium_models::ops::{linear, threads};

use crate::cases::normal;

/// What an operation has to do.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Multiplications and additions, as the definition has them.
    Arithmetic(f64),
    /// Bytes read and written, each as often as the operation has to pass over them.
    Memory(f64),
}

pub(crate) struct Ceilings {
    flops: f64,
    /// Bytes a second of arrays as long as the largest activations: in the last cache, where that holds them.
    bytes: f64,
    /// Bytes a second of arrays that no cache holds.
    far: f64,
}

/// Side of the matrices.
const SIDE: usize = 2048;

/// Numbers of the largest activations of a step: 16 MiB.
const IMAGES: usize = 1 << 22;

/// Numbers of an array of 128 MiB.
const LONG: usize = 1 << 25;

const ROUNDS: usize = 10;

fn fastest(mut round: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        round()?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Bytes a second while `a = b + 3c` is computed, for arrays of so many numbers.
fn triad(len: usize) -> Result<f64> {
    let (b, c) = (vec![1f32; len], vec![2f32; len]);
    let mut a = vec![0f32; len];
    let part = len.div_ceil(threads::threads());
    let seconds = fastest(|| {
        a.par_chunks_mut(part)
            .zip(b.par_chunks(part).zip(c.par_chunks(part)))
            .for_each(|(a, (b, c))| {
                for (a, (b, c)) in a.iter_mut().zip(b.iter().zip(c)) {
                    *a = *b + 3.0 * *c;
                }
            });
        std::hint::black_box(&mut a);
        Ok(())
    })?;
    Ok(12.0 * len as f64 / seconds)
}

impl Ceilings {
    pub(crate) fn measure() -> Result<Self> {
        let (x, weight) = (normal("x", &[SIDE, SIDE])?, normal("w", &[SIDE, SIDE])?);
        let bias = Tensor::zeros(SIDE, DType::F32, &Device::Cpu)?;
        let product = fastest(|| linear(&x, &weight, &bias).map(drop))?;

        Ok(Self {
            flops: 2.0 * (SIDE as f64).powi(3) / product,
            bytes: triad(IMAGES)?,
            far: triad(LONG)?,
        })
    }

    /// The rate in words, and what part of the ceiling it is.
    pub(crate) fn judge(&self, work: Work, seconds: f64) -> (String, f64) {
        match work {
            Work::Arithmetic(flops) => {
                let rate = flops / seconds;
                (format!("{:.0} GFLOP/s", rate / 1e9), rate / self.flops)
            }
            Work::Memory(bytes) => {
                let rate = bytes / seconds;
                (format!("{:.1} GB/s", rate / 1e9), rate / self.bytes)
            }
        }
    }
}

impl fmt::Display for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ceilings: {:.0} GFLOP/s in a {SIDE}³ product; {:.1} GB/s in a = b + 3c over 16 MiB each \
             ({:.1} GB/s over 128 MiB)",
            self.flops / 1e9,
            self.bytes / 1e9,
            self.far / 1e9
        )
    }
}
