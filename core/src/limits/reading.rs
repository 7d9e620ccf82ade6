//! How full one limit is, and the one JSON form of amounts that callers and operators read.
//!
//! Money is a decimal number of USD in a string, since JSON readers take numbers for doubles; counts are numbers. An
//! instant is RFC 3339; a window that has no end (rolling, total, concurrency) says null.

use serde::{Serialize, Serializer};

use super::{Dimension, Level, Limits};
use crate::money::NanoUsd;
use crate::time::UnixMs;

/// One limit and what is taken of it. Amounts are in the dimension's unit, nano-USD for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub level: Level,
    pub dimension: Dimension,
    /// Without what is reserved.
    pub used: u64,
    pub reserved: u64,
    pub limit: u64,
    /// When the window ends; None for rolling windows, totals and concurrency.
    pub reset_at: Option<UnixMs>,
}

/// An amount of a dimension in its JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub dimension: Dimension,
    /// In the dimension's unit.
    pub value: u64,
}

impl Reading {
    /// The limits that are set, in the order of refusals, as if nothing was used.
    pub fn unused(level: Level, limits: &Limits) -> impl Iterator<Item = Self> {
        let set = |dimension: &Dimension| limits.get(*dimension) > 0;
        Dimension::ALL.into_iter().filter(set).map(move |dimension| Self {
            level,
            dimension,
            used: 0,
            reserved: 0,
            limit: limits.get(dimension),
            reset_at: None,
        })
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json {
            level: Level,
            dimension: Dimension,
            used: Amount,
            reserved: Amount,
            limit: Amount,
            reset_at: Option<String>,
        }
        let amount = |value| Amount {
            dimension: self.dimension,
            value,
        };
        Json {
            level: self.level,
            dimension: self.dimension,
            used: amount(self.used),
            reserved: amount(self.reserved),
            limit: amount(self.limit),
            reset_at: self.reset_at.map(|at| at.to_string()),
        }
        .serialize(serializer)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.dimension.is_money() {
            true => serializer.collect_str(&NanoUsd(i64::try_from(self.value).unwrap_or(i64::MAX))),
            false => serializer.serialize_u64(self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d02_money_is_a_decimal_string_and_a_count_a_number() {
        let money = Reading {
            level: Level::User,
            dimension: Dimension::UsdDaily,
            used: 1_500_000_000,
            reserved: 1,
            limit: 20_000_000_000,
            reset_at: Some(UnixMs(1_700_000_000_000)),
        };
        assert_eq!(
            serde_json::to_string(&money).unwrap(),
            r#"{"level":"user","dimension":"usd_daily","used":"1.5","reserved":"0.000000001","limit":"20","reset_at":"2023-11-14T22:13:20Z"}"#
        );
        let count = Reading {
            level: Level::Key,
            dimension: Dimension::Rpm,
            reset_at: None,
            ..money
        };
        assert_eq!(
            serde_json::to_string(&count).unwrap(),
            r#"{"level":"key","dimension":"rpm","used":1500000000,"reserved":1,"limit":20000000000,"reset_at":null}"#
        );
    }

    #[test]
    fn d01_only_limits_that_are_set_are_read() {
        let limits = Limits {
            rpm: 10,
            usd_total: NanoUsd(5),
            ..Limits::default()
        };
        let read: Vec<_> = Reading::unused(Level::Key, &limits)
            .map(|reading| (reading.dimension, reading.limit))
            .collect();
        assert_eq!(read, [(Dimension::UsdTotal, 5), (Dimension::Rpm, 10)]);
    }
}
