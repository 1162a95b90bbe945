//! What this machine has.

use std::fs;

/// The memory that processes may take together, in bytes: that of the machine, or less where the container has less. `None`
/// where the system does not tell.
pub(crate) fn memory_bytes() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let total = total(&meminfo)?;
    Some(
        limit
            .trim()
            .parse()
            .map_or(total, |limit: u64| limit.min(total)),
    )
}

/// The total of `/proc/meminfo`, which counts in KiB.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// A size for people: `10.8 GiB`.
pub(crate) fn in_gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_in_bytes() {
        let meminfo = "MemTotal:       16384256 kB\nMemFree:         1000 kB\n";
        assert_eq!(total(meminfo), Some(16_384_256 * 1024));
        assert_eq!(total("MemTotal: many"), None);
        assert_eq!(in_gib(3 << 29), "1.5 GiB");
    }
}
