//! Who may call what: the rules that a user and a key have in common, and the verdict on a call.
//!
//! Both the user's and the key's rules apply. Where both are at fault the key is named, since it is the nearer one.

use serde::{Deserialize, Serialize};

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
        }
    }
}

impl Access {
    pub fn expired(&self, now: UnixMs) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
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
        Ok(())
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
