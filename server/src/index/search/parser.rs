//! Reads the words of a search as terms, and says what is wrong with those that are none.

use super::number::parse_number;
use super::setting_names::SettingNames;
use super::term::{Comparison, Term, Wanted};
use super::tokens::{split_field, unquoted};
use crate::error::Result;
use crate::index::fields::{NUMBER_FIELDS, TEXT_FIELDS, names};

/// Reads a term; the inner error is a message.
pub(super) fn parse_term(
    word: &str,
    settings: &mut impl SettingNames,
) -> Result<Result<Term, String>> {
    let negated = word.strip_prefix('-').filter(|inner| !inner.is_empty());
    if let Some(inner) = negated.filter(|inner| !inner.starts_with(|c: char| c.is_ascii_digit())) {
        return Ok(parse_term(inner, settings)?.map(|term| Term::Not(Box::new(term))));
    }
    let split = split_field(word);
    let split =
        split.filter(|(field, ..)| !field.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let Some((field, operator, value)) = split else {
        return Ok(Ok(Term::Anywhere(unquoted(word).to_lowercase())));
    };
    let value = unquoted(value);
    let name = field.to_lowercase();
    let text = names(&TEXT_FIELDS).find(|known| *known == name);
    let number = names(&NUMBER_FIELDS).find(|known| *known == name);
    if text.is_none() && number.is_none() && !settings.has(&name)? {
        let suggestion = suggest(&name, &settings.all()?);
        return Ok(Err(format!("There is no field “{field}”. {suggestion}")));
    }
    if value.is_empty() {
        return Ok(Err(format!("“{field}{operator}” needs a value.")));
    }
    if operator == "!=" {
        let equal = parse_term(&format!("{field}=\"{value}\""), settings)?;
        return Ok(equal.map(|term| Term::Not(Box::new(term))));
    }
    if let Some(field) = number {
        return Ok(number_term(field, operator, value));
    }
    let comparison = comparison_of(operator);
    if comparison != Comparison::Equal {
        if text.is_some() {
            return Ok(Err(format!(
                "“{name}” is text: use “:” or “=”, not “{operator}”."
            )));
        }
        let Some(bound) = parse_number(value) else {
            return Ok(Err(format!("“{value}” is not a number.")));
        };
        return Ok(Ok(Term::SettingNumber {
            name,
            comparison,
            bound,
        }));
    }
    let wanted = match operator {
        ":" => Wanted::Contained(value.to_lowercase()),
        _ => Wanted::Equal(value.to_lowercase()),
    };
    Ok(Ok(match text {
        Some(field) => Term::Text { field, wanted },
        None => Term::Setting {
            name,
            wanted,
            number: parse_number(value),
        },
    }))
}

fn comparison_of(operator: &str) -> Comparison {
    match operator {
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">=" => Comparison::AtLeast,
        ">" => Comparison::More,
        _ => Comparison::Equal,
    }
}

fn number_term(field: &'static str, operator: &str, value: &str) -> Result<Term, String> {
    let Some(mut bound) = parse_number(value) else {
        return Err(format!(
            "“{value}” is not a number. Use “{field}>0.9” or “{field}<=5k”."
        ));
    };
    // An accuracy above 1 is meant as a percentage.
    let is_share = matches!(field, "accuracy" | "test" | "train_accuracy");
    if is_share && bound > 1.0 && bound <= 100.0 && !value.ends_with('%') {
        bound /= 100.0;
    }
    Ok(Term::Number {
        field,
        comparison: comparison_of(operator),
        bound,
    })
}

fn suggest(name: &str, settings: &[String]) -> String {
    let mut fields: Vec<_> = names(&TEXT_FIELDS).chain(names(&NUMBER_FIELDS)).collect();
    for setting in settings {
        if !fields.contains(&setting.as_str()) {
            fields.push(setting);
        }
    }
    let is_near = |known: &&&str| {
        known.contains(name)
            || name.contains(**known)
            || known.chars().next() == name.chars().next()
    };
    let near: Vec<_> = fields.iter().filter(is_near).take(5).copied().collect();
    if near.is_empty() {
        format!("There are {} and more.", fields[..8].join(", "))
    } else {
        format!("There are {}.", near.join(", "))
    }
}
