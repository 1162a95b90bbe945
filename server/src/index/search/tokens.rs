//! Splits a search into words, and a word into field, operator and value.

/// Splits a text into words; quotes group words.
pub(super) fn tokenize(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = quoted_end(rest).unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace);
            end.unwrap_or(rest.len())
        });
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

/// Where a word ends that is quoted, or whose value is.
fn quoted_end(text: &str) -> Option<usize> {
    let after_sign = text.strip_prefix('-').unwrap_or(text);
    let after_field = match split_field(after_sign) {
        Some((_, _, value)) => value,
        None => after_sign,
    };
    let inner = after_field.strip_prefix('"')?;
    let start = text.len() - inner.len();
    let end = inner.find('"').map_or(text.len(), |end| start + end + 1);
    Some(end)
}

/// Splits `field>=value`.
pub(super) fn split_field(word: &str) -> Option<(&str, &str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = word.find(|c| !is_name(c)).filter(|&end| end > 0)?;
    let (field, rest) = word.split_at(end);
    let operators = [">=", "<=", "!=", ":", "=", "<", ">"];
    let operator = operators
        .iter()
        .find(|operator| rest.starts_with(**operator))?;
    let (operator, value) = rest.split_at(operator.len());
    Some((field, operator, value))
}

pub(super) fn unquoted(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::tokenize;

    #[test]
    fn quotes_hold_words_together_closed_or_not() {
        assert_eq!(
            tokenize("a tag:\"b c\" \"d e"),
            ["a", "tag:\"b c\"", "\"d e"]
        );
        assert_eq!(
            tokenize(" -tag:\"b c\"x é\"f g\" "),
            ["-tag:\"b c\"", "x", "é\"f", "g\""]
        );
    }
}
