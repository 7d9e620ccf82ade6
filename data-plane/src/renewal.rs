//! A new access token in the place of one that its provider refuses (behaviour F4).
//!
//! Tokens are obtained by the control plane. A call whose token is refused says which one, and waits a bounded time for
//! a newer one to come with the configuration; then it asks the provider once more. However many calls meet the same
//! refused token, one report a second leaves the node, and the control plane makes one refresh of them.
//!
//! *What is taken from the newer configuration is the token alone*: everything else about a call is decided by the
//! snapshot that it began with. A token for a provider that has moved (another base URL, kind or way out) is not taken: it would
//! go to the old host. The call then goes on as if none had come.
//!
//! *A refresh that does not come.* When a wait was in vain, the next calls do not wait for the same token for a while, but
//! go on to other providers at once. Nothing is held against the credential meanwhile: the refresh can still come. Only
//! a token of which the control plane says that there will be no other is refused for good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use penstock_core::credential::Credential;
use penstock_core::id::ProviderId;
use penstock_core::snapshot::ProviderEntry;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::telemetry::reports::TokenRefused;

/// For a newer token.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A report may be lost.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// After a wait in vain.
const NO_WAIT: Duration = Duration::from_secs(10);
/// More than are ever configured.
const MAX_PROVIDERS: usize = 10_000;

/// What was asked for. See the module.
#[derive(Debug, Default)]
pub struct Renewals(Mutex<HashMap<ProviderId, Asked>>);

#[derive(Clone, Copy, Debug)]
struct Asked {
    version: u64,
    at: Instant,
    /// Nobody waits for it until then.
    in_vain_until: Option<Instant>,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Renewed {
    /// The provider with a newer credential.
    Newer(Arc<ProviderEntry>),
    /// There will be none until an operator does something.
    Stopped,
    /// None came in time.
    Late,
}

impl Renewals {
    /// Reports a refused token, and waits for a newer one. `entry` is the provider as the call has it.
    pub(crate) async fn newer(
        &self,
        app: &App,
        entry: &ProviderEntry,
        refused: u64,
        deadline: Instant,
    ) -> Renewed {
        let deadline = match self.waits_in_vain(entry.id, refused) {
            true => Instant::now(),
            false => deadline,
        };
        let mut news = app.live.watch();
        loop {
            news.mark_unchanged();
            if let Some(known) = newest(app, entry, refused) {
                return known;
            }
            if self.may_ask(entry.id, refused) {
                app.reports.token_refused(TokenRefused {
                    provider: entry.id,
                    token_version: refused,
                });
            }
            let now = Instant::now();
            if now >= deadline {
                self.was_in_vain(entry.id, refused);
                return Renewed::Late;
            }
            let until = deadline.min(now + ASK_AGAIN);
            if let Ok(Err(_)) = timeout_at(until, news.changed()).await {
                return Renewed::Late;
            }
        }
    }

    /// True at most once in a while for one token.
    fn may_ask(&self, provider: ProviderId, version: u64) -> bool {
        let now = Instant::now();
        self.with(provider, |asked| match asked {
            Some(known) if known.version >= version && now < known.at + ASK_AGAIN => false,
            Some(known) if known.version >= version => {
                known.at = now;
                true
            }
            Some(_) | None => {
                *asked = Some(Asked {
                    version,
                    at: now,
                    in_vain_until: None,
                });
                true
            }
        })
    }

    fn waits_in_vain(&self, provider: ProviderId, version: u64) -> bool {
        let now = Instant::now();
        self.with(provider, |asked| {
            let until = asked.filter(|asked| asked.version == version);
            let until = until.and_then(|asked| asked.in_vain_until);
            until.is_some_and(|until| now < until)
        })
    }

    fn was_in_vain(&self, provider: ProviderId, version: u64) {
        let until = Instant::now() + NO_WAIT;
        self.with(provider, |asked| {
            if let Some(asked) = asked.as_mut().filter(|asked| asked.version == version)
                && asked.in_vain_until.is_none_or(|before| before <= Instant::now())
            {
                asked.in_vain_until = Some(until);
            }
        });
    }

