//! One call of a known key: what later phases need, and the promise that its record is made.
//!
//! It comes into being when the key is known. Whoever ends the call settles it; if nobody does, because the caller's
//! connection went away or something panicked, dropping it does.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::credential::Credential;
use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use penstock_core::failure::{Class, Finding};
use penstock_core::id::ProviderId;
use penstock_core::provider::Request;
use penstock_core::session::SessionId;
use penstock_core::setting::Shown;
use penstock_core::snapshot::{KeyEntry, ProviderEntry, Snapshot};
use penstock_core::usage::Outcome;
use penstock_core::usage::decision::AttemptEnd;
use penstock_dialect::inspect::Inspected;
use penstock_dialect::route::{self, Endpoint, Matched};
use penstock_dialect::usage::Observer;
use penstock_fleet::Lease;
use tokio::time::Instant;

use super::Proxy;
use super::admit::Admission;
use super::affinity::Affinity;
use super::decision::{Attempted, Notes};
use super::failed::Failed;
use super::failure_log::{FailedAttempt, FailureNotes};
use super::late::Begun;
use super::pricing::Tariff;
use super::provider_limits::ProviderGrant;
use super::settle::End;
use super::stopwatch::{Arrival, Stopwatch};
use crate::telemetry::otlp::context::Trace;
use crate::telemetry::spool::OpenHandle;

/// What a client that went away counts as.
pub(super) const CLIENT_CLOSED: u16 = 499;

/// See the module.
pub(super) struct Call {
    pub(super) proxy: Arc<Proxy>,
    /// Decides the whole call.
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) arrival: Arrival,
    pub(super) dialect: Dialect,
    pub(super) endpoint: Endpoint,
    pub(super) key: Arc<KeyEntry>,
    /// Empty until the body was inspected.
    pub(super) asked: Asked,
    /// The provider of the present attempt.
    pub(super) chosen: Option<Chosen>,
    /// The attempts that have ended.
    pub(super) attempts: Vec<Attempted>,
    /// Reads the answer of the present attempt.
    pub(super) observer: Observer,
    pub(super) upstream_request_id: Option<String>,
    /// Until the first answer byte went to the caller.
    pub(super) first_byte: Option<Duration>,
    pub(super) stopwatch: Stopwatch,
    /// What was taken before the call and is settled after it.
    pub(super) admission: Option<Admission>,
    /// What the present attempt holds of its provider's limits.
    pub(super) provider_grant: Option<ProviderGrant>,
    /// Of the spool, once an answer has begun.
    pub(super) opened: Option<OpenHandle>,
    pub(super) settled: bool,
    /// What became of the session's binding.
    pub(super) affinity: Affinity,
    /// For its decision record.
    pub(super) notes: Notes,
    /// The trial of a half-open breaker, while nobody else may be it.
    pub(super) trial: Option<Lease>,
    /// The present attempt is such a trial.
    pub(super) is_trial: bool,
    /// Set when the answer has begun as a stream before there was one.
    pub(super) begun: Option<Begun>,
    /// Providers whose breakers know of a failure of this call.
    pub(super) charged: Vec<ProviderId>,
    /// Since when the present attempt lasts.
    attempting: Option<Instant>,
    /// For its failure records.
    pub(super) failure: FailureNotes,
    /// What of the present attempt is written out. None, nearly always: nothing.
    pub(super) shown: Option<Shown>,
    /// None where nothing is exported and no provider told.
    pub(super) trace: Option<Box<Trace>>,
}

/// What the body asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) session: Option<SessionId>,
    /// Of the decoded body.
    pub(super) prompt_bytes: usize,
    /// None until the body was inspected.
    pub(super) counts: Option<Counts>,
}

/// What the body counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) tools: u64,
    pub(super) max_output: Option<u64>,
}

impl Counts {
    pub(super) fn of(inspected: &Inspected) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            messages: count(inspected.messages),
            tools: count(inspected.tools),
            max_output: inspected.max_output,
        }
    }
}

/// The provider of an attempt, what it is asked for and what it is charged by.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) provider: Arc<ProviderEntry>,
    pub(super) tariff: Tariff,
    /// The dialect that it is spoken to in; the caller's, unless the call is translated.
    pub(super) spoken: Dialect,
    /// The substitute for the model that was asked; what rules and the provider's health go by.
    substitute: Option<Arc<str>>,
}

impl Chosen {
    /// `model` is `asked` or a substitute for it.
    pub(super) fn new(
        provider: Arc<ProviderEntry>,
        tariff: Tariff,
        spoken: Dialect,
        (model, asked): (&str, &str),
    ) -> Self {
        Self {
            provider,
            tariff,
            spoken,
            substitute: (model != asked).then(|| model.into()),
        }
    }

    /// The model that is looked for, by the name that clients use.
    pub(super) fn model<'a>(&'a self, call: &'a Call) -> &'a str {
        self.substitute.as_deref().unwrap_or(&call.asked.model)
    }

    /// The model that the provider is asked for.
    pub(super) fn model_sent<'a>(&'a self, call: &'a Call) -> &'a str {
        let model = self.model(call);
        self.provider.provider.upstream_model(model)
    }

    /// The provider's credential; to be masked, should the provider repeat it.
    pub(super) fn secret(&self) -> &str {
        let credential = self.provider.credential.as_ref();
        credential.map_or("", Credential::presented)
    }
}

