//! A provider's credential as the header that its requests carry.
//!
//! Made once for each version of a provider, not for each request. The value is marked sensitive, so that it is
//! neither printed nor put into HTTP/2's header table.

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::provider::ProviderKind;
use penstock_core::secret::Secret;
use penstock_dialect::headers::{BadCredential, set_credential};

/// Name and value of the header.
#[derive(Clone)]
pub(super) struct CredentialHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl CredentialHeader {
    /// None: the kind takes its credential elsewhere.
    pub(super) fn new(kind: ProviderKind, secret: &Secret) -> Result<Option<Self>, BadCredential> {
        let mut headers = HeaderMap::with_capacity(1);
        set_credential(&mut headers, kind, secret)?;
        let made = headers.into_iter().next();
        Ok(made.and_then(|(name, value)| Some(Self { name: name?, value })))
    }

    /// Replaces what stands there.
    pub(super) fn set(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_the_credential_is_sensitive_and_replaces_another() {
        let secret = Secret::new("sk-ant-0001");
        let header = CredentialHeader::new(ProviderKind::Anthropic, &secret)
            .unwrap()
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("psk_caller"));
        header.set(&mut headers);
        assert_eq!(headers["x-api-key"], "sk-ant-0001");
        assert!(headers["x-api-key"].is_sensitive());
    }

    #[test]
    fn a_credential_with_a_line_break_is_refused() {
        let secret = Secret::new("sk\r\nx: y");
        assert!(CredentialHeader::new(ProviderKind::Openai, &secret).is_err());
    }
}
