//! How much of their limits users, keys and providers have used.

use penstock_core::limits::Dimension;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::{dimension_from_wire, level_from_wire};
use penstock_proto::sync::v1::LimitState;
use serde::Serialize;

use super::{View, instant, or_dash, rows};
use crate::failure::Failure;

/// `penstock limits show`.
#[derive(Debug, Serialize)]
pub(crate) struct LimitsUsed {
    pub items: Vec<LimitUsed>,
    /// The data plane that read the counters.
    pub node_id: String,
    /// How that one holds limits: `shared`, `alone`, `local`, `open`, `closed`, `off`.
    pub enforcement: String,
}

/// One limit.
#[derive(Debug, Serialize)]
pub(crate) struct LimitUsed {
    /// Whose: `key`, `user`, `provider`.
    pub level: &'static str,
    pub id: String,
    pub name: String,
    pub dimension: &'static str,
    pub used: Amount,
    /// For calls in flight.
    pub reserved: Amount,
    pub limit: Amount,
    /// Money again, as integers; else `null`.
    pub used_nanousd: Option<i64>,
    pub reserved_nanousd: Option<i64>,
    pub limit_nanousd: Option<i64>,
    /// When a fixed window ends.
    pub reset_at: Option<String>,
}

/// In the dimension's unit: money as decimal text in USD, everything else a number.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Usd(String),
    Count(i64),
}

/// `penstock limits reset`.
#[derive(Debug, Serialize)]
pub(crate) struct LimitsReset {
    pub dimensions: Vec<&'static str>,
    /// Nothing that was admitted before it counts.
    pub reset_at: Option<String>,
    pub revision: u64,
}

impl LimitsUsed {
    pub(crate) fn read(answer: wire::ShowLimitsResponse) -> Result<Self, Failure> {
        let mut items = Vec::new();
        let mut enforcement = String::new();
        for subject in answer.subjects {
            let level = level_from_wire("level", subject.level)?.as_str();
            let reading = subject.reading.unwrap_or_default();
            for state in reading.states {
                items.push(LimitUsed::read(level, &subject.id, &subject.name, &state)?);
            }
            if enforcement.is_empty() {
                enforcement = reading.enforcement;
            }
        }
        Ok(Self {
            items,
            node_id: answer.node_id,
            enforcement,
        })
    }
}

impl LimitUsed {
    fn read(level: &'static str, id: &str, name: &str, state: &LimitState) -> Result<Self, Failure> {
        let dimension = dimension_from_wire("dimension", state.dimension)?;
        let amount = |amount| Amount::of(dimension, amount);
        let nanousd = |amount| dimension.is_money().then_some(amount);
        Ok(Self {
            level,
            id: id.to_owned(),
            name: name.to_owned(),
            dimension: dimension.as_str(),
            used: amount(state.used),
            reserved: amount(state.reserved),
            limit: amount(state.limit),
            used_nanousd: nanousd(state.used),
            reserved_nanousd: nanousd(state.reserved),
            limit_nanousd: nanousd(state.limit),
            reset_at: state.reset_at_ms.map(|at| UnixMs(at).to_string()),
        })
    }
}

impl Amount {
    fn of(dimension: Dimension, amount: i64) -> Self {
        match dimension.is_money() {
            true => Self::Usd(NanoUsd(amount).to_string()),
            false => Self::Count(amount),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Usd(text) => text.clone(),
            Self::Count(count) => count.to_string(),
        }
    }
}

impl LimitsReset {
    pub(crate) fn read(answer: &wire::ResetLimitsResponse) -> Result<Self, Failure> {
        let dimensions = answer.dimensions.iter();
        let dimensions = dimensions.map(|d| Ok(dimension_from_wire("dimensions", *d)?.as_str()));
        Ok(Self {
            dimensions: dimensions.collect::<Result<_, Failure>>()?,
            reset_at: instant(answer.reset_at_ms),
            revision: answer.revision,
        })
    }
}

