//! The request that a provider gets.
//!
//! URL and credential come from the target, the headers from the caller by the dialect's rules, then the operator's
//! extra headers over them. The body is sent as it is.

use http::{HeaderMap, Method, Request, Uri};
use penstock_dialect::headers::upstream_request_headers;

use super::send_body::SendBody;
use super::target::Target;

/// Builds the request for `uri`, which is one of the target's.
pub(crate) fn request(
    target: &Target,
    uri: Uri,
    client_headers: &HeaderMap,
    body: SendBody,
) -> Request<SendBody> {
    let mut headers = upstream_request_headers(client_headers, target.kind);
    for (name, value) in &target.extra_headers {
        headers.insert(name, value.clone());
    }
    if let Some(credential) = &target.credential {
        credential.set(&mut headers);
    }
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}
