//! Refreshing by itself: ahead of each token's end, and for tokens that providers refuse.
//!
//! Every replica does it. Which of them refreshes is decided by the lease; the others find a newer token.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{Error, Filter, Head, Page, Stored, StoredSpec, StoredToken};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::refresh::{Why, refresh_alone};
use super::schedule;
use super::subject::{Subject, SubjectError};
use crate::clock;
use crate::context::Context;
use crate::credentials::Definition;

/// Beneath news of tokens and providers.
const POLL: Duration = Duration::from_secs(1);
/// Refreshes at the same time, of different providers.
const AT_ONCE: usize = 32;
const PAGE: u32 = 1_000;

/// What is known of the providers for which tokens are obtained, and since when.
#[derive(Default)]
struct Known {
    at: Option<Head>,
    providers: HashMap<ProviderId, (Definition, u64)>,
}

/// Follows until told to stop; refreshes under way are finished, so that no token is lost.
pub(crate) async fn follow(context: Context, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut news = context.store.notifications();
    let mut known = Known::default();
    loop {
        let next = match step(&context, &mut known, &room).await {
            Ok(next) => next,
            Err(error) => {
                tracing::debug!(%error, "tokens are looked after later");
                None
            }
        };
        let wait = next.map_or(POLL, |at| {
            let ms = at.0.saturating_sub(clock::now().0).max(0);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0)).clamp(Duration::from_millis(5), POLL)
        });
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = context.tokens.demanded.notified() => {}
            Ok(()) = news.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    context.tokens.running.close();
    context.tokens.running.wait().await;
    context.tokens.stop.cancel();
    context.tokens.connections.close();
    context.tokens.connections.wait().await;
}

/// Begins what is to be done now. When the next thing is to be done.
async fn step(context: &Context, known: &mut Known, room: &Arc<Semaphore>) -> Result<Option<UnixMs>, Error> {
    for (provider, version) in context.tokens.take_refused() {
        begin(context, room, provider, Why::Refused(version));
    }
    known.refresh(context).await?;
    if known.providers.is_empty() {
        return Ok(None);
    }
    let rows = context.store.tokens().await?;
    let rows: HashMap<ProviderId, StoredToken> = rows.into_iter().map(|row| (row.provider, row)).collect();
    let (now, mut next) = (clock::now(), None::<UnixMs>);
    for (provider, (definition, version)) in &known.providers {
        let row = rows
            .get(provider)
            .filter(|row| row.credential_version == *version);
        match schedule::due(definition, row) {
            Some(due) if due <= now => begin(context, room, *provider, Why::Ahead),
            Some(due) => next = Some(next.map_or(due, |next| next.min(due))),
            None => {}
        }
    }
    Ok(next)
}

/// In a task of its own. Whoever waits for a refresh of the same provider takes no room from others.
pub(super) fn begin(context: &Context, room: &Arc<Semaphore>, provider: ProviderId, why: Why) {
    let flight = context.tokens.flight(provider);
    let waits = match why {
        // One that is under way is enough: it looks again when its turn comes.
        Why::Ahead if flight.try_lock().is_err() => return,
        Why::Ahead | Why::Operator => None,
        // It finds its work done, or does it.
        Why::Refused(version) => match context.tokens.wait_for(provider, version) {
            Some(waits) => Some(waits),
            None => return,
        },
    };
    let running = context.tokens.running.clone();
    let (context, room) = (context.clone(), Arc::clone(room));
    running.spawn(async move {
        let _alone = flight.lock_owned().await;
        drop(waits);
        let Ok(_room) = room.acquire().await else {
            return;
        };
        match refresh_alone(&context, provider, why).await {
            Ok(outcome) => {
                tracing::debug!(target: "token_refresh", %provider, ?why, ?outcome, "a refresh ended")
            }
            Err(error) => {
                tracing::warn!(target: "token_refresh", %provider, %error, "a refresh could not begin")
            }
        }
    });
}

impl Known {
    /// Reads the providers again when something has changed.
    async fn refresh(&mut self, context: &Context) -> Result<(), Error> {
        let head = context.store.head().await?;
        if self.at == Some(head) {
            return Ok(());
        }
        let mut providers = HashMap::new();
        let mut page = Page::first(PAGE);
        loop {
            let listed = context.store.list(&Filter::Providers, &page).await?;
            providers.extend(
                listed
                    .resources
                    .iter()
                    .filter_map(|stored| exchanged(context, stored)),
            );
            match listed.next {
                Some(after) => page.after = Some(after),
                None => break,
            }
        }
        self.providers = providers;
        self.at = Some(head);
        Ok(())
    }
}

/// A provider for which tokens are obtained, with the version of its credential.
fn exchanged(context: &Context, stored: &Stored) -> Option<(ProviderId, (Definition, u64))> {
    let StoredSpec::Provider(spec) = &stored.spec else {
        return None;
    };
    if !spec.provider.enabled || spec.credential.is_none() {
        return None;
    }
    match Subject::of(context, stored) {
        Ok(subject) => {
            let exchanged = subject.definition.is_exchanged();
            exchanged.then_some((subject.id, (subject.definition, subject.credential_version)))
        }
        // The index says what it cannot read.
        Err(
            SubjectError::NoProvider
            | SubjectError::NoCredential
            | SubjectError::Sealed(_)
            | SubjectError::Unknown(_)
            | SubjectError::Seal(_)
            | SubjectError::Store(_),
        ) => None,
    }
}