impl View for LimitsUsed {
    fn table(&self) -> String {
        let cells = self.items.iter().map(|item| {
            vec![
                item.level.to_owned(),
                item.name.clone(),
                item.dimension.to_owned(),
                item.used.text(),
                item.reserved.text(),
                item.limit.text(),
                or_dash(item.reset_at.as_deref()),
            ]
        });
        let header = [
            "LEVEL",
            "NAME",
            "DIMENSION",
            "USED",
            "RESERVED",
            "LIMIT",
            "RESETS AT",
        ];
        let table = rows(&header, cells);
        format!(
            "{table}\nread by data plane {}; limits are {}",
            self.node_id,
            or_dash(Some(&self.enforcement))
        )
    }
}

impl View for LimitsReset {
    fn table(&self) -> String {
        let dimensions = self.dimensions.join(", ");
        format!("reset {dimensions} (revision {})", self.revision)
    }
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1::{LimitDimension, LimitLevel};
    use penstock_proto::sync::v1::LimitsReading;

    use super::*;

    fn shown() -> LimitsUsed {
        let state = |dimension: LimitDimension, used, reset_at_ms| LimitState {
            dimension: dimension.into(),
            used,
            reserved: 0,
            limit: 2_000_000_000,
            reset_at_ms,
        };
        let subject = |level: LimitLevel, name: &str, states| wire::SubjectLimits {
            level: level.into(),
            id: "1".to_owned(),
            name: name.to_owned(),
            reading: Some(LimitsReading {
                enforcement: "shared".to_owned(),
                states,
            }),
        };
        let daily = state(LimitDimension::UsdDaily, 1_500_000_001, Some(1_700_000_000_000));
        let answer = wire::ShowLimitsResponse {
            subjects: vec![
                subject(LimitLevel::Key, "alice/laptop", vec![daily]),
                subject(
                    LimitLevel::User,
                    "alice",
                    vec![state(LimitDimension::Rpm, 7, None)],
                ),
            ],
            node_id: "node-1".to_owned(),
        };
        LimitsUsed::read(answer).unwrap()
    }

    #[test]
    fn d01_money_is_decimal_usd_and_counts_are_numbers() {
        let json = serde_json::to_value(shown()).unwrap();
        let (daily, rpm) = (&json["items"][0], &json["items"][1]);
        assert_eq!(
            (
                &daily["level"],
                &daily["dimension"],
                &daily["used"],
                &daily["limit"]
            ),
            (
                &"key".into(),
                &"usd_daily".into(),
                &"1.500000001".into(),
                &"2".into()
            )
        );
        assert_eq!(daily["reset_at"], "2023-11-14T22:13:20Z");
        assert_eq!((&rpm["level"], &rpm["used"]), (&"user".into(), &7.into()));
        assert_eq!(daily["used_nanousd"], 1_500_000_001);
        assert!(rpm["reset_at"].is_null() && rpm["used_nanousd"].is_null());
        assert_eq!(
            (&json["node_id"], &json["enforcement"]),
            (&"node-1".into(), &"shared".into())
        );
    }

    #[test]
    fn d01_the_table_says_who_read_them() {
        let table = shown().table();
        assert!(
            table.contains("alice/laptop") && table.contains("usd_daily"),
            "{table}"
        );
        assert!(
            table.ends_with("read by data plane node-1; limits are shared"),
            "{table}"
        );
    }

    #[test]
    fn d01_a_reset_names_what_it_reset() {
        let answer = wire::ResetLimitsResponse {
            revision: 3,
            reset_at_ms: 1_700_000_000_000,
            dimensions: vec![LimitDimension::UsdTotal.into(), LimitDimension::Rpm.into()],
        };
        let reset = LimitsReset::read(&answer).unwrap();
        assert_eq!(reset.table(), "reset usd_total, rpm (revision 3)");
        assert_eq!(
            serde_json::to_string(&reset).unwrap(),
            r#"{"dimensions":["usd_total","rpm"],"reset_at":"2023-11-14T22:13:20Z","revision":3}"#
        );
    }
}
