//! Providers: upstream accounts and endpoints.

mod active_hours;
mod breaker;
mod header;
mod kind;
mod outbound;
mod overrides;
mod probe;
mod proxy;
mod redirect;
mod shown;
mod speech;
mod timeouts;
mod url;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::invalid::Invalid;
use crate::limits::Limits;
use crate::model::ModelPattern;
use crate::money::Millionths;
use crate::name;
use crate::time::UnixMs;

pub use active_hours::{ActiveHours, ParseTimeOfDayError, TimeOfDay};
pub use breaker::BreakerSettings;
pub use header::{Header, is_header_name, is_header_value, is_reserved_header};
pub use kind::ProviderKind;
pub use outbound::{AddressFamily, Outbound};
pub use overrides::Override;
pub use probe::Probe;
pub use proxy::{OutboundProxy, ParseProxyError, ProxyScheme};
pub use redirect::Redirect;
pub(crate) use redirect::check_model;
pub use speech::Request;
pub use timeouts::Timeouts;

/// Base URLs of one provider.
pub const MAX_BASE_URLS: usize = 8;
/// Of redirects and of overrides.
const MAX_EDITS: usize = 256;

/// One upstream account or endpoint, without its credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub name: String,
    pub kind: ProviderKind,
    /// As the vendor's SDKs take it: 1 to [`MAX_BASE_URLS`] of the same account, tried in this order.
    pub base_urls: Vec<String>,
    pub enabled: bool,
    pub groups: Vec<String>,
    /// Lower is tried first.
    pub priority: u32,
    pub weight: u32,
    pub cost_multiplier: Millionths,
    /// Empty: all models.
    pub models: Vec<ModelPattern>,
    pub timeouts: Timeouts,
    /// Set on every upstream request, replacing the client's.
    pub extra_headers: Vec<Header>,
    /// A provider that is full is passed over.
    #[serde(default = "Limits::none")]
    pub limits: Arc<Limits>,
    /// What a model is called at the provider; the first that matches holds. Applied after the provider was chosen.
    #[serde(default)]
    pub redirects: Vec<Redirect>,
    /// None: always.
    #[serde(default)]
    pub active_hours: Option<ActiveHours>,
    #[serde(default)]
    pub breaker: BreakerSettings,
    /// How connections are made.
    #[serde(default)]
    pub outbound: Outbound,
    /// Members of the request's body that are set or removed.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// None: it is not probed.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// What it speaks. Empty: what its kind usually does.
    #[serde(default)]
    pub dialects: Vec<Dialect>,
    /// Callers of these dialects may be served by translation.
    #[serde(default)]
    pub translate: Vec<Dialect>,
    /// Of Azure's dated API. None: its `v1` API.
    #[serde(default)]
    pub api_version: Option<String>,
}

