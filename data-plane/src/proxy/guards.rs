//! The guard against guessing keys, for the addresses seen last (behaviour A7).
//!
//! A request whose credentials belong to nobody counts against the caller's address; from the twentieth in five
//! minutes on such requests are answered 429 for ten minutes instead of 401. A request with a key of ours is never
//! asked about here, so others at the same address go on. This is one data plane's part; what the fleet knows comes in
//! by [`Guards::block_until`].
//!
//! Addresses are bounded: under a flood from very many of them the counts of those seen longest ago are forgotten,
//! which lets an attacker with as many addresses guess on, as it could anyway with that many.

use penstock_core::error::{CallerError, Code};
use penstock_core::guard::{Guard, GuardRules, Verdict};
use penstock_core::time::UnixMs;

use super::address::GuardKey;
use super::recent::Recent;
use crate::caches::CacheCounts;

const MAX_ADDRESSES: usize = 20_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Guards {
    rules: GuardRules,
    addresses: Recent<GuardKey, Guard>,
}

impl Guards {
    pub(super) fn new(rules: GuardRules, counts: CacheCounts) -> Self {
        Self {
            rules,
            addresses: Recent::new(MAX_ADDRESSES, counts),
        }
    }

    pub(super) fn rules(&self) -> &GuardRules {
        &self.rules
    }

    /// A request from there presented only unknown credentials.
    pub(super) fn bad(&self, address: GuardKey, now: UnixMs) -> Verdict {
        self.addresses
            .change(address, |guard| guard.bad(&self.rules, now))
    }

    /// Another data plane blocked the address.
    pub(super) fn block_until(&self, address: GuardKey, until: UnixMs) {
        self.addresses.change(address, |guard| guard.block_until(until));
    }
}

/// What a guessing caller is told.
pub(super) fn refusal(verdict: Verdict, now: UnixMs) -> Option<CallerError> {
    let seconds = verdict.retry_after(now)?;
    let message = "Rate limit exceeded: too many requests with unknown API keys came from this address.";
    Some(CallerError::new(Code::RateLimitExceeded, message).retry_after(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::address::guard_key;

    #[test]
    fn a07_each_address_is_counted_alone() {
        let guards = Guards::new(GuardRules::default(), CacheCounts::default());
        let (one, other) = (
            guard_key(Some([192, 0, 2, 1].into())),
            guard_key(Some([192, 0, 2, 2].into())),
        );
        for _ in 0..19 {
            assert_eq!(guards.bad(one, UnixMs(0)), Verdict::Free);
        }
        let told = refusal(guards.bad(one, UnixMs(0)), UnixMs(0)).unwrap();
        assert_eq!((told.status(), told.retry_after), (429, Some(600)));
        assert_eq!(guards.bad(other, UnixMs(0)), Verdict::Free);
        assert_eq!(refusal(Verdict::Free, UnixMs(0)), None);
        guards.block_until(other, UnixMs(5_000));
        assert_ne!(guards.bad(other, UnixMs(4_999)), Verdict::Free);
    }
}
