//! How limits are enforced as a whole.

use penstock_core::setting::LimitsPolicy;
use penstock_core::time::UnixMs;
use serde::Serialize;

/// The setting `limits`, and what it means now.
#[derive(Debug, Serialize)]
pub(crate) struct Enforcement {
    pub enabled: bool,
    /// RFC 3339; when they are enforced again by themselves.
    pub off_until: Option<String>,
    /// Whether calls are refused for limits now: also when they were off until an instant that has passed.
    pub enforced: bool,
    pub degraded: &'static str,
    pub quota_status: u16,
}

impl Enforcement {
    pub(crate) fn at(policy: LimitsPolicy, now: UnixMs) -> Self {
        Self {
            enabled: policy.enabled,
            off_until: policy.off_until.map(|until| until.to_string()),
            enforced: policy.enforced(now),
            degraded: policy.degraded.as_str(),
            quota_status: policy.quota_status,
        }
    }

    pub(crate) fn text(&self) -> String {
        let switch = match (self.enforced, &self.off_until) {
            (true, _) => "on".to_owned(),
            (false, None) => "OFF".to_owned(),
            (false, Some(until)) => format!("OFF until {until}"),
        };
        format!(
            "{switch}, without Redis: {}, over a budget: {}",
            self.degraded, self.quota_status
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d08_limits_that_are_off_are_seen_at_a_glance_and_only_while_they_are() {
        let off = LimitsPolicy {
            enabled: false,
            off_until: Some(UnixMs(1_700_000_000_000)),
            ..LimitsPolicy::default()
        };
        let text = |at| Enforcement::at(off, UnixMs(at)).text();
        assert_eq!(
            text(1_699_999_999_999),
            "OFF until 2023-11-14T22:13:20Z, without Redis: local, over a budget: 429"
        );
        assert_eq!(
            text(1_700_000_000_000),
            "on, without Redis: local, over a budget: 429"
        );
    }
}
