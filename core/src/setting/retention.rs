//! How long records are kept.
//!
//! Sums never go: what was spent and used is told for ever, by hour.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::time::UnixMs;

/// How many days records are kept. Data planes do not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetentionPolicy {
    /// False: nothing is ever cleaned.
    pub enabled: bool,
    /// Single calls of the ledger.
    pub usage_records_days: u32,
    /// Records of the failure log.
    pub failed_calls_days: u32,
    /// At least [`Self::MIN_AUDIT_DAYS`]: who changes settings must not be able to take away what tells of it.
    pub audit_log_days: u32,
}

const DAY_MS: i64 = 86_400_000;

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            usage_records_days: 30,
            failed_calls_days: 30,
            audit_log_days: 400,
        }
    }
}

impl RetentionPolicy {
    pub const MAX_DAYS: u32 = 3_650;
    pub const MIN_AUDIT_DAYS: u32 = 90;

    /// What is older than this goes, of records that are kept so many days.
    pub fn before(days: u32, now: UnixMs) -> UnixMs {
        UnixMs(now.0.saturating_sub(i64::from(days).saturating_mul(DAY_MS)))
    }

    pub(super) fn validate(self) -> Result<(), Invalid> {
        let all = [
            ("retention.usage_records_days", self.usage_records_days, 1),
            ("retention.failed_calls_days", self.failed_calls_days, 1),
            (
                "retention.audit_log_days",
                self.audit_log_days,
                Self::MIN_AUDIT_DAYS,
            ),
        ];
        for (field, days, least) in all {
            if !(least..=Self::MAX_DAYS).contains(&days) {
                let problem = format!("{days} is not {least} to {} days", Self::MAX_DAYS);
                return Err(Invalid::new(field, problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e07_records_are_kept_thirty_days_unless_said_otherwise() {
        let policy = RetentionPolicy::default();
        assert!(policy.enabled);
        assert_eq!(policy.usage_records_days, 30);
        assert_eq!(
            RetentionPolicy::before(30, UnixMs(40 * DAY_MS)),
            UnixMs(10 * DAY_MS)
        );
    }

    #[test]
    fn e07_less_than_a_day_or_more_than_ten_years_is_refused() {
        for days in [0, 3_651] {
            let policy = RetentionPolicy {
                failed_calls_days: days,
                ..RetentionPolicy::default()
            };
            let error = policy.validate().unwrap_err();
            assert!(
                error.to_string().starts_with("retention.failed_calls_days"),
                "{error}"
            );
        }
        RetentionPolicy::default().validate().unwrap();
    }

    #[test]
    fn g10_what_was_done_cannot_be_forgotten_within_a_quarter() {
        let kept = |audit_log_days| RetentionPolicy {
            audit_log_days,
            ..RetentionPolicy::default()
        };
        let error = kept(89).validate().unwrap_err().to_string();
        assert!(error.contains("89 is not 90 to 3650 days"), "{error}");
        kept(90).validate().unwrap();
    }
}
