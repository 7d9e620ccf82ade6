//! Headers to the provider.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use penstock_core::dialect::Dialect;
use penstock_core::provider::ProviderKind;
use penstock_core::secret::Secret;

use super::{copy, is_hop_by_hop};
use crate::betas::{self, ANTHROPIC_BETA};
use crate::credentials::is_credential_header;

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// For callers that name no version; a version that a caller sent is never changed.
const DEFAULT_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// Between a caller and a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Of the provider.
    pub kind: ProviderKind,
    /// The caller's dialect.
    pub caller: Dialect,
    /// The dialect that the provider is spoken to in.
    pub spoken: Dialect,
}

/// The provider's credential cannot be a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider's credential has characters that a header cannot carry; set it again")]
pub struct BadCredential;

/// The headers for the upstream request, without `host`, `content-length` and the credential.
///
/// The body goes out decoded, so `content-encoding` is dropped; the answer must be readable for its usage, so
/// `accept-encoding` becomes `identity`. `anthropic-version` is added for Anthropic when the caller sent none.
pub fn upstream_request_headers(client: &HeaderMap, leg: Leg) -> HeaderMap {
    let vendor = Vendor::of(leg);
    let mut headers = match leg.caller == leg.spoken {
        true => copy(client, |name, _| passes(name, vendor)),
        false => copy(client, |name, _| matches!(name, "content-type" | "user-agent")),
    };
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if vendor == Vendor::Anthropic && !headers.contains_key(ANTHROPIC_VERSION) {
        headers.insert(ANTHROPIC_VERSION, DEFAULT_VERSION);
    }
    if vendor == Vendor::Vertex {
        let told = betas::for_kind(&betas::asked(client), leg.kind).join(",");
        if let Ok(value) = HeaderValue::try_from(told)
            && !value.is_empty()
        {
            headers.insert(ANTHROPIC_BETA, value);
        }
    }
    headers
}

/// Whose own headers are understood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Anthropic,
    /// Claude at Vertex AI: beta features alone.
    Vertex,
    Openai,
    Google,
    Nobody,
}

impl Vendor {
    fn of(leg: Leg) -> Self {
        match (leg.kind, leg.spoken) {
            (ProviderKind::Anthropic, _) | (ProviderKind::Droid, Dialect::Anthropic) => Self::Anthropic,
            (ProviderKind::Vertex, Dialect::Anthropic) => Self::Vertex,
            (ProviderKind::Openai, _) | (ProviderKind::Droid, _) => Self::Openai,
            (ProviderKind::Gemini | ProviderKind::Vertex, _) => Self::Google,
            (ProviderKind::OpenaiCompatible | ProviderKind::AzureOpenai | ProviderKind::Bedrock, _) => {
                Self::Nobody
            }
        }
    }
}

/// Sets the provider's credential where its kind takes it; the value is marked sensitive.
pub fn set_credential(
    headers: &mut HeaderMap,
    kind: ProviderKind,
    secret: &Secret,
) -> Result<(), BadCredential> {
    // Exposed to be sent: this is what it is for.
    let (name, text) = match kind {
        ProviderKind::Anthropic => (X_API_KEY, HeaderValue::from_str(secret.expose())),
        ProviderKind::Gemini => (X_GOOG_API_KEY, HeaderValue::from_str(secret.expose())),
        ProviderKind::AzureOpenai => (API_KEY, HeaderValue::from_str(secret.expose())),
        ProviderKind::Openai
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Bedrock
        | ProviderKind::Vertex
        | ProviderKind::Droid => {
            let bearer = ["Bearer ", secret.expose()].concat();
            (header::AUTHORIZATION, HeaderValue::try_from(bearer))
        }
    };
    let mut value = text.map_err(|_| BadCredential)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Sets a token as `Authorization: Bearer`, whatever the provider's kind; the value is marked sensitive.
pub fn set_bearer(headers: &mut HeaderMap, token: &Secret) -> Result<(), BadCredential> {
    // Exposed to be sent: this is what it is for.
    let text = ["Bearer ", token.expose()].concat();
    let mut value = HeaderValue::try_from(text).map_err(|_| BadCredential)?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

/// Names are lower case.
fn passes(name: &str, vendor: Vendor) -> bool {
    !(is_hop_by_hop(name) || is_credential_header(name) || is_rebuilt(name) || is_foreign(name))
        && vendor.understands(name)
}

/// Made anew by whoever sends the request, or decoded away.
fn is_rebuilt(name: &str) -> bool {
    matches!(name, "host" | "expect" | "accept-encoding" | "content-encoding")
}

/// Says who pays, where the caller sits, or what its browser is.
fn is_foreign(name: &str) -> bool {
    let exact = matches!(
        name,
        "accept-language"
            | "anthropic-user-profile-id"
            | "anthropic-workspace-id"
            | "baggage"
            | "cdn-loop"
            | "dnt"
            | "forwarded"
            | "openai-organization"
            | "openai-project"
            | "origin"
            | "priority"
            | "referer"
            | "traceparent"
            | "tracestate"
            | "true-client-ip"
            | "via"
            // Bound to one account of one provider; no request is sticky yet.
            | "x-codex-turn-state"
            | "x-gemini-api-privileged-user-id"
            | "x-goog-user-project"
            | "x-real-ip"
            | "x-requested-with"
    );
    let prefixes = [
        "cf-",
        "fly-",
        "sec-",
        "x-amz-",
        "x-amzn-",
        "x-envoy-",
        "x-forwarded-",
        "x-penstock-",
    ];
    exact || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

impl Vendor {
    /// Headers that one vendor reads go to that vendor only.
    fn understands(self, name: &str) -> bool {
        let starts = |prefix| name.starts_with(prefix);
        if starts("anthropic-") || starts("x-claude-code-") || name == "x-app" {
            return self == Self::Anthropic;
        }
        let codex = matches!(
            name,
            "openai-beta"
                | "originator"
                | "session-id"
                | "thread-id"
                | "session_id"
                | "conversation_id"
                | "x-client-request-id"
        );
        if codex || starts("x-codex-") {
            return self == Self::Openai;
        }
        match starts("x-goog-") || starts("x-gemini-") || starts("x-vertex-ai-") {
            true => self == Self::Google,
            false => true,
        }
    }
}
