//! Whether a value is what its field may be.

use serde_json::Value;

use super::field::{Field, FieldError, FieldKind};

/// Whole numbers up to here survive JavaScript and f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// So many choices are named where a value is none of them.
const MAX_WORDS: usize = 20;

impl Field {
    /// The value as it is kept: `1` for a field of fractions becomes `1.0`.
    pub(crate) fn check(&self, value: &Value) -> Result<Value, Vec<FieldError>> {
        if value.is_null() && self.null_label.is_some() {
            return Ok(Value::Null);
        }
        let one = |result: Result<Value, String>| {
            result.map_err(|message| {
                let message = if self.null_label.is_some() {
                    format!("{message}, or null")
                } else {
                    message
                };
                vec![FieldError::new(&self.path, value, &message)]
            })
        };
        match &self.kind {
            &FieldKind::Text { max_chars } => one(text(value, max_chars)),
            FieldKind::Switch => one(match value {
                Value::Bool(_) => Ok(value.clone()),
                _ => Err("must be true or false".to_owned()),
            }),
            &FieldKind::Integer { min, max, step } => {
                one(integer(value, min, max, step).map(Value::from))
            }
            &FieldKind::Number { min, max, min_open } => one(number(value, min, max, min_open)),
            &FieldKind::Integers {
                min,
                max,
                min_len,
                max_len,
                pairs,
            } => {
                let list = match value {
                    Value::Array(items) if pairs && items.iter().any(Value::is_array) => {
                        one(chain(items))?
                    }
                    // One number is a list of one.
                    Value::Number(_) => Value::from(vec![value.clone()]),
                    _ => value.clone(),
                };
                self.integers(&list, (min, max), (min_len, max_len))
            }
            FieldKind::Choice { options } => one(match value.as_str() {
                Some(word) if options.iter().any(|choice| choice.value == word) => {
                    Ok(value.clone())
                }
                _ => {
                    let words: Vec<_> = options.iter().map(|choice| &*choice.value).collect();
                    Err(match words.len().checked_sub(MAX_WORDS) {
                        None | Some(0) => format!("must be {}", alternatives(&words)),
                        Some(more) => {
                            let named = words[..MAX_WORDS].join(", ");
                            format!("must be one of {named} and {more} more")
                        }
                    })
                }
            }),
        }
    }

    fn integers(
        &self,
        value: &Value,
        range: (u64, u64),
        lengths: (usize, usize),
    ) -> Result<Value, Vec<FieldError>> {
        let (min, max) = range;
        let (fewest, most) = lengths;
        let Some(items) = value
            .as_array()
            .filter(|items| (fewest..=most).contains(&items.len()))
        else {
            let message = format!("must be a list of {fewest} to {most} whole numbers");
            return Err(vec![FieldError::new(&self.path, value, &message)]);
        };
        let mut errors = Vec::new();
        let mut kept = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match integer(item, min, max, 1) {
                Ok(number) => kept.push(Value::from(number)),
                Err(message) => errors.push(FieldError::new(
                    &format!("{}.{i}", self.path),
                    item,
                    &message,
                )),
            }
        }
        if errors.is_empty() {
            Ok(Value::Array(kept))
        } else {
            Err(errors)
        }
    }
}

/// The list of which pairs of neighbours are given: `[[64, 128], [128, 256]]` is `[64, 128, 256]`.
fn chain(pairs: &[Value]) -> Result<Value, String> {
    let mut list: Vec<Value> = Vec::new();
    for (i, pair) in pairs.iter().enumerate() {
        let [from, to] = pair.as_array().map_or(&[][..], |pair| pair) else {
            return Err(format!(
                "must be pairs such as (64, 128): number {} is not",
                i + 1
            ));
        };
        match list.last() {
            Some(last) if last != from => {
                return Err(format!(
                    "must be pairs of which each begins with the end of the one before: number {} begins with {from} \
                     after {last}",
                    i + 1
                ));
            }
            Some(_) => {}
            None => list.push(from.clone()),
        }
        list.push(to.clone());
    }
    Ok(Value::Array(list))
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [one] => one.to_string(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
        [] => "nothing".to_owned(),
    }
}

fn text(value: &Value, max_chars: usize) -> Result<Value, String> {
    match value.as_str() {
        Some(text) if text.chars().count() <= max_chars && !text.chars().any(char::is_control) => {
            Ok(value.clone())
        }
        _ => Err(format!(
            "must be text of at most {max_chars} characters, without line breaks or control characters"
        )),
    }
}

fn integer(value: &Value, min: u64, max: u64, step: u64) -> Result<u64, String> {
    let whole = match (value.as_u64(), value.as_f64()) {
        (Some(number), _) => Some(number),
        // 64.0 is a whole number too.
        (None, Some(number)) if number.fract() == 0.0 && (0.0..=EXACT).contains(&number) => {
            Some(number as u64)
        }
        _ => None,
    };
    if let Some(number) =
        whole.filter(|n| (min..=max).contains(n) && (n - min).is_multiple_of(step))
    {
        return Ok(number);
    }
    if step > 1 {
        let allowed: Vec<_> = (min..=max)
            .step_by(step as usize)
            .map(|n| n.to_string())
            .collect();
        let allowed: Vec<_> = allowed.iter().map(String::as_str).collect();
        return Err(format!("must be {}", alternatives(&allowed)));
    }
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 => Err(format!("must be between {min} and {max}")),
        _ => Err(format!("must be a whole number between {min} and {max}")),
    }
}

fn number(value: &Value, min: f64, max: f64, min_open: bool) -> Result<Value, String> {
    let inside =
        |n: &f64| n.is_finite() && (if min_open { *n > min } else { *n >= min }) && *n <= max;
    // Adding 0 makes 0 of -0.
    match value.as_f64().filter(inside) {
        Some(number) => Ok(Value::from(number + 0.0)),
        None if min_open => Err(format!("must be a number above {min} and at most {max}")),
        None => Err(format!("must be a number between {min} and {max}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_may_be_one_number_and_where_it_says_so_pairs_of_neighbours() {
        let field = |pairs| {
            Field::new(
                "network.widths",
                "Widths",
                FieldKind::Integers {
                    min: 1,
                    max: 4096,
                    min_len: 1,
                    max_len: 9,
                    pairs,
                },
                "[64]",
                "",
            )
        };
        let message = |value| field(true).check(&value).unwrap_err()[0].message.clone();
        assert_eq!(field(false).check(&json!(7)), Ok(json!([7])));
        assert_eq!(
            field(true).check(&json!([[64, 128], [128, 128], [128, 256]])),
            Ok(json!([64, 128, 128, 256]))
        );
        assert!(
            message(json!([[64, 128], [64, 256]])).contains("number 2 begins with 64 after 128")
        );
        assert!(message(json!([[64, 128], 5])).contains("number 2 is not"));
        assert!(message(json!([[64, 9999]])).contains("between 1 and 4096"));
        assert!(field(false).check(&json!([[64, 128]])).is_err());
    }
}
