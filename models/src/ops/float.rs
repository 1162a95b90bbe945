//! The number types of the operations: f32, which networks are trained in, and f64, in which the tests compare
//! gradients with finite differences.

use candle_core::WithDType;

use super::matmul::GemmKernels;

/// A floating-point type that operations compute in.
pub(super) trait Float: WithDType + GemmKernels + Default {
    const ZERO: Self;
    const ONE: Self;

    /// Rounds an f64.
    fn of(value: f64) -> Self;
    /// The exponential function. For f32 it is right to 2 units in the last place from -87 to 88, 0 below, and constant
    /// above.
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn tanh(self) -> Self;
    /// The error function. For f32 it is right to 5e-7.
    fn erf(self) -> Self;
    fn abs(self) -> Self;
    fn is_finite(self) -> bool;
    /// The slice itself where `Self` is f32, else `None`.
    fn of_f32(values: &mut [f32]) -> Option<&mut [Self]>;
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn of(value: f64) -> Self {
        value
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn tanh(self) -> Self {
        self.tanh()
    }
    fn erf(self) -> Self {
        candle_core::cpu::erf::erf_f64(self)
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn of_f32(_: &mut [f32]) -> Option<&mut [Self]> {
        None
    }
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    /// Without branches and calls, so that the compiler vectorises it: 2ⁿ·eʳ with |r| ≤ ln 2 / 2 and the polynomial of
    /// Cephes' `expf` (Moshier 1989).
    #[inline(always)]
    fn exp(self) -> Self {
        // Adding 1.5·2²³ leaves the nearest integer in the last bits.
        const SHIFT: f32 = 12_582_912.0;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_2e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.5;
        let e = p * r * r + r + 1.0;
        let exponent = shifted
            .to_bits()
            .wrapping_sub(SHIFT.to_bits())
            .wrapping_add(127);
        let e = e * f32::from_bits(exponent << 23);
        // Results below the normal range, and that of minus infinity, are 0. NaN stays NaN.
        if self < -87.0 { 0.0 } else { e }
    }

    fn ln(self) -> Self {
        self.ln()
    }

    /// Computed from e^-2|x|; near 0, where that cancels, from the series.
    #[inline(always)]
    fn tanh(self) -> Self {
        let e = Float::exp(-2.0 * self.abs());
        let far = (1.0 - e) / (1.0 + e);
        let s = self * self;
        let series = 62.0 / 2835.0 * s - 17.0 / 315.0;
        let series = series * s + 2.0 / 15.0;
        let series = series * s - 1.0 / 3.0;
        let near = self + self * s * series;
        if self.abs() < 0.25 {
            near
        } else {
            far.copysign(self)
        }
    }

    /// Without branches, so that the compiler vectorises it: the rational function that Eigen has.
    #[inline(always)]
    fn erf(self) -> Self {
        let x = self.clamp(-4.0, 4.0);
        let s = x * x;
        let p = -2.726_142e-10;
        let p = p * s + 2.770_681_4e-8;
        let p = p * s - 2.101_024e-6;
        let p = p * s - 5.692_506_4e-5;
        let p = p * s - 7.349_906_3e-4;
        let p = p * s - 2.954_6e-3;
        let p = p * s - 1.609_603_3e-2;
        let q = -1.456_607_2e-5;
        let q = q * s - 2.133_740_6e-4;
        let q = q * s - 1.682_827e-3;
        let q = q * s - 7.373_329_2e-3;
        let q = q * s - 1.426_473_9e-2;
        let near = x * p / q;
        if self.abs() >= 4.0 {
            1f32.copysign(self)
        } else {
            near
        }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    fn is_finite(self) -> bool {
        self.is_finite()
    }

    fn of_f32(values: &mut [f32]) -> Option<&mut [Self]> {
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_the_last_places() {
        for i in -87_000..=88_000 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let relative = (f64::from(Float::exp(x)) / exact - 1.0).abs();
            assert!(relative < 3e-7, "exp({x}): {relative}");
        }
        assert!(Float::exp(f32::NAN).is_nan());
        assert_eq!([f32::NEG_INFINITY, -1e30, -87.1].map(Float::exp), [0.0; 3]);
        assert_eq!(Float::exp(0.0f32), 1.0);
    }

    #[test]
    fn the_hyperbolic_tangent_is_right_near_zero_and_far_away() {
        for i in -20_000..=20_000 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).tanh();
            let error = (f64::from(Float::tanh(x)) - exact).abs();
            assert!(error <= 3e-7 * exact.abs(), "tanh({x}): {error}");
        }
        assert_eq!(Float::tanh(1e-20f32), 1e-20);
        assert!(Float::tanh(f32::NAN).is_nan());
    }

    #[test]
    fn the_error_function_is_right_to_seven_digits() {
        for i in -60_000..=60_000 {
            let x = i as f32 / 10_000.0;
            let exact = Float::erf(f64::from(x));
            let error = (f64::from(Float::erf(x)) - exact).abs();
            assert!(error <= 5e-7, "erf({x}): {error}");
        }
        assert!(Float::erf(f32::NAN).is_nan());
    }
}
