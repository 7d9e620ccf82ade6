//! Programs that a user or key may or may not be used with: `claude-code`, `codex`, `gemini-cli`, or a pattern on the
//! user agent, written as those on model names.

use std::str::FromStr;

use penstock_core::client::{ClientRule, KnownClient};

use super::pattern::{self, NotAPattern, Pattern};

/// A client as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub ClientRule);

impl FromStr for Client {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = KnownClient::ALL.into_iter().find(|known| known.as_str() == text);
        match known {
            Some(known) => Ok(Self(ClientRule::Known(known))),
            None => text
                .parse()
                .map(|pattern: Pattern| Self(ClientRule::UserAgent(pattern.0))),
        }
    }
}

/// As [`Client`] reads it.
pub(crate) fn write(rule: &ClientRule) -> String {
    match rule {
        ClientRule::Known(known) => known.as_str().to_owned(),
        ClientRule::UserAgent(pattern) => {
            let text = pattern::write(pattern);
            // A user agent that is called like a known client.
            match KnownClient::ALL.iter().any(|known| known.as_str() == text) {
                true => format!("exact:{text}"),
                false => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_is_that_client_and_anything_else_a_user_agent() {
        for text in [
            "claude-code",
            "codex",
            "gemini-cli",
            "prefix:curl/",
            "exact:codex",
            "our-bot",
        ] {
            assert_eq!(write(&text.parse::<Client>().unwrap().0), text);
        }
        let curl = "curl/*".parse::<Client>().unwrap().0;
        assert_eq!(write(&curl), "prefix:curl/");
        assert!("*".parse::<Client>().is_err());
    }
}
