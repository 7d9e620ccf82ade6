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
struct Chain<'a>(&'a [Attempted]);

/// Writes the line of a call that has ended.
pub(super) fn call(call: &Call, end: &End<'_>, bill: &Bill) {
    let level = match (end.outcome, end.status) {
        (Outcome::Succeeded, _) => Level::INFO,
        (Outcome::Interrupted | Outcome::Failed, _) | (_, 500..) => Level::ERROR,
        (Outcome::UpstreamError | Outcome::ClientAbort | Outcome::Rejected, _) => Level::WARN,
    };
    macro_rules! write {
        ($level:expr) => {
            tracing::event!(
                target: "penstock::call",
                $level,
                request_id = %call.arrival.id,
                dialect = call.dialect.as_str(),
                user_id = %call.key.key.user_id,
                key_id = %call.key.id,
                provider_id = call.chosen.as_ref().map(|chosen| field::display(chosen.provider.id)),
                session_id = call.asked.session.map(field::display),
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
