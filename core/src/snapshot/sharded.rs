//! A hash map that is cheap to copy and to change a little.
//!
//! The entries lie in a fixed number of shards, each behind an `Arc`. A copy shares all shards; a change copies the one
//! shard it falls into. With a million entries a change copies about two thousand.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

const SHARDS: usize = 512;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Sharded<K, V> {
    shards: Arc<[Arc<HashMap<K, V>>]>,
    len: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> Sharded<K, V> {
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.shards.get(shard_of(key))?.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let old = self.shard_mut(&key)?.insert(key, value);
        self.len += usize::from(old.is_none());
        old
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let old = self.shard_mut(key)?.remove(key);
        self.len -= usize::from(old.is_some());
        old
    }

    /// Copies what is shared: at most the list of shards and one shard, and only once for many changes in a row.
    fn shard_mut<Q: Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut HashMap<K, V>> {
        Arc::make_mut(&mut self.shards)
            .get_mut(shard_of(key))
            .map(Arc::make_mut)
    }
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let empty = Arc::new(HashMap::new());
        Self {
            shards: (0..SHARDS).map(|_| Arc::clone(&empty)).collect(),
            len: 0,
        }
    }
}

impl<K: Eq + Hash, V: PartialEq> PartialEq for Sharded<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .shards
                .iter()
                .zip(other.shards.iter())
                .all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
    }
}

impl<K: Eq + Hash, V: Eq> Eq for Sharded<K, V> {}

/// The same on every call: shards of two maps can be compared. Who chooses keys to fall into one shard slows down
/// only the copying of that shard; the maps inside have random hashers of their own.
fn shard_of<Q: Hash + ?Sized>(key: &Q) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
    usize::try_from(hash % SHARDS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut now = Sharded::default();
        now.insert(1, "one");
        let before = now.clone();
        now.insert(1, "uno");
        now.insert(2, "due");
        assert_eq!(
            (before.get(&1), before.get(&2), before.len()),
            (Some(&"one"), None, 1)
        );
    }

    #[test]
    fn a_change_copies_one_shard_only() {
        let mut map = Sharded::default();
        for key in 0..10_000 {
            map.insert(key, key);
        }
        let before = map.clone();
        map.insert(7, 0);
        let copied = map
            .shards
            .iter()
            .zip(before.shards.iter())
            .filter(|(a, b)| !Arc::ptr_eq(a, b))
            .count();
        assert_eq!(copied, 1);
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_plain_map(steps in prop::collection::vec((0_u16..64, prop::option::of(0_u8..9)), 0..200)) {
            let mut plain = HashMap::new();
            let mut sharded = Sharded::default();
            for (key, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(sharded.insert(key, value), plain.insert(key, value)),
                    None => prop_assert_eq!(sharded.remove(&key), plain.remove(&key)),
                }
                prop_assert_eq!(sharded.len(), plain.len());
            }
            prop_assert!(plain.iter().all(|(key, value)| sharded.get(key) == Some(value)));
        }
    }
}
