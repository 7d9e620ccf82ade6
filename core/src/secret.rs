//! Text that must not be seen: upstream credentials, tokens, keys in transit.
//!
//! The type has no `Debug`, `Display` or `Serialize`, so that a secret cannot get into a log, an error or an answer by
//! being part of something larger. Its memory is wiped when it is dropped. [`Secret::expose`] is the one way in and
//! is easy to search for.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret text.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a secret must not be printable")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Takes the text without the space around it, as read from a file, a terminal or the environment.
    pub fn trimmed(text: &str) -> Self {
        Self::new(text.trim())
    }

    /// The text itself. Say at the call why it is needed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in time that depends on the lengths only.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// Enough to recognise the secret by: the first eight and the last four characters; of one under 24 characters
    /// the first two.
    pub fn hint(&self) -> String {
        hint(&self.0)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

pub(crate) fn hint(secret: &str) -> String {
    let length = secret.chars().count();
    if length < 24 {
        return secret.chars().take(2).chain("****".chars()).collect();
    }
    let tail = secret.chars().skip(length - 4);
    secret.chars().take(8).chain("****".chars()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_tells_little() {
        assert_eq!(
            Secret::new("sk-ant-api03-abcdefghijklmnop").hint(),
            "sk-ant-a****mnop"
        );
        assert_eq!(Secret::new("short-secret").hint(), "sh****");
        assert_eq!(Secret::new("").hint(), "****");
    }

    #[test]
    fn space_around_a_secret_is_not_part_of_it() {
        assert!(Secret::trimmed("  token\n").matches("token"));
        assert!(!Secret::new("token").matches("token2"));
    }
}
