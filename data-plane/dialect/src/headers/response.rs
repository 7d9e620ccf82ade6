//! Headers to the caller.

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::dialect::Dialect;

use super::{copy, is_hop_by_hop};

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The headers for the answer to the caller, without `content-length` and Penstock's own.
///
/// The provider's `retry-after` and `x-should-retry` describe one account of many: whoever gives up sets them anew.
/// `streaming` adds `x-accel-buffering: no`, so that a proxy in front does not hold events back. A `spoken` dialect that
/// is not the caller's leaves nothing but what is about the content.
pub fn client_response_headers(
    upstream: &HeaderMap,
    dialect: Dialect,
    spoken: Dialect,
    streaming: bool,
) -> HeaderMap {
    let mut headers = match dialect == spoken {
        true => copy(upstream, |name| passes(name, dialect)),
        false => copy(upstream, |name| matches!(name, "content-type" | "cache-control")),
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

/// Describes the provider's account: its limits, its names, its state.
fn is_identity(name: &str) -> bool {
    let exact = matches!(
        name,
        "anthropic-organization-id"
            | "apim-request-id"
            | "openai-organization"
            | "openai-project"
            | "retry-after"
            | "retry-after-ms"
            | "set-cookie"
            | "set-cookie2"
            | "www-authenticate"
            | "x-amzn-requestid"
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

/// Belongs to the provider's edge, or would send the caller elsewhere.
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
    exact || name.starts_with("cf-") || name.starts_with("x-envoy-")
}
