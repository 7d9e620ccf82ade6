//! Whether operators are told of trouble, and from where on it is trouble.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::limits::Zone;
use crate::provider::TimeOfDay;

/// The numbers of the rules in [`crate::alert::Rule`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationPolicy {
    /// False: nothing is watched and nothing delivered.
    pub enabled: bool,
    /// `error_rate`: more than so many percent of a provider's calls in 5 min.
    pub error_rate_percent: u32,
    /// And at least so many calls.
    pub error_rate_calls: u32,
    /// `consecutive_failures`: so many calls in a row.
    pub consecutive_failures: u32,
    /// `rate_limited`: more than so many 429s a minute.
    pub rate_limited_per_minute: u32,
    /// `repeated_status`: the same one so often within an hour.
    pub repeated_status: u32,
    /// `budget`: shares of a budget, percent, ascending. Empty: none.
    pub budget_percents: Vec<u32>,
    /// `daily_summary`: when yesterday's is sent. None: never.
    pub summary_at: Option<TimeOfDay>,
    /// Whose days they are.
    pub zone: Zone,
}

const MOST: u32 = 1_000_000;
const MAX_PERCENTS: usize = 10;

impl Default for NotificationPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            error_rate_percent: 5,
            error_rate_calls: 20,
            consecutive_failures: 10,
            rate_limited_per_minute: 100,
            repeated_status: 5,
            budget_percents: vec![80, 95, 100],
            summary_at: TimeOfDay::new(8 * 60),
            zone: Zone::default(),
        }
    }
}

impl NotificationPolicy {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let refuse =
            |field: &str, problem: &str| Err(Invalid::new(format!("notifications.{field}"), problem));
        if self.error_rate_percent > 100 {
            return refuse("error_rate_percent", "is over 100");
        }
        let numbers = [
            ("error_rate_calls", self.error_rate_calls),
            ("consecutive_failures", self.consecutive_failures),
            ("rate_limited_per_minute", self.rate_limited_per_minute),
            ("repeated_status", self.repeated_status),
        ];
        for (field, number) in numbers {
            if number == 0 || number > MOST {
                return refuse(field, "must be from 1 to 1000000");
            }
        }
        if self.consecutive_failures > 1_000 {
            return refuse("consecutive_failures", "is over 1000");
        }
        if self.budget_percents.len() > MAX_PERCENTS {
            return refuse("budget_percents", "are more than 10");
        }
        let ascending = self.budget_percents.is_sorted_by(|one, next| one < next);
        if !ascending
            || self
                .budget_percents
                .iter()
                .any(|percent| !(1..=1_000).contains(percent))
        {
            return refuse("budget_percents", "must be ascending, each from 1 to 1000");
        }
        self.zone.validate("notifications.zone")
    }
}
