//! The dimensions of limits, and the levels at which they hold.

use serde::{Deserialize, Serialize};

/// What is counted. The order is that in which a refusal names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dimension {
    #[serde(rename = "usd_total")]
    UsdTotal,
    #[serde(rename = "concurrent_sessions")]
    ConcurrentSessions,
    #[serde(rename = "concurrent_requests")]
    ConcurrentRequests,
    #[serde(rename = "rpm")]
    Rpm,
    #[serde(rename = "tpm")]
    Tpm,
    #[serde(rename = "usd_5h")]
    Usd5h,
    #[serde(rename = "usd_daily")]
    UsdDaily,
    #[serde(rename = "usd_weekly")]
    UsdWeekly,
    #[serde(rename = "usd_monthly")]
    UsdMonthly,
}

/// Whose limit. In a refusal the key comes before the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Key,
    User,
    Provider,
}

impl Dimension {
    /// In the order of refusals.
    pub const ALL: [Self; 9] = [
        Self::UsdTotal,
        Self::ConcurrentSessions,
        Self::ConcurrentRequests,
        Self::Rpm,
        Self::Tpm,
        Self::Usd5h,
        Self::UsdDaily,
        Self::UsdWeekly,
        Self::UsdMonthly,
    ];

    /// Those that count money.
    pub const MONEY: [Self; 5] = [
        Self::UsdTotal,
        Self::Usd5h,
        Self::UsdDaily,
        Self::UsdWeekly,
        Self::UsdMonthly,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsdTotal => "usd_total",
            Self::ConcurrentSessions => "concurrent_sessions",
            Self::ConcurrentRequests => "concurrent_requests",
            Self::Rpm => "rpm",
            Self::Tpm => "tpm",
            Self::Usd5h => "usd_5h",
            Self::UsdDaily => "usd_daily",
            Self::UsdWeekly => "usd_weekly",
            Self::UsdMonthly => "usd_monthly",
        }
    }

    /// By [`Dimension::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == text)
    }

    pub fn is_money(self) -> bool {
        Self::MONEY.contains(&self)
    }
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Key, Self::User, Self::Provider];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Provider => "provider",
        }
    }
}