    fn with<T>(&self, provider: ProviderId, change: impl FnOnce(&mut Option<Asked>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_PROVIDERS {
            all.clear();
        }
        let mut one = all.get(&provider).copied();
        let result = change(&mut one);
        if let Some(one) = one {
            all.insert(provider, one);
        }
        result
    }
}

/// What the configuration in force says now. None: nothing newer yet.
fn newest(app: &App, entry: &ProviderEntry, refused: u64) -> Option<Renewed> {
    match app.live.load().provider(entry.id) {
        Some(now) => of_provider(now, entry, refused),
        None => Some(Renewed::Stopped),
    }
}

fn of_provider(now: &ProviderEntry, entry: &ProviderEntry, refused: u64) -> Option<Renewed> {
    let credential = now.credential.as_ref()?;
    match credential.renewal() {
        Some(renewal) if renewal.version > refused => {}
        Some(renewal) if renewal.stopped => return Some(Renewed::Stopped),
        Some(_) => return None,
        // The operator gave it another credential.
        None => {}
    }
    if !goes_where(now, entry) {
        return Some(Renewed::Late);
    }
    Some(Renewed::Newer(Arc::new(ProviderEntry {
        credential: Some(Credential::clone(credential)),
        ..entry.clone()
    })))
}

/// Whether what is sent to one goes the way that the other's goes: its credential was not given for another.
fn goes_where(one: &ProviderEntry, other: &ProviderEntry) -> bool {
    let (to, also) = (&one.provider, &other.provider);
    (to.kind, &to.base_urls) == (also.kind, &also.base_urls)
        && to.outbound == also.outbound
        && one.proxy_password == other.proxy_password
}

#[cfg(test)]
mod tests {
    use penstock_core::provider::{Provider, ProviderKind};
    use penstock_core::secret::Secret;

    use super::*;

    fn id() -> ProviderId {
        ProviderId::from_parts(1, &[1; 10])
    }

    #[tokio::test(start_paused = true)]
    async fn f04_a_burst_on_one_token_makes_one_report_a_second() {
        let renewals = Renewals::default();
        assert!(renewals.may_ask(id(), 3));
        assert!((0..100).all(|_| !renewals.may_ask(id(), 3)));
        assert!(!renewals.may_ask(id(), 2), "an older one is no news");
        tokio::time::advance(ASK_AGAIN).await;
        assert!(renewals.may_ask(id(), 3));
        assert!(renewals.may_ask(id(), 4), "a newer one is");
    }

    #[tokio::test(start_paused = true)]
    async fn f04_after_a_wait_in_vain_the_next_calls_do_not_wait_for_a_while() {
        let renewals = Renewals::default();
        assert!(renewals.may_ask(id(), 3));
        assert!(!renewals.waits_in_vain(id(), 3));
        renewals.was_in_vain(id(), 3);
        assert!(renewals.waits_in_vain(id(), 3));
        assert!(!renewals.waits_in_vain(id(), 4));
        tokio::time::advance(NO_WAIT).await;
        assert!(!renewals.waits_in_vain(id(), 3));
    }

    #[test]
    fn f04_a_newer_credential_never_goes_to_an_older_host() {
        let entry = |url: &str, key: &str| ProviderEntry {
            id: id(),
            version: 1,
            provider: Provider::new("p", ProviderKind::Anthropic, url),
            credential: Some(Credential::ApiKey(Secret::new(key))),
            proxy_password: None,
        };
        let called = entry("https://old.example.com", "old");
        let moved = entry("https://new.example.com", "new");
        assert!(matches!(of_provider(&moved, &called, 1), Some(Renewed::Late)));
        let stayed = entry("https://old.example.com", "new");
        let Some(Renewed::Newer(newer)) = of_provider(&stayed, &called, 1) else {
            panic!("a newer one at the same host is taken");
        };
        assert!(newer.credential == stayed.credential);
    }
}
