//! The fields of a provider, under the names of the behaviours' list.
//!
//! On an update only the flags that are given change anything.

use std::str::FromStr;

use penstock_core::model::ModelPattern;
use penstock_core::money::Millionths;
use penstock_core::provider::{Header, Provider, ProviderKind, Timeouts};

use super::access::Switch;
use super::duration::Millis;
use super::limits::LimitFlags;
use super::list::{self, Entry};
use super::outbound::OutboundFlags;
use super::pattern::Pattern;
use super::routing::RoutingFlags;
use super::speech::SpeechFlags;
use super::{choice, set};

/// What `create` and `update` have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct ProviderFlags {
    /// What speaks at the other end
    #[arg(long, value_parser = choice::provider_kind())]
    pub kind: Option<ProviderKind>,

    /// As the vendor's SDKs take it: Anthropic and Gemini without a version, OpenAI with /v1, Vertex AI with project and
    /// location; the vendor's own if left out; repeatable, tried in this order
    #[arg(long = "base-url", value_name = "URL")]
    pub base_urls: Option<Vec<String>>,

    /// Lower is tried first
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,

    /// Share of the traffic among providers of the same priority
    #[arg(long, value_name = "N")]
    pub weight: Option<u32>,

    /// Group that it serves; repeatable, '' for none
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    pub groups: Option<Vec<Entry<String>>>,

    /// Multiplies the price of every call: 1.25
    #[arg(long, value_name = "FACTOR")]
    pub cost_multiplier: Option<Millionths>,

    /// Only these models: a name, `claude-*`, or prefix:, suffix:, contains:, regex:; repeatable, '' for all
    #[arg(long = "model", value_name = "PATTERN")]
    pub models: Option<Vec<Entry<Pattern>>>,

    #[command(flatten)]
    pub timeouts: TimeoutFlags,

    /// Header set on every upstream request, 'name: value'; repeatable, '' for none
    #[arg(long = "header", value_name = "HEADER", visible_alias = "extra-header")]
    pub headers: Option<Vec<Entry<HeaderArg>>>,

    #[command(flatten)]
    pub switch: Switch,

    #[command(flatten)]
    pub limits: LimitFlags,

    #[command(flatten)]
    pub routing: RoutingFlags,

    #[command(flatten)]
    pub outbound: OutboundFlags,

    #[command(flatten)]
    pub speech: SpeechFlags,
}

/// How long to wait for it. `default` takes the default of its kind again.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct TimeoutFlags {
    /// For TCP and TLS [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub timeout_connect: Option<Timeout>,

    /// For the first event of a stream [default: 60s, OpenAI 180s]
    #[arg(long, value_name = "TIME")]
    pub timeout_first_byte: Option<Timeout>,

    /// Between two bytes of a stream [default: 60s, OpenAI 180s]
    #[arg(long, value_name = "TIME")]
    pub timeout_idle: Option<Timeout>,

    /// For a whole call that is no stream [default: 10m]
    #[arg(long, value_name = "TIME")]
    pub timeout_total: Option<Timeout>,

    /// For a whole stream [default: 1h]
    #[arg(long, value_name = "TIME")]
    pub timeout_stream_total: Option<Timeout>,
}

/// A length of time, or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeout(Option<Millis>);

/// `name: value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderArg(Header);

impl ProviderFlags {
    /// A new provider of the flags; None without a kind, which has no default.
    pub(crate) fn create(&self, name: &str) -> Option<Provider> {
        let kind = self.kind?;
        let mut provider = Provider::new(name, kind, "");
        provider.base_urls = vendor_url(kind).map(str::to_owned).into_iter().collect();
        self.apply(&mut provider);
        Some(provider)
    }

    pub(crate) fn apply(&self, provider: &mut Provider) {
        set(&mut provider.kind, self.kind);
        set(&mut provider.priority, self.priority);
        set(&mut provider.weight, self.weight);
        set(&mut provider.cost_multiplier, self.cost_multiplier);
        set(&mut provider.base_urls, self.base_urls.clone());
        list::replace(&mut provider.groups, self.groups.as_deref());
        let pattern = |p: &Pattern| -> ModelPattern { p.0.clone() };
        list::replace_with(&mut provider.models, self.models.as_deref(), pattern);
        let header = |h: &HeaderArg| h.0.clone();
        list::replace_with(&mut provider.extra_headers, self.headers.as_deref(), header);
        self.timeouts.apply(&mut provider.timeouts);
        self.switch.apply(&mut provider.enabled);
        self.limits.apply(&mut provider.limits);
        self.routing.apply(provider);
        self.outbound.apply(&mut provider.outbound);
        self.speech.apply(provider);
    }
}

