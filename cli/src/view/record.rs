//! Single calls of the ledger.

use penstock_core::usage::UsageRecord as Core;
use penstock_proto::convert;
use penstock_proto::telemetry::v1 as wire;
use serde::Serialize;

use super::tokens::Tokens;
use super::{Row, or_dash};
use crate::args::rate;
use crate::failure::Failure;

/// One call.
#[derive(Debug, Serialize)]
pub(crate) struct UsageRecord {
    pub id: String,
    pub started_at: String,
    pub user_id: String,
    pub key_id: String,
    /// None when no provider was asked.
    pub provider_id: Option<String>,
    pub dialect: String,
    pub model: String,
    pub model_served: String,
    pub stream: bool,
    pub status: u16,
    /// `succeeded`, `upstream_error`, `interrupted`, `client_abort`, `rejected` or `failed`.
    pub outcome: &'static str,
    /// The business code, when the caller got an error of ours.
    pub code: Option<String>,
    #[serde(flatten)]
    pub tokens: Tokens,
    pub web_searches: u32,
    pub tier: &'static str,
    pub estimated: bool,
    pub cost_usd: String,
    pub cost_nanousd: i64,
    pub price_name: Option<String>,
    pub price_version: Option<u64>,
    pub cost_multiplier: String,
    /// What decided on the cost of a model without a price.
    pub unpriced: Option<&'static str>,
    pub duration_ms: u32,
    pub first_byte_ms: Option<u32>,
    pub attempts: u32,
    pub session: Option<String>,
    pub revision: u64,
    pub node_id: String,
    pub upstream_request_id: Option<String>,
}

impl UsageRecord {
    pub(crate) fn read(record: wire::UsageRecord) -> Result<Self, Failure> {
        Ok(convert::usage_record_from_wire(record)?.into())
    }
}

impl From<Core> for UsageRecord {
    fn from(record: Core) -> Self {
        let (price_name, price_version) = record.price.unzip();
        Self {
            id: record.id.to_string(),
            started_at: record.started_at.to_string(),
            user_id: record.user_id.to_string(),
            key_id: record.key_id.to_string(),
            provider_id: record.provider_id.map(|id| id.to_string()),
            dialect: record.dialect,
            model: record.model,
            model_served: record.model_served,
            stream: record.stream,
            status: record.status,
            outcome: record.outcome.as_str(),
            code: record.code,
            tokens: Tokens::from(&record.tokens),
            web_searches: record.tokens.web_searches,
            tier: rate::tier_name(record.tokens.tier),
            estimated: record.estimated,
            cost_usd: record.cost.to_string(),
            cost_nanousd: record.cost.0,
            price_name,
            price_version,
            cost_multiplier: record.cost_multiplier.to_string(),
            unpriced: record
                .unpriced
                .map(penstock_core::setting::UnpricedAction::as_str),
            duration_ms: record.duration_ms,
            first_byte_ms: record.first_byte_ms,
            attempts: record.attempts,
            session: record.session,
            revision: record.revision,
            node_id: record.node_id,
            upstream_request_id: record.upstream_request_id,
        }
    }
}

impl Row for UsageRecord {
    const COLUMNS: &'static [&'static str] = &[
        "STARTED", "MODEL", "STATUS", "OUTCOME", "INPUT", "OUTPUT", "COST USD", "MS", "ID",
    ];

    fn cells(&self) -> Vec<String> {
        let estimated = if self.estimated { "~" } else { "" };
        vec![
            self.started_at.clone(),
            or_dash(Some(&self.model)),
            self.status.to_string(),
            self.outcome.to_owned(),
            format!("{estimated}{}", self.tokens.input_tokens),
            format!("{estimated}{}", self.tokens.output_tokens),
            self.cost_usd.clone(),
            self.duration_ms.to_string(),
            self.id.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::id::{KeyId, RequestId, UserId};
    use penstock_core::money::{Millionths, NanoUsd};
    use penstock_core::time::UnixMs;
    use penstock_core::usage::{Outcome, TokenUsage};

    use super::*;

    fn record() -> UsageRecord {
        let core = Core {
            admitted_at: None,
            id: RequestId::from_parts(1, &[1; 10]),
            started_at: UnixMs(1_700_000_000_000),
            user_id: UserId::from_parts(1, &[1; 10]),
            key_id: KeyId::from_parts(1, &[1; 10]),
            provider_id: None,
            dialect: "anthropic".into(),
            model: "m".into(),
            model_served: "m".into(),
            stream: true,
            status: 499,
            outcome: Outcome::ClientAbort,
            code: None,
            tokens: TokenUsage {
                input: 40,
                ..TokenUsage::default()
            },
            estimated: true,
            cost: NanoUsd(5_000),
            price: Some(("m".into(), 3)),
            cost_multiplier: Millionths::ONE,
            duration_ms: 9,
            first_byte_ms: None,
            attempts: 1,
            session: None,
            revision: 7,
            node_id: "n".into(),
            upstream_request_id: None,
            unpriced: None,
            decision: None,
        };
        UsageRecord::read(convert::usage_record_to_wire(&core)).unwrap()
    }

    #[test]
    fn e01_a_record_shows_tokens_by_class_price_and_outcome() {
        let json = serde_json::to_value(record()).unwrap();
        assert_eq!(
            (&json["outcome"], &json["status"]),
            (&"client_abort".into(), &499.into())
        );
        assert_eq!(
            (&json["estimated"], &json["input_tokens"]),
            (&true.into(), &40.into())
        );
        assert_eq!(
            (&json["price_name"], &json["price_version"]),
            (&"m".into(), &3.into())
        );
        assert_eq!(
            (&json["cost_usd"], &json["cost_nanousd"]),
            (&"0.000005".into(), &5_000.into())
        );
    }

    #[test]
    fn estimated_tokens_are_marked() {
        let cells = record().cells();
        assert_eq!(cells[4], "~40");
        assert_eq!(cells.len(), UsageRecord::COLUMNS.len());
    }
}
