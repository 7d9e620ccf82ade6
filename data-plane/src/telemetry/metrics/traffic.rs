//! Callers' requests: how many, how long, what they used.

use std::time::Duration;

use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use penstock_core::money::NanoUsd;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::usage::decision::AttemptEnd;
use penstock_core::usage::{Outcome, TokenUsage};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;
use super::labels::{AttemptLabels, CodeLabel, DialectLabel, ProviderLabels, RequestLabels, TokenLabels};

/// From a tenth of a second, where short answers are, to an hour, where streams end.
const CALL_SECONDS: [f64; 14] = [
    0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0,
];
/// The gateway's own share, from 20 microseconds.
const OVERHEAD_SECONDS: [f64; 13] = [
    0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5,
];

#[derive(Clone, Debug)]
pub(super) struct CallSeconds;

impl MetricConstructor<Histogram> for CallSeconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(CALL_SECONDS)
    }
}

/// A request under way; dropping it ends the count.
#[derive(Debug)]
#[must_use = "dropping it ends the request in the count"]
pub struct InFlight(Gauge);

#[derive(Debug)]
pub(super) struct TrafficMetrics {
    requests: Family<RequestLabels, Counter>,
    refusals: Family<CodeLabel, Counter>,
    in_flight: Gauge,
    duration: Family<DialectLabel, Histogram, CallSeconds>,
    first_byte: Family<DialectLabel, Histogram, CallSeconds>,
    overhead: Histogram,
    attempts: Family<AttemptLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    cost: Family<ProviderLabels, Counter>,
}

impl TrafficMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            refusals: Family::default(),
            in_flight: Gauge::default(),
            duration: Family::new_with_constructor(CallSeconds),
            first_byte: Family::new_with_constructor(CallSeconds),
            overhead: Histogram::new(OVERHEAD_SECONDS),
            attempts: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
        };
        metrics.register(registry);
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Requests that ended", self.requests.clone());
        registry.register(
            "errors",
            "Errors of Penstock's own, by code",
            self.refusals.clone(),
        );
        registry.register("requests_in_flight", "Requests under way", self.in_flight.clone());
        registry.register_with_unit(
            "request_duration",
            "Whole calls as callers saw them",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register_with_unit(
            "first_byte",
            "From the request to the first answer byte to the caller",
            Unit::Seconds,
            self.first_byte.clone(),
        );
        registry.register_with_unit(
            "overhead",
            "Calls without the time spent waiting for upstreams and callers",
            Unit::Seconds,
            self.overhead.clone(),
        );
        registry.register(
            "upstream_attempts",
            "Attempts at providers",
            self.attempts.clone(),
        );
        registry.register("tokens", "Tokens used, by class", self.tokens.clone());
        registry.register("cost_nanousd", "Cost in nano-USD", self.cost.clone());
    }
}

impl Metrics {
    /// A request began.
    pub fn in_flight(&self) -> InFlight {
        self.traffic.in_flight.inc();
        InFlight(self.traffic.in_flight.clone())
    }

    /// Requests under way now.
    pub fn requests_in_flight(&self) -> u32 {
        u32::try_from(self.traffic.in_flight.get()).unwrap_or(0)
    }

    /// A request ended. `dialect` is None when the path named none.
    pub fn request(&self, dialect: Option<Dialect>, outcome: Outcome, status: u16) {
        let labels = RequestLabels::new(dialect, outcome, status);
        self.traffic.requests.get_or_create(&labels).inc();
        self.node.count_request();
    }

    /// A caller got an error of ours.
    pub fn error(&self, code: Code) {
        let label = CodeLabel {
            code: code.entry().text,
        };
        self.traffic.refusals.get_or_create(&label).inc();
    }

    /// A whole call took this long.
    pub fn duration(&self, dialect: Dialect, duration: Duration) {
        let label = DialectLabel {
            dialect: dialect.as_str(),
        };
        let family = &self.traffic.duration;
        family.get_or_create(&label).observe(duration.as_secs_f64());
    }

    /// The first answer byte went to the caller this long after the request.
    pub fn first_byte(&self, dialect: Dialect, duration: Duration) {
        let label = DialectLabel {
            dialect: dialect.as_str(),
        };
        let family = &self.traffic.first_byte;
        family.get_or_create(&label).observe(duration.as_secs_f64());
    }

    /// The gateway's own share of a call.
    pub fn overhead_seconds(&self, duration: Duration) {
        self.traffic.overhead.observe(duration.as_secs_f64());
    }

    /// One attempt at a provider ended.
    pub fn attempt(&self, provider: &ProviderEntry, end: AttemptEnd) {
        let labels = ProviderLabels::new(provider).end(end);
        self.traffic.attempts.get_or_create(&labels).inc();
    }

    /// A call used these tokens. `reasoning`, sound and pictures are parts of others: a sum leaves them out.
    pub fn tokens(&self, provider: &ProviderEntry, used: &TokenUsage) {
        let classes = [
            ("input", used.input),
            ("output", used.output),
            ("cache_read", used.cache_read),
            ("cache_write", used.cache_write),
            ("cache_write_1h", used.cache_write_1h),
            ("cache_write_12h", used.cache_write_12h),
            ("reasoning", used.reasoning),
            ("audio_input", used.audio_input),
            ("image_input", used.image_input),
            ("audio_output", used.audio_output),
            ("image_output", used.image_output),
        ];
        for (class, tokens) in classes.into_iter().filter(|(_, tokens)| *tokens > 0) {
            let labels = ProviderLabels::new(provider).class(class);
            self.traffic.tokens.get_or_create(&labels).inc_by(tokens);
        }
    }

    /// A call cost this much. Credits do not count backwards.
    pub fn cost(&self, provider: &ProviderEntry, cost: NanoUsd) {
        let labels = ProviderLabels::new(provider);
        let amount = u64::try_from(cost.0).unwrap_or(0);
        self.traffic.cost.get_or_create(&labels).inc_by(amount);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
