//! What keys use, for the few that call most.
//!
//! Off unless the setting `observability` says how many keys have series of their own; the calls of all others count
//! for `other`. Which ones those are follows the calls: while there is room, a key gets series at its first call; when
//! there is none, one that calls more than twice as often as the least of them takes its place. The series of the one
//! that leaves end; should it come back, they begin at 0, which is what `rate()` takes a restart for. Counts of calls by
//! which keys are compared are halved now and then, so that they are of the recent past.
//!
//! Bounds: as many keys as the setting says have series, and [`MAX_KNOWN`] are counted to be compared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use penstock_core::id::{KeyId, UserId};
use penstock_core::money::NanoUsd;
use penstock_core::usage::{Outcome, TokenUsage};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;

const MAX_KNOWN: usize = 10_000;
/// Calls after which counts are halved.
const HALVED_AFTER: u64 = 100_000;

#[derive(Debug, Default)]
pub(super) struct KeyMetrics {
    requests: Family<KeyOutcomeLabels, Counter>,
    tokens: Family<KeyClassLabels, Counter>,
    cost: Family<KeyLabels, Counter>,
    ranks: Mutex<Ranks>,
    /// There may be series: so that a setting that is off costs no lock.
    counts: AtomicBool,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KeyLabels {
    key_id: String,
    user_id: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KeyOutcomeLabels {
    key_id: String,
    user_id: String,
    /// `succeeded` or `failed`.
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KeyClassLabels {
    key_id: String,
    user_id: String,
    /// `input` or `output`.
    class: &'static str,
}

/// Who has series.
#[derive(Debug, Default)]
struct Ranks {
    /// Recent calls.
    calls: HashMap<KeyId, u64>,
    named: HashMap<KeyId, UserId>,
    since_halved: u64,
}

impl KeyMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "key_requests",
            "Calls of the keys that call most, by whether they succeeded",
            metrics.requests.clone(),
        );
        registry.register(
            "key_tokens",
            "Tokens used by the keys that call most",
            metrics.tokens.clone(),
        );
        registry.register(
            "key_cost_nanousd",
            "Cost of the keys that call most, nano-USD",
            metrics.cost.clone(),
        );
        metrics
    }

    /// The setting was switched off: no series stays.
    fn stop(&self) {
        if !self.counts.load(Ordering::Relaxed) {
            return;
        }
        let mut ranks = self.ranks.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, user) in std::mem::take(&mut *ranks).named {
            self.remove(&KeyLabels::of(key, user));
        }
        self.remove(&KeyLabels::other());
        self.counts.store(false, Ordering::Relaxed);
    }

    fn remove(&self, labels: &KeyLabels) {
        for outcome in OUTCOMES {
            self.requests.remove(&labels.outcome(outcome));
        }
        for class in CLASSES {
            self.tokens.remove(&labels.class(class));
        }
        self.cost.remove(labels);
    }
}

const SUCCEEDED: &str = "succeeded";
const FAILED: &str = "failed";
const OUTCOMES: [&str; 2] = [SUCCEEDED, FAILED];
const CLASSES: [&str; 2] = ["input", "output"];

impl Metrics {
    /// A call of a key ended. `most`: how many keys have series; 0: nothing is counted.
    pub fn key_used(
        &self,
        most: u32,
        (key, user): (KeyId, UserId),
        outcome: Outcome,
        used: &TokenUsage,
        cost: NanoUsd,
    ) {
        if most == 0 {
            return self.keys.stop();
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.keys.counts.store(true, Ordering::Relaxed);
        // Held to the end: whoever takes a series away must not meet one who writes it.
        let mut ranks = self.keys.ranks.lock().unwrap_or_else(PoisonError::into_inner);
        let ranked = ranks.called(key, user, most);
        for (gone, user) in ranked.gone {
            self.keys.remove(&KeyLabels::of(gone, user));
        }
        let labels = match ranked.named {
            true => KeyLabels::of(key, user),
            false => KeyLabels::other(),
        };
        let outcome = if outcome == Outcome::Succeeded {
            SUCCEEDED
        } else {
            FAILED
        };
        self.keys.requests.get_or_create(&labels.outcome(outcome)).inc();
        for (class, tokens) in CLASSES.into_iter().zip([used.prompt(), used.output]) {
            self.keys
                .tokens
                .get_or_create(&labels.class(class))
                .inc_by(tokens);
        }
        let cost = u64::try_from(cost.0).unwrap_or(0);
        self.keys.cost.get_or_create(&labels).inc_by(cost);
    }
}

/// What a call changed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ranked {
    named: bool,
    /// Whose series end.
    gone: Vec<(KeyId, UserId)>,
}

