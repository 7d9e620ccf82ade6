//! HTTP traffic of one key or one provider, written out while an operator's window is open (behaviour G14).
//!
//! Lines of the target `penstock::http_debug`: the caller's request, each request to a provider with its answer, and the
//! answer to the caller, all under the call's id. Credentials in headers show as `***`, other values are masked. While
//! no window is open, a call pays one look at its snapshot.
//!
//! Bodies need an opt-in of their own and go into a file of their own ([`crate::telemetry::bodies`]), never into the log.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, response};
use penstock_core::id::RequestId;
use penstock_core::setting::Shown;
use penstock_dialect::facts::{masked, version};

use super::answer::AnswerBody;
use super::call::{Call, Chosen};
use super::failure_log::{masked_text, shown_uri};
use crate::clock::{self, whole_ms};
use crate::upstream::SendBody;

/// Whether the call of this key is written out; kept in the call.
pub(super) fn of_key(call: &Call) -> Option<Shown> {
    let debug = call.snapshot.http_debug()?;
    debug.of(call.key.id, None, clock::now())
}

/// Whether the attempt at this provider is.
pub(super) fn of_attempt(call: &Call, chosen: &Chosen) -> Option<Shown> {
    let debug = call.snapshot.http_debug()?;
    debug.of(call.key.id, Some(chosen.provider.id), clock::now())
}

/// The caller's request has arrived.
pub(super) fn asked(call: &Call, head: &http::request::Parts) {
    tracing::info!(
        target: "penstock::http_debug",
        request_id = %call.arrival.id,
        key_id = %call.key.id,
        client_ip = call.arrival.address.map(tracing::field::display),
        method = %head.method,
        path = head.uri.path(),
        version = version(head.version),
        members = headers(&head.headers),
        "caller's request"
    );
}

/// The caller gets this answer.
pub(super) fn answered(id: RequestId, response: &Response<AnswerBody>, took: Duration) {
    tracing::info!(
        target: "penstock::http_debug",
        request_id = %id,
        status = response.status().as_u16(),
        after_ms = whole_ms(took),
        members = headers(response.headers()),
        "answer to the caller"
    );
}

/// A request goes to a provider.
pub(super) fn sent(call: &Call, chosen: &Chosen, shown: Shown, request: &Request<SendBody>) {
    tracing::info!(
        target: "penstock::http_debug",
        request_id = %call.arrival.id,
        provider = chosen.provider.provider.name,
        provider_id = %chosen.provider.id,
        method = %request.method(),
        url = shown_uri(request.uri()),
        members = headers(request.headers()),
        "request to the provider"
    );
    if shown.bodies {
        body(
            call,
            "request to the provider",
            &request.body().clone().into_bytes(),
        );
    }
}

/// The provider's answer has begun.
pub(super) fn received(call: &Call, chosen: &Chosen, head: &response::Parts) {
    tracing::info!(
        target: "penstock::http_debug",
        request_id = %call.arrival.id,
        provider = chosen.provider.provider.name,
        provider_id = %chosen.provider.id,
        status = head.status.as_u16(),
        version = version(head.version),
        after_ms = whole_ms(call.stopwatch.elapsed()),
        members = headers(&head.headers),
        "answer of the provider"
    );
}

/// A body, or a piece of a stream, into the file of bodies, when an operator wants it there.
pub(super) fn show(call: &Call, what: &'static str, bytes: &Bytes) {
    if call.shown.is_some_and(|shown| shown.bodies) {
        body(call, what, bytes);
    }
}

fn body(call: &Call, what: &'static str, bytes: &Bytes) {
    let text = match &call.chosen {
        Some(chosen) => masked_text(bytes, chosen),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    call.proxy.app.bodies.write(call.arrival.id, what, &text);
}

/// As members of the line.
fn headers(headers: &HeaderMap) -> String {
    serde_json::json!({ "headers": masked(headers) }).to_string()
}
