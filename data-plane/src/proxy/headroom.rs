//! What providers say of their own rate limits, read from each answer, so that traffic leaves one before it refuses.

use http::HeaderMap;
use penstock_dialect::headers::headroom;

use super::call::{Call, Chosen};
use crate::clock;

/// Notes what an answer's head says.
pub(super) fn see(call: &Call, chosen: &Chosen, headers: &HeaderMap) {
    let now = clock::now();
    if let Some(seen) = headroom(headers, now) {
        let health = &call.proxy.app.health;
        health.saw_headroom(&call.snapshot, (&chosen.provider, chosen.model(call)), seen, now);
    }
}
