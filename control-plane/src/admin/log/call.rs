//! One call of the log, as operators get it: from the ledger what is there, else from the failure record.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::resource::ResourceRef;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_store::{FailedCallRow, LoggedCall};
use serde_json::Value as Json;

use crate::admin::labels;
use crate::context::Context;

pub(super) fn write(context: &Context, call: &LoggedCall) -> wire::LoggedCall {
    let mut written = match (&call.usage, &call.failure) {
        (Some(usage), _) => of_usage(usage),
        (None, Some(failure)) => of_failure(failure),
        (None, None) => wire::LoggedCall::default(),
    };
    if let Some(failure) = &call.failure {
        written.error_type.clone_from(&failure.error_type);
        written.error_class.clone_from(&failure.error_class);
        written.error_message = text(&failure.record, "error_message");
        written.provider_chain = text(&failure.record, "provider_chain");
    }
    written.request_id = call.id.to_string();
    named(context, written)
}

fn of_usage(usage: &UsageRecord) -> wire::LoggedCall {
    wire::LoggedCall {
        started_at_ms: usage.started_at.0,
        user_id: usage.user_id.to_string(),
        key_id: usage.key_id.to_string(),
        provider_id: usage.provider_id.map_or_else(String::new, |id| id.to_string()),
        session: usage.session.clone().unwrap_or_default(),
        dialect: usage.dialect.clone(),
        model: usage.model.clone(),
        model_served: usage.model_served.clone(),
        stream: usage.stream,
        status: usage.status.into(),
        outcome: usage.outcome.as_str().to_owned(),
        code: usage.code.clone().unwrap_or_default(),
        duration_ms: usage.duration_ms,
        first_byte_ms: usage.first_byte_ms,
        attempts: usage.attempts,
        input_tokens: usage.tokens.prompt(),
        output_tokens: usage.tokens.output,
        cost_nanousd: usage.cost.0,
        data_plane: usage.node_id.clone(),
        ..wire::LoggedCall::default()
    }
}

fn of_failure(failure: &FailedCallRow) -> wire::LoggedCall {
    let record = &failure.record;
    wire::LoggedCall {
        started_at_ms: failure.started_at.0,
        user_id: failure.user_id.to_string(),
        key_id: failure.key_id.to_string(),
        provider_id: failure.provider_id.map_or_else(String::new, |id| id.to_string()),
        session: failure.session.clone().unwrap_or_default(),
        dialect: text(record, "dialect"),
        model: failure.model.clone(),
        model_served: text(record, "model_served"),
        stream: record
            .get("stream_mode")
            .and_then(Json::as_bool)
            .unwrap_or_default(),
        status: failure.status.into(),
        code: text(record, "code"),
        duration_ms: failure.duration_ms,
        attempts: attempts(record),
        data_plane: failure.node_id.clone(),
        ..wire::LoggedCall::default()
    }
}

fn attempts(record: &Json) -> u32 {
    let listed = record.get("request_attempts_log").and_then(Json::as_array);
    u32::try_from(listed.map_or(0, Vec::len)).unwrap_or(u32::MAX)
}

fn text(record: &Json, field: &str) -> String {
    let text = record.get(field).and_then(Json::as_str);
    text.unwrap_or_default().to_owned()
}

/// With the names of now.
fn named(context: &Context, mut call: wire::LoggedCall) -> wire::LoggedCall {
    let name = |reference: Option<ResourceRef>, id: &str| {
        let name = reference.and_then(|reference| labels::name(&context.index, &reference));
        name.unwrap_or_else(|| id.to_owned())
    };
    call.user = name(
        call.user_id.parse::<UserId>().ok().map(ResourceRef::User),
        &call.user_id,
    );
    call.key = name(
        call.key_id.parse::<KeyId>().ok().map(ResourceRef::Key),
        &call.key_id,
    );
    let provider = call.provider_id.parse::<ProviderId>().ok();
    call.provider = name(provider.map(ResourceRef::Provider), &call.provider_id);
    call
}
