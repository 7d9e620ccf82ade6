//! Identifiers: UUIDv7, one type for each thing they name, so that a user's id cannot stand for a key's.
//!
//! UUIDv7 sort by creation time, which keeps database indexes and ledger partitions in order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id. `unix_ms` is the time it carries, `random` makes it unique.
            pub fn from_parts(unix_ms: u64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// Names a provider for good.
    ProviderId;
    /// Names a user for good.
    UserId;
    /// Names a key for good; rotation does not change it.
    KeyId;
    /// Names one call: the usage record's id and the caller's `x-penstock-request-id`.
    RequestId;
    /// Names a history of revisions. Changes only when the store was restored from a backup.
    Epoch;
    /// Names a node's spool of usage records.
    SpoolId;
    /// Names an operator's account for good; rotation does not change it.
    OperatorId;
    /// Names an entry of the audit log.
    AuditId;
}

impl RequestId {
    /// The time inside the id, Unix milliseconds. 0 for an id that is not a UUIDv7.
    pub fn unix_ms(self) -> u64 {
        self.0.get_timestamp().map_or(0, |stamp| {
            let (secs, nanos) = stamp.to_unix();
            secs.saturating_mul(1000)
                .saturating_add(u64::from(nanos / 1_000_000))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_time_and_sort_by_it() {
        let early = RequestId::from_parts(1_700_000_000_123, &[9; 10]);
        let late = RequestId::from_parts(1_700_000_000_124, &[0; 10]);
        assert_eq!(early.unix_ms(), 1_700_000_000_123);
        assert!(early < late);
    }

    #[test]
    fn ids_read_back_from_their_text() {
        let id = KeyId::from_parts(1, &[7; 10]);
        assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
        assert!("not-an-id".parse::<KeyId>().is_err());
    }
}
