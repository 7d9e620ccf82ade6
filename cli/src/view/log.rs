//! Calls of the log, and records of failures.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Row, View, fields, or_dash};
use crate::failure::Failure;

/// One call.
#[derive(Debug, Serialize)]
pub(crate) struct LoggedCall {
    pub request_id: String,
    pub started_at: String,
    pub user: String,
    pub key: String,
    /// None when no provider was asked.
    pub provider: Option<String>,
    pub user_id: String,
    pub key_id: String,
    pub provider_id: Option<String>,
    pub session: Option<String>,
    pub dialect: String,
    pub model: String,
    pub model_served: Option<String>,
    pub stream: bool,
    pub status: u32,
    /// None: the call makes no record in the ledger.
    pub outcome: Option<String>,
    pub code: Option<String>,
    pub duration_ms: u32,
    pub first_byte_ms: Option<u32>,
    pub attempts: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: String,
    pub cost_nanousd: i64,
    pub data_plane: String,
    /// Of a failed call.
    pub error_type: Option<String>,
    pub error_class: Option<String>,
    pub error_message: Option<String>,
    pub provider_chain: Option<String>,
}

/// The records of one failed call, as they were logged.
#[derive(Debug, Serialize)]
pub(crate) struct FailureRecords {
    /// In order; the last one is the call's own.
    pub items: Vec<Json>,
}

impl From<wire::LoggedCall> for LoggedCall {
    fn from(call: wire::LoggedCall) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            request_id: call.request_id,
            started_at: UnixMs(call.started_at_ms).to_string(),
            user: call.user,
            key: call.key,
            provider: some(call.provider),
            user_id: call.user_id,
            key_id: call.key_id,
            provider_id: some(call.provider_id),
            session: some(call.session),
            dialect: call.dialect,
            model: call.model,
            model_served: some(call.model_served),
            stream: call.stream,
            status: call.status,
            outcome: some(call.outcome),
            code: some(call.code),
            duration_ms: call.duration_ms,
            first_byte_ms: call.first_byte_ms,
            attempts: call.attempts,
            input_tokens: call.input_tokens,
            output_tokens: call.output_tokens,
            cost_usd: NanoUsd(call.cost_nanousd).to_string(),
            cost_nanousd: call.cost_nanousd,
            data_plane: call.data_plane,
            error_type: some(call.error_type),
            error_class: some(call.error_class),
            error_message: some(call.error_message),
            provider_chain: some(call.provider_chain),
        }
    }
}

impl LoggedCall {
    /// What went wrong, in a few words.
    fn error(&self) -> String {
        let kind = self.error_type.as_deref().or(self.code.as_deref());
        match (kind, self.error_message.as_deref()) {
            (Some(kind), Some(message)) => format!("{kind}: {}", shortened(message)),
            (Some(kind), None) => kind.to_owned(),
            (None, _) => String::new(),
        }
    }
}

impl Row for LoggedCall {
    const COLUMNS: &'static [&'static str] = &[
        "STARTED",
        "STATUS",
        "MS",
        "KEY",
        "PROVIDER",
        "MODEL",
        "REQUEST ID",
        "ERROR",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.started_at.clone(),
            self.status.to_string(),
            self.duration_ms.to_string(),
            self.key.clone(),
            or_dash(self.provider.as_deref()),
            or_dash(Some(&self.model)),
            self.request_id.clone(),
            self.error(),
        ]
    }
}

impl FailureRecords {
    pub(crate) fn read(records: &[String]) -> Result<Self, Failure> {
        let items = records.iter().map(|record| serde_json::from_str(record));
        Ok(Self {
            items: items.collect::<Result<_, _>>().map_err(Failure::other)?,
        })
    }
}

impl View for FailureRecords {
    fn table(&self) -> String {
        let (attempts, own): (Vec<_>, Vec<_>) =
            self.items.iter().partition(|record| record["final"] == false);
        let mut parts: Vec<_> = own.into_iter().map(|record| text(record, &FIRST)).collect();
        for (at, attempt) in attempts.iter().enumerate() {
            parts.push(format!(
                "attempt {} that failed before:\n{}",
                at + 1,
                text(attempt, &OF_ATTEMPT)
            ));
        }
        parts.join("\n\n")
    }
}

/// What people look for first.
const FIRST: [&str; 12] = [
    "msg",
    "error_type",
    "error_message",
    "error_class",
    "code",
    "status_code",
    "http_status_code",
    "provider_chain",
    "model",
    "endpoint",
    "penstock_request_id",
    "request_id",
];
/// What differs between attempts.
const OF_ATTEMPT: [&str; 9] = [
    "error_type",
    "error_message",
    "error_class",
    "http_status_code",
    "retry_reason",
    "provider_id",
    "endpoint",
    "response_time_ms",
    "request_id",
];

/// The named fields first; of the call's own record all others behind them.
fn text(record: &Json, first: &[&str]) -> String {
    let Some(members) = record.as_object() else {
        return record.to_string();
    };
    let named = first.iter().filter_map(|name| Some((*name, members.get(*name)?)));
    let others = members
        .iter()
        .filter(|(name, _)| record["final"] == true && !first.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value));
    let pairs: Vec<_> = named
        .chain(others)
        .map(|(name, value)| (name, plain(value)))
        .collect();
    fields(&pairs)
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => "-".to_owned(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => value.to_string(),
    }
}

fn shortened(message: &str) -> String {
    const MOST: usize = 80;
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or(line)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_a_failed_call_says_in_its_row_what_went_wrong() {
        let call = LoggedCall::from(wire::LoggedCall {
            request_id: "id".into(),
            status: 529,
            error_type: "overloaded_error".into(),
            error_message: "x".repeat(100),
            ..wire::LoggedCall::default()
        });
        let cells = call.cells();
        assert_eq!(cells.len(), LoggedCall::COLUMNS.len());
        assert!(cells[7].starts_with("overloaded_error: xxx") && cells[7].ends_with('…'));
        assert_eq!(cells[4], "-");
    }

    #[test]
    fn g06_a_failure_shows_the_call_and_then_its_attempts() {
        let records = [
            r#"{"final":false,"error_type":"a","retry_reason":"timeout","trace_id":"t"}"#.to_owned(),
            r#"{"final":true,"error_type":"b","tool_names":["f","g"],"trace_id":"t"}"#.to_owned(),
        ];
        let text = FailureRecords::read(&records).unwrap().table();
        let (own, attempt) = text.split_once("attempt 1").unwrap();
        assert!(
            own.contains("error_type:  b") && own.contains("trace_id:"),
            "{own}"
        );
        assert!(
            attempt.contains("timeout") && !attempt.contains("trace_id"),
            "{attempt}"
        );
    }
}
