//! Asking providers until one answers.
//!
//! An attempt connects, sends, and waits at the gate. Nothing of it has reached the caller before it is over, so a
//! failed one leaves no trace and another provider may be asked; how many is [`MAX_ATTEMPTS`]. What a provider's error
//! means for the next attempt is a matter of error classes, which this file does not know yet: an error answer counts
//! as an answer.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header, response};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use penstock_core::error::Code;
use penstock_core::id::ProviderId;
use penstock_core::provider::Provider;
use penstock_core::snapshot::Caller;
use penstock_dialect::headers::upstream_request_id;
use penstock_dialect::upstream_error::UpstreamError;
use tokio::time::{Instant, timeout_at};

use super::body::Received;
use super::call::{Call, Chosen};
use super::error::Refusal;
use super::gate::{Opened, Patience};
use super::provider_limits::Full;
use super::{gate, provider_limits, route, whole};
use crate::telemetry::metrics::AttemptEnd;
use crate::upstream::{BadTarget, SendBody, cause, chain, request};

/// Providers asked for one call.
const MAX_ATTEMPTS: usize = 1;
/// For the body of an error.
const ERROR_BODY: Duration = Duration::from_secs(10);

/// What is sent, the same for each attempt.
pub(super) struct Outgoing {
    pub(super) headers: HeaderMap,
    pub(super) body: SendBody,
    /// The body as the caller sent it, decoded.
    pub(super) asked: bytes::Bytes,
    /// The one known flag of the caller's query.
    pub(super) beta: bool,
    /// The usage chunk was asked for by us, and the caller must not see it.
    pub(super) hide_usage: bool,
}

/// A provider's answer.
pub(super) struct Answered {
    pub(super) head: response::Parts,
    pub(super) content: Content,
    /// What is left of it is for the rest of the answer.
    pub(super) patience: Patience,
}

pub(super) enum Content {
    Stream(Opened),
    Whole(Received),
    /// With an error's status; whatever of the body could be read, nothing if it is encoded.
    Error(bytes::Bytes),
}

