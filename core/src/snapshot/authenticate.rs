//! Finding the caller by the key it presents.
//!
//! A key's plain hash is looked up first. Only on a miss are the import suffixes of former relays tried, one hash
//! each; there are few of them. A former secret counts until its overlap ends.

use std::sync::Arc;

use super::{KeyEntry, Snapshot, UserEntry};
use crate::access::{self, Denied};
use crate::api_key::{KeyHash, MAX_BYTES};
use crate::time::UnixMs;

/// A key that was let in, with its owner.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: Arc<UserEntry>,
    pub key: Arc<KeyEntry>,
    /// Set when the key was found by a suffixed hash: the plain hash to store from now on.
    pub upgrade: Option<KeyHash>,
}

/// A key that exists, let in or not.
#[derive(Clone, Debug)]
struct Found<'a> {
    key: &'a Arc<KeyEntry>,
    upgrade: Option<KeyHash>,
}

impl Snapshot {
    /// Who presents this key, and whether they are let in now.
    pub fn authenticate(&self, presented: &str, now: UnixMs) -> Result<Caller, Denied> {
        let found = self.find_key(presented, now).ok_or(Denied::UnknownKey)?;
        let user = self.user(found.key.key.user_id).ok_or(Denied::UserDisabled)?;
        access::check(&user.user.access, &found.key.key.access, now)?;
        Ok(Caller {
            user: Arc::clone(user),
            key: Arc::clone(found.key),
            upgrade: found.upgrade,
        })
    }

    /// The owner of a presented key, let in or not; for records of refused calls.
    pub fn identify(&self, presented: &str, now: UnixMs) -> Option<&Arc<KeyEntry>> {
        self.find_key(presented, now).map(|found| found.key)
    }

    fn find_key(&self, presented: &str, now: UnixMs) -> Option<Found<'_>> {
        if presented.is_empty() || presented.len() > MAX_BYTES {
            return None;
        }
        let hash = KeyHash::of(presented);
        if let Some(key) = self.key_by_hash(&hash, None, now) {
            return Some(Found { key, upgrade: None });
        }
        self.suffixes.iter().find_map(|(name, suffix)| {
            let suffixed = KeyHash::of_suffixed(presented, suffix.secret.expose());
            let key = self.key_by_hash(&suffixed, Some(name), now)?;
            Some(Found {
                key,
                upgrade: Some(hash),
            })
        })
    }

    fn key_by_hash(&self, hash: &KeyHash, suffix: Option<&str>, now: UnixMs) -> Option<&Arc<KeyEntry>> {
        let entry = self.keys.get(self.by_hash.get(hash)?)?;
        let current = entry.key.hash == *hash && entry.key.import_suffix.as_deref() == suffix;
        let former = || {
            entry
                .key
                .previous
                .is_some_and(|p| p.hash == *hash && now < p.valid_until)
        };
        (current || (suffix.is_none() && former())).then_some(entry)
    }
}
