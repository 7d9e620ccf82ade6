//! Secrets of accounts as they are kept there: AES-256-CBC with a key that scrypt derives from `ENCRYPTION_KEY` and a salt
//! of the account's kind, written `IV:CIPHERTEXT` in hexadecimal digits. Bedrock's are an object, under the variable's
//! SHA-256. What does not look like that is plain: exports can be decrypted already.
//!
//! CBC proves nothing: under a wrong variable most texts fail to unpad, and a rest comes out as no text. Both are told as
//! what they are.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use penstock_core::secret::Secret;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// As Node's `scryptSync` has it: N 16384, r 8, p 1.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 1;
const KEY: usize = 32;

/// See the module.
pub(super) struct Decrypter {
    encryption_key: Option<Secret>,
    /// By salt: each takes a while.
    derived: RefCell<BTreeMap<&'static str, Zeroizing<[u8; KEY]>>>,
}

/// Why a secret stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Closed {
    #[error(
        "is encrypted, and ENCRYPTION_KEY is not given: --encryption-key-env names the variable that holds it"
    )]
    NoKey,
    #[error("cannot be decrypted: this is not the ENCRYPTION_KEY of the gateway that the dump is from")]
    OtherKey,
}

impl Decrypter {
    pub(super) fn new(encryption_key: Option<Secret>) -> Self {
        Self {
            encryption_key,
            derived: RefCell::default(),
        }
    }

    /// A text, encrypted or not.
    pub(super) fn open(&self, salt: &'static str, text: &str) -> Result<Secret, Closed> {
        let Some((iv, encrypted)) = split(text) else {
            return Ok(Secret::new(text));
        };
        let key = self.key(salt)?;
        decrypt(&key, &iv, encrypted).ok_or(Closed::OtherKey)
    }

    /// Bedrock's form: `{"encrypted": …, "iv": …}`, or the credentials themselves.
    pub(super) fn open_object(&self, value: &Value) -> Result<Value, Closed> {
        let hex_of = |field| {
            value
                .get(field)
                .and_then(Value::as_str)
                .and_then(|text| hex::decode(text).ok())
        };
        let (Some(encrypted), Some(iv)) = (hex_of("encrypted"), hex_of("iv")) else {
            return Ok(value.clone());
        };
        let variable = self.encryption_key.as_ref().ok_or(Closed::NoKey)?;
        // To derive a key from.
        let key = Zeroizing::new(<[u8; KEY]>::from(Sha256::digest(variable.expose())));
        let iv = <[u8; 16]>::try_from(iv).map_err(|_| Closed::OtherKey)?;
        let plain = decrypt(&key, &iv, encrypted).ok_or(Closed::OtherKey)?;
        serde_json::from_str(plain.expose()).map_err(|_| Closed::OtherKey)
    }

    fn key(&self, salt: &'static str) -> Result<Zeroizing<[u8; KEY]>, Closed> {
        if let Some(key) = self.derived.borrow().get(salt) {
            return Ok(key.clone());
        }
        let variable = self.encryption_key.as_ref().ok_or(Closed::NoKey)?;
        let mut key = Zeroizing::new([0; KEY]);
        let params = scrypt::Params::new(LOG_N, R, P).map_err(|_| Closed::OtherKey)?;
        // To derive a key from.
        let text = variable.expose().as_bytes();
        scrypt::scrypt(text, salt.as_bytes(), &params, &mut *key).map_err(|_| Closed::OtherKey)?;
        self.derived.borrow_mut().insert(salt, key.clone());
        Ok(key)
    }
}

/// None: it is not encrypted.
fn split(text: &str) -> Option<([u8; 16], Vec<u8>)> {
    let (iv, encrypted) = text.split_once(':')?;
    let iv = <[u8; 16]>::try_from(hex::decode(iv).ok()?).ok()?;
    let encrypted = hex::decode(encrypted).ok()?;
    (!encrypted.is_empty() && encrypted.len() % 16 == 0).then_some((iv, encrypted))
}

fn decrypt(key: &[u8; KEY], iv: &[u8; 16], encrypted: Vec<u8>) -> Option<Secret> {
    let key = UnboundCipherKey::new(&AES_256, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut text = Zeroizing::new(encrypted);
    let plain = key
        .decrypt(&mut text, DecryptionContext::Iv128(FixedLength::from(iv)))
        .ok()?;
    std::str::from_utf8(plain).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by tests/fixtures/make.py, not by this code.
    const VARIABLE: &str = "made-up-encryption-key-32-chars!";

    fn decrypter(variable: &str) -> Decrypter {
        Decrypter::new((!variable.is_empty()).then(|| Secret::new(variable)))
    }

    #[test]
    fn a03_what_the_old_gateway_encrypted_is_read_under_its_variable_alone() {
        let text = include_str!("../../../../tests/fixtures/claude-relay-service/encrypted.txt").trim();
        let plain = decrypter(VARIABLE).open("claude-console-salt", text).unwrap();
        assert!(plain.matches("sk-fake-credential-of-the-provider-0123456789"));
        assert_eq!(
            decrypter("").open("claude-console-salt", text).err(),
            Some(Closed::NoKey)
        );
        assert_eq!(
            decrypter("another").open("claude-console-salt", text).err(),
            Some(Closed::OtherKey)
        );
    }

    #[test]
    fn a03_what_is_plain_stays_plain() {
        for text in ["sk-ant-1", "a:b", "00:11", ""] {
            assert!(decrypter("").open("salt", text).unwrap().matches(text), "{text}");
        }
    }
}
