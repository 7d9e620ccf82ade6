//! The end of a call: usage, cost, record, metrics, log; in this order, once.
//!
//! Usage is what the answer reported; where it ended before its last word, or had none about it, the output is estimated
//! from what was relayed and the prompt from what was sent: a caller who hangs up early has used it all the same. The record goes into the spool before this returns.

use std::borrow::Cow;

use penstock_core::error::Code;
use penstock_core::failure::{self, Finding};
use penstock_core::health::Sent;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage};
use penstock_fleet::Grant;
use penstock_fleet::counters::RecordNumber;

use super::call::Call;
use super::usual::Estimate;
use super::{affinity, decision, log, record, trace};
use crate::clock;
use crate::limits::{self, Used};

/// Of a request's body; rough on purpose, since tokenising costs more than the request.
const BYTES_PER_TOKEN: usize = 4;
/// No model reads more; a body with images is much longer than what it counts for, tokens.
const MAX_FORESEEN: u64 = 1_000_000;

/// How a call ended, as whoever ended it knows.
#[derive(Clone, Debug)]
pub(super) struct End<'a> {
    pub(super) outcome: Outcome,
    /// What the caller saw.
    pub(super) status: u16,
    /// When the caller got an error of ours.
    pub(super) code: Option<Code>,
    /// For the log; masked.
    pub(super) error: Option<Cow<'a, str>>,
}

/// What the call used and what that costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Bill {
    pub(super) used: TokenUsage,
    pub(super) estimated: bool,
    pub(super) cost: NanoUsd,
}

impl End<'_> {
    pub(super) fn succeeded() -> Self {
        Self {
            outcome: Outcome::Succeeded,
            status: 200,
            code: None,
            error: None,
        }
    }
}

impl Call {
    /// Ends the call. Doing it again changes nothing.
    pub(super) fn settle(&mut self, end: &End<'_>) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let (bill, elapsed) = (self.bill(end.outcome), self.stopwatch.elapsed());
        let mut number = None;
        let app = &self.proxy.app;
        if self.endpoint.is_metered() && self.makes_a_record(end.outcome) {
            let mut record = record::of(self, end, &bill, elapsed);
            record.decision = Some(Box::new(decision::of(self, elapsed)));
            // The spool counts and says what it cannot keep.
            number = match self.admission {
                Some(_) => app.spool.append(&record),
                None => app.spool.append_refused(&record),
            }
            .unwrap_or_default();
        }
        let metrics = &app.metrics;
        metrics.request(Some(self.dialect), end.outcome, end.status);
        metrics.duration(self.dialect, elapsed);
        if let Some(code) = end.code {
            metrics.error(code);
        }
        if let Some(after) = self.first_byte {
            metrics.first_byte(self.dialect, after);
        }
        if let Some(overhead) = self.stopwatch.overhead() {
            metrics.overhead_seconds(overhead);
        }
        if let Some(chosen) = self.chosen.as_ref().filter(|_| !bill.used.is_empty()) {
            metrics.tokens(&chosen.provider, &bill.used);
            metrics.cost(&chosen.provider, bill.cost);
        }
        // An error that is passed on is no answer.
        if self.first_byte.is_some()
            && let Some(last) = self.attempts.last().filter(|last| last.finding.is_none())
        {
            let ended = elapsed.saturating_sub(last.began);
            metrics.answered(&last.provider, last.took, ended);
        }
        let keys = self.snapshot.observability().metrics_of_keys;
        if self.endpoint.is_metered() {
            let of = (self.key.id, self.key.key.user_id);
            metrics.key_used(keys, of, end.outcome, &bill.used, bill.cost);
        }
        if let Some(affinity) = self.affinity.told() {
            metrics.affinity(affinity.as_str(), affinity::cost_of_move(self, &bill.used));
        }
        let level = log::level(end);
        log::call(self, end, &bill, level);
        trace::ended(self, end, &bill, elapsed);
        self.record_failure(end, &bill, level);
        self.opened = None;
        self.settle_health(end.outcome);
        self.settle_limits(end.outcome, &bill, number);
    }

    /// Tells how the provider did, and ends a trial that this call was. Only models say whether it is well: counting tokens
    /// works elsewhere, and often.
    fn settle_health(&mut self, outcome: Outcome) {
        let answered = self.endpoint.is_metered() && outcome == Outcome::Succeeded;
        if let Some(chosen) = self.chosen.as_ref().filter(|_| answered) {
            let health = &self.proxy.app.health;
            let sent = Sent {
                at: self.sent_at(),
                trial: self.is_trial,
            };
            let asked = (&*chosen.provider, chosen.model(self));
            health.succeeded(asked, self.key.id, sent, clock::now());
        }
        self.trial = None;
    }

    /// When the last attempt was sent.
    fn sent_at(&self) -> UnixMs {
        let attempt = self.attempts.last();
        let began = attempt.map_or(0, |attempt| clock::whole_ms(attempt.began));
        // Both are cut to whole milliseconds; together they may be one short.
        self.arrival.at.plus_ms(u64::from(began) + 1)
    }

    /// The provider's answer broke off after it had begun.
    pub(super) fn broke(&mut self) {
        self.failed_at_provider(&failure::of_interruption(), clock::now());
    }

