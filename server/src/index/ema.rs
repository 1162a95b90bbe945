//! Smoothing of curves. It covers every point, before any is left out.

/// The exponential moving average with bias correction: with weight w, s(n) = Σ w^(n-i) y(i) / Σ w^(n-i). It is updated
/// by a correction of the previous value, so a constant stays exactly the same. A value that is not finite remains so
/// and does not affect the others.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialMovingAverage {
    weight: f64,
    value: f64,
    mass: f64,
}

impl ExponentialMovingAverage {
    /// The state before the first value.
    pub fn new(weight: f64) -> Self {
        Self {
            weight,
            value: 0.0,
            mass: 0.0,
        }
    }

    /// Adds a value and returns the average.
    pub fn next(&mut self, y: f64) -> f64 {
        if !y.is_finite() {
            return f64::NAN;
        }
        let first = self.mass == 0.0;
        self.mass = self.mass * self.weight + 1.0;
        self.value = if first {
            y
        } else {
            self.value + (y - self.value) / self.mass
        };
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smooth(y: &[f64], weight: f64) -> Vec<f64> {
        let mut average = ExponentialMovingAverage::new(weight);
        y.iter().map(|&y| average.next(y)).collect()
    }

    #[test]
    fn it_is_the_weighted_mean_of_all_before() {
        let y = [4.0, 1.0, f64::NAN, 3.0, 8.0];
        let smoothed = smooth(&y, 0.9);
        for n in [0, 1, 3, 4] {
            let known = y[..=n].iter().filter(|y| !y.is_nan());
            let (sum, mass) = known.fold((0.0, 0.0), |(sum, mass), y| {
                (sum * 0.9 + y, mass * 0.9 + 1.0)
            });
            assert!(
                (smoothed[n] - sum / mass).abs() < 1e-12,
                "{n}: {smoothed:?}"
            );
        }
        assert!(smoothed[2].is_nan());
    }

    #[test]
    fn a_constant_is_untouched_and_no_weight_changes_nothing() {
        assert_eq!(smooth(&[0.1; 1000], 0.999), [0.1; 1000]);
        assert_eq!(smooth(&[1.0, 5.0, 2.0], 0.0), [1.0, 5.0, 2.0]);
    }
}
