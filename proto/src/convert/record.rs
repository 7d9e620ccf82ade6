//! Usage records.
//!
//! A decision that this release cannot read, since a newer data plane made it, is left out: the record itself must not be
//! lost for it.

use penstock_core::invalid::Invalid;
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::setting::UnpricedAction;
use penstock_core::time::UnixMs;
use penstock_core::usage::{TokenUsage, UsageRecord};

use super::decision::{decision_from_wire, decision_to_wire};
use super::enums::{
    outcome_from_wire, outcome_to_wire, service_tier_from_wire, service_tier_to_wire,
    unpriced_action_from_wire, unpriced_action_to_wire,
};
use super::{id, non_empty, required};
use crate::telemetry::v1 as wire;

/// Writes a record.
pub fn usage_record_to_wire(record: &UsageRecord) -> wire::UsageRecord {
    let (price_name, price_version) = record.price.clone().unwrap_or_default();
    wire::UsageRecord {
        id: record.id.to_string(),
        started_at_ms: record.started_at.0,
        user_id: record.user_id.to_string(),
        key_id: record.key_id.to_string(),
        provider_id: record.provider_id.map(|id| id.to_string()).unwrap_or_default(),
        dialect: record.dialect.clone(),
        model: record.model.clone(),
        model_served: record.model_served.clone(),
        stream: record.stream,
        status: record.status.into(),
        outcome: outcome_to_wire(record.outcome),
        code: record.code.clone().unwrap_or_default(),
        tokens: Some(tokens_to_wire(&record.tokens)),
        estimated: record.estimated,
        cost_nanousd: record.cost.0,
        price_name,
        price_version,
        cost_multiplier_millionths: record.cost_multiplier.0,
        duration_ms: record.duration_ms,
        first_byte_ms: record.first_byte_ms,
        attempts: record.attempts,
        session: record.session.clone().unwrap_or_default(),
        revision: record.revision,
        node_id: record.node_id.clone(),
        upstream_request_id: record.upstream_request_id.clone().unwrap_or_default(),
        unpriced: record.unpriced.map_or(0, unpriced_action_to_wire),
        admitted_at_ms: record.admitted_at.map(|at| at.0),
        decision: record.decision.as_deref().map(decision_to_wire),
    }
}

/// Reads a record.
pub fn usage_record_from_wire(record: wire::UsageRecord) -> Result<UsageRecord, Invalid> {
    let unpriced: Option<UnpricedAction> = match record.unpriced {
        0 => None,
        value => Some(unpriced_action_from_wire("unpriced", value)?),
    };
    Ok(UsageRecord {
        id: id("id", &record.id)?,
        started_at: UnixMs(record.started_at_ms),
        admitted_at: record.admitted_at_ms.map(UnixMs),
        user_id: id("user_id", &record.user_id)?,
        key_id: id("key_id", &record.key_id)?,
        provider_id: non_empty(&record.provider_id)
            .map(|text| id("provider_id", &text))
            .transpose()?,
        dialect: record.dialect,
        model: record.model,
        model_served: record.model_served,
        stream: record.stream,
        status: u16::try_from(record.status).map_err(|_| Invalid::new("status", "is too large"))?,
        outcome: outcome_from_wire("outcome", record.outcome)?,
        code: non_empty(&record.code),
        tokens: tokens_from_wire(required("tokens", record.tokens)?)?,
        estimated: record.estimated,
        cost: NanoUsd(record.cost_nanousd),
        price: non_empty(&record.price_name).map(|name| (name, record.price_version)),
        cost_multiplier: Millionths(record.cost_multiplier_millionths),
        duration_ms: record.duration_ms,
        first_byte_ms: record.first_byte_ms,
        attempts: record.attempts,
        session: non_empty(&record.session),
        revision: record.revision,
        node_id: record.node_id,
        upstream_request_id: non_empty(&record.upstream_request_id),
        unpriced,
        decision: record
            .decision
            .and_then(|decision| decision_from_wire(decision).ok())
            .map(Box::new),
    })
}

fn tokens_to_wire(tokens: &TokenUsage) -> wire::TokenUsage {
    wire::TokenUsage {
        input: tokens.input,
        output: tokens.output,
        cache_read: tokens.cache_read,
        cache_write: tokens.cache_write,
        cache_write_1h: tokens.cache_write_1h,
        cache_write_12h: tokens.cache_write_12h,
        reasoning: tokens.reasoning,
        audio_input: tokens.audio_input,
        image_input: tokens.image_input,
        audio_output: tokens.audio_output,
        image_output: tokens.image_output,
        web_searches: tokens.web_searches,
        tier: service_tier_to_wire(tokens.tier),
        factors: tokens.factors.clone(),
    }
}

fn tokens_from_wire(tokens: wire::TokenUsage) -> Result<TokenUsage, Invalid> {
    Ok(TokenUsage {
        input: tokens.input,
        output: tokens.output,
        cache_read: tokens.cache_read,
        cache_write: tokens.cache_write,
        cache_write_1h: tokens.cache_write_1h,
        cache_write_12h: tokens.cache_write_12h,
        reasoning: tokens.reasoning,
        audio_input: tokens.audio_input,
        image_input: tokens.image_input,
        audio_output: tokens.audio_output,
        image_output: tokens.image_output,
        web_searches: tokens.web_searches,
        tier: service_tier_from_wire("tokens.tier", tokens.tier)?,
        factors: tokens.factors,
    })
}
