//! Headers to the caller.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::dialect::Dialect;

use super::{copy, is_hop_by_hop};
use crate::mask::mask;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The headers for the answer to the caller, without `content-length` and Penstock's own.
///
/// The provider's `retry-after` and `x-should-retry` describe one account of many: whoever gives up sets them anew.
/// `streaming` adds `x-accel-buffering: no`, so that a proxy in front does not hold events back. A `spoken` dialect that
/// is not the caller's leaves nothing but what is about the content. What holds `secret`, the attempt's credential, or
/// anything else that is masked in errors, does not pass under any name.
pub fn client_response_headers(
    upstream: &HeaderMap,
    dialect: Dialect,
    spoken: Dialect,
    streaming: bool,
    secret: &str,
) -> HeaderMap {
    let is_clean = |value: &HeaderValue| matches!(mask(value.as_bytes(), &[secret]), Cow::Borrowed(_));
    let mut headers = match dialect == spoken {
        true => copy(upstream, |name, value| passes(name, dialect) && is_clean(value)),
        false => copy(upstream, |name, value| {
            matches!(name, "content-type" | "cache-control") && is_clean(value)
        }),
    };
    if streaming {
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
    headers
}

/// The provider's own id of the request, for logs and the ledger; at most 256 bytes.
pub fn upstream_request_id(upstream: &HeaderMap) -> Option<&str> {
    [
        "request-id",
        "x-request-id",
        "x-amzn-requestid",
        "apim-request-id",
    ]
    .into_iter()
    .find_map(|name| upstream.get(name)?.to_str().ok())
    .filter(|id| !id.is_empty() && id.len() <= 256)
}

/// Names are lower case.
fn passes(name: &str, dialect: Dialect) -> bool {
    match name {
        "request-id" => return dialect == Dialect::Anthropic,
        "x-request-id" => {
            return matches!(
                dialect,
                Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings
            );
        }
        _ => {}
    }
    !(is_hop_by_hop(name) || is_identity(name) || is_edge(name))
}

/// Describes the provider's account: its limits, its names, its state, what it is called with.
fn is_identity(name: &str) -> bool {
    let exact = matches!(
        name,
        "anthropic-organization-id"
            | "api-key"
            | "apim-request-id"
            | "authorization"
            | "openai-organization"
            | "openai-project"
            | "retry-after"
            | "retry-after-ms"
            | "set-cookie"
            | "set-cookie2"
            | "www-authenticate"
            | "x-amzn-requestid"
            | "x-api-key"
            | "x-should-retry"
    );
    let prefixes = [
        "anthropic-fast-",
        "anthropic-priority-",
        "anthropic-ratelimit-",
        "x-codex-",
        "x-goog-",
        "x-penstock-",
        "x-ratelimit-",
    ];
    exact || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Belongs to the provider's edge, says who may read the provider's answers, or would send the caller elsewhere.
fn is_edge(name: &str) -> bool {
    let exact = matches!(
        name,
        "alt-svc"
            | "content-encoding"
            | "location"
            | "nel"
            | "report-to"
            | "server"
            | "strict-transport-security"
            | "via"
    );
    let prefixes = ["access-control-", "cf-", "x-envoy-"];
    exact || prefixes.iter().any(|prefix| name.starts_with(prefix))
}
