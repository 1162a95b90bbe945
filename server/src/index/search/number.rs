//! Numbers with units: `90%`, `5k`, `2min`, `30MiB`.

/// The units of numbers and their factors.
const UNITS: [(&str, f64); 11] = [
    ("", 1.0),
    ("%", 0.01),
    ("k", 1e3),
    ("m", 1e6),
    ("g", 1e9),
    ("s", 1.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
];

/// Reads a number with its unit.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    let end = number_end(text)?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Where the number at the beginning of a text ends.
fn number_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole > 0 || fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes
            .get(end + 1 + sign..)
            .map_or(0, |_| digits(end + 1 + sign));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::parse_number;

    #[test]
    fn numbers_have_units() {
        for (text, expected) in [
            ("5", 5.0),
            ("5k", 5e3),
            ("1.5M", 1.5e6),
            ("90%", 0.9),
            ("2min", 120.0),
            ("1h", 3600.0),
            ("3GiB", 3.0 * 1_073_741_824.0),
            ("-1e-3", -0.001),
            (".5", 0.5),
        ] {
            assert_eq!(parse_number(text), Some(expected), "{text}");
        }
        for text in [
            "", "x", "5q", "1..2", "5 5", "5e", ".", "-", "1e+", "nan", "inf", "é",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }
}
