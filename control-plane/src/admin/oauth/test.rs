//! What a refresh needs, looked at step by step. Obtains no token and changes nothing.

use penstock_proto::admin::v1::OauthStep;
use penstock_store::{Stored, StoredToken, TokenState};

use crate::clock;
use crate::context::Context;
use crate::credentials::Definition;
use crate::tokens::{Purpose, Subject, check_address, reach};

/// The steps, up to the first without which the next make no sense.
pub(super) async fn steps(context: &Context, stored: &Stored, row: Option<&StoredToken>) -> Vec<OauthStep> {
    let mut steps = Vec::new();
    let subject = match Subject::of(context, stored) {
        Ok(subject) if subject.definition.is_exchanged() => {
            steps.push(passed("credential", &subject.definition.hint()));
            subject
        }
        Ok(subject) => {
            let detail = format!(
                "{} is sent as it is; no tokens are obtained",
                subject.definition.kind()
            );
            steps.push(failed(
                "credential",
                detail,
                "Log in: penstock oauth login PROVIDER.",
            ));
            return steps;
        }
        Err(error) => {
            let advice = "Log in (penstock oauth login PROVIDER), or give it a service account.";
            steps.push(failed("credential", error.to_string(), advice));
            return steps;
        }
    };
    let row = row.filter(|row| row.credential_version == subject.credential_version);
    steps.push(login(context, &subject, row));
    steps.push(token(row));
    steps.push(address(context, &subject));
    if steps.last().is_some_and(|step| step.passed) {
        steps.push(connection(context, &subject).await);
    }
    steps
}

fn login(context: &Context, subject: &Subject, row: Option<&StoredToken>) -> OauthStep {
    let tokens = subject.tokens(context, row);
    match &subject.definition {
        Definition::ServiceAccount(account) => match account.assertion(clock::now()) {
            Ok(_) => passed("assertion", "the key file's key signs"),
            Err(bad) => failed(
                "assertion",
                format!("the key file {bad}"),
                "Give it a new key file.",
            ),
        },
        Definition::Oauth(_)
        | Definition::ApiKey(_)
        | Definition::BearerToken(_)
        | Definition::AwsKeys(_) => match tokens.map(|tokens| tokens.refresh.is_some()) {
            Some(true) => passed("login", "there is a refresh token"),
            Some(false) => failed(
                "login",
                "the server gave no refresh token".to_owned(),
                "Ask for one: many servers want a scope such as offline_access. Then log in again.",
            ),
            None => failed(
                "login",
                "nobody has logged in with this client".to_owned(),
                "Log in: penstock oauth login PROVIDER.",
            ),
        },
    }
}

fn token(row: Option<&StoredToken>) -> OauthStep {
    let token = row.and_then(|row| row.token.as_ref());
    let (Some(row), Some(token)) = (row, token) else {
        let advice = "It comes with the first login or refresh: penstock oauth refresh PROVIDER.";
        return failed("access token", "there is none yet".to_owned(), advice);
    };
    let detail = format!("version {}, expires at {}", row.version, token.expires_at);
    let failure = row.failure.as_ref();
    let advice = failure.map(|failure| failure.advice.clone()).unwrap_or_default();
    match row.state {
        TokenState::NeedsLogin | TokenState::Misconfigured => {
            let detail = format!("{detail}; refreshing has stopped: {}", row.state.as_str());
            failed("access token", detail, &advice)
        }
        TokenState::Ready if token.expires_at <= clock::now() => {
            failed("access token", format!("{detail}, which is over"), &advice)
        }
        TokenState::Ready => passed("access token", &detail),
    }
}

fn address(context: &Context, subject: &Subject) -> OauthStep {
    let (url, purpose) = match &subject.definition {
        Definition::ServiceAccount(account) => (account.token_uri.as_str(), Purpose::GoogleTokenUri),
        Definition::Oauth(client) => (client.token_url.as_str(), Purpose::TokenUrl),
        Definition::ApiKey(_) | Definition::BearerToken(_) | Definition::AwsKeys(_) => {
            ("", Purpose::TokenUrl)
        }
    };
    match check_address("token_url", url, purpose, context.tokens.trusted()) {
        Ok(_) => passed("token endpoint", url),
        Err(invalid) => failed(
            "token endpoint",
            invalid.to_string(),
            "Correct it and log in again.",
        ),
    }
}

async fn connection(context: &Context, subject: &Subject) -> OauthStep {
    let way = match &subject.provider.outbound.proxy {
        Some(proxy) => format!(
            "through {}://{}:{}",
            proxy.scheme.as_str(),
            proxy.host,
            proxy.port
        ),
        None => "directly".to_owned(),
    };
    match reach(&context.tokens, subject).await {
        Ok(status) => passed(
            "connection",
            &format!("it answers {way} (status {status} to a HEAD)"),
        ),
        Err(fault) => failed("connection", format!("{way}: {}", fault.causes), fault.advice()),
    }
}

fn passed(name: &str, detail: &str) -> OauthStep {
    OauthStep {
        name: name.to_owned(),
        passed: true,
        detail: detail.to_owned(),
        advice: String::new(),
    }
}

fn failed(name: &str, detail: String, advice: &str) -> OauthStep {
    OauthStep {
        name: name.to_owned(),
        passed: false,
        detail,
        advice: advice.to_owned(),
    }
}
