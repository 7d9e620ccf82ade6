//! The failure log (see [`penstock_core::failed_call`]): the records of a call that failed, and of its attempts that
//! failed before another one.
//!
//! A call that succeeds pays one small copy of a few headers, of streams only. All else is made when something has
//! failed: each failed attempt is noted with what was seen of it; the note becomes a record when the next attempt begins,
//! or when the call ends. The last record of a call is about what the caller was told, which may be an earlier attempt's
//! error.
//!
//! What the body asked is read from it when a provider was asked in vain. A call that Penstock refused itself, of which
//! there may be many in a second, tells the counts that its inspection knows anyway. Of a stream that breaks the request
//! is gone; what is known of it is kept in [`Kept`].

mod attempt;
mod record;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use penstock_core::failed_call::{BodyFacts, FailedCall, RetryReason};
use penstock_core::secret::Secret;
use penstock_core::usage::Outcome;
use penstock_dialect::credentials;
use penstock_dialect::facts::{self, Head, Kept};
use tracing::Level;

use super::call::{Call, Chosen};
use super::log;
use super::outgoing::Outgoing;
use super::settle::{Bill, End};
use crate::telemetry::failures::Line;

pub(super) use attempt::{FailedAttempt, shown_uri};
pub(super) use record::hash_of_user;

/// What a call holds for its failure records.
#[derive(Default)]
pub(super) struct FailureNotes {
    /// What the headers said, once something failed.
    head: Option<Box<Head>>,
    body: Option<Box<BodyFacts>>,
    /// Of a stream that has begun.
    kept: Option<Kept>,
    /// Where the present attempt was sent.
    pub(super) sent_to: Option<Uri>,
    /// The status that it was answered with.
    pub(super) answered: Option<u16>,
    failed: Vec<FailedAttempt>,
    /// Of `failed`, those that have their record.
    recorded: usize,
    /// Which attempt's error the caller is told, by its place among all attempts.
    pub(super) told: Option<usize>,
    /// Records made.
    number: u32,
    /// Events with data that the caller's stream had.
    pub(super) events: u64,
}

impl Call {
    /// The request is refused before a provider is asked, or has failed: what its headers say.
    pub(super) fn note_head(&mut self, headers: &HeaderMap, query: Option<&str>) {
        if self.failure.head.is_some() {
            return;
        }
        let mut head = facts::head(headers);
        head.facts.api_key_prefix = match self.key.key.hint.as_str() {
            "" => only_credential(headers, query),
            hint => Some(hint.to_owned()),
        };
        self.failure.head = Some(Box::new(head));
    }

    /// The request as it was sent to providers in vain.
    pub(super) fn note_request(&mut self, outgoing: &Outgoing) {
        self.note_head(&outgoing.headers, None);
        if self.failure.body.is_none() {
            self.failure.body = Some(Box::new(facts::body(&outgoing.asked)));
        }
    }

    /// A stream begins, and its request goes.
    pub(super) fn keep_head(&mut self, headers: &HeaderMap) {
        self.failure.kept = Some(Kept::of(headers));
    }

    /// An attempt failed.
    pub(super) fn note_failed(&mut self, failed: FailedAttempt) {
        self.failure.failed.push(failed);
    }

    /// Another attempt begins: those that failed before it get their records.
    pub(super) fn record_retried(&mut self) {
        while let Some(failed) = self.failure.failed.get(self.failure.recorded) {
            let record = record::of_attempt(self, failed);
            self.failure.recorded += 1;
            self.write(&record, Level::WARN, "attempt failed");
        }
    }

    /// The call ended. Nothing when it went well.
    pub(super) fn record_failure(&mut self, end: &End<'_>, bill: &Bill, level: Level) {
        if end.outcome == Outcome::Succeeded && end.status < 400 {
            return;
        }
        if self.failure.head.is_none()
            && let Some(kept) = self.failure.kept.take()
        {
            let mut head = kept.head();
            head.facts.api_key_prefix = Some(self.key.key.hint.clone()).filter(|hint| !hint.is_empty());
            self.failure.head = Some(Box::new(head));
        }
        let failed = std::mem::take(&mut self.failure.failed);
        let told = match end.outcome {
            Outcome::UpstreamError | Outcome::Failed => {
                let told = self
                    .failure
                    .told
                    .and_then(|at| failed.iter().find(|one| one.at == at));
                told.or_else(|| failed.last().filter(|last| last.at + 1 == self.attempts.len()))
            }
            Outcome::Succeeded | Outcome::Interrupted | Outcome::ClientAbort | Outcome::Rejected => None,
        };
        for other in failed.iter().skip(self.failure.recorded) {
            if told.is_none_or(|told| told.at != other.at) {
                let record = record::of_attempt(self, other);
                self.write(&record, Level::WARN, "attempt failed");
            }
        }
        let record = record::of_call(self, end, bill, told, last_reason(&failed, told));
        self.write(&record, level, &format!("call {}", end.outcome.as_str()));
    }

    /// Into the log and to the control plane.
    fn write(&mut self, record: &FailedCall, level: Level, msg: &str) {
        self.failure.number += 1;
        let json = record.to_json();
        log::failure(level, msg, &json);
        self.proxy.app.failures.put(Line {
            request_id: self.arrival.id,
            number: record.number,
            is_final: record.r#final,
            at: self.arrival.at,
            user_id: self.key.key.user_id,
            key_id: self.key.id,
            status: record.status_code,
            level,
            msg: msg.to_owned(),
            json,
        });
    }

    /// Since the request arrived, until the end of the last attempt.
    fn ended(&self) -> Duration {
        let last = self.attempts.last();
        last.map_or_else(|| self.stopwatch.elapsed(), |last| last.began + last.took)
    }
}

/// Why the last attempt before the one that is told was tried again.
fn last_reason(failed: &[FailedAttempt], told: Option<&FailedAttempt>) -> Option<RetryReason> {
    let before = |one: &&FailedAttempt| told.is_none_or(|told| one.at < told.at);
    failed.iter().rfind(before).map(|one| one.reason)
}

/// Of a key that is known by a hash alone, the credential, if only one was presented.
fn only_credential(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let presented = credentials::extract(headers, query);
    let mut all = presented.iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Some(Secret::new(one).hint()),
        (Some(_) | None, _) => None,
    }
}

/// Enough of a provider's credential to tell it from others.
fn hint_of(chosen: &Chosen) -> Option<String> {
    let secret = chosen.secret();
    (!secret.is_empty()).then(|| Secret::new(secret).hint())
}

/// The text without the secrets that its provider could repeat.
pub(super) fn masked_text(text: &[u8], chosen: &Chosen) -> String {
    String::from_utf8_lossy(&masked(text, chosen)).into_owned()
}

/// The texts that are taken out of whatever a provider says.
fn masked(text: &[u8], chosen: &Chosen) -> Bytes {
    let proxy = chosen.provider.proxy_password.as_ref().map_or("", Secret::expose);
    let masked = penstock_dialect::mask::mask(text, &[chosen.secret(), proxy]);
    Bytes::from(masked.into_owned())
}
