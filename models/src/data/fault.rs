//! What is wrong with files that are to become a data set.

use serde::Serialize;

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The file's name, as it was given or as it stands in its archive.
    pub file: String,
    /// What is wrong with it, such as `must have 47,040,016 bytes, and has 10`.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// Faults in one line; many are counted, not told.
pub(crate) fn in_words(faults: &[Fault]) -> String {
    const TOLD: usize = 5;
    let mut words: Vec<_> = faults.iter().take(TOLD).map(Fault::to_string).collect();
    if faults.len() > TOLD {
        words.push(format!("and {} more", faults.len() - TOLD));
    }
    words.join("; ")
}

/// A number with its thousands set apart.
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

/// A number of bytes in words.
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
