//! Smoothing that does not lie: over every point, before any is left out.

/// The exponential moving average of `y` without the pull towards its start: with weight w,
/// s(n) = Σ w^(n-i) y(i) / Σ w^(n-i). Written as a correction of the value before, a constant
/// stays exactly what it is. Where points are more than one step apart, w counts once for each
/// step between. A hole stays one and changes nothing.
pub fn smooth(step: &[u64], y: &[f64], weight: f64) -> Vec<f64> {
    let (mut value, mut mass, mut at) = (0.0, 0.0, None);
    let mut smoothed = Vec::with_capacity(y.len());
    for (&step, &y) in step.iter().zip(y) {
        if y.is_nan() {
            smoothed.push(y);
            continue;
        }
        let apart = at.map_or(1, |at| step.saturating_sub(at));
        let keep = if apart > 1 {
            weight.powf(apart as f64)
        } else {
            weight
        };
        mass = mass * keep + (1.0 - keep);
        value = if at.is_some() {
            value + (1.0 - keep) / mass * (y - value)
        } else {
            y
        };
        at = Some(step);
        smoothed.push(value);
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_weighted_mean_of_all_before() {
        let y = [4.0, 1.0, f64::NAN, 3.0, 8.0];
        let smoothed = smooth(&[1, 2, 3, 4, 5], &y, 0.9);
        for n in [0, 1, 3, 4] {
            let weights = (0..=n).filter(|&i| !y[i].is_nan());
            let (sum, mass) = weights.fold((0.0, 0.0), |(sum, mass), i| {
                let weight = 0.9f64.powi((n - i) as i32);
                (sum + weight * y[i], mass + weight)
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
        let steps: Vec<u64> = (1..=1000).collect();
        assert_eq!(smooth(&steps, &[0.1; 1000], 0.999), [0.1; 1000]);
        assert_eq!(smooth(&[1, 2, 3], &[1.0, 5.0, 2.0], 0.0), [1.0, 5.0, 2.0]);
    }
}
