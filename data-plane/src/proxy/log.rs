//! The line that every call leaves (behaviour G14).
//!
//! One event of the target `penstock::call` a call: `info` when it went well, `warn` when the caller is to blame or
//! went away, `error` when a provider or Penstock is. No bodies, no credentials; texts of providers come masked.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use penstock_core::time::UnixMs;
use penstock_core::usage::Outcome;
use tracing::{Level, field};

use super::call::Call;
use super::decision::Attempted;
use super::error::Refusal;
use super::failure_log::hash_of_user;
use super::settle::{Bill, End};
use super::stopwatch::Arrival;
use crate::clock::whole_ms;

/// Lets one line a second through and counts the others.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// Unix second of the last line.
    last: AtomicU64,
    skipped: AtomicU64,
}

/// The attempts of a call: `main:529 > backup:200`.
pub(super) struct Chain<'a>(pub(super) &'a [Attempted]);

/// How much the end of a call matters to operators.
pub(super) fn level(end: &End<'_>) -> Level {
    match (end.outcome, end.status) {
        (Outcome::Succeeded, _) => Level::INFO,
        (Outcome::Interrupted | Outcome::Failed, _) | (_, 500..) => Level::ERROR,
        (Outcome::UpstreamError | Outcome::ClientAbort | Outcome::Rejected, _) => Level::WARN,
    }
}

/// Writes a record of the failure log (see [`super::failure_log`]): a JSON object.
pub(super) fn failure(level: Level, msg: &str, record: &str) {
    macro_rules! write {
        ($level:expr) => {
            tracing::event!(target: "penstock::failure", $level, members = record, "{msg}")
        };
    }
    match level {
        Level::ERROR => write!(Level::ERROR),
        _ => write!(Level::WARN),
    }
}

/// Writes the line of a call that has ended.
pub(super) fn call(call: &Call, end: &End<'_>, bill: &Bill, level: Level) {
    let hidden = call.snapshot.logging().hash_user_ids;
    let user_hash = hidden.then(|| hash_of_user(call.key.key.user_id));
    macro_rules! write {
        ($level:expr) => {
            tracing::event!(
                target: "penstock::call",
                $level,
                request_id = %call.arrival.id,
                dialect = call.dialect.as_str(),
                user_id = (!hidden).then(|| field::display(call.key.key.user_id)),
                user_id_hash = user_hash.as_deref(),
                key_id = %call.key.id,
                provider_id = call.chosen.as_ref().map(|chosen| field::display(chosen.provider.id)),
                session_id = call.asked.session.map(field::display),
                members = nulls(call, end),
                model = call.asked.model,
                stream = call.asked.stream,
                status_code = end.status,
                code = end.code.map(|code| code.entry().text),
                error = end.error.as_deref(),
                duration_ms = whole_ms(call.stopwatch.elapsed()),
                first_byte_ms = call.first_byte.map(whole_ms),
                provider_chain = %Chain(&call.attempts),
                upstream_request_id = call.upstream_request_id,
                input_tokens = bill.used.prompt(),
                output_tokens = bill.used.output,
                cost_usd = %bill.cost,
                "call {}",
                end.outcome.as_str()
            )
        };
    }
    match level {
        Level::ERROR => write!(Level::ERROR),
        Level::WARN => write!(Level::WARN),
        _ => write!(Level::INFO),
    }
}

/// The fields that every line has, where they are empty.
fn nulls(call: &Call, end: &End<'_>) -> &'static str {
    match (
        call.chosen.is_none(),
        call.asked.session.is_none(),
        end.error.is_none(),
    ) {
        (false, false, false) => "{}",
        (true, false, false) => r#"{"provider_id":null}"#,
        (false, true, false) => r#"{"session_id":null}"#,
        (true, true, false) => r#"{"provider_id":null,"session_id":null}"#,
        (false, false, true) => r#"{"error":null}"#,
        (true, false, true) => r#"{"provider_id":null,"error":null}"#,
        (false, true, true) => r#"{"session_id":null,"error":null}"#,
        (true, true, true) => r#"{"provider_id":null,"session_id":null,"error":null}"#,
    }
}

impl Sampler {
    /// Says that somebody came with no key that is known here; a flood of them fills nothing.
    pub(super) fn unknown_key(&self, arrival: &Arrival, headers: &HeaderMap, refusal: &Refusal) {
        let Some(skipped) = self.pass(arrival.at) else {
            return;
        };
        let agent = headers
            .get(http::header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        tracing::warn!(
            target: "penstock::call",
            request_id = %arrival.id,
            status_code = refusal.status(),
            client_ip = %arrival.address.map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            error = refusal.error.message,
            user_agent = %format_args!("{:.100}", agent.unwrap_or_default()),
            skipped,
            "call rejected: no key of this installation"
        );
    }

    /// How many were skipped since the last one, if this one may pass.
    fn pass(&self, now: UnixMs) -> Option<u64> {
        let second = u64::try_from(now.0).unwrap_or_default() / 1000;
        if self.last.swap(second, Ordering::Relaxed) == second {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.skipped.swap(0, Ordering::Relaxed))
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, attempt) in self.0.iter().enumerate() {
            let arrow = if i == 0 { "" } else { " > " };
            write!(f, "{arrow}{}:", attempt.provider.provider.name)?;
            match attempt.end.status() {
                Some(status) => write!(f, "{status}")?,
                None => f.write_str(attempt.end.word())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e01_a_flood_of_bad_keys_leaves_one_line_a_second() {
        let sampler = Sampler::default();
        assert_eq!(sampler.pass(UnixMs(5_000)), Some(0));
        for ms in 5_001..5_100 {
            assert_eq!(sampler.pass(UnixMs(ms)), None);
        }
        assert_eq!(sampler.pass(UnixMs(6_000)), Some(99));
    }
}
