//! Fewer points than a screen can show anyway, and not one extreme lost.

/// About `points` indices to keep of `y`: the smallest and the largest value of each of many equal
/// stretches, in order, and the first hole of each, so that no spike and no hole is lost. The
/// first and the last point are always kept.
pub fn thin(y: &[f64], points: usize) -> Vec<usize> {
    let total = y.len();
    let stretches = (points.saturating_sub(2) / 2).max(1);
    if total <= points.max(2) {
        return (0..total).collect();
    }
    let mut kept = Vec::with_capacity(stretches * 2 + 2);
    kept.push(0);
    for stretch in 0..stretches {
        let start = stretch * total / stretches;
        let values = &y[start..(stretch + 1) * total / stretches];
        let (mut low, mut high, mut hole) = (None, None, None);
        for (i, &value) in values.iter().enumerate() {
            if value.is_nan() {
                hole = hole.or(Some(i));
                continue;
            }
            if low.is_none_or(|at: usize| value < values[at]) {
                low = Some(i);
            }
            if high.is_none_or(|at: usize| value > values[at]) {
                high = Some(i);
            }
        }
        let mut found = [low, high, hole];
        found.sort_unstable();
        for i in found.into_iter().flatten() {
            if kept.last().is_none_or(|&last| last < start + i) {
                kept.push(start + i);
            }
        }
    }
    if kept.last().is_some_and(|&last| last + 1 < total) {
        kept.push(total - 1);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_extreme_every_hole_and_both_ends() {
        let mut y: Vec<_> = (0..100_000).map(|i| (i as f64 * 0.01).sin()).collect();
        y[31_415] = 99.0;
        y[27_182] = -99.0;
        y[50_000] = f64::NAN;
        let kept = thin(&y, 1000);
        assert!(kept.len() <= 1003);
        assert!(kept.is_sorted_by(|a, b| a < b));
        for at in [0, 27_182, 31_415, 50_000, 99_999] {
            assert!(kept.contains(&at), "{at}");
        }
    }

    #[test]
    fn a_single_spike_stays_wherever_it_is_and_however_few_points_are_asked_for() {
        for at in [0, 1, 499_999, 500_000, 777_777, 999_998, 999_999] {
            let mut y = vec![0.5; 1_000_000];
            y[at] = 0.75;
            for points in [2, 3, 100, 4096] {
                assert!(thin(&y, points).contains(&at), "{at} of {points} points");
            }
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        assert_eq!(thin(&[1.0, f64::NAN, 2.0], 1000), [0, 1, 2]);
        assert!(thin(&[], 1000).is_empty());
        assert_eq!(thin(&[f64::NAN; 5], 2), [0, 4]);
    }
}