/// An attempt without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("it cannot be called as it is configured: {0}")]
    Target(#[from] BadTarget),
    #[error("no such endpoint at this kind of provider")]
    NoEndpoint,
    #[error("no connection: {0}")]
    Connect(String),
    #[error("timeout while waiting for {0}")]
    Timeout(&'static str),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("a redirect, which is not followed; is the base URL right?")]
    Redirect,
    #[error("no answer of this API but {0}; is the base URL right?")]
    NoAnswer(String),
    #[error("an error instead of an answer: {}", .0.kind.as_deref().unwrap_or("error"))]
    ErrorAnswer(UpstreamError),
    #[error("the memory for bodies (--max-bodies-bytes) is used up")]
    NoMemory,
}

/// Asks providers until one answers.
pub(super) async fn run(call: &mut Call, caller: &Caller, outgoing: &Outgoing) -> Result<Answered, Refusal> {
    let mut tried: Vec<ProviderId> = Vec::new();
    let mut full = Full::default();
    loop {
        let chosen = route::choose(call, caller, &tried, &full).map_err(|refusal| full.wait(refusal))?;
        let id = chosen.provider.id;
        match provider_limits::admit(call, &chosen, &outgoing.asked).await {
            Ok(grant) => call.provider_grant = grant,
            Err(exceeded) => {
                full.note(&chosen.provider, exceeded);
                continue;
            }
        }
        call.begin_attempt(chosen.clone());
        let failed = match attempt(call, &chosen, outgoing).await {
            Ok(answered) => {
                call.end_attempt(AttemptEnd::Answered(answered.head.status.as_u16()));
                return Ok(answered);
            }
            Err(failed) => failed,
        };
        call.end_attempt(failed.as_end());
        call.give_back_provider();
        tried.push(id);
        if tried.len() >= MAX_ATTEMPTS {
            return Err(failed.refusal(&chosen.provider.provider.name));
        }
    }
}

async fn attempt(call: &mut Call, chosen: &Chosen, outgoing: &Outgoing) -> Result<Answered, Failed> {
    let entry = &chosen.provider;
    let target = call.proxy.targets.get(&call.snapshot, entry)?;
    let endpoint = target.endpoints().first().ok_or(Failed::NoEndpoint)?;
    let uri = endpoint
        .uri(&call.endpoint, outgoing.beta)
        .ok_or(Failed::NoEndpoint)?;
    let request = request(&target, uri, &outgoing.headers, outgoing.body.clone());

    let patience = patience(call, &entry.provider);
    let sending = timeout_at(patience.first_byte, endpoint.send(request));
    let response = call.stopwatch.waiting(sending).await;
    let response = response.map_err(|_| Failed::Timeout("the head of the answer"))??;
    let (head, body) = response.into_parts();
    call.upstream_request_id = upstream_request_id(&head.headers).map(str::to_owned);
    let content = content(call, &head, body, outgoing.hide_usage, patience).await?;
    Ok(Answered {
        head,
        content,
        patience,
    })
}

/// From now on. What is no stream has no bytes to wait for but the last one.
fn patience(call: &Call, provider: &Provider) -> Patience {
    let stream = call.asked.stream;
    let total = call.arrival.instant + provider.total_timeout(stream);
    let first_byte = match stream {
        true => total.min(Instant::now() + provider.first_byte_timeout()),
        false => total,
    };
    Patience {
        first_byte,
        idle: provider.idle_timeout(),
        total,
    }
}

/// What came, by status and content type.
async fn content(
    call: &mut Call,
    head: &response::Parts,
    body: Incoming,
    hide_usage: bool,
    patience: Patience,
) -> Result<Content, Failed> {
    if head.status.is_client_error() || head.status.is_server_error() {
        if encoding(&head.headers).is_some() {
            // What cannot be read cannot be masked.
            return Ok(Content::Error(bytes::Bytes::new()));
        }
        let deadline = patience.total.min(Instant::now() + ERROR_BODY);
        let reading = whole::read_error(body, deadline);
        return Ok(Content::Error(call.stopwatch.waiting(reading).await));
    }
    if head.status.is_redirection() {
        return Err(Failed::Redirect);
    }
    if !head.status.is_success() {
        return Err(Failed::NoAnswer(format!("status {}", head.status.as_u16())));
    }
    if let Some(encoding) = encoding(&head.headers) {
        let found = format!("content encoded as {encoding:.100}, which was not asked for");
        return Err(Failed::NoAnswer(found));
    }
    match media_type(&head.headers) {
        Media::EventStream => {
            call.open_entry();
            let opened = gate::pass(call, body, hide_usage, patience).await?;
            Ok(Content::Stream(opened))
        }
        Media::Json => Ok(Content::Whole(whole::read(call, body, patience.total).await?)),
        Media::Other => {
            let found = head.headers.get(header::CONTENT_TYPE);
            let found = found.and_then(|value| value.to_str().ok()).unwrap_or_default();
            Err(Failed::NoAnswer(format!("content of type {found:.100}")))
        }
    }
}

/// How the body is encoded, though only `identity` was asked for.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_ENCODING)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let plain = text.trim().is_empty() || text.trim().eq_ignore_ascii_case("identity");
    (!plain).then(|| text.into_owned())
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Media {
    EventStream,
    Json,
    Other,
}

/// An answer without a content type is taken for JSON, and then must be.
pub(super) fn media_type(headers: &HeaderMap) -> Media {
    let Some(value) = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) else {
        return Media::Json;
    };
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let essence = value.get(..end).unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Media::EventStream
    } else if essence.eq_ignore_ascii_case(b"application/json") || essence.ends_with(b"+json") {
        Media::Json
    } else {
        Media::Other
    }
}

impl From<legacy::Error> for Failed {
    fn from(error: legacy::Error) -> Self {
        let text = format!("{:?}: {}", cause(&error), chain(&error));
        match error.is_connect() {
            true => Self::Connect(text),
            false => Self::Broken(text),
        }
    }
}

impl Failed {
    fn as_end(&self) -> AttemptEnd {
        match self {
            Self::Target(_) | Self::NoEndpoint | Self::Connect(_) => AttemptEnd::Connect,
            Self::Timeout(_) => AttemptEnd::Timeout,
            Self::Broken(_) | Self::Redirect | Self::NoAnswer(_) | Self::ErrorAnswer(_) | Self::NoMemory => {
                AttemptEnd::Broken
            }
        }
    }

    /// What the caller gets when nobody else is asked.
    fn refusal(&self, provider: &str) -> Refusal {
        let detail = format!("{provider}: {self}");
        let refusal = match self {
            Self::NoMemory => return Refusal::overloaded(&detail),
            Self::Timeout(_) => Refusal::new(Code::RequestTimeout, "Request timeout"),
            Self::Target(_) | Self::NoEndpoint | Self::Connect(_) => {
                Refusal::new(Code::UpstreamError, "The provider cannot be reached.")
            }
            Self::Broken(_) | Self::Redirect | Self::NoAnswer(_) => {
                Refusal::new(Code::UpstreamError, "The provider gave no usable answer.")
            }
            Self::ErrorAnswer(_) => Refusal::new(
                Code::UpstreamError,
                "The provider failed before it began to answer.",
            ),
        };
        refusal.because(detail)
    }
}
