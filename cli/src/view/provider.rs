//! Providers.

use penstock_core::provider::{ActiveHours, BreakerSettings, Provider as Core};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::limits::Limits;
use super::outbound::Outbound;
use super::{Refusal, Row, View, fields, instant, joined, or_dash, refused, yes_no};
use crate::args::{pattern, routing};
use crate::failure::Failure;

/// A provider; of its credential only the hint.
#[derive(Debug, Serialize)]
pub(crate) struct Provider {
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    pub base_urls: Vec<String>,
    pub enabled: bool,
    pub groups: Vec<String>,
    pub priority: u32,
    pub weight: u32,
    pub cost_multiplier: String,
    pub cost_multiplier_millionths: u32,
    pub models: Vec<String>,
    pub timeouts: Timeouts,
    pub extra_headers: Vec<Header>,
    pub limits: Limits,
    /// `FROM=TO`.
    pub redirects: Vec<String>,
    /// None: always.
    pub active_hours: Option<String>,
    pub breaker: BreakerSettings,
    pub outbound: Outbound,
    /// `NAME=JSON`; `NAME=` is removed.
    pub overrides: Vec<String>,
    /// None: it is not probed.
    pub probe_interval_ms: Option<u64>,
    /// Empty: what its kind usually does.
    pub dialects: Vec<&'static str>,
    /// Callers of these may be served by translation.
    pub translate: Vec<&'static str>,
    /// Of Azure's dated API.
    pub api_version: Option<String>,
    /// None: it has no credential and is not used.
    pub credential_hint: Option<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

/// What was set; the others are defaults of the kind.
#[derive(Debug, Serialize)]
pub(crate) struct Timeouts {
    pub connect_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    pub idle_ms: Option<u64>,
    pub total_ms: Option<u64>,
    pub stream_total_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Header {
    pub name: String,
    pub value: String,
}

impl Provider {
    pub(crate) fn read(provider: wire::Provider) -> Result<Self, Failure> {
        let spec = convert::provider_from_wire(provider.spec.unwrap_or_default())?;
        let (timeouts, extra_headers) = (timeouts(&spec), headers(&spec));
        Ok(Self {
            id: provider.id,
            kind: spec.kind.as_str(),
            cost_multiplier: spec.cost_multiplier.to_string(),
            cost_multiplier_millionths: spec.cost_multiplier.0,
            models: spec.models.iter().map(pattern::write).collect(),
            timeouts,
            extra_headers,
            limits: Limits(spec.limits),
            redirects: spec.redirects.iter().map(routing::write_redirect).collect(),
            active_hours: spec.active_hours.as_ref().map(ActiveHours::to_string),
            breaker: spec.breaker,
            outbound: Outbound::read(spec.outbound, provider.has_proxy_password),
            overrides: spec.overrides.iter().map(routing::write_override).collect(),
            probe_interval_ms: spec.probe.map(|probe| probe.interval_ms),
            dialects: spec.dialects.iter().map(|dialect| dialect.as_str()).collect(),
            translate: spec.translate.iter().map(|dialect| dialect.as_str()).collect(),
            api_version: spec.api_version,
            name: spec.name,
            base_urls: spec.base_urls,
            enabled: spec.enabled,
            groups: spec.groups,
            priority: spec.priority,
            weight: spec.weight,
            credential_hint: (!provider.credential_hint.is_empty()).then_some(provider.credential_hint),
            version: provider.version,
            created_at: instant(provider.created_at_ms),
            updated_at: instant(provider.updated_at_ms),
            refused_by: provider.refused_by.into_iter().map(Into::into).collect(),
        })
    }
}

fn timeouts(spec: &Core) -> Timeouts {
    Timeouts {
        connect_ms: spec.timeouts.connect_ms,
        first_byte_ms: spec.timeouts.first_byte_ms,
        idle_ms: spec.timeouts.idle_ms,
        total_ms: spec.timeouts.total_ms,
        stream_total_ms: spec.timeouts.stream_total_ms,
    }
}

fn headers(spec: &Core) -> Vec<Header> {
    let header = |header: &penstock_core::provider::Header| Header {
        name: header.name.clone(),
        value: header.value.clone(),
    };
    spec.extra_headers.iter().map(header).collect()
}

impl View for Provider {
    fn table(&self) -> String {
        let headers: Vec<_> = self
            .extra_headers
            .iter()
            .map(|h| format!("{}: {}", h.name, h.value))
            .collect();
        fields(&[
            ("id", self.id.clone()),
            ("name", self.name.clone()),
            ("kind", self.kind.to_owned()),
            ("base url", joined(&self.base_urls)),
            ("dialects", named(&self.dialects, "of its kind")),
            ("translates", named(&self.translate, "-")),
            ("api version", or_dash(self.api_version.as_deref())),
            ("enabled", yes_no(self.enabled)),
            ("credential", or_dash(self.credential_hint.as_deref())),
            ("groups", joined(&self.groups)),
            ("priority", self.priority.to_string()),
            ("weight", self.weight.to_string()),
            ("cost multiplier", self.cost_multiplier.clone()),
            ("models", joined(&self.models)),
            ("timeouts", self.timeouts.line()),
            ("extra headers", joined(&headers)),
            ("limits", self.limits.line()),
            ("redirects", joined(&self.redirects)),
            (
                "active hours",
                self.active_hours.clone().unwrap_or_else(|| "always".to_owned()),
            ),
            ("breaker", breaker(&self.breaker)),
            ("connections", self.outbound.line()),
            ("overrides", joined(&self.overrides)),
            ("probe", probe(self.probe_interval_ms)),
            ("version", self.version.to_string()),
            ("updated", or_dash(self.updated_at.as_deref())),
            ("refused by", or_dash(Some(&refused(&self.refused_by)))),
        ])
    }
}

/// Names, or what is said when there are none.
fn named(names: &[&str], none: &str) -> String {
    match names.is_empty() {
        true => none.to_owned(),
        false => names.join(", "),
    }
}

fn breaker(settings: &BreakerSettings) -> String {
    if !settings.is_on() {
        return "off".to_owned();
    }
    let network = match settings.network_errors {
        true => "",
        false => ", network errors do not count",
    };
    format!(
        "opens after {} failures for {} s, closes after {} successes{network}",
        settings.failures,
        settings.open_ms / 1000,
        settings.successes
    )
}

fn probe(interval_ms: Option<u64>) -> String {
    interval_ms.map_or_else(|| "off".to_owned(), |ms| format!("each {} s", ms / 1000))
}

impl Row for Provider {
    const COLUMNS: &'static [&'static str] = &[
        "NAME",
        "KIND",
        "ENABLED",
        "PRIORITY",
        "WEIGHT",
        "GROUPS",
        "CREDENTIAL",
        "BASE URL",
        "LIMITS",
        "REFUSED",
    ];

