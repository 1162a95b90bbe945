//! Formats numbers in messages about files.

/// A number with thousands separators.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    groups.join(",")
}

/// A number of bytes with a unit.
pub(super) fn bytes(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "byte" } else { "bytes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let words = [0, 999, 1000, 47_040_016].map(count);
        assert_eq!(words, ["0", "999", "1,000", "47,040,016"]);
        assert_eq!(bytes(1), "1 byte");
    }
}
