//! Which session a call belongs to (behaviour B4): the one that its client names, else one that the start of its
//! conversation stands for.
//!
//! The second costs a pass over the body, so it is only looked for when somebody needs it. Calls of nobody who does
//! belong to no session, also in their records.

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::session::{SessionId, SessionSource};
use penstock_core::snapshot::Caller;
use penstock_dialect::inspect::Inspected;
use penstock_dialect::session::{digest, find};

use super::affinity;
use super::call::Call;

/// Of a call with these headers and this body, and who said so.
pub(super) fn of(
    call: &Call,
    caller: &Caller,
    headers: &HeaderMap,
    body: &Bytes,
    inspected: &Inspected,
) -> Option<(SessionId, SessionSource)> {
    let session = match find(headers, inspected) {
        Some(named) => named,
        None if is_needed(call, caller) => digest(call.dialect, body, inspected)?,
        None => return None,
    };
    Some((SessionId::of(call.key.id, &session.id), session.source))
}

/// Whether anything depends on the session of a call whose client names none.
fn is_needed(call: &Call, caller: &Caller) -> bool {
    let counted =
        caller.key.key.limits.concurrent_sessions > 0 || caller.user.user.limits.concurrent_sessions > 0;
    call.endpoint.is_metered() && (counted || affinity::is_of_use(call))
}
