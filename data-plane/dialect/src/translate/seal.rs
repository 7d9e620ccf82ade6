//! Carries a provider's opaque state (signatures of thinking) through a caller who knows nothing of it.
//!
//! Callers give thinking back with the signature it came with. Ours names the dialect that made it, so that it goes back
//! to such a provider only: a signature of another vendor is of no use to it and would be refused.

use penstock_core::dialect::Dialect;

use super::Provider;

const MARK: &str = "penstock:";
/// Anthropic's thinking that was redacted: the data takes the signature's place.
const REDACTED: &str = "redacted:";

/// What a caller is given.
pub(super) fn seal(provider: Provider, signature: &str) -> String {
    format!("{MARK}{}:{signature}", Dialect::from(provider))
}

pub(super) fn seal_redacted(provider: Provider, data: &str) -> String {
    seal(provider, &format!("{REDACTED}{data}"))
}

/// What was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened<'a> {
    Signature(&'a str),
    Redacted(&'a str),
    /// It comes from somewhere else.
    Foreign,
}

pub(super) fn open(sealed: &str, provider: Provider) -> Opened<'_> {
    let ours = sealed.strip_prefix(MARK);
    let inner = ours
        .and_then(|rest| rest.strip_prefix(Dialect::from(provider).as_str()))
        .and_then(|rest| rest.strip_prefix(':'));
    match inner {
        None => Opened::Foreign,
        // Anthropic takes no thinking without its signature.
        Some("") if provider == Provider::Anthropic => Opened::Foreign,
        Some(inner) => match inner.strip_prefix(REDACTED) {
            Some(data) => Opened::Redacted(data),
            None => Opened::Signature(inner),
        },
    }
}
