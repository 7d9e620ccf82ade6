//! The master key: 32 bytes as hexadecimal or base64 text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What every sealed secret of an installation is sealed under. Wiped when dropped.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a secret must not be printable")]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why a text or the system's randomness gives no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(
        "the master key must be 32 bytes as 64 hexadecimal digits or as base64; make one with: openssl rand -hex 32"
    )]
    Malformed,
    #[error("the system has no random numbers for a master key")]
    Random(#[source] getrandom::Error),
}

impl MasterKey {
    /// Takes 32 bytes as they are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key.
    pub fn generate() -> Result<Self, MasterKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(MasterKeyError::Random)?;
        Ok(Self(bytes))
    }

    /// Reads hexadecimal or base64 (either alphabet, padded or not), with space around it.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let mut bytes = Zeroizing::new([0; 32]);
        if hex::decode_to_slice(text, &mut *bytes).is_ok() {
            return Ok(Self(bytes));
        }
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            let decoded = engine.decode(text).map(Zeroizing::new).unwrap_or_default();
            if decoded.len() == bytes.len() {
                bytes.copy_from_slice(&decoded);
                return Ok(Self(bytes));
            }
        }
        Err(MasterKeyError::Malformed)
    }

    /// 64 hexadecimal digits: the form in which a file keeps it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }

    /// Another key from this one, for one purpose. None only for an impossible length.
    pub(super) fn derive(&self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &*self.0)
            .expand(purpose.as_bytes(), &mut *derived)
            .ok()
            .map(|()| derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_a_master_key_reads_as_hex_or_any_base64() {
        let bytes = [0xfb; 32];
        let texts = [
            hex::encode(bytes),
            format!(" {}\n", hex::encode(bytes).to_uppercase()),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ];
        for text in texts {
            assert_eq!(*MasterKey::parse(&text).ok().unwrap().0, bytes, "{text}");
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_the_text_says_how_to_make_one() {
        for text in [
            "",
            "abcd",
            &hex::encode([1; 31]),
            &hex::encode([1; 33]),
            &STANDARD.encode([1; 16]),
        ] {
            let error = MasterKey::parse(text).err().unwrap();
            assert!(error.to_string().contains("openssl rand -hex 32"), "{text}");
        }
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let key = MasterKey::from_bytes([1; 32]);
        assert_ne!(key.derive("a").unwrap(), key.derive("b").unwrap());
        assert_ne!(*key.derive("a").unwrap(), [1; 32]);
    }

    #[test]
    fn generated_keys_differ_and_read_back() {
        let (a, b) = (
            MasterKey::generate().ok().unwrap(),
            MasterKey::generate().ok().unwrap(),
        );
        assert_ne!(*a.0, *b.0);
        assert_eq!(*MasterKey::parse(&a.to_hex()).ok().unwrap().0, *a.0);
    }
}
