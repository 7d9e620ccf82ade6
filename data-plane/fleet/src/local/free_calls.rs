//! Free calls of keys, counted in the process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use penstock_core::id::KeyId;
use penstock_core::time::UnixMs;

use super::ring::Ring;

/// More keys than this within a minute are not counted.
const MAX_KEYS: usize = 100_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct FreeCalls(Mutex<HashMap<KeyId, Ring>>);

impl FreeCalls {
    /// Milliseconds until a call of this key fits; 0: this one did.
    pub(crate) fn count(&self, key: KeyId, limit: u64, now: UnixMs) -> i64 {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS && !keys.contains_key(&key) {
            keys.retain(|_, ring| {
                ring.advance(now.0);
                ring.sum() > 0
            });
            if keys.len() >= MAX_KEYS {
                return 0;
            }
        }
        let ring = keys.entry(key).or_insert_with(|| Ring::minute(now.0));
        ring.advance(now.0);
        if u64::try_from(ring.sum()).unwrap_or(0) < limit {
            ring.add(now.0, 1);
            return 0;
        }
        ring.leaves(1).map_or(1000, |at| (at - now.0).max(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_calls_of_a_key_are_counted_in_any_minute() {
        let calls = FreeCalls::default();
        let [one, other] = [1, 2].map(|n| KeyId::from_parts(1, &[n; 10]));
        for _ in 0..3 {
            assert_eq!(calls.count(one, 3, UnixMs(1_500)), 0);
        }
        assert_eq!(calls.count(one, 3, UnixMs(1_500)), 60_500);
        assert_eq!(calls.count(other, 3, UnixMs(1_500)), 0);
        assert_eq!(calls.count(one, 3, UnixMs(62_000)), 0);
    }
}
