//! Sums of the ledger.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::tokens::Tokens;
use super::{View, fields, or_dash, rows};

/// `penstock usage`. The totals stand at the top, and again under `totals`, so that either way of reading works.
#[derive(Debug, Serialize)]
pub(crate) struct Usage {
    /// The span that was summed: whole hours.
    pub from: String,
    pub to: String,
    #[serde(flatten)]
    pub sums: Totals,
    pub totals: Totals,
    /// What the items have in common: `user`, `key`, `provider`, `model`, `hour`, `session`.
    pub by: Option<&'static str>,
    pub items: Vec<Group>,
    /// There are more items than were sent; the totals hold all.
    pub truncated: bool,
}

/// Sums over calls.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Totals {
    /// Calls that a provider answered.
    pub requests: u64,
    /// Calls refused by Penstock, or answered by no provider.
    pub rejected: u64,
    #[serde(flatten)]
    pub tokens: Tokens,
    pub cost_usd: String,
    pub cost_nanousd: i64,
    pub unpriced_requests: u64,
}

/// Sums of one user, key, provider, model or hour.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub id: String,
    pub name: String,
    #[serde(flatten)]
    pub totals: Totals,
}

impl Usage {
    pub(crate) fn read(answer: wire::SummarizeUsageResponse, by: Option<&'static str>) -> Self {
        let totals = Totals::from(answer.totals.unwrap_or_default());
        let group = |group: wire::UsageGroup| Group {
            id: group.id,
            name: group.name,
            totals: group.totals.unwrap_or_default().into(),
        };
        Self {
            from: UnixMs(answer.from_ms).to_string(),
            to: UnixMs(answer.to_ms).to_string(),
            sums: totals.clone(),
            totals,
            by,
            items: answer.groups.into_iter().map(group).collect(),
            truncated: answer.truncated,
        }
    }
}

impl From<wire::UsageTotals> for Totals {
    fn from(totals: wire::UsageTotals) -> Self {
        Self {
            requests: totals.requests,
            rejected: totals.rejected,
            tokens: Tokens::from(&totals),
            cost_usd: NanoUsd(totals.cost_nanousd).to_string(),
            cost_nanousd: totals.cost_nanousd,
            unpriced_requests: totals.unpriced_requests,
        }
    }
}

pub(super) const COLUMNS: [&str; 8] = [
    "REQUESTS",
    "REJECTED",
    "INPUT",
    "OUTPUT",
    "CACHE READ",
    "CACHE WRITE",
    "REASONING",
    "COST USD",
];

impl Totals {
    pub(super) fn cells(&self) -> Vec<String> {
        let tokens = &self.tokens;
        vec![
            self.requests.to_string(),
            self.rejected.to_string(),
            tokens.input_tokens.to_string(),
            tokens.output_tokens.to_string(),
            tokens.cache_read_tokens.to_string(),
            tokens.written().to_string(),
            tokens.reasoning_tokens.to_string(),
            self.cost_usd.clone(),
        ]
    }
}

impl View for Usage {
    fn table(&self) -> String {
        let span = fields(&[("span", format!("{} to {}", self.from, self.to))]);
        let body = match self.by {
            None => rows(&COLUMNS, std::iter::once(self.totals.cells())),
            Some(by) => {
                let by = by.to_uppercase();
                let header: Vec<&str> = std::iter::once(by.as_str()).chain(COLUMNS).collect();
                let named =
                    |name: String, totals: &Totals| std::iter::once(name).chain(totals.cells()).collect();
                let groups = self
                    .items
                    .iter()
                    .map(|group| named(or_dash(Some(&group.name)), &group.totals));
                let total = std::iter::once(named("total".to_owned(), &self.totals));
                rows(&header, groups.chain(total))
            }
        };
        let unpriced = match self.totals.unpriced_requests {
            0 => String::new(),
            n => format!("\n{n} requests were for models without a price; see `penstock price resolve`"),
        };
        let truncated = match self.truncated {
            false => "",
            true => "\nthere are more groups than are shown; the total has all: narrow the span, or filter",
        };
        format!("{span}\n{body}{truncated}{unpriced}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(cost_nanousd: i64) -> wire::UsageTotals {
        wire::UsageTotals {
            requests: 2,
            rejected: 1,
            input_tokens: 200,
            cost_nanousd,
            ..wire::UsageTotals::default()
        }
    }

    fn usage(by: Option<&'static str>) -> Usage {
        let group = wire::UsageGroup {
            id: "0198".into(),
            name: "alice".into(),
            totals: Some(totals(13_000_000)),
        };
        let answer = wire::SummarizeUsageResponse {
            totals: Some(totals(13_000_000)),
            groups: by.map(|_| group).into_iter().collect(),
            from_ms: 1_699_999_200_000,
            to_ms: 1_700_002_800_000,
            truncated: false,
        };
        Usage::read(answer, by)
    }

    #[test]
    fn e06_totals_are_numbers_and_money_is_text_and_an_integer() {
        let json = serde_json::to_value(usage(None)).unwrap();
        assert_eq!((&json["requests"], &json["rejected"]), (&2.into(), &1.into()));
        assert_eq!(
            (&json["cost_usd"], &json["cost_nanousd"]),
            (&"0.013".into(), &13_000_000.into())
        );
        assert_eq!(json["totals"]["input_tokens"], 200);
        assert_eq!(json["items"], serde_json::json!([]));
        for field in [
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "reasoning_tokens",
        ] {
            assert!(json[field].is_u64(), "{field}");
        }
    }

    #[test]
    fn e06_groups_carry_the_same_fields() {
        let json = serde_json::to_value(usage(Some("user"))).unwrap();
        assert_eq!(json["by"], "user");
        assert_eq!(
            (&json["items"][0]["name"], &json["items"][0]["requests"]),
            (&"alice".into(), &2.into())
        );
    }

    #[test]
    fn e06_groups_that_are_left_out_are_said() {
        let whole = usage(Some("user"));
        assert_eq!(serde_json::to_value(&whole).unwrap()["truncated"], false);
        assert!(!whole.table().contains("more groups"));
        let cut = Usage {
            truncated: true,
            ..whole
        };
        assert_eq!(serde_json::to_value(&cut).unwrap()["truncated"], true);
        assert!(cut.table().contains("more groups"), "{}", cut.table());
    }

    #[test]
    fn a_table_ends_with_the_total() {
        let table = usage(Some("user")).table();
        assert!(table.lines().last().unwrap().starts_with("total"), "{table}");
        assert!(table.contains("USER"));
    }
}
