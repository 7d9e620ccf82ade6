//! Who may call what: the rules that a user and a key have in common, and the verdict on a call.
//!
//! Both the user's and the key's rules apply. Where both are at fault the key is named, since it is the nearer one.
//!
//! | module | what |
//! |---|---|
//! | [`refused`] | models, dialects, clients, addresses: the verdict and its words |
//! | [`rules`] | what most users and keys do not have: dialects, clients, addresses |
//! | [`activation`] | expiry that counts from the first use |

pub mod activation;
pub mod refused;
pub mod rules;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use refused::{NotAllowed, Whose, check_address, check_client, check_dialect, check_model};
pub use rules::Rules;

use crate::invalid::Invalid;
use crate::model::ModelPattern;
use crate::name;
use crate::time::UnixMs;

/// The rules of a user or a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub enabled: bool,
    /// From this instant on it is refused.
    pub expires_at: Option<UnixMs>,
    pub tags: Vec<String>,
    /// Empty: every provider. Otherwise only providers that carry one of them.
    pub groups: Vec<String>,
    /// Empty: all models.
    pub allowed_models: Vec<ModelPattern>,
    pub blocked_models: Vec<ModelPattern>,
    #[serde(default = "Rules::none", skip_serializing_if = "Rules::is_none")]
    pub rules: Arc<Rules>,
    /// Beside `expires_at`; the earlier one holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
}

/// Why a key is not let in. The texts are what callers read (behaviour A2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("Invalid API key")]
    UnknownKey,
    #[error("Key is disabled")]
    KeyDisabled,
    #[error("Key has expired")]
    KeyExpired,
    #[error("User is disabled")]
    UserDisabled,
    #[error("User has expired")]
    UserExpired,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            enabled: true,
            expires_at: None,
            tags: Vec::new(),
            groups: Vec::new(),
            allowed_models: Vec::new(),
            blocked_models: Vec::new(),
            rules: Rules::none(),
            activation: None,
        }
    }
}

impl Access {
    pub fn expired(&self, now: UnixMs) -> bool {
        self.ends_at().is_some_and(|at| now >= at)
    }

