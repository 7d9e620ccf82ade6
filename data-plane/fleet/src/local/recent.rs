//! A bounded map from which what was not used for the longest time leaves first, nearly.
//!
//! Two generations: what is used goes to the young one; when that is full, it becomes the old one, and the old one is
//! forgotten. Each step costs the same, and no order is kept.

use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Of either generation.
    capacity: usize,
    evicted: u64,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Holds twice as many at most.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            capacity,
            evicted: 0,
        }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.evicted = self
                .evicted
                .saturating_add(u64::try_from(gone.len()).unwrap_or(0));
        }
        self.young.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_leaves_when_there_is_no_room() {
        let mut recent = Recent::new(10);
        for n in 0..1000 {
            recent.insert(n, n);
            assert_eq!(recent.get(&0), Some(&mut 0), "after {n}");
            assert!(recent.len() <= 20);
        }
        assert_eq!(recent.get(&998), Some(&mut 998));
        assert_eq!(recent.get(&900), None);
        assert_eq!(recent.evicted(), 1000 - u64::try_from(recent.len()).unwrap());
    }
}
