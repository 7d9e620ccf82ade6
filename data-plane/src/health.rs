//! Which providers are well, as this node acts on it: what it saw itself and what the fleet told it, merged.
//!
//! **Reading** ([`Health::standing`]) takes no lock: the states of all providers are one map behind one pointer, empty
//! while nothing is wrong. **Writing** is rare and goes through one lock: the map is copied, changed and swapped.
//!
//! A request tells how it ended once for each provider that it was sent to, after its last try there:
//! [`Health::succeeded`] when the answer was whole, [`Health::failed`] otherwise, also when an answer broke later. A success
//! counts from when its request was sent: what was seen since knows more. What is in force here is in force at once; the fleet hears of it through [`outbox`], and what the fleet
//! says comes in by [`Health::merge`]. A node that lost its control plane goes on with what it has and sees.
//!
//! Each change is one warning that names the provider, and a count in the metrics.

mod known;
mod outbox;
mod probed;
mod say;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};
use penstock_core::failure::{Finding, Headroom};
use penstock_core::health::mark::Maker;
use penstock_core::health::{Change, Local, Phase, Room, Seen, Sent, Standing, State, change};
use penstock_core::id::{KeyId, ProviderId};
use penstock_core::snapshot::{ProviderEntry, Snapshot};
use penstock_core::time::UnixMs;

use crate::snapshot::Live;
use crate::telemetry::metrics::Metrics;
use outbox::Outbox;

/// Providers whose failures are counted; more than are ever configured.
const MAX_PROVIDERS: usize = 10_000;

/// States by provider.
pub(crate) type States = HashMap<ProviderId, Arc<State>>;

/// See the module.
#[derive(Debug)]
pub struct Health {
    node: Arc<str>,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    states: ArcSwap<States>,
    /// Also held by whoever replaces the states.
    locals: Mutex<HashMap<ProviderId, Local>>,
    outbox: Outbox,
}

/// What was known at one moment. Not to be kept for long.
pub(crate) struct View(Guard<Arc<States>>);

impl View {
    pub(crate) fn standing(&self, provider: &ProviderEntry, model: &str, now: UnixMs) -> Standing {
        match self.of(provider) {
            None => Standing::Ready,
            Some(state) => state.standing(model, &provider.provider.breaker, now),
        }
    }

    pub(crate) fn headroom(&self, provider: &ProviderEntry, model: &str, now: UnixMs) -> Option<Headroom> {
        let mark = self.of(provider)?.entry(model)?.headroom.as_ref()?;
        mark.value.believed(now)
    }

    /// Nothing is wrong with anybody, as a rule.
    fn of(&self, provider: &ProviderEntry) -> Option<&State> {
        let state = (!self.0.is_empty()).then(|| self.0.get(&provider.id));
        state.flatten().map(Arc::as_ref)
    }
}

impl Health {
    pub fn new(node: Arc<str>, live: Arc<Live>, metrics: Arc<Metrics>) -> Self {
        Self {
            node,
            live,
            metrics,
            states: ArcSwap::default(),
            locals: Mutex::default(),
            outbox: Outbox::default(),
        }
    }

    /// May it be asked for this model now? Takes no lock.
    pub fn standing(&self, provider: &ProviderEntry, model: &str, now: UnixMs) -> Standing {
        self.view().standing(provider, model, now)
    }

    /// What is known now, for several questions in a row.
    pub(crate) fn view(&self) -> View {
        View(self.states.load())
    }