impl TimeoutFlags {
    fn apply(&self, timeouts: &mut Timeouts) {
        let pairs = [
            (&mut timeouts.connect_ms, self.timeout_connect),
            (&mut timeouts.first_byte_ms, self.timeout_first_byte),
            (&mut timeouts.idle_ms, self.timeout_idle),
            (&mut timeouts.total_ms, self.timeout_total),
            (&mut timeouts.stream_total_ms, self.timeout_stream_total),
        ];
        for (field, given) in pairs {
            set(field, given.map(|Timeout(ms)| ms.map(|Millis(ms)| ms)));
        }
    }
}

fn vendor_url(kind: ProviderKind) -> Option<&'static str> {
    match kind {
        ProviderKind::Anthropic => Some("https://api.anthropic.com"),
        ProviderKind::Openai => Some("https://api.openai.com/v1"),
        ProviderKind::Gemini => Some("https://generativelanguage.googleapis.com"),
        ProviderKind::Droid => Some("https://app.factory.ai/api/llm"),
        ProviderKind::OpenaiCompatible
        | ProviderKind::AzureOpenai
        | ProviderKind::Bedrock
        | ProviderKind::Vertex => None,
    }
}

impl FromStr for Timeout {
    type Err = super::duration::NotADuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" {
            return Ok(Self(None));
        }
        text.parse().map(|ms| Self(Some(ms)))
    }
}

impl From<HeaderArg> for Header {
    fn from(header: HeaderArg) -> Self {
        header.0
    }
}

impl FromStr for HeaderArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text
            .split_once(':')
            .ok_or("is not a header; write 'name: value'")?;
        Ok(Self(Header {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        provider: ProviderFlags,
    }

    fn flags(flags: &[&str]) -> ProviderFlags {
        Command::try_parse_from(std::iter::once(&"x").chain(flags))
            .unwrap()
            .provider
    }

    #[test]
    fn b01_flags_carry_the_fields_of_a_provider() {
        let given = flags(&[
            "--kind",
            "openai-compatible",
            "--base-url",
            "http://127.0.0.1:9/v1",
            "--base-url",
            "http://127.0.0.2:9/v1",
            "--priority",
            "2",
            "--weight",
            "7",
            "--group",
            "fast",
            "--group",
            "cheap",
            "--cost-multiplier",
            "1.25",
            "--model",
            "gpt-*",
            "--model",
            "suffix:-mini",
            "--timeout-connect",
            "3s",
            "--timeout-stream-total",
            "2h",
            "--header",
            "X-Team: a b",
            "--disabled",
        ]);
        let provider = given.create("main").unwrap();
        assert_eq!(
            (provider.priority, provider.weight, provider.enabled),
            (2, 7, false)
        );
        assert_eq!(
            provider.base_urls,
            ["http://127.0.0.1:9/v1", "http://127.0.0.2:9/v1"]
        );
        assert_eq!(provider.groups, ["fast", "cheap"]);
        assert_eq!(provider.cost_multiplier, Millionths(1_250_000));
        assert_eq!(
            provider.models,
            [
                ModelPattern::Prefix("gpt-".into()),
                ModelPattern::Suffix("-mini".into())
            ]
        );
        assert_eq!(provider.timeouts.connect_ms, Some(3_000));
        assert_eq!(provider.timeouts.stream_total_ms, Some(7_200_000));
        assert_eq!(
            (
                provider.extra_headers[0].name.as_str(),
                provider.extra_headers[0].value.as_str()
            ),
            ("X-Team", "a b")
        );
        assert_eq!(provider.validate(), Ok(()));
    }

    #[test]
    fn the_vendors_own_url_is_the_default() {
        let provider = flags(&["--kind", "anthropic"]).create("a").unwrap();
        assert_eq!(provider.base_urls, ["https://api.anthropic.com"]);
        assert!(
            flags(&["--kind", "openai-compatible"])
                .create("a")
                .unwrap()
                .base_urls
                .is_empty()
        );
        assert!(flags(&[]).create("a").is_none());
    }

    #[test]
    fn an_update_changes_only_what_is_given() {
        let before = flags(&["--kind", "anthropic", "--timeout-idle", "9s", "--group", "g"])
            .create("a")
            .unwrap();
        let mut after = before.clone();
        flags(&[]).apply(&mut after);
        assert_eq!(after, before);
        flags(&["--timeout-idle", "default", "--group", "", "--weight", "0"]).apply(&mut after);
        assert_eq!(
            (after.timeouts.idle_ms, after.groups.len(), after.weight),
            (None, 0, 0)
        );
    }
}
