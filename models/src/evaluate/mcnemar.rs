//! McNemar's test: whether two classifiers err equally often on the same samples (McNemar 1947; Dietterich 1998).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figure::{Figure, Z};

/// With fewer discordant pairs than this the test is exact.
const FEW: u64 = 25;

/// The test's result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct McNemar {
    /// Samples that both predict correctly.
    pub both: u64,
    /// Samples that only the first predicts correctly.
    pub only_first: u64,
    /// Samples that only the second predicts correctly.
    pub only_second: u64,
    /// Samples that neither predicts correctly.
    pub neither: u64,
    /// Whether the p-value is of the exact binomial test: with fewer than 25 samples that only one predicts correctly.
    /// Otherwise it is of the chi-square distribution with one degree of freedom and Edwards' continuity correction.
    pub exact: bool,
    /// The two-sided p-value.
    pub p_value: f64,
    /// The accuracy of the first less that of the second, with the interval for paired proportions of Agresti and Min
    /// (2005); `null` without samples.
    pub difference: Option<Figure>,
}

impl McNemar {
    /// Compares two predictions of the same samples.
    pub fn of(targets: &[u32], first: &[u32], second: &[u32]) -> Self {
        let mut counts = [[0; 2]; 2];
        for ((target, first), second) in targets.iter().zip(first).zip(second) {
            counts[usize::from(first == target)][usize::from(second == target)] += 1;
        }
        let [[neither, only_second], [only_first, both]] = counts;
        let exact = only_first + only_second < FEW;
        Self {
            both,
            only_first,
            only_second,
            neither,
            exact,
            p_value: match exact {
                true => binomial(only_first, only_second),
                false => corrected_chi_square(only_first, only_second),
            },
            difference: difference(only_first, only_second, targets.len()),
        }
    }
}

/// The two-sided p-value of the binomial test of one half.
fn binomial(a: u64, b: u64) -> f64 {
    let (least, n) = (a.min(b), a + b);
    let mut term = 0.5f64.powi(n as i32);
    let mut sum = 0.0;
    for k in 0..=least {
        sum += term;
        term *= (n - k) as f64 / (k + 1) as f64;
    }
    (2.0 * sum).min(1.0)
}

/// The upper tail of the chi-square distribution with one degree of freedom, which is that of a squared normal number.
fn corrected_chi_square(a: u64, b: u64) -> f64 {
    let distance = (a.abs_diff(b) as f64 - 1.0).max(0.0);
    let statistic = distance * distance / (a + b) as f64;
    libm::erfc((statistic / 2.0).sqrt())
}

/// The difference of two paired proportions. Half a sample is added to each of the four counts.
fn difference(a: u64, b: u64, samples: usize) -> Option<Figure> {
    if samples == 0 {
        return None;
    }
    let (first, second, n) = (a as f64 + 0.5, b as f64 + 0.5, samples as f64 + 2.0);
    let middle = (first - second) / n;
    let half = Z * ((first + second - (first - second).powi(2) / n).max(0.0)).sqrt() / n;
    let value = (a as f64 - b as f64) / samples as f64;
    Some(Figure {
        value,
        low: (middle - half).clamp(-1.0, value),
        high: (middle + half).clamp(value, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_literature_has_its_p_value_and_its_difference() {
        // Agresti (2002), table 10.1: approval of the prime minister, 794, 150, 86, 570 of 1600.
        let (mut targets, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for (a, b, count) in [(1, 1, 794), (1, 0, 150), (0, 1, 86), (0, 0, 570)] {
            targets.extend(vec![1; count]);
            first.extend(vec![a; count]);
            second.extend(vec![b; count]);
        }
        let test = McNemar::of(&targets, &first, &second);
        assert_eq!((test.only_first, test.only_second), (150, 86));
        assert!(!test.exact);
        // (|150 - 86| - 1)^2 / 236 = 16.818
        assert!((test.p_value - 4.115e-5).abs() < 1e-8, "{}", test.p_value);
        let of = test.difference.unwrap();
        assert_eq!(of.value, 0.04);
        assert!(
            (of.low - 0.0213).abs() < 1e-4 && (of.high - 0.0587).abs() < 1e-4,
            "{of:?}"
        );
        assert_eq!(McNemar::of(&[], &[], &[]).difference, None);
        assert_eq!(McNemar::of(&[0], &[0], &[0]).p_value, 1.0);
    }
}
