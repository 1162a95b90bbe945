//! Checks the defaults that a network's text has for a run.

use serde_json::Value;

use crate::data::{DATA_SETS, photo_fields};
use crate::networks::{NetworkText, TextError};
use crate::spec::{COMMON, CROSS_ENTROPY, Field, GROUPS};

/// Checks the variable `defaults` of a text: each entry must be a setting of some run, and a value that it may have.
///
/// # Errors
/// The first entry that is not, with its place.
pub fn check_defaults(text: &NetworkText) -> Result<(), TextError> {
    for (path, value) in &text.defaults {
        if let Err(message) = check(path, value) {
            return Err(text.mistake_of("defaults", Some(path), message));
        }
    }
    Ok(())
}

fn check(path: &str, value: &Value) -> Result<(), String> {
    let of_groups = GROUPS.iter().flat_map(|group| group.variants);
    let fields = COMMON
        .iter()
        .chain(CROSS_ENTROPY)
        .chain(of_groups.flat_map(|variant| variant.fields))
        .chain(DATA_SETS.iter().flat_map(|row| row.fields))
        .chain(photo_fields());
    let mut refusal = None;
    for field in fields.filter(|field: &&Field| field.path == path) {
        match field.check(value) {
            Ok(_) => return Ok(()),
            Err(errors) => refusal = errors.into_iter().next().or(refusal),
        }
    }
    if let Some(error) = refusal {
        return Err(format!("the default of {path} {}", error.message));
    }
    for group in GROUPS {
        if group.path == path {
            return match value.is_null() && group.nullable {
                true => Ok(()),
                false => Err(format!(
                    "{path} has no default as a whole: name its settings"
                )),
            };
        }
        let words = group.variants.iter().filter_map(|variant| variant.value);
        let words: Vec<&str> = words.collect();
        let is_selector = group
            .selector
            .is_some_and(|selector| path == format!("{}.{selector}", group.path));
        if is_selector {
            return match value.as_str().is_some_and(|word| words.contains(&word)) {
                true => Ok(()),
                false => Err(format!(
                    "the default of {path} must be one of {}",
                    words.join(", ")
                )),
            };
        }
    }
    Err(format!(
        "there is no setting {path} that could have a default"
    ))
}
