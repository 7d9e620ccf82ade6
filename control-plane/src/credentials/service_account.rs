//! The key file of a Google service account, and what is signed with it.
//!
//! The file comes from outside and names the URL that its assertions go to, so where that leads is checked before it is
//! used ([`crate::tokens`]); here it is only read.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use zeroize::Zeroizing;

/// What Vertex wants.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Google takes no longer ones.
const LIFETIME_S: i64 = 3_600;
/// Google takes none from the future, and clocks differ.
const BACKDATED_S: i64 = 60;
/// A key file has about 2.5 kB.
const MAX_FILE: usize = 32 * 1024;

/// A service account.
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    pub client_email: String,
    pub token_uri: String,
    /// As it was given.
    pub(super) file: Secret,
    private_key_id: String,
    private_key: Secret,
}

/// A file that is no key of a service account. The text says what is wrong and quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServiceAccount {
    #[error("is longer than a service account's key file can be")]
    TooLong,
    #[error("is not the JSON key file of a service account, as Google's console gives it")]
    NotAKeyFile,
    #[error("is a key file of another type than `service_account`")]
    OtherType,
    #[error("has a private key that cannot be used; it must be RSA in PEM (PKCS #8)")]
    BadKey,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    token_uri: String,
    #[serde(default)]
    private_key_id: String,
    private_key: Zeroizing<String>,
}

/// Reads a key file, and tries its key.
pub fn read(file: &Secret) -> Result<ServiceAccount, BadServiceAccount> {
    // Read where it belongs.
    let text = file.expose();
    if text.len() > MAX_FILE {
        return Err(BadServiceAccount::TooLong);
    }
    let read: File = serde_json::from_str(text).map_err(|_| BadServiceAccount::NotAKeyFile)?;
    if read.kind != "service_account" {
        return Err(BadServiceAccount::OtherType);
    }
    let account = ServiceAccount {
        client_email: read.client_email,
        token_uri: read.token_uri,
        file: file.clone(),
        private_key_id: read.private_key_id,
        private_key: Secret::new(read.private_key.as_str()),
    };
    account.key()?;
    Ok(account)
}

impl ServiceAccount {
    fn key(&self) -> Result<RsaKeyPair, BadServiceAccount> {
        let pem = self.private_key.expose().as_bytes();
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| BadServiceAccount::BadKey)?;
        RsaKeyPair::from_pkcs8(der.secret_der()).map_err(|_| BadServiceAccount::BadKey)
    }

    /// A signed statement (RS256) that asks for an access token.
    pub fn assertion(&self, now: UnixMs) -> Result<Secret, BadServiceAccount> {
        let issued = now.0.div_euclid(1_000) - BACKDATED_S;
        let header = serde_json::json!({
            "alg": "RS256",
            "typ": "JWT",
            "kid": self.private_key_id,
        });
        let claims = serde_json::json!({
            "iss": self.client_email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": issued,
            "exp": issued + LIFETIME_S,
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = [encode(&header), encode(&claims)].join(".");
        let key = self.key()?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| BadServiceAccount::BadKey)?;
        Ok(Secret::new([signed, URL_SAFE_NO_PAD.encode(signature)].join(".")))
    }
}

#[cfg(test)]
pub(crate) mod tests;
