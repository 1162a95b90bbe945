//! Query parameters, which are refused by name.

use serde::de::DeserializeOwned;
use serde_json::Value;
use vivarium_models::inspect::SheetQuery;

use crate::error::{Error, Result};

/// Names and values; an empty value is none.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Of a query that was taken apart.
    pub fn new(mut pairs: Vec<(String, String)>) -> Self {
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs)
    }

    /// A value as it is.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`Error::Field`] for anything else.
    pub fn number(&self, name: &str) -> Result<Option<usize>> {
        let parse = |text: &str| {
            let number = text.parse().ok().filter(|_| !text.starts_with('+'));
            number.ok_or_else(|| Error::field(name, text, "must be a whole number from 0"))
        };
        self.text(name).map(parse).transpose()
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// [`Error::Field`] when it is not.
    pub fn needed(&self, name: &str) -> Result<usize> {
        let missing = || Error::field(name, Value::Null, "is needed: a whole number from 0");
        self.number(name)?.ok_or_else(missing)
    }

    /// One of several words.
    ///
    /// # Errors
    /// [`Error::Field`] for another word.
    pub fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let parse = |text: &str| {
            let word = serde_json::from_value(Value::from(text));
            word.map_err(|error| Error::field(name, text, allowed(&error.to_string())))
        };
        self.text(name).map(parse).transpose()
    }

    /// Which page of a picture, and how it is drawn.
    ///
    /// # Errors
    /// [`Error::Field`] for what is none of it.
    pub fn sheet(&self) -> Result<SheetQuery> {
        Ok(SheetQuery {
            scale: self.word("scale")?.unwrap_or_default(),
            sort: self.word("sort")?,
            page: self.number("page")?.unwrap_or(0),
            filter: self.number("filter")?,
            range: self.range()?,
        })
    }

    fn range(&self) -> Result<Option<[f32; 2]>> {
        let parse = |text: &str| {
            let (low, high) = text.split_once(',')?;
            let number = |text: &str| text.trim().parse().ok().filter(|n: &f32| n.is_finite());
            Some([number(low)?, number(high)?])
        };
        let Some(text) = self.text("range") else {
            return Ok(None);
        };
        let wrong = || Error::field("range", text, "must be two numbers, as in “-1.5,2”");
        parse(text).map(Some).ok_or_else(wrong)
    }
}

/// What serde says of a word that it does not know, as we say it.
pub(in crate::http) fn allowed(message: &str) -> String {
    let words: Vec<_> = message.split('`').skip(1).step_by(2).skip(1).collect();
    let quoted: Vec<_> = words.iter().map(|word| format!("“{word}”")).collect();
    match &quoted[..] {
        [] => "is not known here".to_owned(),
        [only] => format!("must be {only}"),
        [others @ .., last] => format!("must be {} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vivarium_models::inspect::Scale;

    fn params(pairs: &[(&str, &str)]) -> Params {
        let owned = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Params::new(owned.collect())
    }

    fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        let of = params(&[
            ("scale", "tiles"),
            ("page", "-1"),
            ("range", "1;2"),
            ("of", "maps"),
            ("sort", ""),
        ]);
        assert_eq!(
            refusal(of.word::<Scale>("scale")),
            "scale: must be “tile”, “layer” or “network”"
        );
        assert_eq!(
            refusal(of.number("page")),
            "page: must be a whole number from 0"
        );
        assert_eq!(
            refusal(of.range()),
            "range: must be two numbers, as in “-1.5,2”"
        );
        assert_eq!(
            refusal(of.needed("y")),
            "y: is needed: a whole number from 0"
        );
        assert_eq!(of.text("sort"), None);
        assert_eq!(
            params(&[("range", "-1.5, 2")]).range().unwrap(),
            Some([-1.5, 2.0])
        );
    }
}
