//! Whether more than one key used a provider lately.

use crate::id::KeyId;
use crate::time::UnixMs;

const LATELY_MS: u64 = 300_000;

/// The last use by the newest key, and the last one by any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    newest: Option<(KeyId, UnixMs)>,
    other: Option<(KeyId, UnixMs)>,
}

impl Keys {
    pub fn used(&mut self, key: KeyId, now: UnixMs) {
        if self.newest.is_some_and(|(newest, _)| newest != key) {
            self.other = self.newest;
        }
        self.newest = Some((key, now));
    }

    /// Two or more used it in the last 5 minutes.
    pub fn shared(&self, now: UnixMs) -> bool {
        self.other.is_some_and(|(_, at)| at.plus_ms(LATELY_MS) > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> KeyId {
        KeyId::from_parts(1, &[n; 10])
    }

    proptest! {
        #[test]
        fn b07_keys_are_told_apart_for_five_minutes(uses in prop::collection::vec((0_u8..4, 0_i64..200_000), 0..40)) {
            let (mut keys, mut all, mut now) = (Keys::default(), Vec::new(), 0);
            for (who, after) in uses {
                now += after;
                keys.used(key(who), UnixMs(now));
                all.push((who, now));
                let lately: std::collections::BTreeSet<_> =
                    all.iter().filter(|(_, at)| at + 300_000 > now).map(|(who, _)| *who).collect();
                prop_assert_eq!(keys.shared(UnixMs(now)), lately.len() > 1);
            }
        }
    }
}
