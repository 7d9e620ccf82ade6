//! How much of its limits a subject has used.

use penstock_core::limits::Dimension;
use penstock_core::time::UnixMs;

use super::account::AccountState;
use super::subject::SubjectState;
use crate::account::SubjectName;
use crate::counters::{Call, Usage};

impl AccountState {
    pub(super) fn read(&mut self, call: &Call, now: UnixMs) -> Option<Vec<Usage>> {
        let now = self.now(now);
        if !self.unknown(call).is_empty() {
            return None;
        }
        let mut usages = Vec::new();
        for subject in &call.subjects {
            let state = self.subjects.entry(subject.name).or_default();
            if let Some(money) = &mut state.money {
                money.turn(subject, now);
            }
            for dimension in Dimension::ALL
                .into_iter()
                .filter(|dimension| subject.cap(*dimension) > 0)
            {
                usages.extend(state.usage(subject.name, dimension, now));
            }
        }
        Some(usages)
    }
}

impl SubjectState {
    fn usage(&mut self, subject: SubjectName, dimension: Dimension, now: i64) -> Option<Usage> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (used, reserved, reset_at) = match dimension {
            Dimension::ConcurrentSessions => {
                self.expire_sessions(now);
                (count(self.sessions.len()), 0, None)
            }
            Dimension::ConcurrentRequests => (i64::try_from(self.in_flight).unwrap_or(i64::MAX), 0, None),
            Dimension::Rpm => (self.rpm(now).sum(), 0, None),
            Dimension::Tpm => (self.tpm(now).sum(), 0, None),
            Dimension::UsdTotal
            | Dimension::Usd5h
            | Dimension::UsdDaily
            | Dimension::UsdWeekly
            | Dimension::UsdMonthly => {
                let counter = self.money.as_ref()?.counter(dimension)?;
                (counter.settled(), counter.reserved, counter.end())
            }
        };
        Some(Usage {
            subject,
            dimension,
            used: u64::try_from(used).unwrap_or(0),
            reserved: u64::try_from(reserved).unwrap_or(0),
            reset_at: reset_at.map(UnixMs),
        })
    }
}