    fn cells(&self) -> Vec<String> {
        let refused = match self.refused_by.len() {
            0 => "-".to_owned(),
            nodes => format!("by {nodes}"),
        };
        vec![
            self.name.clone(),
            self.kind.to_owned(),
            yes_no(self.enabled),
            self.priority.to_string(),
            self.weight.to_string(),
            joined(&self.groups),
            or_dash(self.credential_hint.as_deref()),
            joined(&self.base_urls),
            self.limits.cell(),
            refused,
        ]
    }
}

impl Timeouts {
    fn line(&self) -> String {
        let pairs = [
            ("connect", self.connect_ms),
            ("first byte", self.first_byte_ms),
            ("idle", self.idle_ms),
            ("total", self.total_ms),
            ("stream total", self.stream_total_ms),
        ];
        let set = pairs
            .iter()
            .filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms} ms")));
        let set: Vec<_> = set.collect();
        if set.is_empty() {
            "defaults".to_owned()
        } else {
            set.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1 as config;

    use super::*;

    fn provider() -> Provider {
        let spec = config::ProviderSpec {
            name: "main".into(),
            kind: config::ProviderKind::OpenaiCompatible.into(),
            base_urls: vec!["http://127.0.0.1:9/v1".into()],
            cost_multiplier_millionths: 1_250_000,
            outbound: Some(config::Outbound {
                proxy: "http://u@h:3128".into(),
                ..config::Outbound::default()
            }),
            ..config::ProviderSpec::default()
        };
        let provider = wire::Provider {
            id: "0198".into(),
            version: 3,
            spec: Some(spec),
            credential_hint: "sk-ant-a****mnop".into(),
            has_proxy_password: true,
            updated_at_ms: 1_700_000_000_000,
            ..wire::Provider::default()
        };
        Provider::read(provider).unwrap()
    }

    #[test]
    fn the_json_form_is_stable() {
        let json = serde_json::to_value(provider()).unwrap();
        assert_eq!(json["kind"], "openai-compatible");
        assert_eq!(json["cost_multiplier"], "1.25");
        assert_eq!(json["cost_multiplier_millionths"], 1_250_000);
        assert_eq!(json["credential_hint"], "sk-ant-a****mnop");
        assert_eq!(json["timeouts"]["idle_ms"], serde_json::Value::Null);
        assert_eq!(json["version"], 3);
        assert_eq!(json["breaker"]["open_ms"], 1_800_000);
        assert_eq!(json["outbound"]["proxy"], "http://u@h:3128");
        assert_eq!(json["outbound"]["has_proxy_password"], true);
        assert_eq!(json["updated_at"], "2023-11-14T22:13:20Z");
    }

    #[test]
    fn b01_the_table_says_how_it_is_connected_to_and_when_it_is_used() {
        let table = provider().table();
        assert!(
            table.contains("through http://u@h:3128, with a password"),
            "{table}"
        );
        assert!(table.contains("opens after 5 failures for 1800 s"), "{table}");
        assert!(table.contains("always"), "{table}");
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        assert_eq!(provider().cells().len(), Provider::COLUMNS.len());
    }

    #[test]
    fn a_kind_of_a_newer_server_is_an_error_that_says_so() {
        let failure = Provider::read(wire::Provider::default())
            .err()
            .unwrap()
            .to_string();
        assert!(failure.contains("same release"), "{failure}");
    }
}
