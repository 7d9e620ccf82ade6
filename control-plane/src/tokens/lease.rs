//! The right to obtain a provider's token: one holder at a time in the whole fleet.

use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{Error, StoredToken};

use super::exchange;
use super::ms;
use super::subject::Subject;
use crate::clock;
use crate::context::Context;

/// A lease lasts for two requests and what is around them.
pub(super) const AROUND: Duration = Duration::from_secs(15);
/// While another replica refreshes. News can be lost; beneath it the row is looked at so often.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Takes the lease, or waits for what its holder writes. None: there is a newer token.
pub(super) async fn lease(
    context: &Context,
    subject: &Subject,
    known: u64,
    until: UnixMs,
) -> Result<Option<u64>, Error> {
    let mut news = context.store.notifications();
    let id = subject.id;
    loop {
        let now = clock::now();
        let taken = context.store.take_token_lease(
            id,
            &context.tokens.owner,
            now,
            until.max(now.plus_ms(ms(lease_time(subject)))),
        );
        if let Some(fence) = taken.await? {
            return Ok(Some(fence));
        }
        crate::sync::changed_or(LOOK_AGAIN, &mut news).await;
        let row = context.store.token(id).await?;
        if row.is_some_and(|row| row.version > known) {
            return Ok(None);
        }
    }
}

/// For a login: whoever refreshes with the login before is waited for, since its result would be written over this one's.
pub(crate) async fn login_lease(context: &Context, subject: &Subject) -> Result<(u64, UnixMs), Error> {
    let until = clock::now().plus_ms(ms(lease_time(subject)));
    loop {
        // No version is as high: only the lease ends the wait.
        if let Some(fence) = lease(context, subject, u64::MAX, until).await? {
            return Ok((fence, until));
        }
    }
}

/// Two requests, with room around them.
pub(super) fn lease_time(subject: &Subject) -> Duration {
    exchange::longest(subject) * 2 + AROUND
}

/// Others may have it at once.
pub(crate) async fn give_back(context: &Context, provider: ProviderId, fence: u64) {
    if let Err(error) = context.store.set_token_lease(provider, fence, UnixMs(0)).await {
        tracing::debug!(%error, "a lease is not given back and ends by itself");
    }
}

/// When a refresh began whose process was cut off: nobody who had the right to it then can have it still.
pub(crate) fn cut_off(subject: &Subject, row: &StoredToken, now: UnixMs) -> Option<UnixMs> {
    let over = |began: &UnixMs| began.plus_ms(ms(lease_time(subject))) < now;
    row.exchange_began_at.filter(over)
}
