//! The inverse discrete cosine transform of libjpeg (`jidctint.c`, "islow"), to the bit: the algorithm of C. Loeffler,
//! A. Ligtenberg and G. Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications", ICASSP 1989.

/// Fraction bits of the constants.
const CONST_BITS: i32 = 13;

/// Fraction bits that the values between the two passes keep.
const PASS_BITS: i32 = 2;

/// A constant of the transform, with [`CONST_BITS`] fraction bits.
const fn fix(value: f64) -> i32 {
    (value * (1 << CONST_BITS) as f64 + 0.5) as i32
}

/// The eight values of a column or of a row, transformed; they keep the bits of their constants.
fn pass(v: [i32; 8]) -> [i32; 8] {
    let z1 = (v[2].wrapping_add(v[6])).wrapping_mul(fix(0.541_196_100));
    let even2 = z1.wrapping_sub(v[6].wrapping_mul(fix(1.847_759_065)));
    let even3 = z1.wrapping_add(v[2].wrapping_mul(fix(0.765_366_865)));
    let even0 = v[0].wrapping_add(v[4]) << CONST_BITS;
    let even1 = v[0].wrapping_sub(v[4]) << CONST_BITS;
    let even = [
        even0.wrapping_add(even3),
        even1.wrapping_add(even2),
        even1.wrapping_sub(even2),
        even0.wrapping_sub(even3),
    ];
    let [t0, t1, t2, t3] = [v[7], v[5], v[3], v[1]];
    let z5 = t0
        .wrapping_add(t2)
        .wrapping_add(t1)
        .wrapping_add(t3)
        .wrapping_mul(fix(1.175_875_602));
    let z1 = t0.wrapping_add(t3).wrapping_mul(-fix(0.899_976_223));
    let z2 = t1.wrapping_add(t2).wrapping_mul(-fix(2.562_915_447));
    let z3 = z5.wrapping_add(t0.wrapping_add(t2).wrapping_mul(-fix(1.961_570_560)));
    let z4 = z5.wrapping_add(t1.wrapping_add(t3).wrapping_mul(-fix(0.390_180_644)));
    let sum = |value: i32, factor: i32, a: i32, b: i32| {
        value.wrapping_mul(factor).wrapping_add(a).wrapping_add(b)
    };
    let odd = [
        sum(t3, fix(1.501_321_110), z1, z4),
        sum(t2, fix(3.072_711_026), z2, z3),
        sum(t1, fix(2.053_119_869), z2, z4),
        sum(t0, fix(0.298_631_336), z1, z3),
    ];
    let mut out = [0; 8];
    for at in 0..4 {
        out[at] = even[at].wrapping_add(odd[at]);
        out[7 - at] = even[at].wrapping_sub(odd[at]);
    }
    out
}

/// Transforms the dequantised coefficients of a block, in natural order, into 8×8 samples. Row `y` begins at
/// `samples[y * stride]`.
pub(super) fn inverse_dct(block: &[i32; 64], samples: &mut [u8], stride: usize) {
    let is_flat = block[1..].iter().all(|value| *value == 0);
    let mut values = [[0i32; 8]; 8];
    if is_flat {
        let shade = (block[0].wrapping_add(4) >> 3)
            .wrapping_add(128)
            .clamp(0, 255) as u8;
        for y in 0..8 {
            samples[y * stride..][..8].fill(shade);
        }
        return;
    }
    let round = 1 << (CONST_BITS - PASS_BITS - 1);
    for x in 0..8 {
        let column = std::array::from_fn(|y| block[8 * y + x]);
        for (y, value) in pass(column).into_iter().enumerate() {
            values[y][x] = value.wrapping_add(round) >> (CONST_BITS - PASS_BITS);
        }
    }
    let bits = CONST_BITS + PASS_BITS + 3;
    let round = 1 << (bits - 1);
    for (y, row) in values.into_iter().enumerate() {
        let samples = &mut samples[y * stride..][..8];
        for (sample, value) in samples.iter_mut().zip(pass(row)) {
            *sample = ((value.wrapping_add(round) >> bits) + 128).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: ITU-T T.81, A.3.3.
    fn defined(block: &[i32; 64], x: usize, y: usize) -> f64 {
        let scale = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let wave = |at: usize, k: usize| {
            ((2 * at + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
        };
        let mut sum = 0.0;
        for v in 0..8 {
            for u in 0..8 {
                let value = f64::from(block[8 * v + u]);
                sum += scale(u) * scale(v) * value * wave(x, u) * wave(y, v);
            }
        }
        (sum / 4.0 + 128.0).clamp(0.0, 255.0)
    }

    #[test]
    fn samples_are_those_of_the_definition_within_one_step() {
        for seed in 0..200u64 {
            let mut block = [0; 64];
            let mut state = seed;
            for (at, value) in block.iter_mut().enumerate() {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let size = 600 / (1 + at as i64);
                *value = ((state >> 33) as i64 % (2 * size + 1) - size) as i32;
            }
            let mut samples = [0; 64];
            inverse_dct(&block, &mut samples, 8);
            for (at, sample) in samples.iter().enumerate() {
                let expected = defined(&block, at % 8, at / 8);
                assert!((f64::from(*sample) - expected).abs() <= 1.0, "{seed} {at}");
            }
        }
    }

    #[test]
    fn a_block_of_one_shade_is_computed_without_a_transform() {
        for dc in [-2000, -1024, -8, -5, -4, -1, 0, 3, 4, 7, 800, 2000] {
            let mut block = [0; 64];
            block[0] = dc;
            let mut flat = [0; 64];
            inverse_dct(&block, &mut flat, 8);
            // The general formula, with a coefficient that changes nothing.
            let values = pass([dc, 0, 0, 0, 0, 0, 0, 0]);
            let first = (values[0] + (1 << 10)) >> 11;
            let second = pass([first, 0, 0, 0, 0, 0, 0, 0])[0];
            let expected = (((second + (1 << 17)) >> 18) + 128).clamp(0, 255) as u8;
            assert_eq!(flat, [expected; 64], "{dc}");
        }
    }
}
