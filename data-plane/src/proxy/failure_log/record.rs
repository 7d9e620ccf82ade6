//! The records themselves.

use penstock_core::failed_call::{
    self, AnswerFacts, AttemptFacts, BodyFacts, ErrorType, FailedCall, LoggedAttempt, RetryReason, UNKNOWN,
    UNKNOWN_MARK,
};
use penstock_core::failure::{Category, ErrorClass};
use penstock_core::usage::Outcome;
use penstock_dialect::facts::{Head, hash};

use super::super::call::{Call, Chosen};
use super::super::log::Chain;
use super::super::settle::{Bill, End};
use super::attempt::{FailedAttempt, cut, shown_uri};
use super::hint_of;
use crate::clock::{self, whole_ms};

/// Attempts that a record lists.
const MAX_LISTED: usize = 20;

/// Of an attempt that is not the one the caller is told of.
pub(super) fn of_attempt(call: &Call, failed: &FailedAttempt) -> FailedCall {
    let mut record = common(call);
    record.about(call, failed);
    record.r#final = false;
    record.status_code = failed.status.unwrap_or_default();
    record.duration_ms = whole_ms(call.ended());
    record.attempt.retry_count = count(failed.at);
    record.attempt.retry_reason = Some(failed.reason);
    record.finished()
}

/// Of a call that has ended. `told`: the attempt whose error the caller got.
pub(super) fn of_call(
    call: &Call,
    end: &End<'_>,
    bill: &Bill,
    told: Option<&FailedAttempt>,
    retried: Option<RetryReason>,
) -> FailedCall {
    let mut record = common(call);
    match told {
        Some(failed) => record.about(call, failed),
        None => record.about_end(call, end),
    }
    record.code = end.code.map(|code| code.entry().text.to_owned());
    record.status_code = end.status;
    record.attempt.retry_count = count(call.attempts.len().saturating_sub(1));
    record.attempt.retry_reason = retried;
    record.attempt.request_attempts_log = attempts(call);
    record.answer = answer(call, end, bill, record.answer);
    record.finished()
}

/// What all records of a call have.
fn common(call: &Call) -> FailedCall {
    let notes = &call.failure;
    let head = notes.head.as_deref();
    let mut facts = head.map(|head| head.facts.clone()).unwrap_or_default();
    facts.client_ip = call.arrival.address.map(|address| address.to_string());
    let text = |of: fn(&Head) -> &String| head.map_or_else(|| UNKNOWN.to_owned(), |head| of(head).clone());
    let user = call.key.key.user_id;
    let hidden = call.snapshot.logging().hash_user_ids;
    FailedCall {
        timestamp: clock::now().0,
        trace_id: head
            .and_then(|head| head.trace_id.clone())
            .unwrap_or_else(|| call.arrival.id.0.simple().to_string()),
        request_id: UNKNOWN.to_owned(),
        http_status_code: None,
        error_type: UNKNOWN.to_owned(),
        error_type_mark: None,
        error_message: UNKNOWN.to_owned(),
        model: match call.asked.model.as_str() {
            "" => UNKNOWN.to_owned(),
            model => model.to_owned(),
        },
        model_served: None,
        endpoint: UNKNOWN.to_owned(),
        client_sdk_version: text(|head| &head.sdk_version),
        sdk_language_runtime: text(|head| &head.runtime),
        penstock_request_id: call.arrival.id,
        number: notes.number,
        r#final: true,
        error_class: ErrorClass::SystemError,
        error_category: Category::Server,
        code: None,
        user_id: (!hidden).then_some(user),
        user_id_hash: hidden.then(|| hash_of_user(user)),
        key_id: call.key.id,
        provider_id: None,
        provider_chain: Chain(&call.attempts).to_string(),
        session_id: call.asked.session.map(|session| session.to_string()),
        duration_ms: whole_ms(call.stopwatch.elapsed()),
        status_code: 0,
        status_family: String::new(),
        data_plane: call.proxy.app.node_id.to_string(),
        dialect: call.dialect.as_str().to_owned(),
        head: facts,
        body: body(call),
        attempt: AttemptFacts {
            proxy_used: head.and_then(|head| Some(format!("via {}", head.via.as_deref()?))),
            ..AttemptFacts::default()
        },
        answer: AnswerFacts {
            stream_mode: call.asked.stream,
            ..AnswerFacts::default()
        },
    }
}

/// The stand-in of a user's id in logs.
pub(in crate::proxy) fn hash_of_user(user: penstock_core::id::UserId) -> String {
    hash(user.to_string().as_bytes())
}

/// As it was read from the body; else what the inspection of a request counts anyway.
fn body(call: &Call) -> BodyFacts {
    if let Some(body) = &call.failure.body {
        return (**body).clone();
    }
    let counts = call.asked.counts.as_ref();
    BodyFacts {
        messages_count: counts.map(|counts| counts.messages),
        tools_count: counts.map(|counts| counts.tools),
        max_tokens_requested: counts.and_then(|counts| counts.max_output),
        ..BodyFacts::default()
    }
}

