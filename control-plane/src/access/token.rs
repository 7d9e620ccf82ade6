//! Tokens of operators and nodes: strength, hash, comparison.

use penstock_core::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Shorter tokens can be guessed.
const MIN_CHARS: usize = 32;

/// Words of defaults and placeholders. A token made of them is refused: see [`check_strength`].
const WEAK_TOKENS: [&str; 13] = [
    "admin",
    "changeme",
    "change-me",
    "change_me",
    "default",
    "password",
    "penstock",
    "secret",
    "test",
    "token",
    "your-",
    "your_",
    "please",
];

/// Why a token is refused. Never contains the token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error(
        "is too short: {0} characters, at least {MIN_CHARS} are needed; make one with: openssl rand -hex 32"
    )]
    Short(usize),
    #[error("is a known default or placeholder; make a random one with: openssl rand -hex 32")]
    Weak,
    #[error(
        "must be printable ASCII without spaces, to fit into a header; make one with: openssl rand -hex 32"
    )]
    Unprintable,
}

/// A token as it is kept.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "as good as the token for whoever can guess"
)]
pub struct TokenHash([u8; 32]);

/// Refuses tokens that could be guessed: short ones, placeholders, few different characters.
pub fn check_strength(token: &Secret) -> Result<(), TokenError> {
    let text = token.expose();
    let chars = text.chars().count();
    if chars < MIN_CHARS {
        return Err(TokenError::Short(chars));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenError::Unprintable);
    }
    let lower = text.to_ascii_lowercase();
    let different = lower.bytes().collect::<std::collections::BTreeSet<_>>().len();
    // With the known words cut out, a random token still has most of its characters.
    let random = WEAK_TOKENS
        .iter()
        .fold(lower, |left, word| left.replace(word, ""));
    if different < 8 || random.len() < MIN_CHARS / 2 {
        return Err(TokenError::Weak);
    }
    Ok(())
}

impl TokenHash {
    pub fn of(token: &Secret) -> Self {
        Self(digest(token.expose()))
    }

    /// Whether both are of one token.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Compares in time that does not depend on the content.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.ct_eq(&digest(presented)).into()
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(token: &str) -> Result<(), TokenError> {
        check_strength(&Secret::new(token))
    }

    #[test]
    fn g15_short_tokens_are_refused_with_the_fix() {
        let error = strength("0123456789abcdef0123456789abcde").unwrap_err();
        assert_eq!(error, TokenError::Short(31));
        assert!(error.to_string().contains("openssl rand -hex 32"));
    }

    #[test]
    fn g15_known_defaults_are_refused_however_long() {
        for weak in [
            "changemechangemechangemechangeme",
            "your-admin-token-change-me-please",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "PENSTOCKPENSTOCKPENSTOCKPENSTOCK",
        ] {
            assert_eq!(strength(weak), Err(TokenError::Weak), "{weak}");
        }
    }

    #[test]
    fn random_tokens_are_taken() {
        assert_eq!(strength("9f86d081884c7d659a2feaa0c55ad015"), Ok(()));
        assert_eq!(strength("pst_admin_K7xw0aY2vQ9rT4bNc8LmE3uZs6Hd1FgJ"), Ok(()));
        assert_eq!(
            strength("with space 9f86d081884c7d659a2feaa0"),
            Err(TokenError::Unprintable)
        );
    }

    #[test]
    fn a_hash_matches_its_token_only() {
        let hash = TokenHash::of(&Secret::new("one"));
        assert!(hash.matches("one"));
        assert!(!hash.matches("two") && !hash.matches("") && !hash.matches("one "));
    }
}
