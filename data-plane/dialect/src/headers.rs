//! Which headers pass, from the caller to the provider and back.
//!
//! Where caller and provider speak the same dialect, a header passes unless a rule stops it: hop-by-hop ones and those
//! that `Connection` names, credentials, who-pays headers, addresses and traces of other proxies, a browser's own,
//! and what only another vendor understands. Where the call is translated, next to nothing passes. The rules are one match on the name, since every request pays for it.

mod rate_limits;
mod request;
mod response;

use http::{HeaderMap, HeaderName, HeaderValue, header};

pub use rate_limits::{headroom, hints};
pub use request::{BadCredential, Leg, set_bearer, set_credential, upstream_request_headers};
pub use response::{client_response_headers, upstream_request_id};

/// The headers that a `Connection` header names, which go no further. Few have any.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    const MAX_NAMED: usize = 32;
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.eq_ignore_ascii_case("close") && !name.eq_ignore_ascii_case("keep-alive"))
        .filter_map(|name| HeaderName::try_from(name).ok())
        .take(MAX_NAMED)
        .collect()
}

/// Headers that belong to one connection, or are made anew for each message.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Copies the headers that pass.
fn copy(from: &HeaderMap, passes: impl Fn(&str, &HeaderValue) -> bool) -> HeaderMap {
    let named = named_by_connection(from);
    // `with_capacity` panics above 24 576, which a caller's count must not reach.
    let mut to = HeaderMap::with_capacity(from.len().min(60) + 4);
    for (name, value) in from {
        if passes(name.as_str(), value) && !named.contains(name) {
            to.append(name.clone(), value.clone());
        }
    }
    to
}
