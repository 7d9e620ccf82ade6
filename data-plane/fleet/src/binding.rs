//! Sticky sessions: the provider that a session is bound to, shared by the fleet (B4).
//!
//! A binding keeps the provider's prompt cache warm; it is a preference and never a reason to refuse a call. So nobody
//! waits for it longer than one call to Redis may take, no failure reaches the caller, and it is written behind the
//! caller's back.
//!
//! *Rules*, the same in Redis and in the process: a session that is bound to none is bound to whoever served it; one
//! that is bound to this provider is renewed when less than the threshold is left; it moves only by a call that found
//! it where it is. Of two calls that race, the first one wins, and the next calls of both go to its provider.
//!
//! *This node's memory.* What was read or written here holds for [`FRESH_MS`] without asking Redis: a move on another
//! node is seen here after that at the latest. It holds to its end while Redis is away, or has lost it. When Redis is
//! back, it has the last word. The memory is bounded; sessions that were not used for the longest time leave first.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use crate::counters::Unreachable;
use crate::fleet::{Backend, Fleet, Shared};
use crate::notes::Note;

/// For so long this node's memory is believed without asking Redis.
pub const FRESH_MS: i64 = 2_000;

/// A session's provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub provider: ProviderId,
    pub expires_at: UnixMs,
}

/// How long sessions stay bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub ttl: Duration,
    /// A binding that has less left is renewed by the next call that succeeds. 0: never.
    pub renew_below: Duration,
}

/// A call that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind {
    pub session: SessionId,
    /// Who served it.
    pub provider: ProviderId,
    /// What [`Fleet::binding`] said at its beginning.
    pub seen: Option<ProviderId>,
    pub keep: Keep,
}

/// A binding as it is kept: without a clock that the asker would have to share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub provider: ProviderId,
    /// Milliseconds, more than 0.
    pub left: i64,
}

/// Bindings, wherever they are kept.
pub trait Bindings: Send + Sync {
    fn bound(&self, session: SessionId) -> impl Future<Output = Result<Option<Bound>, Unreachable>> + Send;

    /// What holds afterwards.
    fn bind(&self, bind: &Bind) -> impl Future<Output = Result<Bound, Unreachable>> + Send;
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3600),
            renew_below: Duration::from_secs(900),
        }
    }
}

impl Keep {
    pub(crate) fn ttl_ms(self) -> i64 {
        i64::try_from(self.ttl.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    pub(crate) fn renew_below_ms(self) -> i64 {
        i64::try_from(self.renew_below.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Bind {
    /// The rules: what is written over what is held, if anything is.
    pub(crate) fn over(&self, held: Option<Bound>) -> Option<Bound> {
        if let Some(held) = held {
            let moves = held.provider != self.provider && self.seen == Some(held.provider);
            let renews = held.provider == self.provider && held.left < self.keep.renew_below_ms();
            if !moves && !renews {
                return None;
            }
        }
        Some(Bound {
            provider: self.provider,
            left: self.keep.ttl_ms(),
        })
    }
}

impl Fleet {
    /// The provider that the session is bound to.
    pub async fn binding(&self, session: SessionId) -> Option<Binding> {
        match &self.backend {
            Backend::Alone(_) => self.bindings.recall(session),
            Backend::Shared(shared) => match self.bindings.fresh(session) {
                Some(binding) => Some(binding),
                None => self.ask_binding(shared, session).await,
            },
        }
    }

    async fn ask_binding(&self, shared: &Shared, session: SessionId) -> Option<Binding> {
        if !shared.is_joined() {
            return self.bindings.recall(session);
        }
        match shared.counters.bound(session).await {
            Ok(bound) => self.bindings.learn(session, bound),
            Err(_) => self.bindings.recall(session),
        }
    }

    /// Notes that a provider has served a session, at the call's first success. Never waits.
    pub fn bind(self: &Arc<Self>, bind: Bind) {
        let Some(number) = self.bindings.note(&bind) else {
            return;
        };
        let told = match &self.backend {
            Backend::Shared(shared) if shared.is_joined() => self.notes.send(Note::Bind(bind, number)),
            Backend::Shared(_) | Backend::Alone(_) => false,
        };
        if !told {
            self.bindings.heard(bind.session, number, None);
        }
    }

    pub(crate) async fn tell_binding(&self, shared: &Shared, bind: &Bind, number: u64) {
        let bound = shared.counters.bind(bind).await;
        self.bindings.heard(bind.session, number, bound.ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b04_a_session_is_kept_an_hour_and_renewed_in_its_last_quarter() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let keep = Keep {
            ttl: minutes(60),
            renew_below: minutes(15),
        };
        assert_eq!(Keep::default(), keep);
    }
}