    /// When it expires, as far as that is known now.
    pub fn ends_at(&self) -> Option<UnixMs> {
        let activated = self.activation.and_then(|activation| activation.expires_at());
        match (self.expires_at, activated) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether its first use is still to come, as far as this knows.
    pub fn awaits_first_use(&self) -> bool {
        self.activation
            .is_some_and(|activation| activation.first_used_at.is_none())
    }

    /// The lowest [`SCHEMA`](crate::resource::SCHEMA) that understands every restriction in it.
    pub fn required_schema(&self) -> u32 {
        const RULES: u32 = 4;
        let plain = Rules::is_none(&self.rules) && self.activation.is_none();
        if plain { 1 } else { RULES }
    }

    pub fn allows_model(&self, model: &str) -> bool {
        let allowed = self.allowed_models.is_empty() || self.allowed_models.iter().any(|p| p.matches(model));
        allowed && !self.blocked_models.iter().any(|p| p.matches(model))
    }

    pub fn validate(&self) -> Result<(), Invalid> {
        for (field, names) in [("groups", &self.groups), ("tags", &self.tags)] {
            for (i, value) in names.iter().enumerate() {
                name::check(&format!("access.{field}[{i}]"), value)?;
            }
        }
        for (field, patterns) in [
            ("allowed_models", &self.allowed_models),
            ("blocked_models", &self.blocked_models),
        ] {
            for (i, pattern) in patterns.iter().enumerate() {
                pattern.validate(&format!("access.{field}[{i}]"))?;
            }
        }
        self.rules.validate()?;
        self.activation.as_ref().map_or(Ok(()), Activation::validate)
    }
}

/// Whether a known key of a known user is let in now.
pub fn check(user: &Access, key: &Access, now: UnixMs) -> Result<(), Denied> {
    match () {
        () if !key.enabled => Err(Denied::KeyDisabled),
        () if key.expired(now) => Err(Denied::KeyExpired),
        () if !user.enabled => Err(Denied::UserDisabled),
        () if user.expired(now) => Err(Denied::UserExpired),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientRule;
    use crate::dialect::Dialect;

    const NOW: UnixMs = UnixMs(1_000);

    fn expiring(at: i64) -> Access {
        Access {
            expires_at: Some(UnixMs(at)),
            ..Access::default()
        }
    }

    fn disabled() -> Access {
        Access {
            enabled: false,
            ..Access::default()
        }
    }

    #[test]
    fn a02_each_state_has_its_own_words() {
        let fine = Access::default();
        assert_eq!(check(&fine, &fine, NOW), Ok(()));
        assert_eq!(
            check(&fine, &disabled(), NOW).unwrap_err().to_string(),
            "Key is disabled"
        );
        assert_eq!(
            check(&fine, &expiring(1_000), NOW).unwrap_err().to_string(),
            "Key has expired"
        );
        assert_eq!(
            check(&disabled(), &fine, NOW).unwrap_err().to_string(),
            "User is disabled"
        );
        assert_eq!(
            check(&expiring(999), &fine, NOW).unwrap_err().to_string(),
            "User has expired"
        );
        assert_eq!(Denied::UnknownKey.to_string(), "Invalid API key");
    }

    #[test]
    fn an_expiry_in_the_future_lets_in() {
        assert_eq!(check(&expiring(1_001), &expiring(1_001), NOW), Ok(()));
    }

    #[test]
    fn a04_an_expiry_counts_from_the_first_use_and_not_before() {
        let waiting = Access {
            activation: Some(Activation::after(500)),
            ..Access::default()
        };
        assert!(waiting.awaits_first_use() && !waiting.expired(UnixMs(i64::MAX)));
        let mut used = waiting.clone();
        used.activation = used.activation.map(|activation| Activation {
            first_used_at: Some(UnixMs(1_000)),
            ..activation
        });
        assert!(!used.awaits_first_use() && !used.expired(UnixMs(1_499)) && used.expired(UnixMs(1_500)));
        used.expires_at = Some(UnixMs(1_200));
        assert_eq!(used.ends_at(), Some(UnixMs(1_200)), "the earlier one holds");
        let fine = Access::default();
        assert_eq!(check(&fine, &used, UnixMs(1_200)), Err(Denied::KeyExpired));
        assert_eq!(check(&used, &fine, UnixMs(1_200)), Err(Denied::UserExpired));
    }

    #[test]
    fn a_rule_that_older_nodes_would_lose_raises_the_schema() {
        assert_eq!(Access::default().required_schema(), 1);
        let ruled = |rules: Rules| Access {
            rules: rules.shared(),
            ..Access::default()
        };
        let rules = [
            ruled(Rules {
                allowed_dialects: vec![Dialect::Anthropic],
                ..Rules::default()
            }),
            ruled(Rules {
                blocked_clients: vec![ClientRule::UserAgent(ModelPattern::Prefix("curl/".into()))],
                ..Rules::default()
            }),
            ruled(Rules {
                allowed_addresses: vec!["10.0.0.0/8".parse().unwrap()],
                ..Rules::default()
            }),
            Access {
                activation: Some(Activation::after(1)),
                ..Access::default()
            },
        ];
        for access in rules {
            assert_eq!(access.required_schema(), 4, "{access:?}");
            assert_eq!(access.validate(), Ok(()));
            let json = serde_json::to_value(&access).unwrap();
            assert_eq!(serde_json::from_value::<Access>(json).unwrap(), access);
        }
        let nothing = Access {
            activation: Some(Activation::after(0)),
            ..Access::default()
        };
        assert!(nothing.validate().is_err());
    }

    #[test]
    fn blocked_models_win_over_allowed_ones() {
        let access = Access {
            allowed_models: vec![ModelPattern::Prefix("claude-".into())],
            blocked_models: vec![ModelPattern::Contains("opus".into())],
            ..Access::default()
        };
        assert!(access.allows_model("claude-haiku-4-5"));
        assert!(!access.allows_model("claude-opus-4-8"));
        assert!(!access.allows_model("gpt-5.5"));
    }
}
