//! One refresh, from the decision to the row in the store. See [`super`] for the rules.
//!
//! Who waits for whom: in this process the second caller waits for the lock and then finds a newer token; in the fleet
//! the one without the lease waits for the row to change, as long as the lease can last, and goes on with what it finds.

use penstock_core::id::ProviderId;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::{StoredToken, TokenState, TokenWritten};

use super::exchange::{Grant, Granted, exchange};
use super::fault::{Fault, Kind};
use super::keep::{forgive, refreshed, say, write};
use super::lease::{give_back, lease, lease_time};
use super::subject::{Subject, SubjectError, subject};
use super::{ms, schedule};
use crate::clock;
use crate::context::Context;
use crate::credentials::{Definition, ServiceAccount, TokenSet};

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
    /// The login came without a refresh token; the access token serves until its end.
    NothingToRefresh,
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
    refresh_alone(context, provider, why).await
}

/// For whoever holds the provider's lock in this process.
pub(super) async fn refresh_alone(
    context: &Context,
    provider: ProviderId,
    why: Why,
) -> Result<Outcome, SubjectError> {
    let subject = subject(context, provider).await?;
    if !subject.definition.is_exchanged() {
        return Ok(Outcome::Newer);
    }
    let row = context.store.token(provider).await?;
    if let Some(outcome) = needless(context, &subject, row.as_ref(), why) {
        return Ok(outcome);
    }
    let known = version(row.as_ref());
    let until = clock::now().plus_ms(ms(lease_time(&subject)));
    let Some(fence) = lease(context, &subject, known, until).await? else {
        return Ok(Outcome::Newer);
    };
    let outcome = leased(context, &subject, why, known, (fence, until)).await;
    give_back(context, provider, fence).await;
    outcome
}

async fn leased(
    context: &Context,
    subject: &Subject,
    why: Why,
    known: u64,
    (fence, until): (u64, UnixMs),
) -> Result<Outcome, SubjectError> {
    // Under the lease nobody else writes: what is there now is the newest.
    let row = context.store.token(subject.id).await?;
    // What another holder met may be a reason to wait.
    let needless = match version(row.as_ref()) > known {
        true => Some(Outcome::Newer),
        false => needless(context, subject, row.as_ref(), why),
    };
    if let Some(outcome) = needless {
        return Ok(outcome);
    }
    let attempt = Attempt {
        context,
        subject,
        row,
        fence,
        until,
    };
    attempt.run(why).await
}

fn version(row: Option<&StoredToken>) -> u64 {
    row.map_or(0, |row| row.version)
}

/// Why nothing is to be done.
fn needless(context: &Context, subject: &Subject, row: Option<&StoredToken>, why: Why) -> Option<Outcome> {
    let row = row.filter(|row| row.credential_version == subject.credential_version);
    let now = clock::now();
    let next_try = row.and_then(schedule::next_try);
    let waits = next_try.is_some_and(|at| now < at);
    let stopped = row.is_some_and(|row| row.state != TokenState::Ready) && (waits || next_try.is_none());
    let serves = row
        .and_then(|row| row.token.as_ref())
        .is_some_and(|token| now < token.expires_at);
    // Such a login ends with its access token, and not before.
    let lasts = || serves && !can_refresh(context, subject, row);
    match why {
        Why::Operator | Why::Ahead if lasts() => Some(Outcome::NothingToRefresh),
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

fn can_refresh(context: &Context, subject: &Subject, row: Option<&StoredToken>) -> bool {
    let is_assertion = matches!(subject.definition, Definition::ServiceAccount(_));
    let tokens = || subject.tokens(context, row);
    is_assertion || tokens().is_some_and(|tokens| tokens.refresh.is_some())
}

impl Attempt<'_> {
    async fn run(self, why: Why) -> Result<Outcome, SubjectError> {
        let held = self.subject.tokens(self.context, self.row.as_ref());
        match self.ask(held.as_ref()).await? {
            Ok(granted) => {
                let tokens = TokenSet {
                    access: granted.access.clone(),
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

    async fn ask(&self, held: Option<&TokenSet>) -> Result<Result<Granted, Fault>, SubjectError> {
        match &self.subject.definition {
            Definition::Oauth(_) => match held.and_then(|held| held.refresh.as_ref()) {
                Some(refresh) => self.show(refresh).await,
                None => {
                    let text = "there is no refresh token: nobody has logged in yet, or the server gave none";
                    Ok(Err(Fault::new(Kind::InvalidGrant, "refresh", text)))
                }
            },
            Definition::ServiceAccount(account) => Ok(self.assert(account).await),
            Definition::ApiKey(_) | Definition::BearerToken(_) | Definition::AwsKeys(_) => {
                Ok(Err(Fault::new(
                    Kind::Misconfigured,
                    "refresh",
                    "no tokens are obtained for this kind of credential",
                )))
            }
        }
    }

    /// Shows a refresh token, which may be good for one use. That it is being shown is in the store before: whoever comes
    /// after a process that was killed meanwhile shows it again, since only the server knows, and can tell why it failed.
    async fn show(&self, refresh: &Secret) -> Result<Result<Granted, Fault>, SubjectError> {
        let (provider, tokens) = (self.subject.provider.name.as_str(), &*self.context.tokens);
        let cut_off = self.row.as_ref().and_then(|row| row.exchange_began_at);
        if let Some(began) = cut_off {
            tracing::warn!(
                target: "token_refresh",
                provider,
                %began,
                "a refresh was cut off; it is asked again with the same refresh token"
            );
        }
        let of = (self.subject.id, version(self.row.as_ref()));
        let store = &self.context.store;
        store.token_exchange_began(of, clock::now()).await?;
        let asked = match exchange(tokens, self.subject, Grant::Refresh(refresh)).await {
            // Only the server knows whether the token is used up: once more, with the same one.
            Err(fault) if fault.kind == Kind::Unknown => {
                tracing::warn!(
                    target: "token_refresh",
                    provider,
                    causes = fault.causes,
                    "a refresh was sent and not answered; it is asked once more with the same refresh token"
                );
                exchange(tokens, self.subject, Grant::Refresh(refresh)).await
            }
            done => done,
        };
        Ok(asked.map_err(|fault| match (fault.kind, cut_off) {
            (Kind::InvalidGrant, Some(began)) => fault.after_a_cut(began),
            _ => fault,
        }))
    }

    async fn assert(&self, account: &ServiceAccount) -> Result<Granted, Fault> {
        let assertion = account
            .assertion(clock::now())
            .map_err(|bad| Fault::new(Kind::Misconfigured, "assertion", format!("its key file {bad}")))?;
        let asked = exchange(&self.context.tokens, self.subject, Grant::Assertion(&assertion)).await;
        // An assertion is not used up.
        asked.map_err(|fault| match fault.kind {
            Kind::Unknown => Fault {
                kind: Kind::Later,
                ..fault
            },
            Kind::InvalidGrant | Kind::Misconfigured | Kind::Later | Kind::Strange => fault,
        })
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
        let before = self.row.as_ref().and_then(|row| row.failure.as_ref());
        let times = before.map_or(0, |before| before.times).saturating_add(1);
        let (state, wait) = schedule::after(&self.subject.definition, fault.kind, times, clock::random());
        let next = wait.map(|wait| now.plus_ms(ms(wait)));
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
