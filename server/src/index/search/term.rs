//! The terms of a search, and which runs match them.

use crate::index::facts::{Facts, text_of};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Not(Box<Term>),
    /// In lower case.
    Anywhere(String),
    Number {
        field: &'static str,
        comparison: Comparison,
        bound: f64,
    },
    Text {
        field: &'static str,
        wanted: Wanted,
    },
    /// A setting that is compared with a number.
    SettingNumber {
        name: String,
        comparison: Comparison,
        bound: f64,
    },
    /// A setting with a value.
    Setting {
        name: String,
        wanted: Wanted,
        number: Option<f64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// A text, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    Contained(String),
    Equal(String),
}

impl Term {
    pub(super) fn matches(&self, run: &Facts) -> bool {
        match self {
            Self::Not(term) => !term.matches(run),
            Self::Anywhere(text) => run.searched_text().contains(text),
            Self::Number {
                field,
                comparison,
                bound,
            } => run
                .number(field)
                .is_some_and(|found| comparison.holds(found, *bound)),
            Self::Text { field, wanted } => run.texts(field).iter().any(|found| wanted.is(found)),
            Self::SettingNumber {
                name,
                comparison,
                bound,
            } => run.settings_named(name).any(|found| {
                found
                    .as_f64()
                    .is_some_and(|found| comparison.holds(found, *bound))
            }),
            Self::Setting {
                name,
                wanted,
                number,
            } => run.settings_named(name).any(|found| match found.as_f64() {
                Some(found) => Some(found) == *number,
                None => wanted.is(&text_of(found)),
            }),
        }
    }
}

impl Comparison {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Equal => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            Self::AtLeast => a >= b,
            Self::More => a > b,
        }
    }
}

impl Wanted {
    fn is(&self, found: &str) -> bool {
        let found = found.to_lowercase();
        match self {
            Self::Contained(text) => found.contains(text),
            Self::Equal(text) => found == *text,
        }
    }
}
