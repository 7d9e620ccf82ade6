//! Taking a session its provider and its slots away, as an operator asks for it.
//!
//! *Its provider.* With Redis, what is written in the place of the binding is no provider: other data planes that remember
//! the old one read it at the session's next call (their memory is believed for [`FRESH_MS`](crate::binding::FRESH_MS)), find that such a
//! provider is not to be had, and bind the session to whoever serves it. *Its slots* among concurrent sessions, of its
//! key, of its user and of the provider that it was bound to. Calls under way go on; the next one takes a slot again.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::session::SessionId;

use crate::account::{Account, SubjectName};
use crate::counters::Unreachable;
use crate::fleet::{Backend, Fleet};

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kicked {
    /// It was bound to a provider.
    pub unbound: bool,
    /// It had a slot among concurrent sessions.
    pub freed: bool,
}

impl Fleet {
    /// Fails while Redis, where the fleet meets, is away.
    pub async fn kick(&self, session: SessionId, key: KeyId, user: UserId) -> Result<Kicked, Unreachable> {
        let remembered = self.bindings.forget(session);
        let bound = match &self.backend {
            Backend::Alone(_) => remembered,
            Backend::Shared(shared) => shared.counters.unbind(session).await?,
        };
        // What this node was about to remember, too.
        self.bindings.forget(session);
        let account = Account::User(user);
        let mut freed = false;
        for subject in [SubjectName::Key(key), SubjectName::User] {
            freed |= self.free(account, subject, session).await?;
        }
        if let Some(provider) = bound.or(remembered) {
            freed |= self
                .free(Account::Provider(provider), SubjectName::Provider, session)
                .await?;
        }
        Ok(Kicked {
            unbound: bound.is_some(),
            freed,
        })
    }

    async fn free(
        &self,
        account: Account,
        subject: SubjectName,
        session: SessionId,
    ) -> Result<bool, Unreachable> {
        match &self.backend {
            Backend::Alone(local) => Ok(local.free(account, subject, session)),
            Backend::Shared(shared) => {
                shared.degraded.free(account, subject, session);
                shared.counters.free(account, subject, session).await
            }
        }
    }
}

/// Stands where no provider is meant.
pub(crate) const NO_PROVIDER: ProviderId = ProviderId(uuid::Uuid::nil());

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use penstock_core::time::UnixMs;

    use super::*;
    use crate::binding::{Bind, Keep};

    #[tokio::test]
    async fn g06_a_session_that_is_kicked_is_bound_to_none() {
        let fleet = std::sync::Arc::new(Fleet::alone(|| UnixMs(1_000)));
        let key = KeyId::from_parts(1, &[1; 10]);
        let session = SessionId::of(key, "s");
        let user = UserId::from_parts(1, &[2; 10]);
        let keep = Keep {
            ttl: Duration::from_secs(60),
            renew_below: Duration::ZERO,
        };
        fleet.bind(Bind {
            session,
            provider: ProviderId::from_parts(1, &[3; 10]),
            seen: None,
            keep,
        });
        assert!(fleet.binding(session).await.is_some());
        let kicked = fleet.kick(session, key, user).await.unwrap();
        assert_eq!((kicked.unbound, kicked.freed), (true, false));
        assert!(fleet.binding(session).await.is_none());
        assert_eq!(fleet.kick(session, key, user).await.unwrap(), Kicked::default());
    }
}
