//! Keeping what was obtained, and saying what was not.

use std::time::Duration;

use penstock_core::health::State;
use penstock_core::health::state::WHOLE;
use penstock_core::id::ProviderId;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::{FleetAction, SealedToken, TokenPut, TokenState, TokenWritten};

use super::exchange::Granted;
use super::fault::Fault;
use super::lease::AROUND;
use super::ms;
use super::subject::{Subject, SubjectError};
use crate::access::SYSTEM;
use crate::clock;
use crate::context::Context;
use crate::credentials::{Field, TokenSet};
use crate::fleet_states::act;
use crate::metrics::RefreshLabels;

/// The store may be away just then; the token is kept here and the lease with it.
const STORE_AGAIN: Duration = Duration::from_millis(250);
const STORE_PATIENCE: Duration = Duration::from_secs(600);

/// Keeps trying while the store is away: what was obtained cannot be obtained again.
pub(crate) async fn write(
    context: &Context,
    subject: &Subject,
    tokens: &TokenSet,
    granted: &Granted,
    (replaces, fence, until): (u64, u64, UnixMs),
) -> Result<TokenWritten, SubjectError> {
    let place = ResourceRef::Provider(subject.id);
    let text: Secret = tokens.to_text();
    let sealed = context
        .sealer
        .seal_as(&place, Field::Token, &text, String::new())?;
    let put = TokenPut {
        provider: subject.id,
        replaces,
        credential_version: subject.credential_version,
        fence,
        token: SealedToken {
            sealed,
            obtained_at: granted.obtained_at,
            expires_at: granted.expires_at,
        },
    };
    let began = tokio::time::Instant::now();
    loop {
        match context.store.put_token(&put, clock::now()).await {
            Ok(written) => return Ok(written),
            Err(error) if error.is_retryable() && began.elapsed() < STORE_PATIENCE => {
                tracing::warn!(
                    target: "token_refresh",
                    provider = subject.provider.name,
                    %error,
                    "a new access token waits for the database; nobody uses it before"
                );
                if clock::now() >= until {
                    // Whoever could take it needs the same database.
                    drop(
                        context
                            .store
                            .set_token_lease(subject.id, fence, clock::now().plus_ms(ms(AROUND)))
                            .await,
                    );
                }
                tokio::time::sleep(STORE_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What was held against the old token is of no use any more. Best effort: the next probe does the same.
pub(super) async fn forgive(context: &Context, provider: ProviderId) {
    let state = context.fleet_states.get(provider);
    if !state.entries.values().any(|entry| entry.credential.is_some()) {
        return;
    }
    let action = FleetAction {
        actor: SYSTEM.to_owned(),
        action: "credential",
        reason: "a new access token was obtained".to_owned(),
        model: WHOLE.to_owned(),
    };
    if let Err(error) = act(context, provider, &action, State::with_new_credential).await {
        tracing::debug!(%error, "what was held against the old access token stays until a probe");
    }
}

/// One line a failure. `TOKEN_REFRESH_FAILED` is what alerts look for.
pub(super) fn say(context: &Context, subject: &Subject, fault: &Fault, state: TokenState) {
    let (provider, advice) = (subject.provider.name.as_str(), fault.advice());
    let labels = RefreshLabels {
        result: match state {
            TokenState::Ready => "failed",
            TokenState::NeedsLogin | TokenState::Misconfigured => "stopped",
        },
    };
    context.metrics.token_refreshes.get_or_create(&labels).inc();
    if state == TokenState::Ready {
        tracing::warn!(
            target: "token_refresh",
            provider,
            step = fault.step,
            status = fault.status,
            error = fault.error,
            body = fault.body,
            proxy = fault.proxy,
            causes = fault.causes,
            advice,
            "a new access token cannot be obtained now; the old one serves until it is over"
        );
    } else {
        tracing::error!(
            target: "token_refresh",
            code = "TOKEN_REFRESH_FAILED",
            provider,
            state = state.as_str(),
            step = fault.step,
            status = fault.status,
            error = fault.error,
            body = fault.body,
            proxy = fault.proxy,
            causes = fault.causes,
            advice,
            "TOKEN_REFRESH_FAILED: no new access token is obtained for this provider: an operator must do something"
        );
    }
}

pub(super) fn refreshed() -> RefreshLabels {
    RefreshLabels { result: "refreshed" }
}
