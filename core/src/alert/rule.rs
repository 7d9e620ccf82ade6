//! The rules, each with what it looks at.

use serde::{Deserialize, Serialize};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A circuit breaker of a provider, or of one model of it, is open.
    BreakerOpen,
    /// A provider takes no calls at all and will not by itself: its credential was refused, or it has no money.
    ProviderDown,
    /// A provider's access token cannot be renewed.
    TokenRefreshFailed,
    /// A share of a user's, key's or provider's budget is spent.
    Budget,
    /// Of a provider's calls in 5 min too many failed.
    ErrorRate,
    /// A provider's last calls all ended with 5xx.
    ConsecutiveFailures,
    /// Too many calls in a minute ended with 429.
    RateLimited,
    /// A provider's calls ended with the same error status again and again within an hour.
    RepeatedStatus,
    /// What was used yesterday.
    DailySummary,
}

/// Whose view a rule takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Calls as their callers saw them: what failing over made good counts as good.
    Callers,
    /// The provider itself, whatever callers saw.
    Provider,
    /// The books.
    Ledger,
}

impl Rule {
    pub const ALL: [Self; 9] = [
        Self::BreakerOpen,
        Self::ProviderDown,
        Self::TokenRefreshFailed,
        Self::Budget,
        Self::ErrorRate,
        Self::ConsecutiveFailures,
        Self::RateLimited,
        Self::RepeatedStatus,
        Self::DailySummary,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BreakerOpen => "breaker_open",
            Self::ProviderDown => "provider_down",
            Self::TokenRefreshFailed => "token_refresh_failed",
            Self::Budget => "budget",
            Self::ErrorRate => "error_rate",
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::RateLimited => "rate_limited",
            Self::RepeatedStatus => "repeated_status",
            Self::DailySummary => "daily_summary",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }

    pub fn scope(self) -> Scope {
        match self {
            Self::BreakerOpen | Self::ProviderDown | Self::TokenRefreshFailed => Scope::Provider,
            Self::ErrorRate | Self::ConsecutiveFailures | Self::RateLimited | Self::RepeatedStatus => {
                Scope::Callers
            }
            Self::Budget | Self::DailySummary => Scope::Ledger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_known_by_its_word() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_word(rule.as_str()), Some(rule));
            let json = serde_json::to_value(rule).unwrap();
            assert_eq!(json, rule.as_str());
        }
        assert_eq!(Rule::from_word("nope"), None);
    }
}
