//! `GET /penstock/v1/limits`: what a key may use, and how much of it is used.
//!
//! For whoever holds the key, so that a tool can show what is left before a call is refused. In the order in which
//! refusals name limits, the key's before its user's. Counts as a free call and is not recorded.

use bytes::Bytes;
use http::{Response, StatusCode};
use penstock_core::limits::reading::Reading;
use penstock_core::snapshot::Caller;
use penstock_fleet::account::Account;
use serde::Serialize;

use super::answer::{AnswerBody, json};
use super::call::Call;
use super::chain::refuse_call;
use super::error::Refusal;
use super::settle::End;
use crate::limits::{self, Takes};

#[derive(Serialize)]
struct List<'a> {
    items: &'a [Reading],
}

/// Answers with the limits of the call's key and user.
pub(super) async fn answer(mut call: Call, caller: &Caller) -> Response<AnswerBody> {
    let Some(readings) = readings(&call, caller).await else {
        let detail = "the counters are away, or the ledger did not answer in time";
        return refuse_call(call, Refusal::limits_unavailable(detail));
    };
    call.settle(&End::succeeded());
    json(StatusCode::OK, render(&readings), call.arrival.id)
}

/// None: what is used is not known now.
async fn readings(call: &Call, caller: &Caller) -> Option<Vec<Reading>> {
    let claims = limits::claims(&caller.key, &caller.user, Takes::default(), Takes::default());
    let account = Account::User(caller.user.id);
    let fleet = &call.proxy.app.fleet;
    let usages = fleet
        .read(account, limits::epoch(&call.snapshot), &claims)
        .await?;
    let mut readings: Vec<Reading> = usages
        .iter()
        .map(|usage| limits::reading(&claims, usage))
        .collect();
    readings.sort_by_key(|reading| (reading.dimension, reading.level));
    Some(readings)
}

/// Text and numbers only: writing cannot fail.
fn render(items: &[Reading]) -> Bytes {
    serde_json::to_vec(&List { items }).unwrap_or_default().into()
}
