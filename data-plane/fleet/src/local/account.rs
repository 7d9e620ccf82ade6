//! One account: the twin of `redis/lua/account.lua` and the scripts behind it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use penstock_core::id::RequestId;
use penstock_core::limits::Dimension;
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use super::check::first_exceeded;
use super::flight::Open;
use super::money::Money;
use super::subject::SubjectState;
use crate::account::SubjectName;
use crate::counters::{
    Admit, Admitted, Call, Noted, RecordNumber, Renewed, Seed, SeedDimension, Seeded, Seen, Settle, Spent,
    Verdict,
};

/// Settled ids are kept so long.
const SETTLED_MS: i64 = 24 * 3_600_000;
/// And at most so many; in the process, only a replay after a new baseline asks for them.
const MAX_SETTLED: usize = 50_000;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct AccountState {
    /// Time does not go back behind this.
    last: i64,
    /// 0: nothing was counted yet.
    pub(super) generation: u64,
    pub(super) subjects: BTreeMap<SubjectName, SubjectState>,
    pub(super) open: HashMap<RequestId, Open>,
    pub(super) settled: HashMap<RequestId, u64>,
    settled_at: VecDeque<(i64, RequestId)>,
}

impl AccountState {
    pub(super) fn now(&mut self, now: UnixMs) -> i64 {
        let now = self.last.max(now.0);
        if self.generation > 0 {
            self.last = now;
        }
        now
    }

    /// From here on something is counted.
    pub(super) fn begin(&mut self, now: i64, generation: u64) {
        self.last = now;
        self.generation = self.generation.max(generation);
    }

    /// Whether nothing is in flight and nothing happened for long.
    pub(super) fn is_stale(&self, now: UnixMs) -> bool {
        self.open.is_empty() && now.0 - self.last > SETTLED_MS + SETTLED_MS / 2
    }

    /// Whether the session had a slot.
    pub(super) fn free(&mut self, subject: SubjectName, session: SessionId) -> bool {
        let state = self.subjects.get_mut(&subject);
        state.is_some_and(|state| state.sessions.remove(&session).is_some())
    }

