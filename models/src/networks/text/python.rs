//! Values as Python's `str()` and `repr()` write them.

use ruff_text_size::TextRange;

use super::error::{Fault, Outcome};
use super::value::Value;

/// The deepest lists within lists that are written. A list may hold itself.
const MAX_DEPTH: usize = 32;

/// The longest text, in bytes.
const MAX_LEN: usize = 1 << 16;

/// `str(value)`; `None` where it would be too long, or nested too deeply.
pub(super) fn str(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        _ => repr(value),
    }
}

/// `repr(value)`; `None` where it would be too long, or nested too deeply.
pub(super) fn repr(value: &Value<'_>) -> Option<String> {
    let mut text = String::new();
    write(value, MAX_DEPTH, &mut text)?;
    Some(text)
}

/// A value as a string, if it is not too long for one.
pub(super) fn shown(text: Option<String>, range: TextRange) -> Outcome<String> {
    text.ok_or_else(|| {
        let message = "is too long, or nested too deeply, to be a string";
        Fault::new(range, message.to_owned())
    })
}

fn write(value: &Value<'_>, depth: usize, text: &mut String) -> Option<()> {
    let inner = depth.checked_sub(1)?;
    match value {
        Value::Str(string) => text.push_str(&quoted(string)),
        Value::List(items) => {
            text.push('[');
            write_items(&items.borrow(), inner, text)?;
            text.push(']');
        }
        Value::Tuple(items) => {
            text.push('(');
            write_items(items, inner, text)?;
            text.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        Value::Dict(items) => {
            text.push('{');
            for (at, (key, value)) in items.borrow().iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                write(key, inner, text)?;
                text.push_str(": ");
                write(value, inner, text)?;
            }
            text.push('}');
        }
        other => text.push_str(&other.repr()),
    }
    (text.len() <= MAX_LEN).then_some(())
}

fn write_items(items: &[Value<'_>], depth: usize, text: &mut String) -> Option<()> {
    for (at, item) in items.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ", " });
        write(item, depth, text)?;
    }
    Some(())
}

/// A number as Python writes it: the fewest digits that give it, with an exponent of at least two digits and a sign.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let shown = format!("{value:?}");
    let Some((digits, exponent)) = shown.split_once('e') else {
        return shown;
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A string in quotes: single ones, unless the string has these and no double ones.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut quoted = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c == quote => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}

/// `round(number, digits)`: to the nearest of the numbers with so many digits, by the exact value of the number; a half goes
/// to the even one.
pub(super) fn round(number: f64, digits: usize) -> f64 {
    format!("{number:.digits$}").parse().unwrap_or(number)
}

/// `round(number, -digits)` of a whole number; `None` where it is too large.
pub(super) fn round_to_tens(number: i64, digits: u32) -> Option<i64> {
    let Some(unit) = 10i64.checked_pow(digits) else {
        return Some(0);
    };
    let below = number.div_euclid(unit).checked_mul(unit)?;
    let rest = i128::from(number.rem_euclid(unit));
    let is_up = match (rest * 2).cmp(&i128::from(unit)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => number.div_euclid(unit) % 2 != 0,
    };
    if is_up {
        below.checked_add(unit)
    } else {
        Some(below)
    }
}
