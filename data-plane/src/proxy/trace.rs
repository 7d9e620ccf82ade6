//! A call as OpenTelemetry sees it: a span with a child for each attempt, and its place in the GenAI histograms.
//!
//! The call's span is a server's, since callers are served here; an attempt's is a client's. Usage stands at the call's
//! span alone, so that a sum over spans counts it once. Attributes are those of the GenAI conventions, and ours where
//! those have none (`penstock.…`); there are names, ids, counts and times, and nothing that was said. What a provider
//! wrote (the model it names) is masked. Spans are made when the call is settled.

use std::time::Duration;

use http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::ProviderKind;
use penstock_core::usage::Outcome;
use penstock_core::usage::decision::AttemptEnd;
use penstock_dialect::mask::mask_text;

use super::call::Call;
use super::decision::Attempted;
use super::settle::{Bill, End};
use crate::clock;
use crate::telemetry::otlp::Otlp;
use crate::telemetry::otlp::context::Trace;
use crate::telemetry::otlp::figures::Labels;
use crate::telemetry::otlp::value::{number, text};

/// A span has a remote parent or none of our process: bit 8 says that it is known, bit 9 that it is remote.
const KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;
const SAMPLED: u32 = 1;
/// Of what a provider calls its model.
const MAX_TEXT: usize = 256;

/// A call of a known key begins. Where nothing is exported and no provider told, there is no trace.
pub(super) fn begin(call: &mut Call, headers: &HeaderMap) {
    let otlp = call.proxy.app.otlp.as_ref();
    if otlp.is_none() && !call.snapshot.observability().trace_to_providers {
        return;
    }
    let sample = otlp.map(|otlp| otlp.sample());
    let own = *call.arrival.id.0.as_bytes();
    let trace = Trace::begin(headers, own, clock::span_id(), sample);
    call.trace = Some(Box::new(trace));
}

/// Tells a provider the trace, if the operator wants that.
pub(super) fn tell(call: &Call, headers: &mut HeaderMap) {
    if let Some(trace) = &call.trace
        && call.snapshot.observability().trace_to_providers
    {
        trace.tell(headers, call.attempts.len(), call.proxy.app.otlp.is_some());
    }
}

/// The call has ended.
pub(super) fn ended(call: &Call, end: &End<'_>, bill: &Bill, elapsed: Duration) {
    let Some(otlp) = &call.proxy.app.otlp else { return };
    if !call.endpoint.goes_upstream() {
        return;
    }
    observe(otlp, call, end, bill, elapsed);
    let Some(trace) = call.trace.as_ref().filter(|trace| trace.sampled) else {
        return;
    };
    for (at, attempt) in call.attempts.iter().enumerate() {
        let is_last = at + 1 == call.attempts.len() && attempt.finding.is_none();
        let took = match is_last {
            true => elapsed.saturating_sub(attempt.began),
            false => attempt.took,
        };
        otlp.span(of_attempt(call, trace, (at, attempt), took));
    }
    otlp.span(of_call(call, trace, end, bill, elapsed));
}

fn observe(otlp: &Otlp, call: &Call, end: &End<'_>, bill: &Bill, elapsed: Duration) {
    let Some(chosen) = call.chosen.as_ref().filter(|_| call.endpoint.is_metered()) else {
        return;
    };
    let labels = Labels {
        operation: operation(call),
        provider: vendor(chosen.provider.provider.kind),
        request_model: call.asked.model.clone(),
        response_model: response_model(call),
        error: error(end),
    };
    let used = &bill.used;
    otlp.figures()
        .observe(labels, elapsed.as_secs_f64(), (used.prompt(), used.output));
}

fn of_call(call: &Call, trace: &Trace, end: &End<'_>, bill: &Bill, elapsed: Duration) -> Span {
    let (operation, model) = (operation(call), call.asked.model.as_str());
    let mut attributes = vec![
        text("http.request.method", "POST"),
        number("http.response.status_code", end.status),
        text("gen_ai.operation.name", operation),
        text("penstock.request.id", call.arrival.id.to_string()),
        text("penstock.key.id", call.key.id.to_string()),
        text("penstock.dialect", call.dialect.as_str()),
        number("penstock.attempts", call.attempts.len()),
    ];
    if !call.snapshot.logging().hash_user_ids {
        attributes.push(text("penstock.user.id", call.key.key.user_id.to_string()));
    }
    let given = |key, value: &str| (!value.is_empty()).then(|| text(key, value));
    attributes.extend(given("gen_ai.request.model", model));
    let session = call.asked.session.map(|session| session.to_string());
    attributes.extend(session.and_then(|session| given("gen_ai.conversation.id", &session)));
    let most = call.asked.counts.and_then(|counts| counts.max_output);
    attributes.extend(most.map(|most| number("gen_ai.request.max_tokens", most)));
    if let Some(chosen) = &call.chosen {
        attributes.push(text(
            "gen_ai.provider.name",
            vendor(chosen.provider.provider.kind),
        ));
    }
    attributes.extend(response_model(call).map(|model| text("gen_ai.response.model", model)));
    attributes.extend(usage(bill));
    attributes.extend(error(end).map(|error| text("error.type", error)));
    let parent = trace.parent.map_or(KNOWN, |_| KNOWN | REMOTE);
    Span {
        span_id: trace.span.to_vec(),
        parent_span_id: trace.parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        flags: parent | SAMPLED,
        kind: SpanKind::Server.into(),
        status: status(end.outcome == Outcome::Failed || end.status >= 500),
        attributes,
        ..span(
            call,
            trace,
            format!("{operation} {model}"),
            (Duration::ZERO, elapsed),
        )
    }
}

