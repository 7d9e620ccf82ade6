//! What speaks for or against a provider.

use penstock_core::route::Verdict as Core;
use penstock_core::time::UnixMs;
use serde::Serialize;

/// A verdict, for scripts and for people.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// `candidate`, `breaker_open`, …
    pub verdict: &'static str,
    /// When it may be over.
    pub until: Option<String>,
    /// With `full`: which limit.
    pub dimension: Option<&'static str>,
    /// For people: `has an open circuit breaker until …`.
    pub text: String,
}

impl From<Core> for Verdict {
    fn from(verdict: Core) -> Self {
        let dimension = if let Core::Full(dimension) = verdict {
            Some(dimension.as_str())
        } else {
            None
        };
        Self {
            verdict: verdict.word(),
            until: verdict.until().map(|until: UnixMs| until.to_string()),
            dimension,
            text: verdict.to_string(),
        }
    }
}
