//! One refresh, from the decision to the row in the store. See [`super`] for the rules.
//!
//! Who waits for whom: in this process the second caller waits for the lock and then finds a newer token; in the fleet
//! the one without the lease waits for the row to change, as long as the lease can last, and goes on with what it finds.

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{StoredToken, TokenState, TokenWritten};

use super::exchange::{Grant, Granted, exchange};
use super::fault::{Fault, Kind};
use super::keep::{forgive, refreshed, say, write};
use super::lease::{lease, lease_time};
use super::subject::{Subject, SubjectError, subject};
use super::{Tokens, ms, schedule};
use crate::clock;
use crate::context::Context;
use crate::credentials::{Definition, TokenSet};

/// Who wants a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The clock: it is over soon, or there is none.
    Ahead,
    /// A provider refused the token of this version.
    Refused(u64),
    /// An operator, also where refreshing had stopped.
    Operator,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refreshed,
    /// Somebody else did it meanwhile, or it was not needed.
    Newer,
    /// It failed and is tried again by itself.
    Failed,
    /// An operator must do something.
    Stopped,
}

/// What one attempt works on.
struct Attempt<'a> {
    context: &'a Context,
    subject: &'a Subject,
    /// As read under the lease.
    row: Option<StoredToken>,
    fence: u64,
    until: UnixMs,
}

/// Obtains a new token for a provider, unless there is a reason not to.
pub(crate) async fn refresh(
    context: &Context,
    provider: ProviderId,
    why: Why,
) -> Result<Outcome, SubjectError> {
    let flight = context.tokens.flight(provider);
    let _alone = flight.lock().await;
    let subject = subject(context, provider).await?;
    if !subject.definition.is_exchanged() {
        return Ok(Outcome::Newer);
    }
    let row = context.store.token(provider).await?;
    if let Some(outcome) = needless(&subject, row.as_ref(), why) {
        return Ok(outcome);
    }
    let known = version(row.as_ref());
    let until = clock::now().plus_ms(ms(lease_time(&subject)));
    let Some(fence) = lease(context, &subject, known, until).await? else {
        return Ok(Outcome::Newer);
    };
    // Under the lease nobody else writes: what is there now is the newest.
    let row = context.store.token(provider).await?;
    // What another holder met may be a reason to wait.
    let needless = match version(row.as_ref()) > known {
        true => Some(Outcome::Newer),
        false => needless(&subject, row.as_ref(), why),
    };
    let outcome = match needless {
        Some(outcome) => outcome,
        None => {
            let attempt = Attempt {
                context,
                subject: &subject,
                row,
                fence,
                until,
            };
            attempt.run(why).await?
        }
    };
    if let Err(error) = context.store.set_token_lease(provider, fence, UnixMs(0)).await {
        tracing::debug!(%error, "a lease is not given back and ends by itself");
    }
    Ok(outcome)
}

fn version(row: Option<&StoredToken>) -> u64 {
    row.map_or(0, |row| row.version)
}

/// Why nothing is to be done.
fn needless(subject: &Subject, row: Option<&StoredToken>, why: Why) -> Option<Outcome> {
    let row = row.filter(|row| row.credential_version == subject.credential_version);
    let now = clock::now();
    let waits = row
        .and_then(|row| row.failure.as_ref()?.next_try_at)
        .is_some_and(|at| now < at);
    let stopped = row.is_some_and(|row| row.state != TokenState::Ready);
    match why {
        Why::Operator => None,
        Why::Refused(refused) if version(row) > refused => Some(Outcome::Newer),
        Why::Refused(_) | Why::Ahead if stopped => Some(Outcome::Stopped),
        Why::Refused(_) | Why::Ahead if waits => Some(Outcome::Failed),
        Why::Refused(_) => None,
        Why::Ahead => {
            let due = schedule::due(&subject.definition, row);
            due.is_none_or(|due| due > now).then_some(Outcome::Newer)
        }
    }
}

