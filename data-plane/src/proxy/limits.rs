//! `GET /penstock/v1/limits`: what a key may use, and how much of it is used.
//!
//! For whoever holds the key, so that a tool can show what is left before a call is refused. In the order in which
//! refusals name limits, the key's before its user's. Costs nothing and is not recorded.

use bytes::Bytes;
use http::{Response, StatusCode};
use penstock_core::limits::Level;
use penstock_core::limits::reading::Reading;
use penstock_core::snapshot::Caller;
use serde::Serialize;

use super::answer::{AnswerBody, json};
use super::call::Call;
use super::settle::End;

#[derive(Serialize)]
struct List<'a> {
    items: &'a [Reading],
}

/// Answers with the limits of the call's key and user.
pub(super) fn answer(mut call: Call, caller: &Caller) -> Response<AnswerBody> {
    let body = render(&readings(caller));
    call.settle(&End::succeeded());
    json(StatusCode::OK, body, call.arrival.id)
}

/// Nothing counts yet, so nothing is used.
fn readings(caller: &Caller) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Reading::unused(Level::Key, &caller.key.key.limits)
        .chain(Reading::unused(Level::User, &caller.user.user.limits))
        .collect();
    readings.sort_by_key(|reading| (reading.dimension, reading.level));
    readings
}

/// Text and numbers only: writing cannot fail.
fn render(items: &[Reading]) -> Bytes {
    serde_json::to_vec(&List { items }).unwrap_or_default().into()
}
