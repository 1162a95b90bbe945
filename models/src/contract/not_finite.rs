//! Values that JSON has no number for.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// What a value is that is not finite. JSON has `null` in its place, and this word beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum NotFinite {
    /// NaN.
    #[serde(rename = "nan")]
    Nan,
    /// Positive infinity.
    #[serde(rename = "inf")]
    Inf,
    /// Negative infinity.
    #[serde(rename = "-inf")]
    NegInf,
}

impl NotFinite {
    /// Classifies a value; `None` for a finite one.
    pub fn of(value: f64) -> Option<Self> {
        match value {
            value if value.is_finite() => None,
            value if value.is_nan() => Some(Self::Nan),
            value if value > 0.0 => Some(Self::Inf),
            _ => Some(Self::NegInf),
        }
    }

    /// The value itself.
    pub fn value(self) -> f64 {
        match self {
            Self::Nan => f64::NAN,
            Self::Inf => f64::INFINITY,
            Self::NegInf => f64::NEG_INFINITY,
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nan => "nan",
            Self::Inf => "inf",
            Self::NegInf => "-inf",
        }
    }

    /// Puts the value of `word` in the place of NaN, which is how `null` is read.
    pub(super) fn restore(word: Option<Self>, value: &mut f64) {
        if let Some(word) = word.filter(|_| value.is_nan()) {
            *value = word.value();
        }
    }
}

/// Reads a number, and `null` as NaN.
pub(super) fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Reads a list of numbers, and each `null` as NaN.
pub(super) fn nullables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Nullable(#[serde(deserialize_with = "nullable")] f64);
    let values = Vec::<Nullable>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|Nullable(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_for_the_value_that_it_classifies() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let word = NotFinite::of(odd).unwrap();
            assert_eq!(word.value().to_bits(), odd.to_bits());
            assert_eq!(serde_json::to_value(word).unwrap(), word.name());
        }
        for number in [0.0, -0.0, 1.5, f64::MAX, f64::MIN] {
            assert_eq!(NotFinite::of(number), None);
        }
    }
}
