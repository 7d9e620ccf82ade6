//! Which sign-ins are told: the first use of a token from an address, and some of those that failed.
//!
//! Everything here is bounded, since strangers fill it. It is of this replica and this run: another one tells again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use penstock_core::api_key::KeyHash;
use penstock_core::time::UnixMs;

/// A token that was not used from an address for so long signs in anew.
const SIGN_IN_MS: i64 = 12 * 3_600_000;
/// One address that is refused is told once in so long.
const REFUSED_MS: i64 = 60_000;
/// Of all addresses together in that time.
const MAX_REFUSED: usize = 60;
/// Calls that a role does not allow, in a second.
const MAX_DENIED: u32 = 20;
const MAX_KNOWN: usize = 10_000;

#[derive(Default)]
pub(super) struct SignIns(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    accepted: HashMap<(KeyHash, String), UnixMs>,
    refused: HashMap<String, UnixMs>,
    denied: (i64, u32),
}

impl SignIns {
    /// Whether this use of a token is a sign-in.
    pub(super) fn is_new(&self, token: &str, peer: &str, now: UnixMs) -> bool {
        let mut seen = self.lock();
        let last = seen.accepted.insert((KeyHash::of(token), peer.to_owned()), now);
        if seen.accepted.len() > MAX_KNOWN {
            seen.accepted
                .retain(|_, at| now.0.saturating_sub(at.0) < SIGN_IN_MS);
        }
        if seen.accepted.len() > MAX_KNOWN {
            seen.accepted.clear();
        }
        last.is_none_or(|at| now.0.saturating_sub(at.0) >= SIGN_IN_MS)
    }

    /// Whether a refused token of this address is told.
    pub(super) fn may_tell(&self, peer: &str, now: UnixMs) -> bool {
        let mut seen = self.lock();
        seen.refused
            .retain(|_, at| now.0.saturating_sub(at.0) < REFUSED_MS);
        if seen.refused.len() >= MAX_REFUSED || seen.refused.contains_key(peer) {
            return false;
        }
        seen.refused.insert(peer.to_owned(), now);
        true
    }

    /// Whether a call that a role does not allow is told.
    pub(super) fn may_tell_denied(&self, now: UnixMs) -> bool {
        let (second, mut seen) = (now.0 / 1_000, self.lock());
        if seen.denied.0 != second {
            seen.denied = (second, 0);
        }
        seen.denied.1 = seen.denied.1.saturating_add(1);
        seen.denied.1 <= MAX_DENIED
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g10_the_first_use_from_an_address_is_a_sign_in() {
        let seen = SignIns::default();
        assert!(seen.is_new("token", "192.0.2.1", UnixMs(0)));
        assert!(!seen.is_new("token", "192.0.2.1", UnixMs(SIGN_IN_MS - 1)));
        assert!(seen.is_new("token", "192.0.2.2", UnixMs(1)));
        assert!(seen.is_new("other", "192.0.2.1", UnixMs(1)));
        assert!(seen.is_new("token", "192.0.2.1", UnixMs(2 * SIGN_IN_MS)));
    }

    #[test]
    fn g10_who_guesses_tokens_does_not_fill_the_log() {
        let seen = SignIns::default();
        let told = (0..1_000)
            .filter(|_| seen.may_tell("192.0.2.1", UnixMs(0)))
            .count();
        assert_eq!(told, 1);
        let told = (0..1_000)
            .filter(|n| seen.may_tell(&n.to_string(), UnixMs(1)))
            .count();
        assert_eq!(told, MAX_REFUSED - 1);
        assert!(seen.may_tell("192.0.2.1", UnixMs(REFUSED_MS)));
        let told = (0..100).filter(|_| seen.may_tell_denied(UnixMs(5))).count();
        assert_eq!(told, 20);
        assert!(seen.may_tell_denied(UnixMs(1_005)));
    }
}
