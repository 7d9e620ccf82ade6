//! The request that a provider gets.
//!
//! URL and credential come from the target, the headers from the caller by the dialect's rules, then the operator's
//! extra headers over them. The body is sent as it is. The credential comes last: it may be a signature over the rest.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use penstock_core::dialect::Dialect;
use penstock_dialect::headers::{Leg, upstream_request_headers};

use super::send_body::SendBody;
use super::target::{BadTarget, Target};
use crate::clock;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Who is spoken for, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken {
    /// The caller's dialect.
    pub(crate) caller: Dialect,
    /// The dialect that the provider is spoken to in.
    pub(crate) upstream: Dialect,
    /// A request was sent for the same call already.
    pub(crate) again: bool,
}

/// Builds the request for `uri`, which is one of the target's.
pub(crate) fn request(
    target: &Target,
    (method, uri): (Method, Uri),
    client_headers: &HeaderMap,
    body: SendBody,
    spoken: Spoken,
) -> Result<Request<SendBody>, BadTarget> {
    let leg = Leg {
        kind: target.kind,
        caller: spoken.caller,
        spoken: spoken.upstream,
    };
    let mut headers = upstream_request_headers(client_headers, leg);
    if spoken.again
        && let Some(key) = headers.get_mut(IDEMPOTENCY_KEY)
    {
        // It was used up by the attempt before, maybe at another account.
        *key = HeaderValue::from_str(&clock::request_id().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("penstock"));
    }
    for (name, value) in &target.extra_headers {
        headers.insert(name, value.clone());
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    if let Some(authorization) = &target.authorization {
        authorization.set(&mut request, clock::now())?;
    }
    Ok(request)
}
