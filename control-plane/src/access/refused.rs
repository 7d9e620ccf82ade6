//! Refused calls in the log: one line a second at most, with the number of those left out.
//!
//! A data plane or an operator with a wrong token repeats itself, and so does an attacker; the operator must see that
//! it happens and from where, and the log must not fill. The metric counts them all. A token is never logged.

use std::sync::atomic::{AtomicU64, Ordering};

use penstock_core::time::UnixMs;
use tonic::Code;

/// See the module.
#[derive(Debug, Default)]
pub struct Refused {
    /// The second of the last line, plus one.
    last: AtomicU64,
    skipped: AtomicU64,
}

impl Refused {
    /// Logs a refused call, unless one was logged in this second.
    pub(super) fn log(&self, now: UnixMs, path: &str, peer: &str, code: Code) {
        let Some(skipped) = self.pass(now) else { return };
        let path: String = path.chars().take(100).collect();
        tracing::warn!(
            path,
            peer,
            ?code,
            skipped,
            "a call was refused: its token is missing or not accepted, or there is no such service"
        );
    }

    /// How many were left out since the last line, if there may be one now.
    fn pass(&self, now: UnixMs) -> Option<u64> {
        let second = u64::try_from(now.0).unwrap_or_default() / 1000 + 1;
        if self.last.swap(second, Ordering::Relaxed) == second {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.skipped.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_wrong_tokens_leaves_one_line_a_second() {
        let refused = Refused::default();
        assert_eq!(refused.pass(UnixMs(0)), Some(0));
        for ms in 1..100 {
            assert_eq!(refused.pass(UnixMs(ms)), None);
        }
        assert_eq!(refused.pass(UnixMs(1_000)), Some(99));
    }
}