impl Attempt<'_> {
    async fn run(self, why: Why) -> Result<Outcome, SubjectError> {
        let held = self.subject.tokens(self.context, self.row.as_ref());
        match self.ask(held.as_ref()).await {
            Ok(granted) => {
                let tokens = TokenSet {
                    access: granted.access.clone(),
                    previous_refresh: held.as_ref().and_then(|held| held.refresh.clone()),
                    refresh: granted
                        .refresh
                        .clone()
                        .or_else(|| held.and_then(|held| held.refresh)),
                };
                self.keep(&tokens, &granted, why).await
            }
            Err(fault) => self.failed(&fault).await,
        }
    }

    async fn ask(&self, held: Option<&TokenSet>) -> Result<Granted, Fault> {
        let tokens: &Tokens = &self.context.tokens;
        match &self.subject.definition {
            Definition::Oauth(_) => {
                let Some(refresh) = held.and_then(|held| held.refresh.as_ref()) else {
                    let text = "there is no refresh token: nobody has logged in yet, or the server gave none";
                    return Err(Fault::new(Kind::InvalidGrant, "refresh", text));
                };
                match exchange(tokens, self.subject, Grant::Refresh(refresh)).await {
                    // Only the server knows whether the token is used up: once more, with the same one.
                    Err(fault) if fault.kind == Kind::Unknown => {
                        tracing::warn!(
                            target: "token_refresh",
                            provider = self.subject.provider.name,
                            causes = fault.causes,
                            "a refresh was sent and not answered; it is asked once more with the same refresh token"
                        );
                        exchange(tokens, self.subject, Grant::Refresh(refresh)).await
                    }
                    done => done,
                }
            }
            Definition::ServiceAccount(account) => {
                let assertion = account.assertion(clock::now()).map_err(|bad| {
                    Fault::new(Kind::Misconfigured, "assertion", format!("its key file {bad}"))
                })?;
                let asked = exchange(tokens, self.subject, Grant::Assertion(&assertion)).await;
                // An assertion is not used up.
                asked.map_err(|fault| match fault.kind {
                    Kind::Unknown => Fault {
                        kind: Kind::Later,
                        ..fault
                    },
                    Kind::InvalidGrant | Kind::Misconfigured | Kind::Later => fault,
                })
            }
            Definition::ApiKey(_) | Definition::BearerToken(_) | Definition::AwsKeys(_) => Err(Fault::new(
                Kind::Misconfigured,
                "refresh",
                "no tokens are obtained for this kind of credential",
            )),
        }
    }

    /// Writes the token before anybody may use it.
    async fn keep(&self, tokens: &TokenSet, granted: &Granted, why: Why) -> Result<Outcome, SubjectError> {
        let replaces = version(self.row.as_ref());
        let written = write(
            self.context,
            self.subject,
            tokens,
            granted,
            (replaces, self.fence, self.until),
        )
        .await?;
        let provider = self.subject.provider.name.as_str();
        match written {
            TokenWritten::Written(version) => {
                self.context
                    .metrics
                    .token_refreshes
                    .get_or_create(&refreshed())
                    .inc();
                tracing::info!(
                    target: "token_refresh",
                    provider,
                    version,
                    expires_at = %granted.expires_at,
                    why = ?why,
                    "a new access token was obtained"
                );
                forgive(self.context, self.subject.id).await;
                Ok(Outcome::Refreshed)
            }
            TokenWritten::Overtaken => {
                tracing::error!(
                    target: "token_refresh",
                    provider,
                    "a new access token was obtained, but another replica was first; two clocks differ by more than a \
                     lease, or the lease was taken by hand"
                );
                Ok(Outcome::Newer)
            }
            TokenWritten::NoProvider => Ok(Outcome::Newer),
        }
    }

    async fn failed(&self, fault: &Fault) -> Result<Outcome, SubjectError> {
        let (now, id) = (clock::now(), self.subject.id);
        if fault.kind == Kind::InvalidGrant {
            // Another one may have won after all.
            let again = self.context.store.token(id).await?;
            if version(again.as_ref()) > version(self.row.as_ref()) {
                return Ok(Outcome::Newer);
            }
        }
        let state = match fault.kind {
            Kind::InvalidGrant | Kind::Unknown => TokenState::NeedsLogin,
            Kind::Misconfigured => TokenState::Misconfigured,
            Kind::Later => TokenState::Ready,
        };
        let before = self.row.as_ref().and_then(|row| row.failure.as_ref());
        let times = before.map_or(0, |before| before.times).saturating_add(1);
        let wait = schedule::wait(times, clock::random());
        let next = (state == TokenState::Ready).then(|| now.plus_ms(ms(wait)));
        let record = fault.record(now, times, next);
        let of = (id, version(self.row.as_ref()), self.subject.credential_version);
        self.context.store.token_failed(of, &record, state).await?;
        say(self.context, self.subject, fault, state);
        Ok(match state {
            TokenState::Ready => Outcome::Failed,
            TokenState::NeedsLogin | TokenState::Misconfigured => Outcome::Stopped,
        })
    }
}
