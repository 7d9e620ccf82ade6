//! A provider's credential as its requests carry it: a header, or a signature.
//!
//! Made once for each version of a provider or of its token, not for each request. Header values are marked sensitive,
//! so that they are neither printed nor put into HTTP/2's header table. A signature is made for each request, last of
//! all, since it covers the headers and the body.

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use penstock_core::credential::{AwsKeys, Credential};
use penstock_core::provider::ProviderKind;
use penstock_core::time::UnixMs;
use penstock_dialect::aws::sigv4::{Signer, Unsignable};
use penstock_dialect::headers::{BadCredential, set_bearer, set_credential};

use super::send_body::SendBody;

/// The service that requests to Bedrock are signed for.
const SERVICE: &str = "bedrock";

/// How requests show who pays.
pub(super) enum Authorization {
    /// None: the kind takes its credential elsewhere.
    Header(Option<CredentialHeader>),
    Signature(Box<Signer>),
}

/// Name and value of the header.
#[derive(Clone)]
pub(super) struct CredentialHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl Authorization {
    pub(super) fn new(kind: ProviderKind, credential: &Credential) -> Result<Self, BadCredential> {
        let mut headers = HeaderMap::with_capacity(1);
        match credential {
            Credential::ApiKey(key) => set_credential(&mut headers, kind, key)?,
            Credential::Bearer(bearer) => set_bearer(&mut headers, &bearer.token)?,
            Credential::Aws(keys) => return Ok(Self::Signature(Box::new(signer(keys)))),
        }
        let made = headers.into_iter().next();
        let header = made.and_then(|(name, value)| Some(CredentialHeader { name: name?, value }));
        Ok(Self::Header(header))
    }

    /// Replaces what stands there. The request is as it will be sent.
    pub(super) fn set(&self, request: &mut Request<SendBody>, now: UnixMs) -> Result<(), Unsignable> {
        match self {
            Self::Header(header) => {
                if let Some(CredentialHeader { name, value }) = header {
                    request.headers_mut().insert(name.clone(), value.clone());
                }
                Ok(())
            }
            Self::Signature(signer) => {
                let body = request.body().sha256();
                let (method, uri) = (request.method().clone(), request.uri().clone());
                signer.sign(&method, &uri, request.headers_mut(), body, now)
            }
        }
    }
}

fn signer(keys: &AwsKeys) -> Signer {
    Signer {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone(),
        session_token: keys.session_token.clone(),
        region: keys.region.clone(),
        service: SERVICE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use penstock_core::credential::Bearer;
    use penstock_core::secret::Secret;

    use super::*;

    fn request() -> Request<SendBody> {
        let mut request = Request::new(SendBody::from(Bytes::from("{}")));
        *request.uri_mut() = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke"
            .parse()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("x-api-key", HeaderValue::from_static("psk_caller"));
        request
    }

    fn set(credential: &Credential) -> HeaderMap {
        let mut request = request();
        Authorization::new(ProviderKind::Anthropic, credential)
            .unwrap()
            .set(&mut request, UnixMs(1_440_938_160_000))
            .unwrap();
        request.headers().clone()
    }

    #[test]
    fn f01_the_credential_is_sensitive_and_replaces_another() {
        let headers = set(&Credential::ApiKey(Secret::new("sk-ant-0001")));
        assert_eq!(headers["x-api-key"], "sk-ant-0001");
        assert!(headers["x-api-key"].is_sensitive());
    }

    #[test]
    fn f02_a_token_goes_as_bearer_to_every_kind() {
        let bearer = Bearer {
            token: Secret::new("ya29.token"),
            renewal: None,
        };
        let headers = set(&Credential::Bearer(bearer));
        assert_eq!(headers["authorization"], "Bearer ya29.token");
        assert!(headers["authorization"].is_sensitive());
    }

    #[test]
    fn f02_with_keys_of_aws_a_request_is_signed_and_they_do_not_go_along() {
        let headers = set(&Credential::Aws(AwsKeys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("very-secret-key"),
            session_token: Some(Secret::new("session")),
            region: "us-east-1".to_owned(),
        }));
        let signed = headers["authorization"].to_str().unwrap();
        let scope = "Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request";
        assert!(signed.contains(scope), "{signed}");
        assert_eq!(headers["x-amz-security-token"], "session");
        assert!(
            !format!(
                "{:?}",
                headers.values().map(HeaderValue::as_bytes).collect::<Vec<_>>()
            )
            .contains("very-secret")
        );
    }

    #[test]
    fn a_credential_with_a_line_break_is_refused() {
        let bad = Credential::ApiKey(Secret::new("sk\r\nx: y"));
        assert!(Authorization::new(ProviderKind::Openai, &bad).is_err());
    }
}