fn of_attempt(call: &Call, trace: &Trace, (at, attempt): (usize, &Attempted), took: Duration) -> Span {
    let provider = &attempt.provider.provider;
    let asked = attempt.substitute.as_deref().unwrap_or(&call.asked.model);
    let (operation, model) = (operation(call), provider.upstream_model(asked));
    let mut attributes = vec![
        text("gen_ai.operation.name", operation),
        text("gen_ai.provider.name", vendor(provider.kind)),
        text("gen_ai.request.model", model),
        text("penstock.provider.id", attempt.provider.id.to_string()),
        text("penstock.provider.name", provider.name.as_str()),
    ];
    if let AttemptEnd::Answered(status) = attempt.end {
        attributes.push(number("http.response.status_code", status));
    }
    attributes.extend(attempt.sent_to.as_ref().map(server).into_iter().flatten());
    let failed = attempt.finding.is_some() || attempt.end == AttemptEnd::Abandoned;
    if failed {
        let error = attempt.end.status();
        let error = error.map_or_else(|| attempt.end.word().to_owned(), |status| status.to_string());
        attributes.push(text("error.type", error));
    }
    Span {
        span_id: trace.attempt(at).to_vec(),
        parent_span_id: trace.span.to_vec(),
        flags: KNOWN | SAMPLED,
        kind: SpanKind::Client.into(),
        status: status(failed),
        attributes,
        ..span(call, trace, format!("{operation} {model}"), (attempt.began, took))
    }
}

/// What all spans of a call have; times are since it arrived.
fn span(call: &Call, trace: &Trace, name: String, (began, took): (Duration, Duration)) -> Span {
    let arrived = Duration::from_millis(u64::try_from(call.arrival.at.0).unwrap_or(0));
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let state = trace.state.as_ref().and_then(|state| state.to_str().ok());
    Span {
        trace_id: trace.id.to_vec(),
        trace_state: state.unwrap_or_default().to_owned(),
        name: name.trim_end().to_owned(),
        start_time_unix_nano: nanos(arrived + began),
        end_time_unix_nano: nanos(arrived + began + took),
        ..Span::default()
    }
}

fn status(failed: bool) -> Option<Status> {
    failed.then(|| Status {
        code: StatusCode::Error.into(),
        ..Status::default()
    })
}

/// The whole prompt is the input, as the conventions have it; what of it came from a cache is a part.
fn usage(bill: &Bill) -> Vec<KeyValue> {
    let used = &bill.used;
    if used.is_empty() {
        return Vec::new();
    }
    let written = used
        .prompt()
        .saturating_sub(used.input)
        .saturating_sub(used.cache_read);
    let parts = [
        ("gen_ai.usage.cache_read.input_tokens", used.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", written),
    ];
    let mut attributes = vec![
        number("gen_ai.usage.input_tokens", used.prompt()),
        number("gen_ai.usage.output_tokens", used.output),
        number("penstock.cost.nanousd", bill.cost.0),
    ];
    let parts = parts.into_iter().filter(|(_, tokens)| *tokens > 0);
    attributes.extend(parts.map(|(key, tokens)| number(key, tokens)));
    attributes
}

fn server(uri: &Uri) -> Vec<KeyValue> {
    let port = uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("http") => Some(80),
        _ => Some(443),
    });
    let host = uri.host().map(|host| text("server.address", host));
    host.into_iter()
        .chain(port.map(|port| number("server.port", port)))
        .collect()
}

/// None: the call succeeded.
fn error(end: &End<'_>) -> Option<String> {
    match (end.outcome, end.code) {
        (Outcome::Succeeded, _) => None,
        (_, Some(code)) => Some(code.entry().text.to_owned()),
        (Outcome::UpstreamError, None) => Some(end.status.to_string()),
        (outcome, None) => Some(outcome.as_str().to_owned()),
    }
}

fn response_model(call: &Call) -> Option<String> {
    let model: String = call.observer.model()?.chars().take(MAX_TEXT).collect();
    (!model.is_empty()).then(|| mask_text(model, &[call.secret()]))
}

fn operation(call: &Call) -> &'static str {
    let ask = call.endpoint.ask().map(|ask| ask.operation);
    match (ask.unwrap_or_default(), call.dialect) {
        (Operation::CountTokens, _) => "count_tokens",
        (Operation::Compact, _) => "compact",
        (Operation::Generate, Dialect::OpenaiEmbeddings) => "embeddings",
        (Operation::Generate, Dialect::Gemini) => "generate_content",
        (Operation::Generate, Dialect::Anthropic | Dialect::OpenaiChat | Dialect::OpenaiResponses) => "chat",
    }
}

/// As the conventions name them.
fn vendor(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Anthropic => "anthropic",
        ProviderKind::Openai | ProviderKind::OpenaiCompatible => "openai",
        ProviderKind::Gemini => "gcp.gemini",
        ProviderKind::AzureOpenai => "azure.ai.openai",
        ProviderKind::Bedrock => "aws.bedrock",
        ProviderKind::Vertex => "gcp.vertex_ai",
        ProviderKind::Droid => "factory.droid",
    }
}
