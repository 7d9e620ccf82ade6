//! Everything that is counted of one subject.

use std::collections::HashMap;

use penstock_core::session::SessionId;

use super::money::Money;
use super::ring::Ring;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct SubjectState {
    pub(super) in_flight: u64,
    pub(super) rpm: Option<Ring>,
    pub(super) tpm: Option<Ring>,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) money: Option<Money>,
}

/// A session that counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Session {
    pub(super) in_flight: u64,
    /// When it stops counting, once nothing of it is in flight.
    pub(super) idle_until: i64,
}

impl SubjectState {
    pub(super) fn rpm(&mut self, now: i64) -> &mut Ring {
        let ring = self.rpm.get_or_insert_with(|| Ring::minute(now));
        ring.advance(now);
        ring
    }

    pub(super) fn tpm(&mut self, now: i64) -> &mut Ring {
        let ring = self.tpm.get_or_insert_with(|| Ring::minute(now));
        ring.advance(now);
        ring
    }

    /// Forgets sessions that have been idle for long enough.
    pub(super) fn expire_sessions(&mut self, now: i64) {
        self.sessions
            .retain(|_, session| session.in_flight > 0 || session.idle_until > now);
    }

    pub(super) fn join(&mut self, session: SessionId) {
        self.sessions.entry(session).or_default().in_flight += 1;
    }

    pub(super) fn leave(&mut self, session: SessionId, idle_ms: i64, now: i64) {
        let Some(held) = self.sessions.get_mut(&session) else {
            return;
        };
        held.in_flight = held.in_flight.saturating_sub(1);
        if held.in_flight == 0 {
            held.idle_until = now + idle_ms;
        }
    }
}