    pub(super) fn admit(&mut self, admit: &Admit, now: UnixMs) -> Verdict {
        let now = self.now(now);
        let call = &admit.call;
        if let Some(open) = self.open.get(&call.request) {
            return Verdict::Admitted(Admitted {
                at: UnixMs(open.at),
                generation: self.generation,
                seen: Vec::new(),
            });
        }
        if self.settled.contains_key(&call.request) {
            // Its caller is gone and it was settled: it takes nothing.
            return Verdict::Admitted(Admitted {
                at: UnixMs(now),
                generation: self.generation,
                seen: Vec::new(),
            });
        }
        let unknown = self.unknown(call);
        if !unknown.is_empty() {
            return Verdict::Unknown(unknown);
        }
        for subject in &call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            if let Some(money) = &mut state.money
                && money.turn_limited(subject, now).is_err()
            {
                return Verdict::Clock(UnixMs(now));
            }
        }
        if admit.enforce
            && let Some(exceeded) = first_exceeded(&call.subjects, &mut self.subjects, admit.session, now)
        {
            return Verdict::Refused(exceeded);
        }
        self.begin(now, first_generation(now));
        self.take(call, admit.session, now, now);
        Verdict::Admitted(Admitted {
            at: UnixMs(now),
            generation: self.generation,
            seen: self.seen(call),
        })
    }

    pub(super) fn unknown(&mut self, call: &Call) -> Vec<SubjectName> {
        let mut unknown = Vec::new();
        for subject in call.subjects.iter().filter(|subject| subject.has_budget()) {
            let state = self.subjects.entry(subject.name).or_default();
            let answers = state
                .money
                .as_mut()
                .is_some_and(|money| money.answers(subject.specification));
            if !answers {
                unknown.push(subject.name);
            }
        }
        unknown
    }

    fn seen(&self, call: &Call) -> Vec<Seen> {
        let mut seen = Vec::new();
        for subject in &call.subjects {
            let money = self
                .subjects
                .get(&subject.name)
                .and_then(|state| state.money.as_ref());
            for dimension in Dimension::MONEY {
                let counter = money.and_then(|money| money.counter(dimension));
                if let Some(counter) = counter.filter(|_| subject.cap(dimension) > 0) {
                    seen.push(Seen {
                        subject: subject.name,
                        dimension,
                        settled: u64::try_from(counter.settled()).unwrap_or(0),
                        reserved: u64::try_from(counter.reserved).unwrap_or(0),
                    });
                }
            }
        }
        seen
    }

    pub(super) fn settle(&mut self, settle: &Settle, now: UnixMs) -> Noted {
        let now = self.now(now);
        if self.generation == 0 {
            return Noted::Gone;
        }
        let id = settle.call.request;
        let open = self.open.remove(&id);
        let former = self.settled.get(&id).copied();
        for subject in &settle.call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            if let Some(money) = &mut state.money {
                money.turn(subject, now);
            }
        }
        let at = match &open {
            Some(open) => open.at,
            None => settle.admitted_at.0.min(now),
        };
        // Its id would be forgotten by now: nobody can say whether it was booked, so it is not booked again.
        let too_old = open.is_none() && former.is_none() && now - at > SETTLED_MS;
        if let Some(open) = &open {
            self.release(open, now);
        }
        for subject in &settle.call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            let in_ledger = state.money.as_ref().is_some_and(|money| money.had(settle.record));
            if subject.cap(Dimension::Tpm) > 0 && former.is_none() && (open.is_some() || !in_ledger) {
                let held = open
                    .as_ref()
                    .and_then(|open| open.held.iter().find(|held| held.name == subject.name));
                let difference = signed(subject.tokens) - held.map_or(0, |held| held.tokens);
                state.tpm(now).add(at, difference);
            }
            if let Some(money) = &mut state.money {
                let counted = in_ledger || former.is_some_and(|applied| applied >= money.seeded);
                if !counted && !too_old {
                    money.book(at, signed(subject.money));
                }
            }
        }
        self.note_settled(id, now);
        Noted::At(self.generation)
    }

    fn note_settled(&mut self, id: RequestId, now: i64) {
        if self.settled.insert(id, self.generation).is_none() {
            self.settled_at.push_back((now, id));
        }
        while let Some((at, oldest)) = self.settled_at.front().copied() {
            if now - at < SETTLED_MS && self.settled_at.len() <= MAX_SETTLED {
                break;
            }
            self.settled_at.pop_front();
            self.settled.remove(&oldest);
        }
    }

    pub(super) fn renew(&self) -> Renewed {
        match self.generation {
            0 => Renewed::Gone,
            generation => Renewed::At {
                generation,
                was_running: true,
            },
        }
    }

    pub(super) fn seed(&mut self, seeds: &[Seed], marks: &[RecordNumber], now: UnixMs) -> Seeded {
        let now = self.now(now);
        let generation = (self.generation + 1).max(first_generation(now));
        let mut seeded = Seeded::Done;
        for seed in seeds {
            let state = self.subjects.entry(seed.subject.name).or_default();
            let keeps = |money: &Money| money.keeps(seed.subject.specification);
            if state.money.as_ref().is_some_and(keeps) {
                continue;
            }
            if !seed.dimensions.iter().all(|dimension| holds_at(dimension, now)) {
                seeded = Seeded::Clock(UnixMs(now));
                continue;
            }
            let mut money = Money::new(seed, marks, generation, now);
            for open in self.open.values() {
                for held in open.held.iter().filter(|held| held.name == seed.subject.name) {
                    money.hold(open.at, held.money);
                }
            }
            state.money = Some(money);
            self.generation = generation;
            self.last = now;
        }
        seeded
    }
}

fn holds_at(dimension: &SeedDimension, now: i64) -> bool {
    match dimension.spent {
        Spent::Fixed { start, end, .. } => start.0 <= now && now < end.0,
        Spent::Total(_) | Spent::Rolling(_) => true,
    }
}

/// Above that of all counters that were lost before.
pub(super) fn first_generation(now: i64) -> u64 {
    u64::try_from(now).unwrap_or(0) * 1000
}

pub(super) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
