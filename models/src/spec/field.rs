//! A settable value of a RunSpec: its name, its meaning, what it may be.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::topic::Topic;

/// One settable value of a RunSpec.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Field {
    /// Where it stands in the document, such as `training.optimizer.lr`.
    #[schema(value_type = String)]
    pub path: Cow<'static, str>,
    /// Its name for people.
    #[schema(value_type = String)]
    pub label: Cow<'static, str>,
    /// What it does, in a sentence.
    #[schema(value_type = String)]
    pub help: Cow<'static, str>,
    /// What it may be.
    pub kind: FieldKind,
    /// Its value when nothing else says so, as a JSON literal: `0.01`, `[128,64]`, `null`.
    #[schema(value_type = String)]
    pub default: Cow<'static, str>,
    /// What `null` is called, such as `Automatic`. Where it is absent, `null` is not a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub null_label: Option<&'static str>,
    /// What a form folds it away under; `null` where it is always shown.
    pub topic: Option<Topic>,
}

impl Field {
    /// A field that is always shown and takes no `null`.
    pub(crate) const fn new(
        path: &'static str,
        label: &'static str,
        kind: FieldKind,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            path: Cow::Borrowed(path),
            label: Cow::Borrowed(label),
            help: Cow::Borrowed(help),
            kind,
            default: Cow::Borrowed(default),
            null_label: None,
            topic: None,
        }
    }

    /// The same field, taking `null` too, and what that is called.
    pub(crate) const fn or_null(mut self, label: &'static str) -> Self {
        self.null_label = Some(label);
        self
    }

    /// The same field, folded away in forms.
    pub(crate) const fn under(mut self, topic: Topic) -> Self {
        self.topic = Some(topic);
        self
    }

    /// The last part of the path.
    pub(crate) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// What a field may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
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
        /// Whether the list may be given as pairs of neighbours: `[[64, 128], [128, 256]]` is `[64, 128, 256]`.
        pairs: bool,
    },
    /// One of a few words.
    Choice {
        /// The words.
        #[schema(value_type = Vec<Choice>)]
        options: Cow<'static, [Choice]>,
    },
}

/// A word that a field may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Choice {
    /// The word in the document.
    #[schema(value_type = String)]
    pub value: Cow<'static, str>,
    /// The word for people.
    #[schema(value_type = String)]
    pub label: Cow<'static, str>,
}

impl Choice {
    /// A word with its label.
    pub(crate) const fn new(value: &'static str, label: &'static str) -> Self {
        Self {
            value: Cow::Borrowed(value),
            label: Cow::Borrowed(label),
        }
    }
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
    /// The line of a network's text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line: Option<u32>,
    /// The column in this line, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<u32>,
    /// The layer whose shapes do not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub layer: Option<String>,
}

impl FieldError {
    /// A value that is not allowed, and why.
    pub fn new(path: &str, value: &Value, message: &str) -> Self {
        Self {
            path: path.to_owned(),
            value: value.clone(),
            message: message.to_owned(),
            line: None,
            column: None,
            layer: None,
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
