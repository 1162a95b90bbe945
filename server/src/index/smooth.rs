//! Smoothing that does not lie: over every point, before any is left out.

/// The exponential moving average of `y` without the pull towards its start: with weight w,
/// s(n) = Σ w^(n-i) y(i) / Σ w^(n-i). Written as a correction of the value before, a constant
/// stays exactly what it is. A hole stays one and counts for nothing.
pub fn smooth(y: &[f64], weight: f64) -> Vec<f64> {
    let (mut value, mut mass) = (0.0, 0.0);
    let next = |&y: &f64| {
        if y.is_nan() {
            return y;
        }
        let first = mass == 0.0;
        mass = mass * weight + 1.0;
        value = if first { y } else { value + (y - value) / mass };
        value
    };
    y.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
