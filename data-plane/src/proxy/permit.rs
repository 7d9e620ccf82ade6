//! What a key's and its user's access rules say of a call (behaviours A4 to A6).
//!
//! The caller's address is checked for every request of a known key, before its body is read. Dialects, clients and
//! models are checked for requests that go upstream: lists of models and of limits are asked by tools beside an agent,
//! in no dialect that could be told for sure. Whether a client is a known one is only looked at when a rule asks.
//!
//! The first call that is let in by all of these is the first use of a key and of its user.

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::access::{self, Access};
use penstock_core::client::ClientRule;
use penstock_core::error::CallerError;
use penstock_core::snapshot::Caller;
use penstock_dialect::client;
use penstock_dialect::inspect::Inspected;

use super::call::Call;
use super::error::Refusal;
use crate::telemetry::reports::Subject;

/// Before the body is read.
pub(super) fn at_the_door(call: &Call, caller: &Caller) -> Result<(), Refusal> {
    let (user, key) = rules(caller);
    access::check_address(user, key, call.arrival.address).map_err(CallerError::from)?;
    match call.endpoint.goes_upstream() {
        true => access::check_dialect(user, key, call.dialect).map_err(CallerError::from)?,
        false => used(call, caller),
    }
    Ok(())
}

/// The program that calls.
pub(super) fn client(
    caller: &Caller,
    headers: &HeaderMap,
    inspected: &Inspected,
    body: &Bytes,
) -> Result<(), Refusal> {
    let (user, key) = rules(caller);
    if !user.rules.judges_clients() && !key.rules.judges_clients() {
        return Ok(());
    }
    let lists = [
        &user.rules.allowed_clients,
        &user.rules.blocked_clients,
        &key.rules.allowed_clients,
        &key.rules.blocked_clients,
    ];
    let user_agent = client::user_agent(headers);
    let client = match lists.into_iter().flatten().any(ClientRule::is_known) {
        true => client::recognise(&user_agent, headers, inspected, body),
        false => client::by_user_agent(&user_agent),
    };
    access::check_client(user, key, &client).map_err(CallerError::from)?;
    Ok(())
}

/// The model, the last of the rules on a call.
pub(super) fn model(call: &Call, caller: &Caller) -> Result<(), Refusal> {
    let (user, key) = rules(caller);
    access::check_model(user, key, &call.asked.model).map_err(CallerError::from)?;
    used(call, caller);
    Ok(())
}

/// Tells the control plane of a first use that it may not know of.
fn used(call: &Call, caller: &Caller) {
    let (user, key) = rules(caller);
    let reports = &call.proxy.app.reports;
    let waiting = |access: &Access| access.activation.filter(|_| access.awaits_first_use());
    if let Some(activation) = waiting(key) {
        let subject = Subject::Key(caller.key.id);
        reports.first_use(subject, activation.granted_at, call.arrival.at);
    }
    if let Some(activation) = waiting(user) {
        let subject = Subject::User(caller.user.id);
        reports.first_use(subject, activation.granted_at, call.arrival.at);
    }
}

fn rules(caller: &Caller) -> (&Access, &Access) {
    (&caller.user.user.access, &caller.key.key.access)
}
