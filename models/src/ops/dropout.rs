//! Dropout whose mask is a function of a key and the value's index. The backward pass computes the mask again, and a
//! resumed run needs no random state.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::float::Float;
use super::kernel::{contiguous_slice, init_vec, simd_dispatch, storage_slice};
use super::reference;
use super::tape::{SaveForBackward, apply1};
use super::threads;
use crate::random::Key;

/// Sets each value to 0 with the probability `rate` and multiplies the others by `1 / (1 - rate)`, so that their
/// expectation stays. The same key drops the same values. As in PyTorch a value is dropped by a multiplication by 0, so
/// an infinity becomes NaN and is not hidden.
///
/// # Errors
/// When `rate` is not in [0, 1).
pub fn dropout(x: &Tensor, rate: f64, key: &Key) -> Result<Tensor> {
    if !(0.0..1.0).contains(&rate) {
        bail!("dropout: the rate must be in [0, 1), not {rate}")
    }
    let op = Dropout {
        rate,
        key: key.bits(),
    };
    if reference::selected() {
        // Candle's dropout takes no key.
        return reference::dropout(x, x.ones_like()?.apply_op1_no_bwd(&op)?);
    }
    apply1(x, op, SaveForBackward::Shapes)
}

struct Dropout {
    rate: f64,
    key: u64,
}

/// A hash of 32 bits with little bias ("lowbias32", Wellons 2018).
#[inline(always)]
fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

simd_dispatch! {
    /// Drops some of the values `x`, whose indices start at `first`.
    fn mask[T: Float](x: &[T], first: usize, key: u64, rate: f64, out: &mut [MaybeUninit<T>]) {
        let dropped_below = (rate * 4_294_967_296.0) as u32;
        let scale = T::of(1.0 / (1.0 - rate));
        let (low, high) = (key as u32, (key >> 32) as u32);
        let first = first as u32;
        for (i, (out, x)) in (0u32..).zip(out.iter_mut().zip(x)) {
            let bits = hash(hash(first.wrapping_add(i) ^ low).wrapping_add(high));
            out.write(*x * if bits < dropped_below { T::ZERO } else { scale });
        }
    }
}

impl Dropout {
    fn apply<T: Float>(&self, x: &[T]) -> Vec<T> {
        let part = threads::chunk_len(x.len());
        // SAFETY: each part is written as a whole, and the parts cover all.
        unsafe {
            init_vec(x.len(), |out| {
                let parts = out.chunks_mut(part).zip(x.chunks(part));
                threads::for_each(parts.enumerate(), |(i, (out, x))| {
                    mask(x, i * part, self.key, self.rate, out);
                });
            })
        }
    }

    fn backward<T: Float>(&self, dy: &Tensor) -> Result<Tensor> {
        let dy = dy.contiguous()?;
        let (storage, layout) = dy.storage_and_layout();
        Tensor::from_vec(
            self.apply(storage_slice::<T>(&storage, layout)?),
            dy.shape(),
            dy.device(),
        )
    }
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = match x {
            CpuStorage::F64(_) => CpuStorage::F64(self.apply(contiguous_slice(x, layout)?)),
            _ => CpuStorage::F32(self.apply(contiguous_slice(x, layout)?)),
        };
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = match x.dtype() {
            DType::F64 => self.backward::<f64>(dy),
            _ => self.backward::<f32>(dy),
        };
        dx.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn dropped(rate: f64, purpose: &str) -> Vec<f32> {
        let x = Tensor::ones(100_000, DType::F32, &Device::Cpu).unwrap();
        dropout(&x, rate, &Key::new(5, purpose))
            .unwrap()
            .to_vec1()
            .unwrap()
    }

    #[test]
    fn as_many_values_are_dropped_as_asked_and_the_mean_stays() {
        for rate in [0.1, 0.5, 0.9] {
            let y = dropped(rate, "a");
            let zeros = y.iter().filter(|v| **v == 0.0).count() as f64 / y.len() as f64;
            assert!((zeros - rate).abs() < 0.01, "{zeros} dropped at {rate}");
            let mean = y.iter().map(|v| f64::from(*v)).sum::<f64>() / y.len() as f64;
            assert!((mean - 1.0).abs() < 0.04, "mean {mean} at {rate}");
        }
        assert_eq!(dropped(0.0, "a"), vec![1.0; 100_000]);
    }

    #[test]
    fn the_key_decides_which_and_neighbours_do_not_follow_each_other() {
        let (a, b) = (dropped(0.5, "a"), dropped(0.5, "b"));
        assert_eq!(a, dropped(0.5, "a"));
        let agree = a.iter().zip(&b).filter(|(a, b)| a == b).count();
        assert!((48_500..51_500).contains(&agree), "{agree} of 100000 agree");
        let runs = a.windows(2).filter(|w| w[0] == w[1]).count();
        assert!(
            (48_500..51_500).contains(&runs),
            "{runs} of 100000 equal their neighbour"
        );
    }

    #[test]
    fn a_rate_of_one_is_refused() {
        let x = Tensor::ones(4, DType::F32, &Device::Cpu).unwrap();
        for rate in [1.0, -0.1, f64::NAN] {
            assert!(dropout(&x, rate, &Key::new(0, "")).is_err());
        }
    }
}
