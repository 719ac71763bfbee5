//! How this process uses memory, and how much there is.

/// What a machine has that does not say how much.
const ASSUMED_BYTES: u64 = 4 << 30;

/// Asks the kernel for ordinary pages only. The buffers of indexing and of request bodies come and go within fractions of a
/// second; with huge pages each of them costs the zeroing of far more memory than it uses. Without effect where the kernel
/// knows no such switch.
pub fn use_ordinary_pages() {
    if let Err(error) = nix::sys::prctl::set_thp_disable(true) {
        tracing::debug!(%error, "huge pages could not be turned off");
    }
}

/// How much memory this process may use: what the machine has, or what its control group allows it if that is less.
pub fn total() -> u64 {
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let machine = total_of(&text("/proc/meminfo")).unwrap_or(ASSUMED_BYTES);
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    group.into_iter().filter_map(|path| text(path).trim().parse().ok()).fold(machine, u64::min)
}

/// The whole memory, from the text of `/proc/meminfo`.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_how_much_memory_there_is() {
        assert_eq!(total_of("MemTotal:       16384 kB\nMemFree:        1 kB\n"), Some(16 << 20));
        assert_eq!(total_of("MemFree: 1 kB"), None);
        assert!(total() > 1 << 20);
    }
}
