//! Settings of the whole installation, pushed to data planes like any other resource.

mod drained_nodes;
mod fallbacks;
mod http_debug;
mod logging;
mod notifications;
mod observability;
mod retention;
mod routing;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::price::Rate;
use crate::secret::Secret;
use crate::time::UnixMs;

pub use fallbacks::ModelFallback;
pub use http_debug::{DebugSubject, DebugWindow, HttpDebug, MAX_MS as MAX_DEBUG_MS, Shown};
pub use logging::{LogLevel, LoggingPolicy};
pub use notifications::NotificationPolicy;
pub use observability::{MAX_METRICS_OF_KEYS, ObservabilityPolicy};
pub use retention::RetentionPolicy;
pub use routing::RoutingPolicy;

/// One setting. Its name identifies the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// What happens to a call for a model without a price.
    Unpriced(UnpricedPolicy),
    /// Whether a refusal for want of a provider names the providers and why each was passed over.
    ExplainRefusals(bool),
    /// How limits are enforced as a whole.
    Limits(LimitsPolicy),
    /// How providers are tried.
    Routing(RoutingPolicy),
    /// What may be asked for instead when nobody serves a model. Empty: nothing.
    ModelFallbacks(Vec<ModelFallback>),
    /// What operators are told of. Control planes alone go by it.
    Notifications(NotificationPolicy),
    /// Whether operators of the role `user` may create, rotate and delete keys of their own. Data planes have no use for it.
    SelfService(bool),
    /// What is logged.
    Logging(LoggingPolicy),
    /// Which HTTP traffic is written out for a while. Changed by `penstock debug`.
    HttpDebug(HttpDebug),
    /// How long records are kept.
    Retention(RetentionPolicy),
    /// Data planes, by id, that are not to be ready. Changed by `penstock node drain`.
    DrainedNodes(Vec<String>),
    /// What is observed beyond what costs nothing.
    Observability(ObservabilityPolicy),
}

/// How limits are enforced as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsPolicy {
    /// False: nothing is refused for a limit, but everything is still counted (behaviour D8).
    pub enabled: bool,
    /// When they are enforced again by themselves. None: when an operator says so.
    pub off_until: Option<UnixMs>,
    /// What holds while Redis is away.
    pub degraded: Degraded,
    /// The status of `QUOTA_EXCEEDED`: 429 or 402.
    pub quota_status: u16,
}

/// What holds while the fleet's counters cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// Each data plane enforces its share in its own memory.
    #[default]
    Local,
    /// Everything passes.
    Open,
    /// Calls that have a limit are refused with 503 `LIMITS_UNAVAILABLE`.
    Closed,
}

/// What happens to a call for a model without a price. Never silently free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpricedPolicy {
    pub action: UnpricedAction,
    /// For [`UnpricedAction::ChargeDefault`]. Empty: the dearest price of the provider's platform.
    pub default_rates: Vec<Rate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedAction {
    /// Refuse with 503 `MODEL_UNPRICED`.
    Reject,
    ChargeDefault,
    Free,
}

/// A constant that another relay appended to keys before hashing them.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct ImportSuffix {
    pub secret: Secret,
}

impl Default for UnpricedPolicy {
    fn default() -> Self {
        Self {
            action: UnpricedAction::ChargeDefault,
            default_rates: Vec::new(),
        }
    }
}

impl Default for LimitsPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            off_until: None,
            degraded: Degraded::default(),
            quota_status: 429,
        }
    }
}

impl LimitsPolicy {
    /// Whether limits refuse calls now.
    pub fn enforced(&self, now: UnixMs) -> bool {
        self.enabled || self.off_until.is_some_and(|until| now >= until)
    }

    fn validate(self) -> Result<(), Invalid> {
        match self.quota_status {
            402 | 429 => Ok(()),
            other => Err(Invalid::new(
                "limits.quota_status",
                format!("{other} is neither 429 nor 402"),
            )),
        }
    }
}

impl Degraded {
    pub const ALL: [Self; 3] = [Self::Local, Self::Open, Self::Closed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl UnpricedAction {
    pub const ALL: [Self; 3] = [Self::Reject, Self::ChargeDefault, Self::Free];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::ChargeDefault => "charge_default",
            Self::Free => "free",
        }
    }
}

impl Setting {
    /// Every setting at its default.
    pub fn defaults() -> [Self; 12] {
        [
            Self::Unpriced(UnpricedPolicy::default()),
            Self::ExplainRefusals(false),
            Self::Limits(LimitsPolicy::default()),
            Self::Routing(RoutingPolicy::default()),
            Self::ModelFallbacks(Vec::new()),
            Self::Notifications(NotificationPolicy::default()),
            Self::SelfService(false),
            Self::Logging(LoggingPolicy::default()),
            Self::HttpDebug(HttpDebug::default()),
            Self::Retention(RetentionPolicy::default()),
            Self::DrainedNodes(Vec::new()),
            Self::Observability(ObservabilityPolicy::default()),
        ]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Unpriced(_) => "unpriced",
            Self::ExplainRefusals(_) => "explain_refusals",
            Self::Limits(_) => "limits",
            Self::Routing(_) => "routing",
            Self::ModelFallbacks(_) => "model_fallbacks",
            Self::Notifications(_) => "notifications",
            Self::SelfService(_) => "self_service",
            Self::Logging(_) => "logging",
            Self::HttpDebug(_) => "http_debug",
            Self::Retention(_) => "retention",
            Self::DrainedNodes(_) => "drained_nodes",
            Self::Observability(_) => "observability",
        }
    }

    /// The lowest schema that knows it.
    pub fn required_schema(&self) -> u32 {
        match self {
            Self::Unpriced(_) | Self::ExplainRefusals(_) | Self::Limits(_) => 1,
            Self::Routing(_) | Self::ModelFallbacks(_) => 3,
            Self::Notifications(_)
            | Self::SelfService(_)
            | Self::Logging(_)
            | Self::HttpDebug(_)
            | Self::Retention(_)
            | Self::DrainedNodes(_)
            | Self::Observability(_) => 5,
        }
    }

    /// Whether the setting of this name is changed by commands of its own, which ask for other roles and set bounds, and by
    /// nothing else: no file, no rollback.
    pub fn is_run_time(name: &str) -> bool {
        matches!(name, "http_debug" | "drained_nodes")
    }

    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Unpriced(policy) => Rate::validate_all("unpriced.default_rates", &policy.default_rates),
            Self::ExplainRefusals(_) | Self::SelfService(_) => Ok(()),
            Self::Limits(policy) => policy.validate(),
            Self::Routing(policy) => policy.validate(),
            Self::ModelFallbacks(fallbacks) => fallbacks::validate_all(fallbacks),
            Self::Notifications(policy) => policy.validate(),
            Self::Logging(policy) => policy.validate(),
            Self::HttpDebug(debug) => debug.validate(),
            Self::Retention(policy) => policy.validate(),
            Self::DrainedNodes(nodes) => drained_nodes::validate(nodes),
            Self::Observability(policy) => policy.validate(),
        }
    }
}
