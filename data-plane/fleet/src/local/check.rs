//! Whether a call fits, and if not, when it could.

use std::collections::BTreeMap;

use penstock_core::limits::exceeded::NEVER;
use penstock_core::limits::{Dimension, Exceeded};
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use super::subject::SubjectState;
use crate::account::SubjectName;
use crate::subject::Subject;

/// A subject of the call with its state, whose windows are at now.
struct Checked<'a> {
    subject: &'a Subject,
    state: &'a mut SubjectState,
}

/// A limit that the call does not fit into.
struct Over {
    used: i64,
    reset_at: Option<i64>,
    wait_ms: i64,
}

const NEVER_MS: i64 = NEVER as i64 * 1000;

/// The first limit, in the order of refusals, that the call does not fit into, with the wait over all of them.
pub(super) fn first_exceeded(
    subjects: &[Subject],
    states: &mut BTreeMap<SubjectName, SubjectState>,
    session: Option<SessionId>,
    now: i64,
) -> Option<Exceeded> {
    let mut first: Option<Exceeded> = None;
    let mut wait_ms = 0;
    for dimension in Dimension::ALL {
        for subject in subjects.iter().filter(|subject| subject.cap(dimension) > 0) {
            let state = states.entry(subject.name).or_default();
            let mut checked = Checked { subject, state };
            let Some(over) = checked.check(dimension, session, now) else {
                continue;
            };
            wait_ms = wait_ms.max(over.wait_ms);
            first.get_or_insert_with(|| Exceeded {
                level: checked.subject.name.level(),
                dimension,
                used: u64::try_from(over.used).unwrap_or(0),
                limit: checked.subject.cap(dimension),
                reset_at: over.reset_at.map(UnixMs),
                retry_after: 0,
            });
        }
    }
    first.map(|exceeded| Exceeded {
        retry_after: crate::retry_after(wait_ms),
        ..exceeded
    })
}

impl Checked<'_> {
    fn check(&mut self, dimension: Dimension, session: Option<SessionId>, now: i64) -> Option<Over> {
        let limit = i64::try_from(self.subject.cap(dimension)).unwrap_or(i64::MAX);
        match dimension {
            Dimension::ConcurrentSessions => self.sessions(session?, now),
            Dimension::ConcurrentRequests => self.requests(),
            Dimension::Rpm => rate(self.state.rpm(now), 1, limit, now),
            Dimension::Tpm => {
                let tokens = i64::try_from(self.subject.tokens).unwrap_or(i64::MAX);
                rate(self.state.tpm(now), tokens, limit, now)
            }
            Dimension::UsdTotal
            | Dimension::Usd5h
            | Dimension::UsdDaily
            | Dimension::UsdWeekly
            | Dimension::UsdMonthly => self.money(dimension, limit, now),
        }
    }

    fn sessions(&mut self, session: SessionId, now: i64) -> Option<Over> {
        self.state.expire_sessions(now);
        let sessions = &self.state.sessions;
        let limit =
            usize::try_from(self.subject.caps[Dimension::ConcurrentSessions as usize]).unwrap_or(usize::MAX);
        if sessions.contains_key(&session) || sessions.len() < limit {
            return None;
        }
        let idle = sessions.values().filter(|session| session.in_flight == 0);
        let soonest = idle.map(|session| session.idle_until).min();
        let idle_ms = i64::try_from(self.subject.idle_ms).unwrap_or(i64::MAX);
        Some(Over {
            used: i64::try_from(sessions.len()).unwrap_or(i64::MAX),
            reset_at: None,
            wait_ms: soonest.map_or_else(|| idle_ms.max(1000), |at| at - now),
        })
    }

    fn requests(&self) -> Option<Over> {
        let used = self.state.in_flight;
        (used >= self.subject.cap(Dimension::ConcurrentRequests)).then(|| Over {
            used: i64::try_from(used).unwrap_or(i64::MAX),
            reset_at: None,
            wait_ms: 1000,
        })
    }

    fn money(&self, dimension: Dimension, limit: i64, now: i64) -> Option<Over> {
        let counter = self.state.money.as_ref()?.counter(dimension)?;
        let (settled, reserved) = (counter.settled(), counter.reserved);
        let wanted = i64::try_from(self.subject.money).unwrap_or(i64::MAX);
        let strict = self.subject.strict;
        let fits = match strict {
            true => settled.saturating_add(reserved).saturating_add(wanted) <= limit,
            false => settled + reserved < limit,
        };
        if fits {
            return None;
        }
        // What must leave of what is settled, were nothing in flight.
        let excess = match strict {
            true => settled.saturating_add(wanted) - limit,
            false => settled - limit + 1,
        };
        let wait_ms = if strict && wanted > limit {
            NEVER_MS
        } else if excess <= 0 {
            1000
        } else {
            counter.leaves(excess).map_or(NEVER_MS, |at| at - now)
        };
        Some(Over {
            used: settled + reserved,
            reset_at: counter.end(),
            wait_ms,
        })
    }
}

fn rate(ring: &super::ring::Ring, amount: i64, limit: i64, now: i64) -> Option<Over> {
    let sum = ring.sum();
    (sum + amount > limit).then(|| Over {
        used: sum,
        reset_at: None,
        wait_ms: ring.leaves(sum + amount - limit).map_or(61_000, |at| at - now),
    })
}
