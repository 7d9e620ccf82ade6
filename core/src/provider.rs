//! Providers: upstream accounts and endpoints.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::invalid::Invalid;
use crate::limits::Limits;
use crate::model::ModelPattern;
use crate::money::Millionths;
use crate::name;

/// One upstream account or endpoint, without its credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub name: String,
    pub kind: ProviderKind,
    /// As the vendor's SDKs take it. Exactly one for now.
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
}

/// What speaks at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    Anthropic,
    Openai,
    OpenaiCompatible,
}

/// How long to wait for an upstream; None takes the default of the provider's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    pub connect_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    pub idle_ms: Option<u64>,
    pub total_ms: Option<u64>,
    pub stream_total_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

const DAY_MS: u64 = 86_400_000;
/// Headers that Penstock sets itself.
const RESERVED_HEADERS: [&str; 12] = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "cookie",
];

impl ProviderKind {
    pub const ALL: [Self; 3] = [Self::Anthropic, Self::Openai, Self::OpenaiCompatible];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
            Self::OpenaiCompatible => "openai-compatible",
        }
    }

    pub fn speaks(self, dialect: Dialect) -> bool {
        match self {
            Self::Anthropic => dialect == Dialect::Anthropic,
            Self::Openai | Self::OpenaiCompatible => dialect == Dialect::OpenaiChat,
        }
    }

    /// The platform whose prices apply, as in [`crate::price::Price::platform`].
    pub fn price_platform(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai | Self::OpenaiCompatible => "openai",
        }
    }

    /// OpenAI models may be silent for minutes while they think.
    fn silence_ms(self) -> u64 {
        match self {
            Self::Anthropic => 60_000,
            Self::Openai | Self::OpenaiCompatible => 180_000,
        }
    }
}

impl Provider {
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

    /// Checks every field. Whether the base URL may be dialled is the data plane's own rule.
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        if self.base_urls.len() != 1 {
            return Err(Invalid::new(
                "base_urls",
                format!("needs exactly one URL, has {}", self.base_urls.len()),
            ));
        }
        for (i, url) in self.base_urls.iter().enumerate() {
            check_base_url(&format!("base_urls[{i}]"), url)?;
        }
        for (i, group) in self.groups.iter().enumerate() {
            name::check(&format!("groups[{i}]"), group)?;
        }
        for (i, pattern) in self.models.iter().enumerate() {
            pattern.validate(&format!("models[{i}]"))?;
        }
        for (i, header) in self.extra_headers.iter().enumerate() {
            header
                .validate()
                .map_err(|e| e.within(&format!("extra_headers[{i}]")))?;
        }
        self.timeouts.validate()?;
        self.limits.validate()
    }
}

impl Timeouts {
    fn validate(&self) -> Result<(), Invalid> {
        let fields = [
            ("connect_ms", self.connect_ms),
            ("first_byte_ms", self.first_byte_ms),
            ("idle_ms", self.idle_ms),
            ("total_ms", self.total_ms),
            ("stream_total_ms", self.stream_total_ms),
        ];
        for (field, value) in fields {
            if value.is_some_and(|ms| ms == 0 || ms > DAY_MS) {
                return Err(Invalid::new(
                    format!("timeouts.{field}"),
                    "must be between 1 ms and 24 h",
                ));
            }
        }
        Ok(())
    }
}

impl Header {
    fn validate(&self) -> Result<(), Invalid> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is not a header name", self.name),
            ));
        }
        if RESERVED_HEADERS.contains(&self.name.to_ascii_lowercase().as_str()) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is set by Penstock itself", self.name),
            ));
        }
        if !self
            .value
            .bytes()
            .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
        {
            return Err(Invalid::new("value", "must be printable ASCII"));
        }
        Ok(())
    }
}

/// `http(s)://host[:port][/path]`, nothing more.
fn check_base_url(field: &str, url: &str) -> Result<(), Invalid> {
    let refuse = |problem: &str| Err(Invalid::new(field, format!("{url:?} {problem}")));
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return refuse("must begin with https:// or http://");
    };
    if url.len() > 2048 || !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains(['"', '\\', '<', '>']) {
        return refuse("is not a URL");
    }
    if rest.contains('@') {
        return Err(Invalid::new(
            field,
            "must not contain credentials; give them as the provider's credential",
        ));
    }
    if rest.contains(['?', '#']) {
        return refuse("must not have a query or a fragment");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = split_port(authority);
    if host.is_empty() || host.contains('[') != host.contains(']') {
        return refuse("names no host");
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |n| n == 0)) {
        return refuse("has a port that is not a number from 1 to 65535");
    }
    Ok(())
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((_, tail)) if tail.ends_with(']') => (authority, None),
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
