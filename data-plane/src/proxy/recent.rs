//! What was used last, in a bounded map.
//!
//! Two generations: what is touched goes into the young one; when that is full it becomes the old one, and what the
//! old one held and nobody touched meanwhile is forgotten. So at least the last `max` different keys are known, at
//! most twice as many are held, and nothing is ever searched for a victim.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::caches::CacheCounts;

/// See the module.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    generations: Mutex<Generations<K, V>>,
    counts: CacheCounts,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    max: usize,
}

impl<K: Eq + Hash, V: Default> Recent<K, V> {
    /// For at least `max` keys.
    pub(super) fn new(max: usize, counts: CacheCounts) -> Self {
        let max = max.max(1);
        counts.bounded(max.saturating_mul(2));
        Self {
            generations: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
                max,
            }),
            counts,
        }
    }

    /// Looks at what is known, without keeping it any longer for that.
    pub(super) fn peek<R>(&self, key: &K, look: impl FnOnce(&V) -> R) -> Option<R> {
        let generations = self.lock();
        let found = generations.young.get(key).or_else(|| generations.old.get(key));
        self.counts.asked(found.is_some());
        found.map(look)
    }

    /// Changes what is known, the default where nothing is.
    pub(super) fn change<R>(&self, key: K, change: impl FnOnce(&mut V) -> R) -> R {
        let mut generations = self.lock();
        if generations.young.len() >= generations.max && !generations.young.contains_key(&key) {
            let gone = std::mem::take(&mut generations.young);
            let gone = std::mem::replace(&mut generations.old, gone);
            self.counts.evicted(gone.len());
        }
        let Generations { young, old, .. } = &mut *generations;
        let changed = change(
            young
                .entry(key)
                .or_insert_with_key(|key| old.remove(key).unwrap_or_default()),
        );
        self.counts.holds(young.len() + old.len());
        changed
    }

    fn lock(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_used_stays() {
        let recent = Recent::new(10, CacheCounts::default());
        for i in 1..1_000 {
            recent.change(i, |value| *value = i);
            recent.change(0, |used| *used += 1);
            assert_eq!(recent.peek(&0, |used| *used), Some(i));
            assert_eq!(recent.peek(&i, |value| *value), Some(i));
        }
        assert_eq!(recent.peek(&900, |value| *value), None);
    }

    proptest! {
        #[test]
        fn the_last_ones_are_known_and_no_more_than_twice_as_many(
            max in 1..8_usize, keys in prop::collection::vec(0..30_u8, 0..200),
        ) {
            let recent = Recent::<u8, u32>::new(max, CacheCounts::default());
            let mut order: Vec<u8> = Vec::new();
            for key in keys {
                recent.change(key, |count| *count += 1);
                order.retain(|one| *one != key);
                order.push(key);
                for known in order.iter().rev().take(max) {
                    prop_assert!(recent.peek(known, |count| *count).is_some());
                }
                let held = recent.lock();
                prop_assert!(held.young.len() + held.old.len() <= 2 * max);
            }
        }
    }
}