impl Call {
    /// The present provider's credential; empty when there is none.
    pub(super) fn secret(&self) -> &str {
        self.chosen.as_ref().map_or("", Chosen::secret)
    }

    pub(super) fn new(
        proxy: &Arc<Proxy>,
        snapshot: &Arc<Snapshot>,
        arrival: Arrival,
        matched: Matched,
        key: Arc<KeyEntry>,
    ) -> Self {
        Self {
            proxy: Arc::clone(proxy),
            snapshot: Arc::clone(snapshot),
            arrival,
            dialect: matched.dialect,
            endpoint: matched.endpoint,
            key,
            asked: Asked::default(),
            chosen: None,
            attempts: Vec::new(),
            observer: Observer::new(matched.dialect),
            upstream_request_id: None,
            first_byte: None,
            stopwatch: Stopwatch::new(&arrival),
            admission: None,
            provider_grant: None,
            opened: None,
            settled: false,
            affinity: Affinity::default(),
            notes: Notes::default(),
            trial: None,
            is_trial: false,
            begun: None,
            charged: Vec::new(),
            attempting: None,
            failure: FailureNotes::default(),
            shown: None,
            trace: None,
        }
    }

    /// What decides who can be asked.
    pub(super) fn request(&self) -> Request {
        route::request(&self.endpoint, self.dialect)
    }

    /// An attempt begins.
    pub(super) fn begin_attempt(&mut self, chosen: Chosen) {
        self.record_retried();
        (self.failure.sent_to, self.failure.answered) = (None, None);
        self.observer = Observer::new(chosen.spoken);
        self.upstream_request_id = None;
        self.chosen = Some(chosen);
        self.attempting = Some(Instant::now());
        // The open entry is of this attempt's provider.
        self.opened = None;
    }

    /// The present attempt ended with an answer of this status.
    pub(super) fn attempt_answered(&mut self, status: u16) {
        self.attempt_ended(AttemptEnd::Answered(status), None);
    }

    /// The present attempt failed. What it used is not charged, also when there is no other one.
    pub(super) fn attempt_failed(&mut self, failed: &Failed, finding: &Finding) {
        self.observer = Observer::new(self.dialect);
        self.opened = None;
        let why = finding.rule.clone().unwrap_or_else(|| finding.row.into());
        self.attempt_ended(failed.as_end(), Some((finding.class, why)));
        if let Some(chosen) = &self.chosen {
            let seen = FailedAttempt::new(self, chosen, failed, finding);
            self.note_failed(seen);
        }
    }

    fn attempt_ended(&mut self, end: AttemptEnd, finding: Option<(Class, Arc<str>)>) {
        let (Some(began), Some(chosen)) = (self.attempting.take(), self.chosen.as_ref()) else {
            return;
        };
        self.proxy.app.metrics.attempt(&chosen.provider, end);
        let failed = finding.is_some();
        let upstream_request_id = self.upstream_request_id.as_deref().filter(|_| failed);
        self.attempts.push(Attempted {
            provider: Arc::clone(&chosen.provider),
            substitute: chosen.substitute.clone(),
            sent_to: self.is_exported().then(|| self.failure.sent_to.clone()).flatten(),
            end,
            began: began.saturating_duration_since(self.arrival.instant),
            took: began.elapsed(),
            finding,
            upstream_request_id: upstream_request_id.map(Into::into),
        });
    }

    /// Whether spans are made of it.
    pub(super) fn is_exported(&self) -> bool {
        self.proxy.app.otlp.is_some() && self.trace.as_ref().is_some_and(|trace| trace.sampled)
    }

    /// A provider has answered, or may be reading the prompt.
    pub(super) fn is_with_provider(&self) -> bool {
        self.attempting.is_some() || self.attempts.last().is_some_and(|last| last.finding.is_none())
    }

    /// What the caller sees: an answer that has begun keeps its 200.
    pub(super) fn status_seen(&self, status: u16) -> u16 {
        match self.begun.as_ref().is_some_and(Begun::is_set) {
            true => 200,
            false => status,
        }
    }

    /// The caller went away.
    pub(super) fn settle_left(&mut self) {
        self.settle(&End {
            outcome: Outcome::ClientAbort,
            status: CLIENT_CLOSED,
            code: None,
            error: Some("CLIENT_ABORT: the caller went away".into()),
        });
    }

    /// The answer begins now.
    pub(super) fn answer_begins(&mut self) {
        self.stopwatch.stop();
        self.first_byte = Some(self.stopwatch.elapsed());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.attempt_ended(AttemptEnd::Abandoned, None);
        if self.first_byte.is_some() && self.observer.may_end() && !std::thread::panicking() {
            // Nothing was missing; the caller did not wait for the end of the connection.
            return self.settle(&End::succeeded());
        }
        if std::thread::panicking() {
            return self.settle(&End {
                outcome: Outcome::Failed,
                status: 500,
                code: Some(Code::InternalError),
                error: Some("the call's task panicked".into()),
            });
        }
        if self.proxy.app.drain.cut().is_cancelled() {
            let begun = self.first_byte.is_some();
            return self.settle(&End {
                outcome: if begun {
                    Outcome::Interrupted
                } else {
                    Outcome::Failed
                },
                status: if begun { 200 } else { 503 },
                code: None,
                error: Some("stream_interrupted: this node was stopped".into()),
            });
        }
        self.settle_left();
    }
}
