//! What the fleet knows of one provider, and how reports of it become one.
//!
//! **Generation.** What an operator does (a reset, a forced opening, a new credential) makes a new generation. A report
//! of an older generation is from before and is ignored as a whole; one of a newer replaces all.
//!
//! **Merge.** Within a generation each fact is merged on its own: the greater [`Mark`] holds. So merging is commutative,
//! associative and idempotent: reports may come late, twice and in any order, and all who saw them agree.
//!
//! **Bounds.** At most [`MAX_MODELS`] models; those of which something is in force stay, of the others those with the
//! newest marks. Only with more than that may two who saw the same reports differ, in what is oldest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::breaker::Circuit;
use super::cooling::Cooling;
use super::credential::Credential;
use super::headroom::Room;
use super::mark::{Maker, Mark, merge};
use crate::time::UnixMs;

pub const MAX_MODELS: usize = 256;
/// Longer names are not kept.
pub const MAX_MODEL_NAME: usize = 256;

/// The entry of the provider as a whole.
pub const WHOLE: &str = "";

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub generation: u64,
    /// By the model as the client named it; [`WHOLE`]: the provider.
    pub entries: BTreeMap<Arc<str>, Entry>,
}

/// What is known of a provider, or of one model of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    pub circuit: Option<Mark<Circuit>>,
    pub cooling: Option<Mark<Cooling>>,
    pub credential: Option<Mark<Credential>>,
    pub billing: Option<Mark<Aside>>,
    pub no_model: Option<Mark<Aside>>,
    pub headroom: Option<Mark<Room>>,
    pub probes: Option<Mark<Probes>>,
}

/// Set aside. The end is 0 when it was ended; None: an operator must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Aside {
    pub open_ended: bool,
    pub until: UnixMs,
}

/// The gateway's own probes, where the operator wants them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Probes {
    /// In a row.
    pub failures: u32,
    pub next: UnixMs,
}

impl State {
    pub fn entry(&self, model: &str) -> Option<&Entry> {
        self.entries.get(model)
    }

    /// To be changed. None: there is no room for it.
    pub fn entry_mut(&mut self, model: &str) -> Option<&mut Entry> {
        if !self.entries.contains_key(model) {
            if model.len() > MAX_MODEL_NAME {
                return None;
            }
            self.trim(MAX_MODELS);
            self.entries.insert(model.into(), Entry::default());
        }
        self.entries.get_mut(model)
    }

    /// Takes in what another knows. True: something changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        if other.generation < self.generation {
            return false;
        }
        if other.generation > self.generation {
            self.clone_from(other);
            self.trim(MAX_MODELS);
            return true;
        }
        let before = self.clone();
        for (model, entry) in &other.entries {
            self.entries.entry(Arc::clone(model)).or_default().merge(entry);
        }
        self.trim(MAX_MODELS);
        *self != before
    }

    /// Nothing is known of it, and nothing from before is believed.
    #[must_use]
    pub fn reset(&self) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            entries: BTreeMap::new(),
        }
    }

    /// Open, whatever requests do.
    #[must_use]
    pub fn forced_open(&self, model: &str, until: Option<UnixMs>, maker: Maker<'_>) -> Self {
        let mut next = self.next_generation();
        if let Some(entry) = next.entry_mut(model) {
            maker.mark(&mut entry.circuit, Circuit::Forced { until });
        }
        next
    }

    /// What was known of the old credential is no longer of use.
    #[must_use]
    pub fn with_new_credential(&self) -> Self {
        let mut next = self.next_generation();
        for entry in next.entries.values_mut() {
            (entry.credential, entry.billing) = (None, None);
        }
        next.entries.retain(|_, entry| *entry != Entry::default());
        next
    }

    fn next_generation(&self) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            ..self.clone()
        }
    }

    /// Forgets what ended long ago. True: there was something.
    pub fn fade(&mut self, now: UnixMs) -> bool {
        let before = self.entries.len();
        self.entries
            .retain(|_, entry| entry.in_force(now) || !entry.is_old(now));
        self.entries.len() != before
    }

    fn trim(&mut self, most: usize) {
        while self.entries.len() > most {
            // The clock of whoever said the last word, so that it is the same for all.
            let now = self.entries.values().map(Entry::stamp).max().unwrap_or(0);
            let now = UnixMs(i64::try_from(now).unwrap_or(i64::MAX));
            let models = self.entries.iter().filter(|(model, _)| &***model != WHOLE);
            let oldest =
                models.min_by_key(|(model, entry)| (entry.in_force(now), entry.stamp(), Arc::clone(model)));
            let Some(oldest) = oldest.map(|(model, _)| Arc::clone(model)) else {
                return;
            };
            self.entries.remove(&oldest);
        }
    }
}

impl Entry {
    fn merge(&mut self, other: &Self) {
        merge(&mut self.circuit, &other.circuit);
        merge(&mut self.cooling, &other.cooling);
        merge(&mut self.credential, &other.credential);
        merge(&mut self.billing, &other.billing);
        merge(&mut self.no_model, &other.no_model);
        merge(&mut self.headroom, &other.headroom);
        merge(&mut self.probes, &other.probes);
    }

    /// Something in it matters now.
    pub fn in_force(&self, now: UnixMs) -> bool {
        self.circuit
            .as_ref()
            .is_some_and(|mark| mark.value != Circuit::Closed)
            || self.cooling.as_ref().is_some_and(|mark| mark.value.in_force(now))
            || self
                .credential
                .as_ref()
                .is_some_and(|mark| mark.value.in_force(now))
            || self.billing.as_ref().is_some_and(|mark| mark.value.in_force(now))
            || self
                .no_model
                .as_ref()
                .is_some_and(|mark| mark.value.in_force(now))
            || self.probes.as_ref().is_some_and(|mark| mark.value.failures > 0)
    }

    fn is_old(&self, now: UnixMs) -> bool {
        self.circuit.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.cooling.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.credential.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.billing.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.no_model.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.headroom.as_ref().is_none_or(|mark| mark.is_old(now))
            && self.probes.as_ref().is_none_or(|mark| mark.is_old(now))
    }

    /// Of its newest mark.
    fn stamp(&self) -> u64 {
        [
            self.circuit.as_ref().map(|mark| mark.stamp),
            self.cooling.as_ref().map(|mark| mark.stamp),
            self.credential.as_ref().map(|mark| mark.stamp),
            self.billing.as_ref().map(|mark| mark.stamp),
            self.no_model.as_ref().map(|mark| mark.stamp),
            self.headroom.as_ref().map(|mark| mark.stamp),
            self.probes.as_ref().map(|mark| mark.stamp),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0)
    }
}

impl Aside {
    pub fn until(until: Option<UnixMs>) -> Self {
        Self {
            open_ended: until.is_none(),
            until: until.unwrap_or_default(),
        }
    }

    pub fn in_force(self, now: UnixMs) -> bool {
        self.open_ended || now < self.until
    }

    pub fn end(self) -> Option<UnixMs> {
        (!self.open_ended).then_some(self.until)
    }
}
