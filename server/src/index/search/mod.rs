//! The language in which runs are searched: `network:vgg16 accuracy>0.9 tag:final "two words" -status:failed`. A run
//! must match all terms. `name:text` matches fields that contain the text, `name=value` fields that equal it, and
//! `name<number` and so on compare; a minus negates a term. A term without a field searches the names and labels of the
//! run.
//!
//! `tokens` splits a text into words; `parser` reads them as terms, with numbers by `number` and the names of settings by
//! `setting_names`. `term` says which runs match.

mod number;
mod parser;
mod setting_names;
mod term;
#[cfg(test)]
mod tests;
mod tokens;

use rusqlite::Connection;
use serde_json::Value;
use vivarium_models::spec::FieldError;

use super::facts::Facts;
use crate::error::{Error, Result};
use parser::parse_term;
pub use setting_names::field_of;
use setting_names::{SettingNames, Settings};
use term::Term;
use tokens::tokenize;

/// The most characters of a search.
const LONGEST: usize = 1000;

/// A search that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search(Vec<Term>);

impl Search {
    /// Reads a search. The names of settings are those of the runs in the index.
    ///
    /// # Errors
    /// [`Error::Fields`] names every term that is not understood.
    pub fn read(connection: &Connection, text: &str) -> Result<Self> {
        if text.chars().count() > LONGEST {
            let message = format!("must have at most {LONGEST} characters");
            return Err(Error::field("search", Value::Null, message));
        }
        Self::read_with(text, &mut Settings::of(connection))
    }

    fn read_with(text: &str, settings: &mut impl SettingNames) -> Result<Self> {
        let (mut terms, mut faults) = (Vec::new(), Vec::new());
        for word in tokenize(text) {
            match parse_term(word, settings)? {
                Ok(term) => terms.push(term),
                Err(message) => {
                    faults.push(FieldError::new("search", &Value::from(word), &message));
                }
            }
        }
        if faults.is_empty() {
            Ok(Self(terms))
        } else {
            Err(Error::Fields(faults))
        }
    }

    /// Whether every run matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a run matches.
    pub fn matches(&self, run: &Facts) -> bool {
        self.0.iter().all(|term| term.matches(run))
    }
}
