//! No huge pages behind the buffers of connections.
//!
//! A call in flight holds some 60 KB of buffers, of which most bytes are never touched. The allocator asks the kernel for
//! huge pages, and those are resident as a whole: with them 9 900 streams took 66 KB each, without them 42 KB, at the
//! same CPU time (docs/performance.md). Like the limit of open files this is the process's, so mains call it.

/// From now on pages of this process are small. Where the kernel does not know the switch, nothing changes.
pub fn avoid() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages could not be switched off");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn c06_huge_pages_are_off() {
        avoid();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }
}
