//! Requests in flight: what they hold, taking it, giving it back.

use penstock_core::limits::{Dimension, Exceeded};
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use super::account::{AccountState, first_generation, signed};
use super::money::Money;
use crate::account::SubjectName;
use crate::counters::{Adopt, Call, Noted, TopUp};
use crate::subject::Subject;

/// A request in flight.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) at: i64,
    session: Option<SessionId>,
    pub(super) held: Vec<Held>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) name: SubjectName,
    pub(super) tokens: i64,
    pub(super) money: i64,
    /// None: its session is not counted.
    idle_ms: Option<i64>,
}

impl AccountState {
    /// Counts a request as in flight since `at`.
    pub(super) fn take(&mut self, call: &Call, session: Option<SessionId>, at: i64, now: i64) {
        let mut held = Vec::with_capacity(call.subjects.len());
        for subject in &call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            state.in_flight += 1;
            if subject.cap(Dimension::Rpm) > 0 {
                state.rpm(now).add(at, 1);
            }
            if subject.cap(Dimension::Tpm) > 0 {
                state.tpm(now).add(at, signed(subject.tokens));
            }
            if let Some(money) = &mut state.money {
                money.hold(at, signed(subject.money));
            }
            let counted = session.filter(|_| subject.cap(Dimension::ConcurrentSessions) > 0);
            if let Some(session) = counted {
                state.join(session);
            }
            held.push(Held {
                name: subject.name,
                tokens: signed(subject.tokens),
                money: signed(subject.money),
                idle_ms: counted.map(|_| signed(subject.idle_ms)),
            });
        }
        self.open.insert(call.request, Open { at, session, held });
    }

    /// Gives back what a request held.
    pub(super) fn release(&mut self, open: &Open, now: i64) {
        for held in &open.held {
            let state = self.subjects.entry(held.name).or_default();
            state.in_flight = state.in_flight.saturating_sub(1);
            if let Some(money) = &mut state.money {
                money.hold(open.at, -held.money);
            }
            if let (Some(session), Some(idle_ms)) = (open.session, held.idle_ms) {
                state.leave(session, idle_ms, now);
            }
        }
    }

    pub(super) fn adopt(&mut self, adopt: &Adopt, now: UnixMs) -> Noted {
        let now = self.now(now);
        let call = &adopt.call;
        if self.generation == 0 && call.subjects.iter().any(Subject::has_budget) {
            return Noted::Gone;
        }
        self.begin(now, first_generation(now));
        if self.open.contains_key(&call.request) {
            self.hold_what_is_said(call, now);
        } else if !self.settled.contains_key(&call.request) {
            for subject in &call.subjects {
                let state = self.subjects.entry(subject.name).or_default();
                if let Some(money) = &mut state.money {
                    money.turn(subject, now);
                }
            }
            self.take(call, adopt.session, adopt.admitted_at.0.min(now), now);
        }
        Noted::At(self.generation)
    }

    /// A call in flight may hold more by now than was said before.
    fn hold_what_is_said(&mut self, call: &Call, now: i64) {
        let Some(open) = self.open.get_mut(&call.request) else {
            return;
        };
        for subject in &call.subjects {
            let said = signed(subject.money);
            let held = open
                .held
                .iter_mut()
                .find(|held| held.name == subject.name && held.money < said);
            let Some(held) = held else { continue };
            if let Some(money) = self.subjects.entry(subject.name).or_default().money.as_mut() {
                money.turn(subject, now);
                money.hold(open.at, said - held.money);
            }
            held.money = said;
        }
    }

    pub(super) fn top_up(&mut self, call: &Call, enforce: bool, now: UnixMs) -> TopUp {
        let now = self.now(now);
        let Some(at) = self.open.get(&call.request).map(|open| open.at) else {
            return TopUp::Lost;
        };
        for subject in &call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            let Some(money) = &mut state.money else { continue };
            money.turn(subject, now);
            if enforce
                && subject.strict
                && let Some(exceeded) = too_much(subject, money, at, now)
            {
                return TopUp::Refused(exceeded);
            }
        }
        for subject in &call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            if let Some(money) = &mut state.money {
                money.hold(at, signed(subject.money));
            }
            let open = self.open.get_mut(&call.request);
            let held = open.and_then(|open| open.held.iter_mut().find(|held| held.name == subject.name));
            if let Some(held) = held {
                held.money += signed(subject.money);
            }
        }
        TopUp::Held
    }
}

fn too_much(subject: &Subject, money: &Money, at: i64, now: i64) -> Option<Exceeded> {
    Dimension::MONEY.into_iter().find_map(|dimension| {
        let counter = money.counter(dimension).filter(|_| money.counts(dimension, at))?;
        let limit = subject.cap(dimension);
        let used = counter.settled() + counter.reserved;
        (limit > 0 && used + signed(subject.money) > signed(limit)).then(|| Exceeded {
            level: subject.name.level(),
            dimension,
            used: u64::try_from(used).unwrap_or(0),
            limit,
            reset_at: counter.end().map(UnixMs),
            retry_after: crate::retry_after(counter.end().map_or(1000, |end| end - now)),
        })
    })
}