impl Ranks {
    fn called(&mut self, key: KeyId, user: UserId, most: usize) -> Ranked {
        self.halve();
        if self.calls.len() >= MAX_KNOWN && !self.calls.contains_key(&key) {
            let named = &self.named;
            self.calls.retain(|key, _| named.contains_key(key));
        }
        let calls = self.calls.entry(key).or_insert(0);
        *calls += 1;
        let calls = *calls;
        let mut gone = Vec::new();
        // The setting was lowered.
        while self.named.len() > most {
            gone.extend(self.take_least());
        }
        if self.named.contains_key(&key) {
            return Ranked { named: true, gone };
        }
        // Whether it is its turn is looked at ever less often, so that it costs nothing.
        if self.named.len() >= most && calls.is_power_of_two() && self.least() < calls / 2 {
            gone.extend(self.take_least());
        }
        let named = self.named.len() < most;
        if named {
            self.named.insert(key, user);
        }
        Ranked { named, gone }
    }

    fn halve(&mut self) {
        self.since_halved += 1;
        if self.since_halved < HALVED_AFTER {
            return;
        }
        self.since_halved = 0;
        let named = &self.named;
        self.calls.retain(|key, calls| {
            *calls /= 2;
            *calls > 0 || named.contains_key(key)
        });
    }

    fn calls_of(&self, key: &KeyId) -> u64 {
        self.calls.get(key).copied().unwrap_or(0)
    }

    fn least(&self) -> u64 {
        let calls = self.named.keys().map(|key| self.calls_of(key));
        calls.min().unwrap_or(u64::MAX)
    }

    fn take_least(&mut self) -> Option<(KeyId, UserId)> {
        let least = self.named.keys().min_by_key(|key| self.calls_of(key)).copied()?;
        self.named.remove_entry(&least)
    }
}

impl KeyLabels {
    fn of(key: KeyId, user: UserId) -> Self {
        Self {
            key_id: key.to_string(),
            user_id: user.to_string(),
        }
    }

    fn other() -> Self {
        Self {
            key_id: "other".to_owned(),
            user_id: "other".to_owned(),
        }
    }

    fn outcome(&self, outcome: &'static str) -> KeyOutcomeLabels {
        KeyOutcomeLabels {
            key_id: self.key_id.clone(),
            user_id: self.user_id.clone(),
            outcome,
        }
    }

    fn class(&self, class: &'static str) -> KeyClassLabels {
        KeyClassLabels {
            key_id: self.key_id.clone(),
            user_id: self.user_id.clone(),
            class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> KeyId {
        KeyId::from_parts(1, &[n; 10])
    }

    fn user() -> UserId {
        UserId::from_parts(1, &[1; 10])
    }

    #[test]
    fn g07_only_so_many_keys_have_series_and_those_that_call_most_get_them() {
        let mut ranks = Ranks::default();
        for n in 0..4 {
            assert!(ranks.called(key(n), user(), 4).named);
            assert!(ranks.called(key(n), user(), 4).named);
        }
        let late: Vec<_> = (0..8).map(|_| ranks.called(key(9), user(), 4)).collect();
        assert!(!late[6].named, "not more than twice as many as the least");
        assert!(late[7].named, "{late:?}");
        assert_eq!((late[7].gone.len(), ranks.named.len()), (1, 4));
        let lower = ranks.called(key(9), user(), 1);
        assert_eq!((lower.named, lower.gone.len()), (true, 3));
    }

    #[test]
    fn g07_what_is_counted_to_compare_is_bounded() {
        let mut ranks = Ranks::default();
        for n in 0..3 * MAX_KNOWN {
            let mut bytes = [0; 10];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            ranks.called(KeyId::from_parts(1, &bytes), user(), 2);
            assert!(ranks.calls.len() <= MAX_KNOWN);
        }
        assert_eq!(ranks.named.len(), 2);
    }

    #[test]
    fn g07_keys_have_no_metrics_unless_the_setting_says_so() {
        let metrics = Metrics::new();
        let used = TokenUsage::default();
        let one = |most| metrics.key_used(most, (key(1), user()), Outcome::Succeeded, &used, NanoUsd(5));
        let scrape = || metrics.render(&super::super::NodeState::default()).unwrap();
        one(0);
        assert!(!scrape().contains("key_id="));
        one(1);
        metrics.key_used(1, (key(2), user()), Outcome::Failed, &used, NanoUsd(7));
        let text = scrape();
        let named = format!(
            r#"penstock_key_cost_nanousd_total{{key_id="{}",user_id="{}"}} 5"#,
            key(1),
            user()
        );
        assert!(text.contains(&named), "{text}");
        let other = r#"penstock_key_requests_total{key_id="other",user_id="other",outcome="failed"} 1"#;
        assert!(text.contains(other), "{text}");
        one(0);
        assert!(!scrape().contains("key_id="), "switched off, no series stays");
    }
}
