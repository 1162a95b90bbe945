//! Weights as the products want them: PyTorch's `[out, in, taps]` turned to `[taps, in, out]` and back.

use super::super::real::Real;

/// Outputs and inputs turned at a time: what is read and what is written then stays in the nearest cache.
const BLOCK: usize = 16;

/// `[out, in, taps]` as `[taps, in, out]`.
pub(super) fn taps_first<T: Real>(weight: &[T], out: usize, inputs: usize, taps: usize) -> Vec<T> {
    let mut turned = vec![T::ZERO; weight.len()];
    blocks(out, inputs, |o, i| {
        for tap in 0..taps {
            turned[(tap * inputs + i) * out + o] = weight[(o * inputs + i) * taps + tap];
        }
    });
    turned
}

/// `[taps, in, out]` as `[out, in, taps]`.
pub(super) fn taps_last<T: Real>(turned: &[T], out: usize, inputs: usize, weight: &mut [T]) {
    let taps = weight.len() / (out * inputs).max(1);
    blocks(out, inputs, |o, i| {
        for tap in 0..taps {
            weight[(o * inputs + i) * taps + tap] = turned[(tap * inputs + i) * out + o];
        }
    });
}

fn blocks(out: usize, inputs: usize, mut each: impl FnMut(usize, usize)) {
    for o0 in (0..out).step_by(BLOCK) {
        for i0 in (0..inputs).step_by(BLOCK) {
            for i in i0..(i0 + BLOCK).min(inputs) {
                for o in o0..(o0 + BLOCK).min(out) {
                    each(o, i);
                }
            }
        }
    }
}
