//! Information from the operating system.

use std::fs;

/// The version of Candle; a test compares it with the lock file.
pub(super) const CANDLE: &str = "0.11.1";

/// The processor's name; empty if unknown.
pub(super) fn cpu() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_default()
}

/// The peak memory of this process, in bytes; `None` if unknown.
pub(crate) fn peak_memory_bytes() -> Option<u64> {
    let line = field("/proc/self/status", "VmHWM")?;
    let kibibytes: u64 = line.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The value of the first line `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_candle_is_the_one_that_is_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"candle-core\"\nversion = \"{CANDLE}\"");
        assert!(lock.contains(&entry));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_the_peak_of_memory() {
        assert!(peak_memory_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
