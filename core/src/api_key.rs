//! The secrets that callers present: how one is made, recognised and stored.
//!
//! A generated key is a prefix and 256 random bits in URL-safe base64. Only its SHA-256 is stored: with so much
//! randomness in it a slow hash would protect nothing and cost every request. Keys of other relays are taken over
//! with at least [`MIN_IMPORT_CHARS`] characters, or as their hash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::invalid::Invalid;
use crate::secret::{self, Secret};

/// Of generated keys, unless the operator chooses another.
pub const DEFAULT_PREFIX: &str = "psk_";

/// A shorter key could be guessed.
pub const MIN_IMPORT_CHARS: usize = 20;

/// A longer credential is no key of ours; it is not hashed.
pub const MAX_BYTES: usize = 512;

const MAX_PREFIX: usize = 16;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// SHA-256 of a key, or of a key and an import suffix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyHash(pub [u8; 32]);

/// A new key from 256 random bits.
pub fn generate(prefix: &str, random: &[u8; 32]) -> Secret {
    let mut text = String::with_capacity(prefix.len() + 43);
    text.push_str(prefix);
    for chunk in random.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    Secret::new(text)
}

/// Checks the prefix of keys to be generated.
pub fn check_prefix(field: &str, prefix: &str) -> Result<(), Invalid> {
    if prefix.len() > MAX_PREFIX || !prefix.bytes().all(|b| ALPHABET.contains(&b)) {
        let problem = format!("must be at most {MAX_PREFIX} letters, digits, '-' and '_'");
        return Err(Invalid::new(field, problem));
    }
    Ok(())
}

/// Checks a key that is taken over from elsewhere.
pub fn check_import(field: &str, key: &Secret) -> Result<(), Invalid> {
    let text = key.expose();
    if text.chars().count() < MIN_IMPORT_CHARS {
        let problem = format!("must have at least {MIN_IMPORT_CHARS} characters, or it could be guessed");
        return Err(Invalid::new(field, problem));
    }
    if text.len() > MAX_BYTES {
        return Err(Invalid::new(field, format!("is longer than {MAX_BYTES} bytes")));
    }
    if text.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err(Invalid::new(
            field,
            "must be printable ASCII without spaces, to fit into a header",
        ));
    }
    Ok(())
}

/// First eight and last four characters: what listings and logs show of a key.
pub fn hint(key: &Secret) -> String {
    secret::hint(key.expose())
}

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// As one of the older relays stores them: SHA-256(key ‖ suffix).
    pub fn of_suffixed(key: &str, suffix: &str) -> Self {
        Self(
            Sha256::new()
                .chain_update(key)
                .chain_update(suffix)
                .finalize()
                .into(),
        )
    }
}

/// The first bytes only: enough to tell hashes apart in a test's output.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KeyHash({}…)",
            hex::encode(self.0.get(..4).unwrap_or_default())
        )
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        hex::encode(hash.0)
    }
}

impl TryFrom<String> for KeyHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// 64 hexadecimal digits.
impl FromStr for KeyHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Invalid::new("sha256", "must be 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<&[u8]> for KeyHash {
    type Error = Invalid;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        let problem = || Invalid::new("hash", format!("has {} bytes instead of 32", bytes.len()));
        Ok(Self(bytes.try_into().map_err(|_| problem())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a03_a_generated_key_carries_256_bits_behind_its_prefix() {
        let key = generate(DEFAULT_PREFIX, &[0xff; 32]);
        assert_eq!(key.expose(), format!("psk_{}8", "_".repeat(42)));
        assert_eq!(generate("", &[0; 32]).expose(), "A".repeat(43));
    }

    #[test]
    fn a03_imported_keys_need_twenty_characters() {
        assert!(check_import("secret", &Secret::new("cr_0123456789abcdef")).is_err());
        assert!(check_import("secret", &Secret::new("cr_0123456789abcdefg")).is_ok());
        assert!(check_import("secret", &Secret::new("with space 0123456789")).is_err());
    }

    #[test]
    fn a_suffixed_hash_is_that_of_the_joined_text() {
        assert_eq!(KeyHash::of_suffixed("key", "suffix"), KeyHash::of("keysuffix"));
    }

    #[test]
    fn a_prefix_that_could_not_stand_in_a_key_is_refused() {
        assert!(check_prefix("prefix", "acme_").is_ok());
        assert!(check_prefix("prefix", "a b").is_err());
        assert!(check_prefix("prefix", "much_too_long_prefix").is_err());
    }

    proptest! {
        #[test]
        fn different_bits_make_different_keys(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(generate("", &a).expose() == generate("", &b).expose(), a == b);
        }

        #[test]
        fn hashes_read_back_from_their_text(bytes: [u8; 32]) {
            prop_assert_eq!(String::from(KeyHash(bytes)).parse(), Ok(KeyHash(bytes)));
        }
    }
}