impl Provider {
    /// A provider with everything at its default: enabled, for all models, without limits.
    pub fn new(name: impl Into<String>, kind: ProviderKind, base_url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            base_urls: vec![base_url.into()],
            enabled: true,
            groups: Vec::new(),
            priority: 0,
            weight: 1,
            cost_multiplier: Millionths::ONE,
            models: Vec::new(),
            timeouts: Timeouts::default(),
            extra_headers: Vec::new(),
            limits: Limits::none(),
            redirects: Vec::new(),
            active_hours: None,
            breaker: BreakerSettings::default(),
            outbound: Outbound::default(),
            overrides: Vec::new(),
            probe: None,
            dialects: Vec::new(),
            translate: Vec::new(),
            api_version: None,
        }
    }

    /// Whether it takes calls at this time of the day.
    pub fn is_active(&self, now: UnixMs) -> bool {
        self.active_hours
            .as_ref()
            .is_none_or(|hours| hours.is_active(now))
    }

    /// What the model that a client asked for is called here.
    pub fn upstream_model<'a>(&'a self, asked: &'a str) -> &'a str {
        let redirect = self
            .redirects
            .iter()
            .find(|redirect| redirect.from.matches(asked));
        redirect.map_or(asked, |redirect| &redirect.to)
    }

    /// The lowest schema that understands every restriction in it.
    pub fn required_schema(&self) -> u32 {
        let plain = self.base_urls.len() == 1
            && self.redirects.is_empty()
            && self.active_hours.is_none()
            && self.breaker == BreakerSettings::default()
            && self.outbound == Outbound::default()
            && self.overrides.is_empty()
            && self.probe.is_none();
        let old_kind = matches!(
            self.kind,
            ProviderKind::Anthropic | ProviderKind::Openai | ProviderKind::OpenaiCompatible
        );
        let speaks_as_ever = self.dialects.is_empty() && self.translate.is_empty();
        match () {
            () if !old_kind || !speaks_as_ever => 4,
            () if !plain => 3,
            () => self.limits.required_schema(),
        }
    }

    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.timeouts.connect_ms.unwrap_or(10_000))
    }

    /// Until any event of a stream.
    pub fn first_byte_timeout(&self) -> Duration {
        Duration::from_millis(
            self.timeouts
                .first_byte_ms
                .unwrap_or_else(|| self.kind.silence_ms()),
        )
    }

    /// Between any two bytes of a stream.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.timeouts.idle_ms.unwrap_or_else(|| self.kind.silence_ms()))
    }

    /// The whole call.
    pub fn total_timeout(&self, stream: bool) -> Duration {
        let (set, default) = match stream {
            true => (self.timeouts.stream_total_ms, 3_600_000),
            false => (self.timeouts.total_ms, 600_000),
        };
        Duration::from_millis(set.unwrap_or(default))
    }

    /// Checks every field. Whether the base URLs may be dialled is the data plane's own rule.
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        if self.base_urls.is_empty() || self.base_urls.len() > MAX_BASE_URLS {
            let problem = format!("needs 1 to {MAX_BASE_URLS} URLs, has {}", self.base_urls.len());
            return Err(Invalid::new("base_urls", problem));
        }
        for (i, url) in self.base_urls.iter().enumerate() {
            url::check_base_url(&format!("base_urls[{i}]"), url)?;
            if self.base_urls.iter().take(i).any(|earlier| earlier == url) {
                return Err(Invalid::new(format!("base_urls[{i}]"), "stands there twice"));
            }
        }
        for (i, group) in self.groups.iter().enumerate() {
            name::check(&format!("groups[{i}]"), group)?;
        }
        for (i, pattern) in self.models.iter().enumerate() {
            pattern.validate(&format!("models[{i}]"))?;
        }
        each("extra_headers", &self.extra_headers, Header::validate)?;
        self.timeouts.validate()?;
        self.validate_speech()?;
        self.validate_routing()?;
        self.outbound.validate().map_err(|e| e.within("outbound"))?;
        self.limits.validate()
    }

    fn validate_routing(&self) -> Result<(), Invalid> {
        each("redirects", &self.redirects, Redirect::validate)?;
        each("overrides", &self.overrides, Override::validate)?;
        for (i, edit) in self.overrides.iter().enumerate() {
            if self
                .overrides
                .iter()
                .take(i)
                .any(|earlier| earlier.path == edit.path)
            {
                let problem = format!("{:?} is overridden twice", edit.path);
                return Err(Invalid::new(format!("overrides[{i}].path"), problem));
            }
        }
        if let Some(hours) = &self.active_hours {
            hours.validate().map_err(|e| e.within("active_hours"))?;
        }
        if let Some(probe) = self.probe {
            probe.validate().map_err(|e| e.within("probe"))?;
        }
        self.breaker.validate().map_err(|e| e.within("breaker"))
    }
}

/// Validates each entry of a list, which may not be endless.
fn each<T>(field: &str, list: &[T], check: impl Fn(&T) -> Result<(), Invalid>) -> Result<(), Invalid> {
    if list.len() > MAX_EDITS {
        return Err(Invalid::new(field, format!("has more than {MAX_EDITS} entries")));
    }
    for (i, entry) in list.iter().enumerate() {
        check(entry).map_err(|e| e.within(&format!("{field}[{i}]")))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
