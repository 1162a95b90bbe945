//! A settable value of a RunSpec: its name, its meaning, what it may be.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One settable value of a RunSpec.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Field {
    /// Where it stands in the document, such as `training.optimizer.lr`.
    pub path: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// What it may be.
    pub kind: FieldKind,
    /// Its value when nothing else says so, as a JSON literal: `0.01`, `[128,64]`, `null`.
    pub default: &'static str,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// Whether a form folds it away.
    pub advanced: bool,
}

impl Field {
    /// A field that is shown and takes no `null`.
    pub(crate) const fn new(
        path: &'static str,
        label: &'static str,
        kind: FieldKind,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            path,
            label,
            help,
            kind,
            default,
            nullable: false,
            advanced: false,
        }
    }

    /// The same field, taking `null` too.
    pub(crate) const fn nullable(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }

    /// The same field, folded away in forms.
    pub(crate) const fn advanced(self) -> Self {
        Self {
            advanced: true,
            ..self
        }
    }

    /// The last part of the path.
    pub(crate) fn key(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// What a field may be.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// Text without control characters, not only blanks.
    Text {
        /// The most characters.
        max_chars: usize,
    },
    /// True or false.
    Switch,
    /// A whole number.
    Integer {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// The distance between the numbers allowed, counted from `min`.
        step: u64,
    },
    /// A finite number.
    Number {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// Whether the least is itself not allowed.
        min_open: bool,
    },
    /// A list of whole numbers.
    Integers {
        /// The least of each.
        min: u64,
        /// The greatest of each.
        max: u64,
        /// The fewest.
        min_len: usize,
        /// The most.
        max_len: usize,
    },
    /// One of a few words.
    Choice {
        /// The words.
        options: &'static [Choice],
    },
}

/// A word that a field may be.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Choice {
    /// The word in the document.
    pub value: &'static str,
    /// The word for people.
    pub label: &'static str,
}

/// A value that is not allowed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it stands; an item of a list by its index from 0, such as `network.hidden.2`.
    pub path: String,
    /// The value; `null` where none was given.
    pub value: Value,
    /// What is allowed, such as `must be between 1 and 100000`.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(path: &str, value: &Value, message: &str) -> Self {
        Self {
            path: path.to_owned(),
            value: value.clone(),
            message: message.to_owned(),
        }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.path.is_empty() {
            "the settings"
        } else {
            &self.path
        };
        write!(f, "{place}: {} (got {})", self.message, self.value)
    }
}

impl std::error::Error for FieldError {}
