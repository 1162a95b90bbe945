//! Transposes weights between PyTorch's `[out, in, taps]` and `[taps, in, out]` for matrix products.

use std::mem::MaybeUninit;

use super::super::float::Float;
use super::super::kernel::{init_vec, simd_dispatch};
use super::super::threads;

/// The block of outputs and inputs, such that source and destination stay in the L1 cache.
const BLOCK: usize = 16;

/// Transposes `[out, in, taps]` to `[taps, in, out]`.
pub(super) fn taps_first<T: Float>(weight: &[T], out: usize, inputs: usize, taps: usize) -> Vec<T> {
    if taps == 1 {
        return transposed(weight, out, inputs);
    }
    let mut turned = vec![T::ZERO; weight.len()];
    blocks(out, inputs, |o, i| {
        for tap in 0..taps {
            turned[(tap * inputs + i) * out + o] = weight[(o * inputs + i) * taps + tap];
        }
    });
    turned
}

/// Transposes `[taps, in, out]` to `[out, in, taps]`.
pub(super) fn taps_last<T: Float>(turned: &[T], out: usize, inputs: usize, weight: &mut [T]) {
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

/// Transposes `[rows, columns]`; threads share the columns.
fn transposed<T: Float>(matrix: &[T], rows: usize, columns: usize) -> Vec<T> {
    let part = threads::units_per_chunk(columns, rows).next_multiple_of(BLOCK);
    // SAFETY: the tasks cover the columns, and `transpose_some` writes all of each.
    unsafe {
        init_vec(rows * columns, |out| {
            let parts = out.chunks_mut(part * rows.max(1)).enumerate();
            threads::for_each(parts, |(number, out)| {
                transpose_some(matrix, rows, columns, number * part, out);
            });
        })
    }
}

simd_dispatch! {
    /// Transposes some columns, from `first` on.
    fn transpose_some[T: Float](matrix: &[T], rows: usize, columns: usize, first: usize, out: &mut [MaybeUninit<T>]) {
        let some = out.len() / rows;
        for row in (0..rows).step_by(BLOCK) {
            for column in (0..some).step_by(BLOCK) {
                let (height, width) = (BLOCK.min(rows - row), BLOCK.min(some - column));
                let mut block = [[T::ZERO; BLOCK]; BLOCK];
                for r in 0..height {
                    let from = &matrix[(row + r) * columns + first + column..];
                    block[r][..width].copy_from_slice(&from[..width]);
                }
                for c in 0..width {
                    let to = &mut out[(column + c) * rows + row..][..height];
                    for (to, from) in to.iter_mut().zip(&block) {
                        to.write(from[c]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_turned_and_back_whatever_their_sizes() {
        for (out, inputs, taps) in [
            (1, 1, 1),
            (3, 5, 1),
            (40, 17, 1),
            (16, 32, 1),
            (600, 700, 1),
            (5, 19, 9),
        ] {
            let weight: Vec<f32> = (0..out * inputs * taps).map(|i| i as f32).collect();
            let turned = taps_first(&weight, out, inputs, taps);
            for o in 0..out {
                for i in 0..inputs {
                    for tap in 0..taps {
                        let expected = weight[(o * inputs + i) * taps + tap];
                        assert_eq!(turned[(tap * inputs + i) * out + o], expected);
                    }
                }
            }
            let mut back = vec![0.0; weight.len()];
            taps_last(&turned, out, inputs, &mut back);
            assert_eq!(back, weight);
        }
        assert!(taps_first::<f32>(&[], 0, 3, 1).is_empty());
    }
}
