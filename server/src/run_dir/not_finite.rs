//! Values that JSON has no number for. A log has `null` in their place, and in the same line what it stands for.

/// The word for a value that is not finite; `None` for a number.
pub fn word(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("nan")
    } else if value == f64::INFINITY {
        Some("inf")
    } else if value == f64::NEG_INFINITY {
        Some("-inf")
    } else {
        None
    }
}

/// The value that a word stands for. Logs of earlier versions have none of test results and of epochs.
pub fn value(word: Option<&str>) -> f64 {
    match word {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_for_the_value_that_it_is_of() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(value(word(odd)).to_bits(), odd.to_bits());
        }
        for number in [0.0, -0.0, 1.5, f64::MAX, f64::MIN] {
            assert_eq!(word(number), None);
        }
        assert!(value(None).is_nan());
    }
}
