//! What the system says of this process, under the names that Prometheus has for every program's.

use std::time::Duration;

/// Of Linux, as programs are told: the kernel counts in these for all of them.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) cpu: Duration,
    pub(super) resident_bytes: u64,
    pub(super) open_files: u64,
}

/// What this one has; nothing where the system does not say.
pub(super) fn used() -> Option<Used> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (cpu, resident_bytes) = of_stat(&stat)?;
    let open_files = std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64);
    Some(Used { cpu, resident_bytes, open_files })
}

/// The times in user and kernel mode, and the memory, of the line that proc(5) describes. The name in parentheses may have
/// anything in it.
fn of_stat(line: &str) -> Option<(Duration, u64)> {
    /// Pages of memory on the machines that this is built for; larger ones would show as too little.
    const PAGE_BYTES: u64 = 4096;
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let pages: u64 = fields.nth(8)?.parse().ok()?;
    let cpu = Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND);
    Some((cpu, pages * PAGE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_shifts_nothing() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1000000 2048 18446744073709551615";
        assert_eq!(of_stat(line), Some((Duration::from_secs(3), 2048 * 4096)));
        assert_eq!(of_stat("7 (a"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_some_memory_and_files() {
        let used = used().expect("/proc is there");
        assert!(used.resident_bytes > 1 << 20 && used.open_files >= 3, "{used:?}");
    }
}
