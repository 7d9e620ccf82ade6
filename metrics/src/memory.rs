//! How much memory the process holds, as the kernel counts it.

/// Resident bytes; 0 where the kernel does not tell.
pub fn resident_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| parse(&status))
        .unwrap_or(0)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_kernels_words() {
        assert_eq!(parse("VmPeak:\t 9 kB\nVmRSS:\t   2048 kB\n"), Some(2 << 20));
        assert_eq!(parse("Name: x"), None);
        assert!(resident_bytes() > 0 || !cfg!(target_os = "linux"));
    }
}
