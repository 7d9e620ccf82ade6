//! Counts beside the accounts: calls that take nothing from limits, and guessed keys.
//!
//! Both are shared by the fleet through one small script each. While Redis is away each data plane counts by itself;
//! nobody waits for Redis here either.

use penstock_core::guard::GuardRules;
use penstock_core::id::KeyId;
use penstock_core::time::UnixMs;

use crate::fleet::{Backend, Fleet};

impl Fleet {
    /// Counts one more free call of a key in any 60 s. Some: it does not fit, seconds until one does.
    pub async fn count(&self, key: KeyId, limit: u64) -> Option<u64> {
        let wait = match &self.backend {
            Backend::Shared(shared) if shared.is_joined() => {
                let counted = shared
                    .counters
                    .count(&format!("k{}", key.0.simple()), limit)
                    .await;
                // Redis went away just now.
                counted.unwrap_or(0)
            }
            Backend::Shared(_) | Backend::Alone(_) => self.free_calls.count(key, limit, self.windows.now()),
        };
        (wait > 0).then(|| crate::retry_after(wait))
    }

    /// Tells the fleet of a guessed key. Some: the address is blocked until then, also by what other data planes saw.
    pub async fn guessed(&self, address: &str, rules: &GuardRules) -> Option<UnixMs> {
        let Backend::Shared(shared) = &self.backend else {
            return None;
        };
        if !shared.is_joined() {
            return None;
        }
        let wait = shared.counters.guessed(address, rules).await.ok()?;
        (wait > 0).then(|| UnixMs(self.windows.now().0.saturating_add(wait)))
    }
}