    /// Tells what the present provider's failure means for it: for each provider at most one failure of this call, with
    /// whatever substitutes it was asked for.
    pub(super) fn failed_at_provider(&mut self, finding: &Finding, now: UnixMs) {
        let Some(chosen) = self.chosen.as_ref().filter(|_| !self.settled) else {
            return;
        };
        let provider = &chosen.provider;
        if finding.is_failure() {
            if !self.endpoint.is_metered() || self.charged.contains(&provider.id) {
                return;
            }
            self.charged.push(provider.id);
        }
        let health = &self.proxy.app.health;
        let asked = (&**provider, chosen.model(self));
        health.failed(&self.snapshot, asked, (self.key.id, self.sent_at()), finding, now);
    }

    /// Books what the call used with its limits. `number`: of its record in the spool.
    fn settle_limits(&mut self, outcome: Outcome, bill: &Bill, number: Option<u64>) {
        let provider_grant = self.provider_grant.take();
        let Some(admission) = self.admission.take().filter(|_| self.endpoint.is_metered()) else {
            return;
        };
        let app = &self.proxy.app;
        let spool = app.spool.id();
        let used = Used {
            request: self.arrival.id,
            admitted_at: admission
                .grant
                .as_ref()
                .map_or(self.arrival.at, Grant::admitted_at),
            tokens: limits::counted_tokens(&bill.used),
            cost: bill.cost,
            record: number.map(|number| RecordNumber { spool, number }),
        };
        let user = self.snapshot.user(self.key.key.user_id);
        let known = user
            .filter(|_| admission.grant.is_some())
            .map(|user| (user, &self.key));
        limits::settle_user(app, (self.key.key.user_id, self.key.id), known, &used);
        if let Some(chosen) = &self.chosen {
            let request = provider_grant.as_ref().map_or(used.request, |held| held.id);
            let used = Used { request, ..used };
            limits::settle_provider(app, chosen.provider.id, provider_grant.is_some(), &used);
        }
        if outcome == Outcome::Succeeded {
            let prompt = u64::try_from(self.asked.prompt_bytes).unwrap_or(u64::MAX);
            let learnt = Estimate::of(&bill.used, bill.cost);
            self.proxy
                .usual
                .learn(self.key.id, &self.asked.model, prompt, learnt);
        }
    }

    /// The present attempt failed: what it held of its provider's limits is given back.
    pub(super) fn give_back_provider(&mut self) {
        let (Some(held), Some(chosen)) = (self.provider_grant.take(), &self.chosen) else {
            return;
        };
        let used = Used {
            request: held.id,
            admitted_at: held.grant.admitted_at(),
            tokens: 0,
            cost: NanoUsd(0),
            record: None,
        };
        limits::settle_provider(&self.proxy.app, chosen.provider.id, true, &used);
    }

    /// A caller that went away before a provider was asked leaves no record: nothing was used and nothing refused.
    fn makes_a_record(&self, outcome: Outcome) -> bool {
        outcome != Outcome::ClientAbort || self.chosen.is_some()
    }

    /// What the call will have used at least, before its answer says so: its prompt, without any output.
    pub(super) fn foreseen(&self) -> Bill {
        let Some(chosen) = &self.chosen else {
            return Bill::default();
        };
        let used = TokenUsage {
            input: self.prompt_tokens(),
            ..TokenUsage::default()
        };
        Bill {
            cost: chosen
                .tariff
                .charge(&used, chosen.provider.provider.cost_multiplier),
            used,
            estimated: true,
        }
    }

    fn prompt_tokens(&self) -> u64 {
        let tokens = self.asked.prompt_bytes.div_ceil(BYTES_PER_TOKEN);
        u64::try_from(tokens).unwrap_or(u64::MAX).min(MAX_FORESEEN)
    }

    fn bill(&self, outcome: Outcome) -> Bill {
        let Some(chosen) = self.chosen.as_ref().filter(|_| self.endpoint.is_metered()) else {
            return Bill::default();
        };
        let (mut used, mut estimated) = match outcome {
            Outcome::Succeeded | Outcome::Interrupted | Outcome::ClientAbort => self.observer.settled(),
            Outcome::UpstreamError | Outcome::Rejected | Outcome::Failed => return Bill::default(),
        };
        if !self.observer.has_input() && self.is_with_provider() {
            let cached = used.cache_read.saturating_add(used.cache_write);
            used.input = self.prompt_tokens().saturating_sub(cached);
            estimated = true;
        }
        // What was withheld for want of a strict budget was not handed on, and is not charged. Where nothing was, the
        // provider's own numbers stand.
        let watched = self.admission.as_ref().and_then(|admission| admission.watched);
        if let Some(watched) = watched.filter(|watched| watched.withheld && used.output > watched.held) {
            used.output = watched.held;
            used.reasoning = used.reasoning.min(used.output);
            used.audio_output = used.audio_output.min(used.output);
            used.image_output = used.image_output.min(used.output - used.audio_output);
            estimated = true;
        }
        let multiplier = chosen.provider.provider.cost_multiplier;
        Bill {
            cost: chosen.tariff.charge(&used, multiplier),
            used,
            estimated,
        }
    }
}