/// What the caller had of the answer when it broke off.
fn answer(call: &Call, end: &End<'_>, bill: &Bill, known: AnswerFacts) -> AnswerFacts {
    let begun = call.first_byte.is_some() && call.asked.stream && end.outcome != Outcome::UpstreamError;
    if !begun {
        return known;
    }
    let tokens = (!bill.used.is_empty()).then_some(bill.used.output);
    AnswerFacts {
        stream_error_occurred: end.outcome == Outcome::Interrupted,
        stream_chunks_received: Some(call.failure.events),
        output_tokens: tokens.filter(|_| !bill.estimated),
        output_tokens_estimated: tokens.filter(|_| bill.estimated),
        response_content_types: vec!["text/event-stream".to_owned()],
        ..known
    }
}

fn attempts(call: &Call) -> Vec<LoggedAttempt> {
    let attempts = call.attempts.iter().take(MAX_LISTED);
    let logged = attempts.map(|attempt| LoggedAttempt {
        provider: attempt.provider.provider.name.clone(),
        start_ms: whole_ms(attempt.began),
        duration_ms: whole_ms(attempt.took),
        status: attempt.end.status(),
        end: attempt.end.word().to_owned(),
        class: attempt.finding.as_ref().map(|(class, _)| *class),
        reason: attempt.finding.as_ref().map(|(_, why)| why.to_string()),
    });
    logged.collect()
}

fn count(attempts: usize) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX)
}

/// What is known of a provider without its answer.
trait About {
    fn about(&mut self, call: &Call, failed: &FailedAttempt);
    fn about_end(&mut self, call: &Call, end: &End<'_>);
    fn at(&mut self, call: &Call, chosen: &Chosen);
    fn finished(self) -> Self;
}

impl About for FailedCall {
    /// This attempt's error is told.
    fn about(&mut self, call: &Call, failed: &FailedAttempt) {
        self.at(call, &failed.provider);
        self.request_id.clone_from(&failed.request_id);
        self.http_status_code = failed.status;
        self.error_type.clone_from(&failed.error_type);
        self.error_message.clone_from(&failed.message);
        self.endpoint.clone_from(&failed.endpoint);
        self.error_class = failed.class;
        self.error_category = failed.category;
        self.head.custom_headers.extend(failed.headers.clone());
        self.attempt.provider_key_hint.clone_from(&failed.hint);
        self.attempt.error_param.clone_from(&failed.param);
        self.attempt.response_time_ms = Some(whole_ms(failed.took));
        self.answer.response_content_types = failed.content_type.iter().cloned().collect();
    }

    /// No attempt's error is told: the call was refused, its stream broke, or its caller left.
    fn about_end(&mut self, call: &Call, end: &End<'_>) {
        if let Some(chosen) = &call.chosen {
            self.at(call, chosen);
            self.attempt.provider_key_hint = hint_of(chosen);
            self.request_id = call
                .upstream_request_id
                .clone()
                .unwrap_or_else(|| UNKNOWN.to_owned());
            if let Some(uri) = &call.failure.sent_to {
                self.endpoint = shown_uri(uri);
            }
            let last = call.attempts.last();
            self.http_status_code = last.and_then(|last| last.end.status());
            self.attempt.response_time_ms = last.map(|last| whole_ms(last.took));
        }
        let error_type = match (end.outcome, end.code) {
            (Outcome::ClientAbort, _) => ErrorType::ClientAbort,
            (Outcome::Interrupted, _) => ErrorType::StreamInterrupted,
            (_, Some(code)) => ErrorType::from(code),
            (_, None) => ErrorType::InternalError,
        };
        (self.error_class, self.error_category) = match (error_type, end.code) {
            (ErrorType::ClientAbort, _) => (ErrorClass::ClientAbort, Category::Client),
            (ErrorType::StreamInterrupted, _) => (ErrorClass::SystemError, Category::Network),
            (_, Some(code)) => failed_call::class_of(code),
            (_, None) => (ErrorClass::SystemError, Category::Server),
        };
        self.error_type = error_type.as_str().to_owned();
        self.error_message = cut(end.error.as_deref().unwrap_or(UNKNOWN).to_owned());
    }

    fn at(&mut self, call: &Call, chosen: &Chosen) {
        let provider = &chosen.provider.provider;
        self.provider_id = Some(chosen.provider.id);
        let served = chosen.model_sent(call);
        self.model_served = (served != call.asked.model).then(|| served.to_owned());
        if let Some(proxy) = &provider.outbound.proxy {
            let (scheme, host) = (proxy.scheme.as_str(), &proxy.host);
            self.attempt.proxy_used = Some(format!("{scheme}://{host}"));
        }
    }

    fn finished(mut self) -> Self {
        let unknown = !failed_call::is_known(&self.error_type);
        self.error_type_mark = unknown.then(|| UNKNOWN_MARK.to_owned());
        self.status_family = failed_call::family(self.status_code);
        self
    }
}
