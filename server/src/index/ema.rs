//! Smoothing of curves. It covers every point, before any is left out.

/// The average is over at most this share of the values so far, and the newest.
const SHARE: f64 = 1.0 / 8.0;

/// An exponential moving average: s(n) = s(n-1) + (y(n) - s(n-1)) / m(n), where m(n) = w·m(n-1) + 1 with the weight w, as
/// TensorBoard's, but at most 1 + (n-1)/8. TensorBoard's first averages are over all values so far, so that a curve that
/// falls fast at first is drawn late by half of its length; here it is late by an eighth at most. A constant stays
/// exactly the same. A value that is not finite remains so and does not affect the others.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialMovingAverage {
    weight: f64,
    value: f64,
    mass: f64,
    /// How many values were averaged.
    count: f64,
}

impl ExponentialMovingAverage {
    /// The state before the first value.
    pub fn new(weight: f64) -> Self {
        Self {
            weight,
            value: 0.0,
            mass: 0.0,
            count: 0.0,
        }
    }

    /// Adds a value and returns the average.
    pub fn next(&mut self, y: f64) -> f64 {
        if !y.is_finite() {
            return f64::NAN;
        }
        let first = self.count == 0.0;
        self.mass = (self.mass * self.weight + 1.0).min(1.0 + self.count * SHARE);
        self.count += 1.0;
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
    fn the_first_averages_are_over_few_values() {
        let smoothed = smooth(&[4.0, 8.0, f64::NAN, 2.0], 0.9);
        // By hand, with m = 1, 9/8, 10/8.
        let second = 4.0 + 32.0 / 9.0;
        let expected = [4.0, second, second + (2.0 - second) * 0.8];
        for (found, expected) in [0, 1, 3].map(|n| smoothed[n]).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{smoothed:?}");
        }
        assert!(smoothed[2].is_nan());
    }

    #[test]
    fn a_line_is_late_by_an_eighth_at_most_and_later_by_what_the_weight_says() {
        let line: Vec<_> = (1..=400).map(f64::from).collect();
        let late: Vec<_> = smooth(&line, 0.9)
            .iter()
            .zip(&line)
            .map(|(s, y)| y - s)
            .collect();
        assert!(late.iter().zip(&line).all(|(late, n)| *late <= n / 8.0));
        // w / (1 - w) steps
        assert!((late[399] - 9.0).abs() < 1e-6, "{}", late[399]);
    }

    #[test]
    fn a_constant_is_untouched_and_no_weight_changes_nothing() {
        assert_eq!(smooth(&[0.1; 1000], 0.999), [0.1; 1000]);
        assert_eq!(smooth(&[1.0, 5.0, 2.0], 0.0), [1.0, 5.0, 2.0]);
    }
}
