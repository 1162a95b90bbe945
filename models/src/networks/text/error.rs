//! What is wrong with a text, and where.

use ruff_text_size::TextRange;
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The layer whose shapes do not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub layer: Option<String>,
    /// The option whose value the network refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub option: Option<String>,
    /// Whether a larger image would do.
    #[serde(skip)]
    pub(crate) is_too_small: bool,
}

impl TextError {
    /// A mistake that is no single statement's.
    pub fn at(line: u32, column: u32, message: String) -> Self {
        Self {
            line,
            column,
            message,
            layer: None,
            option: None,
            is_too_small: false,
        }
    }
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(layer) = &self.layer {
            write!(f, "{layer}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TextError {}

/// What is wrong, while the text runs.
pub(super) struct Fault {
    pub(super) range: TextRange,
    pub(super) message: String,
    pub(super) layer: Option<String>,
    pub(super) option: Option<String>,
    pub(super) is_too_small: bool,
}

pub(super) type Outcome<T> = Result<T, Box<Fault>>;

impl Fault {
    pub(super) fn new(range: TextRange, message: String) -> Box<Self> {
        Box::new(Self {
            range,
            message,
            layer: None,
            option: None,
            is_too_small: false,
        })
    }

    /// With its place in the text.
    pub(super) fn in_text(self, source: &str) -> TextError {
        let (line, column) = position(source, self.range);
        TextError {
            line,
            column,
            message: self.message,
            layer: self.layer,
            option: self.option,
            is_too_small: self.is_too_small,
        }
    }
}

/// Line and column of the start of a range, from 1.
fn position(source: &str, range: TextRange) -> (u32, u32) {
    let mut start = range.start().to_usize().min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let before = &source[..start];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (bounded(line), bounded(column))
}