    /// Whose trial it is where the standing is half-open: the model's, or (None) the provider's. The name for the fleet's
    /// lease.
    pub fn trial_of<'a>(&self, provider: &ProviderEntry, model: &'a str, now: UnixMs) -> Option<&'a str> {
        let states = self.states.load();
        states
            .get(&provider.id)?
            .trial_of(model, &provider.provider.breaker, now)
    }

    /// A request failed at a provider, after its last try there, which was sent then. `snapshot`: the request's own.
    pub fn failed(
        &self,
        snapshot: &Snapshot,
        (provider, model): (&ProviderEntry, &str),
        (key, sent): (KeyId, UnixMs),
        finding: &Finding,
        now: UnixMs,
    ) {
        let known_model = known::is_known(snapshot, provider, model);
        let seen = self.seen((provider, model, known_model), (key, sent), now);
        self.change(provider.id, now, |local, state| {
            local.failed(state, &seen, finding)
        });
    }

    /// A request went well at a provider.
    pub fn succeeded(&self, (provider, model): (&ProviderEntry, &str), key: KeyId, sent: Sent, now: UnixMs) {
        let seen = self.seen((provider, model, true), (key, sent.at), now);
        self.change(provider.id, now, |local, state| {
            local.succeeded(state, &seen, sent)
        });
    }

    /// How often the provider failed here in the last 5 min: `health::recent::lengthened` makes repeat waits longer by it.
    pub fn recent_failures(&self, provider: &ProviderEntry, now: UnixMs) -> u32 {
        let locals = self.lock();
        locals
            .get(&provider.id)
            .map_or(0, |local| local.recent_failures(now))
    }

    /// How much of its own limits a provider has left, where it is little. Takes no lock.
    pub fn headroom(&self, provider: &ProviderEntry, model: &str, now: UnixMs) -> Option<Headroom> {
        self.view().headroom(provider, model, now)
    }

    /// An answer said how much is left. `snapshot`: the request's own.
    pub fn saw_headroom(
        &self,
        snapshot: &Snapshot,
        (provider, model): (&ProviderEntry, &str),
        headroom: Headroom,
        now: UnixMs,
    ) {
        let room = Room::of(headroom, now);
        let news = |state: Option<&State>| {
            let mark = state.and_then(|state| state.entry(model)?.headroom.as_ref());
            room.news(mark.map(|mark| mark.value), now)
        };
        let known = self.states.load();
        if news(known.get(&provider.id).map(Arc::as_ref)).is_none() {
            return;
        }
        if !known::is_known(snapshot, provider, model) {
            return;
        }
        self.change(provider.id, now, |_, state| {
            let room = news(Some(state))?;
            let maker = Maker {
                by: &self.node,
                why: "as its answer says",
                now,
            };
            let mut next = state.clone();
            maker.mark(&mut next.entry_mut(model)?.headroom, room);
            Some(next)
        });
    }

    /// What the fleet knows of a provider.
    pub fn merge(&self, provider: ProviderId, told: &State, now: UnixMs) {
        let mut knows_more = false;
        self.put(provider, now, |state| {
            let mut next = state.clone();
            let changed = next.merge(told);
            knows_more = next != *told;
            changed.then_some(next)
        });
        if knows_more {
            self.outbox.add([provider]);
        }
    }

    /// What is known of all providers.
    pub(crate) fn states(&self) -> Arc<States> {
        self.states.load_full()
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The provider's own circuit, for the metrics.
    pub(crate) fn phase(&self, provider: &ProviderEntry, now: UnixMs) -> Phase {
        let states = self.states.load();
        let entry = states.get(&provider.id).and_then(|state| state.entry(""));
        entry.map_or(Phase::Closed, |entry| {
            entry.phase(&provider.provider.breaker, now)
        })
    }

    fn seen<'a>(
        &'a self,
        (provider, model, known_model): (&'a ProviderEntry, &'a str, bool),
        (key, sent): (KeyId, UnixMs),
        now: UnixMs,
    ) -> Seen<'a> {
        Seen {
            model,
            known_model,
            key,
            sent,
            settings: &provider.provider.breaker,
            by: &self.node,
            now,
        }
    }

    /// Something seen here makes a new state, which the fleet is to hear of.
    fn change(
        &self,
        provider: ProviderId,
        now: UnixMs,
        next: impl FnOnce(&mut Local, &State) -> Option<State>,
    ) {
        let changes = {
            let mut locals = self.lock();
            if locals.len() >= MAX_PROVIDERS && !locals.contains_key(&provider) {
                locals.clear();
            }
            let local = locals.entry(provider).or_default();
            self.replace(provider, now, |state| next(local, state))
        };
        if let Some(changes) = changes {
            self.outbox.add([provider]);
            self.say(provider, &changes);
        }
    }

    fn put(&self, provider: ProviderId, now: UnixMs, next: impl FnOnce(&State) -> Option<State>) {
        let changes = {
            let _alone = self.lock();
            self.replace(provider, now, next)
        };
        if let Some(changes) = changes {
            self.say(provider, &changes);
        }
    }

    /// Under the lock. None: nothing changed.
    fn replace(
        &self,
        provider: ProviderId,
        now: UnixMs,
        next: impl FnOnce(&State) -> Option<State>,
    ) -> Option<Vec<Change>> {
        let states = self.states.load();
        let (nothing, known) = (State::default(), states.get(&provider));
        let old = known.map_or(&nothing, Arc::as_ref);
        let mut new = next(old)?;
        new.fade(now);
        let changes = change::changes(old, &new, now);
        let mut states = States::clone(&states);
        states.insert(provider, Arc::new(new));
        self.states.store(Arc::new(states));
        Some(changes)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, Local>> {
        self.locals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
