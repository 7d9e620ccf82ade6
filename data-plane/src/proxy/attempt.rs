//! One attempt: connect, send, wait at the gate.
//!
//! Nothing of it has reached the caller before it is over, so a failed one leaves no trace. Timeouts (behaviour C1):
//! the provider's own from the attempt's beginning, and all attempts of the call together end at its deadline.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header, response};
use penstock_core::provider::Provider;
use penstock_dialect::framing::BEDROCK_CONTENT_TYPE;
use penstock_dialect::headers::upstream_request_id;
use penstock_dialect::mask::mask_text;
use penstock_dialect::translate::Answers;
use tokio::time::{Instant, timeout_at};

use super::body::Received;
use super::call::{Call, Chosen};
use super::failed::{ErrorAnswer, Failed};
use super::gate::{Opened, Patience};
use super::outgoing::{Outgoing, Sent};
use super::reshape::Reshape;
use super::tap::Tap;
use super::{gate, headroom, http_debug, trace, whole};
use crate::upstream::{ReceiveBody, Spoken, Target, request};

/// For the body of an error.
const ERROR_BODY: Duration = Duration::from_secs(10);
/// An attempt that lost more than this part of its own time to what came before it was cut short: one in so many.
const MAX_LOST: u32 = 4;

/// Where an attempt goes, and how long it may last.
pub(super) struct Way<'a> {
    pub(super) target: &'a Target,
    /// Which of the target's endpoints.
    pub(super) at: usize,
    /// Of all attempts of the call.
    pub(super) deadline: Instant,
    /// One was sent for the same call already.
    pub(super) again: bool,
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
}

/// Asks the provider once.
pub(super) async fn run(
    call: &mut Call,
    chosen: &Chosen,
    (outgoing, sent): (&Outgoing, &Sent),
    way: &Way<'_>,
) -> Result<Answered, Failed> {
    let endpoint = way.target.endpoints().get(way.at).ok_or(Failed::NoEndpoint)?;
    let uri = endpoint
        .uri(&outgoing.wanted(call, chosen))
        .ok_or(Failed::NoEndpoint)?;
    let spoken = Spoken {
        caller: call.dialect,
        upstream: chosen.spoken,
        again: way.again,
    };
    let shown = http_debug::of_attempt(call, chosen);
    call.shown = shown;
    let told = &*call;
    let request = || -> Result<_, Failed> {
        let (to, body) = ((Method::POST, uri.clone()), sent.body.clone());
        let headers = sent.headers.as_ref().unwrap_or(&outgoing.headers);
        let mut made = request(way.target, to, headers, body, spoken)?;
        trace::tell(told, made.headers_mut());
        if let Some(shown) = shown {
            http_debug::sent(told, chosen, shown, &made);
        }
        Ok(made)
    };

    let patience = patience(call, &chosen.provider.provider, way.deadline);
    let sending = timeout_at(patience.first_byte, endpoint.send(request));
    let mut stopwatch = told.stopwatch;
    let response = stopwatch.waiting(sending).await;
    call.stopwatch = stopwatch;
    call.failure.sent_to = Some(uri);
    let response = response.map_err(|_| patience.ran_out())??;
    let (head, body) = response.into_parts();
    call.failure.answered = Some(head.status.as_u16());
    if shown.is_some() {
        http_debug::received(call, chosen, &head);
    }
    let id = upstream_request_id(&head.headers).map(str::to_owned);
    call.upstream_request_id = id.map(|id| mask_text(id, &[chosen.secret()]));
    headroom::see(call, chosen, &head.headers);
    let answers = sent.answers.as_ref();
    let reshape = Reshape::of(call, outgoing.hide_usage, answers);
    let content = content(call, &head, body, (reshape, answers), patience).await?;
    Ok(Answered {
        head,
        content,
        patience,
    })
}

/// From now on. What is no stream has no bytes to wait for but the last one. The call's deadline is always a little
/// earlier than the provider's own: only one that takes a good part of its time away cuts it short.
fn patience(call: &Call, provider: &Provider, deadline: Instant) -> Patience {
    let (stream, now) = (call.asked.stream, Instant::now());
    let most = provider.total_timeout(stream);
    let own = now + most;
    let total = deadline.min(own);
    let first_byte = match stream {
        true => total.min(now + provider.first_byte_timeout()),
        false => total,
    };
    Patience {
        first_byte,
        idle: provider.idle_timeout(),
        total,
        cut_short: own.saturating_duration_since(total) > most / MAX_LOST,
    }
}

/// What came, by status and content type.
async fn content(
    call: &mut Call,
    head: &response::Parts,
    body: ReceiveBody,
    (reshape, answers): (Reshape, Option<&Answers>),
    patience: Patience,
) -> Result<Content, Failed> {
    if head.status.is_client_error() || head.status.is_server_error() {
        return Err(error(call, head, body, patience).await);
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
    let media = media_type(&head.headers);
    match media {
        Media::EventStream | Media::AwsEventStream if !call.asked.stream => {
            let found = "a stream, where a whole answer was asked for";
            Err(Failed::NoAnswer(found.to_owned()))
        }
        Media::EventStream | Media::AwsEventStream => {
            call.open_entry();
            let tap = Tap::new(reshape, media == Media::AwsEventStream);
            Ok(Content::Stream(gate::pass(call, body, tap, patience).await?))
        }
        Media::Json => {
            let received = whole::read(call, body, answers, patience).await?;
            match call.asked.stream {
                true => {
                    let found = "a whole answer, where a stream was asked for";
                    Err(Failed::NoAnswer(found.to_owned()))
                }
                false => {
                    http_debug::show(call, "answer to the caller", &received.bytes);
                    Ok(Content::Whole(received))
                }
            }
        }
        Media::Page => Err(Failed::Page),
        Media::Other => {
            let found = head.headers.get(header::CONTENT_TYPE);
            let found = found.and_then(|value| value.to_str().ok()).unwrap_or_default();
            Err(Failed::NoAnswer(format!("content of type {found:.100}")))
        }
    }
}

/// An answer with an error's status. A body that cannot be read cannot be masked.
async fn error(call: &mut Call, head: &response::Parts, body: ReceiveBody, patience: Patience) -> Failed {
    let body = match encoding(&head.headers) {
        Some(_) => bytes::Bytes::new(),
        None => {
            let deadline = patience.total.min(Instant::now() + ERROR_BODY);
            call.stopwatch.waiting(whole::read_error(body, deadline)).await
        }
    };
    http_debug::show(call, "answer of the provider", &body);
    Failed::Status(Box::new(ErrorAnswer {
        head: head.clone(),
        body,
    }))
}

/// How the body is encoded, though only `identity` was asked for.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_ENCODING)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let plain = text.trim().is_empty() || text.trim().eq_ignore_ascii_case("identity");
    (!plain).then(|| text.into_owned())
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Media {
    EventStream,
    /// Bedrock's.
    AwsEventStream,
    Json,
    /// HTML.
    Page,
    Other,
}

/// An answer without a content type is taken for JSON, and then must be.
pub(crate) fn media_type(headers: &HeaderMap) -> Media {
    let Some(value) = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) else {
        return Media::Json;
    };
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let essence = value.get(..end).unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Media::EventStream
    } else if essence.eq_ignore_ascii_case(BEDROCK_CONTENT_TYPE.as_bytes()) {
        Media::AwsEventStream
    } else if essence.eq_ignore_ascii_case(b"application/json") || essence.ends_with(b"+json") {
        Media::Json
    } else if essence.eq_ignore_ascii_case(b"text/html") {
        Media::Page
    } else {
        Media::Other
    }
}
