//! How a provider's access token does, as operators see it.

use penstock_proto::admin::v1 as wire;
use penstock_store::{StoredToken, TokenFailure, TokenState};

use crate::clock;
use crate::credentials::{Definition, TokenSet};
use crate::tokens::{Subject, cut_off, refresh_at};

/// `row` may be of an earlier credential; then there is no token.
pub(super) fn status(
    subject: &Subject,
    row: Option<&StoredToken>,
    tokens: Option<&TokenSet>,
) -> wire::OauthStatus {
    let row = row.filter(|row| row.credential_version == subject.credential_version);
    let token = row.and_then(|row| row.token.as_ref());
    let ready = row.filter(|row| row.state == TokenState::Ready);
    wire::OauthStatus {
        provider_id: subject.id.to_string(),
        provider: subject.provider.name.clone(),
        kind: subject.definition.kind().to_owned(),
        state: state(&subject.definition, row).to_owned(),
        token_version: row.map_or(0, |row| row.version),
        obtained_at_ms: token.map(|token| token.obtained_at.0),
        expires_at_ms: token.map(|token| token.expires_at.0),
        refresh_at_ms: ready.and_then(refresh_at).map(|at| at.0),
        has_refresh_token: tokens.is_some_and(|tokens| tokens.refresh.is_some()),
        failure: row.and_then(|row| row.failure.as_ref().map(failure).or_else(|| cut(subject, row))),
    }
}

/// A refresh of which nobody knows how it went on.
fn cut(subject: &Subject, row: &StoredToken) -> Option<wire::OauthFailure> {
    let began = cut_off(subject, row, clock::now())?;
    Some(wire::OauthFailure {
        at_ms: began.0,
        times: 1,
        step: "answer".to_owned(),
        causes: "a refresh was cut off: the control plane was killed in the middle of it".to_owned(),
        advice: "The next refresh shows the same refresh token again. If the provider gives a new one each time, it may be \
                 lost; when refreshing fails, log in again: penstock oauth login PROVIDER."
            .to_owned(),
        ..wire::OauthFailure::default()
    })
}

fn state(definition: &Definition, row: Option<&StoredToken>) -> &'static str {
    match (row, definition) {
        (None, Definition::Oauth(_)) => "needs_login",
        (None, _) => "waiting",
        (Some(row), _) => match (row.state, &row.token, &row.failure) {
            (TokenState::NeedsLogin | TokenState::Misconfigured, _, _) => row.state.as_str(),
            (TokenState::Ready, _, Some(_)) => "failing",
            (TokenState::Ready, None, None) => "waiting",
            (TokenState::Ready, Some(_), None) => "ready",
        },
    }
}

fn failure(failure: &TokenFailure) -> wire::OauthFailure {
    wire::OauthFailure {
        at_ms: failure.at.0,
        times: failure.times,
        step: failure.step.clone(),
        status: failure.status.map(u32::from),
        error: failure.error.clone(),
        body: failure.body.clone(),
        proxy: failure.proxy.clone(),
        causes: failure.causes.clone(),
        advice: failure.advice.clone(),
        next_try_at_ms: failure.next_try_at.map(|at| at.0),
    }
}
