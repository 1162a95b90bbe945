//! Normal numbers from uniform ones (Box and Muller 1958), with a logarithm and a cosine of our own: a network of a hundred
//! million weights is drawn in the time of two steps, because the compiler makes vector instructions of these, and the
//! numbers are the same with every C library.
//!
//! Methods and coefficients are those of fdlibm (Sun Microsystems 1993: `e_log.c`, `k_sin.c`, `k_cos.c`): the errors are
//! below one unit in the last place.

use std::f64::consts::{FRAC_2_PI, SQRT_2, TAU};

/// A number of the normal distribution from the uniform numbers `first` and `second` in [0, 1), multiples of 2⁻⁵³.
#[inline]
pub(super) fn normal(first: f64, second: f64) -> f64 {
    (-2.0 * ln(1.0 - first)).sqrt() * cos(TAU * second)
}

/// The natural logarithm of a number above 0 that is not subnormal.
#[inline]
fn ln(x: f64) -> f64 {
    // x = 2^exponent · mantissa, with the mantissa between √½ and √2.
    const ROOT_HALF: u64 = (SQRT_2 / 2.0).to_bits();
    const MANTISSA: u64 = (1 << 52) - 1;
    let shifted = x.to_bits() + (1f64.to_bits() - ROOT_HALF);
    let exponent = f64::from((shifted >> 52) as i32 - 1023);
    let mantissa = f64::from_bits((shifted & MANTISSA) + ROOT_HALF);
    // ln(1 + f) = f - f²/2 + s (f²/2 + R), where s = f / (2 + f) and R is a polynomial in s².
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z
        * (0.666_666_666_666_673_5
            + z * (0.399_999_999_994_094_2
                + z * (0.285_714_287_436_623_9
                    + z * (0.222_221_984_321_497_84
                        + z * (0.181_835_721_616_180_5
                            + z * (0.153_138_376_992_093_73 + z * 0.147_981_986_051_165_86))))));
    let half_square = 0.5 * f * f;
    // ln 2 in two parts: the first times an exponent is exact.
    let (high, low) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    exponent * high - ((half_square - (s * (half_square + r) + exponent * low)) - f)
}

/// The cosine of an angle in [0, 2π].
#[inline]
fn cos(angle: f64) -> f64 {
    // Adding and subtracting 1.5 · 2⁵² rounds to an integer: the quarter turns.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let turns = (angle * FRAC_2_PI + ROUND) - ROUND;
    // π/2 in two parts: the first times a few turns is exact. `x + tail` lies between -π/4 and π/4.
    let rough = angle - turns * 1.570_796_326_734_125_6;
    let rest = turns * 6.077_100_506_506_192e-11;
    let x = rough - rest;
    let tail = (rough - x) - rest;
    let z = x * x;
    let cosine = {
        let r = z
            * (0.041_666_666_666_666_6
                + z * (-0.001_388_888_888_887_411
                    + z * (2.480_158_728_947_673e-5
                        + z * (-2.755_731_435_139_066_3e-7
                            + z * (2.087_572_321_298_175e-9 + z * -1.135_964_755_778_819_5e-11)))));
        let half = 0.5 * z;
        let near = 1.0 - half;
        near + (((1.0 - near) - half) + (z * r - x * tail))
    };
    let sine = {
        let r = 0.008_333_333_333_322_49
            + z * (-1.984_126_982_985_795e-4
                + z * (2.755_731_370_707_006_8e-6
                    + z * (-2.505_076_025_340_686_3e-8 + z * 1.589_690_995_211_55e-10)));
        let cube = z * x;
        x - ((z * (0.5 * tail - cube * r) - tail) + cube * 0.166_666_666_666_666_32)
    };
    let size = if turns == 1.0 || turns == 3.0 {
        sine
    } else {
        cosine
    };
    if turns == 1.0 || turns == 2.0 {
        -size
    } else {
        size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many numbers lie between two of the same sign.
    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    /// Uniform numbers: the ends, and many between.
    fn units() -> impl Iterator<Item = f64> {
        let unit = 2f64.powi(-53);
        let between = (1..200_000u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64);
        [0.0, 1.0, 2.0, 2f64.powi(52), 2f64.powi(53) - 1.0]
            .into_iter()
            .chain(between)
            .map(move |n| n * unit)
    }

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        for x in units().map(|u| 1.0 - u) {
            assert!(ln(x) <= 0.0, "ln {x:e}");
            assert!(apart(-ln(x), -x.ln()) <= 1, "ln {x:e}");
        }
    }

    #[test]
    fn cosines_are_those_of_the_standard_library() {
        for angle in units().map(|u| TAU * u) {
            assert!(apart(cos(angle), angle.cos()) <= 1, "cos {angle:e}");
        }
    }
}
