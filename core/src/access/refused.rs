//! Why a call of a key that was let in is refused by access rules (behaviours A4 to A6).
//!
//! The texts are what callers read. They say what would be allowed, except for addresses, of which others are nobody's
//! business.

use std::net::IpAddr;

use super::Access;
use crate::client::Client;
use crate::dialect::Dialect;

/// Whose rule it is. Where the rules of both are at fault, the key's is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Key,
    User,
}

/// What is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error("Model {model} is not allowed for {whose}.")]
    Model { model: String, whose: Whose },
    #[error("Dialect {dialect} is not allowed for {whose}; allowed: {allowed}.")]
    Dialect {
        dialect: Dialect,
        allowed: String,
        whose: Whose,
    },
    #[error("Address {} is not allowed for {whose}.", seen(*.address))]
    Address {
        /// None: unknown.
        address: Option<IpAddr>,
        whose: Whose,
    },
    #[error("Client {client} is blocked for {whose}.")]
    ClientBlocked { client: String, whose: Whose },
    #[error("Client {client} is not allowed for {whose}{doubt}; allowed: {allowed}.")]
    Client {
        client: String,
        /// It says that it is a known one, and does not look like it.
        doubt: String,
        allowed: String,
        whose: Whose,
    },
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "this API key",
            Self::User => "the user of this API key",
        })
    }
}

/// Whether a call may ask for this model.
pub fn check_model(user: &Access, key: &Access, model: &str) -> Result<(), NotAllowed> {
    both(user, key, |access, whose| match access.allows_model(model) {
        true => Ok(()),
        false => Err(NotAllowed::Model {
            model: model.to_owned(),
            whose,
        }),
    })
}

/// Whether a call may speak this dialect.
pub fn check_dialect(user: &Access, key: &Access, dialect: Dialect) -> Result<(), NotAllowed> {
    both(user, key, |access, whose| {
        let allowed = &access.rules.allowed_dialects;
        if allowed.is_empty() || allowed.contains(&dialect) {
            return Ok(());
        }
        Err(NotAllowed::Dialect {
            dialect,
            allowed: joined(allowed),
            whose,
        })
    })
}

fn seen(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

/// Whether a call may come from here; None is an address that nobody knows, and is in no range.
pub fn check_address(user: &Access, key: &Access, address: Option<IpAddr>) -> Result<(), NotAllowed> {
    both(user, key, |access, whose| {
        let ranges = &access.rules.allowed_addresses;
        if ranges.is_empty()
            || address.is_some_and(|address| ranges.iter().any(|range| range.contains(address)))
        {
            return Ok(());
        }
        Err(NotAllowed::Address { address, whose })
    })
}

/// Whether a call may be made with this program.
pub fn check_client(user: &Access, key: &Access, client: &Client<'_>) -> Result<(), NotAllowed> {
    both(user, key, |access, whose| {
        if access
            .rules
            .blocked_clients
            .iter()
            .any(|rule| rule.blocks(client))
        {
            let client = client
                .known
                .or(client.claimed)
                .map_or_else(|| client.to_string(), |known| known.to_string());
            return Err(NotAllowed::ClientBlocked { client, whose });
        }
        let allowed = &access.rules.allowed_clients;
        if allowed.is_empty() || allowed.iter().any(|rule| rule.allows(client)) {
            return Ok(());
        }
        let doubt = client.claimed.filter(|_| client.known.is_none());
        Err(NotAllowed::Client {
            client: client.to_string(),
            doubt: doubt.map_or_else(String::new, |claimed| {
                format!(", for it says that it is {claimed} but does not send what {claimed} sends")
            }),
            allowed: joined(allowed),
            whose,
        })
    })
}

fn both(
    user: &Access,
    key: &Access,
    check: impl Fn(&Access, Whose) -> Result<(), NotAllowed>,
) -> Result<(), NotAllowed> {
    check(key, Whose::Key)?;
    check(user, Whose::User)
}

fn joined(allowed: &[impl ToString]) -> String {
    let words: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Rules;
    use crate::client::{ClientRule, KnownClient};
    use crate::model::ModelPattern;

    fn ruled(rules: Rules) -> Access {
        Access {
            rules: rules.shared(),
            ..Access::default()
        }
    }

    fn words(result: Result<(), NotAllowed>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a04_both_rules_hold_and_the_nearer_one_is_named() {
        let open = Access::default();
        let narrow = ruled(Rules {
            allowed_dialects: vec![Dialect::Anthropic],
            ..Rules::default()
        });
        assert_eq!(check_dialect(&open, &narrow, Dialect::Anthropic), Ok(()));
        let refused = words(check_dialect(&narrow, &narrow, Dialect::OpenaiChat));
        assert_eq!(
            refused,
            "Dialect openai-chat is not allowed for this API key; allowed: anthropic."
        );
        let refused = words(check_dialect(&narrow, &open, Dialect::OpenaiChat));
        assert!(refused.contains("for the user of this API key"), "{refused}");
    }

    #[test]
    fn a04_an_address_outside_every_range_is_refused_without_naming_the_ranges() {
        let ranges = ["10.0.0.0/8", "2001:db8::/32"].map(|range| range.parse().unwrap());
        let near = ruled(Rules {
            allowed_addresses: ranges.to_vec(),
            ..Rules::default()
        });
        let open = Access::default();
        for good in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"] {
            assert_eq!(
                check_address(&open, &near, Some(good.parse().unwrap())),
                Ok(()),
                "{good}"
            );
        }
        let refused = words(check_address(&open, &near, None));
        assert_eq!(refused, "Address unknown is not allowed for this API key.");
        let refused = words(check_address(&open, &near, Some("203.0.113.9".parse().unwrap())));
        assert_eq!(refused, "Address 203.0.113.9 is not allowed for this API key.");
    }

    #[test]
    fn a06_a_client_that_only_says_so_is_told_what_is_missing() {
        let rules = ruled(Rules {
            allowed_clients: vec![
                ClientRule::Known(KnownClient::ClaudeCode),
                ClientRule::UserAgent(ModelPattern::Prefix("our-bot/".into())),
            ],
            blocked_clients: vec![ClientRule::Known(KnownClient::Codex)],
            ..Rules::default()
        });
        let open = Access::default();
        let client = |known, claimed, user_agent| Client {
            known,
            claimed,
            user_agent,
        };
        let check = |client| check_client(&open, &rules, &client);
        let claude = Some(KnownClient::ClaudeCode);
        assert_eq!(check(client(claude, claude, "claude-cli/2")), Ok(()));
        assert_eq!(check(client(None, None, "our-bot/1")), Ok(()));
        assert_eq!(
            words(check(client(None, claude, "claude-cli/2"))),
            "Client \"claude-cli/2\" is not allowed for this API key, for it says that it is claude-code but does not \
             send what claude-code sends; allowed: claude-code, our-bot/."
        );
        let codex = words(check(client(None, Some(KnownClient::Codex), "codex_exec/1")));
        assert_eq!(codex, "Client codex is blocked for this API key.");
        assert!(words(check(client(None, None, ""))).contains("without a user agent"));
    }
}
