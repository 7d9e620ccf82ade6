//! Providers.

use std::collections::BTreeMap;

use penstock_core::dialect::Dialect;
use penstock_core::model::{ModelPattern, ModelRegex};
use penstock_core::money::Millionths;
use penstock_core::provider::{BreakerSettings, Outbound, Provider, ProviderKind, Redirect, Timeouts};
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::new_credential::Credential;
use serde_json::Value;

use super::{DEFAULT_GROUP, Options, keys, limits};
use crate::import::draft::{Draft, ProviderSecrets};
use crate::import::names::{self, Given};
use crate::import::record::Record;

const NOTHING: &[&str] = &[
    "id",
    "description",
    "website_url",
    "favicon_url",
    "provider_vendor_id",
    "created_at",
    "updated_at",
    "deleted_at",
    "daily_reset_mode",
    "codex_instructions_strategy",
    "tpm",
    "rpm",
    "rpd",
    "cc",
];

/// Where a provider's kind comes from, and what its URL ends in here.
struct Speech {
    kind: ProviderKind,
    dialects: &'static [Dialect],
    bearer: bool,
    /// What the old gateway added to the URL, and our kind does not.
    version: &'static str,
}

/// Providers' names here, by their ids there; and those of each group.
#[derive(Default)]
pub(super) struct Named {
    pub(super) by_id: BTreeMap<String, String>,
    pub(super) by_group: BTreeMap<String, Vec<String>>,
}

pub(super) fn draft(draft: &mut Draft, records: &[Record], default_group: bool, options: &Options) -> Named {
    let (mut named, mut given) = (Named::default(), Given::default());
    for record in records {
        let id = record.text("id").unwrap_or_default();
        let theirs = record.text("name").unwrap_or_default();
        let name = given.take(names::nearest(&theirs, &format!("provider-{id}")), &id);
        if let Some(provider) = provider(draft, record, name, default_group, options) {
            if provider.name != theirs {
                let note = format!("was called {theirs:?} and is called {} here", provider.name);
                draft.note(&record.source, note);
            }
            for group in &provider.groups {
                named
                    .by_group
                    .entry(group.clone())
                    .or_default()
                    .push(provider.name.clone());
            }
            named.by_id.insert(id, provider.name);
        }
    }
    named
}

fn provider(
    draft: &mut Draft,
    record: &Record,
    name: String,
    default_group: bool,
    options: &Options,
) -> Option<Provider> {
    let theirs = record
        .text("provider_type")
        .unwrap_or_else(|| "claude".to_owned());
    let Some(speech) = speech(&theirs) else {
        let note = format!("is of type {theirs:?}, which has no counterpart: it is left out");
        draft.note(&record.source, note);
        return None;
    };
    let url = base_url(&record.text("url").unwrap_or_default(), &speech);
    let mut provider = Provider::new(name, speech.kind, url);
    provider.enabled = record.flag("is_enabled", true);
    provider.dialects = speech.dialects.to_vec();
    provider.weight = u32::try_from(record.count("weight")).unwrap_or(1);
    provider.priority = u32::try_from(record.count("priority")).unwrap_or(u32::MAX);
    provider.cost_multiplier = multiplier(draft, record);
    for theirs in record.words("group_tag") {
        let ours = keys::group(&theirs);
        draft.note_name("groups", &theirs, &ours);
        provider.groups.push(ours);
    }
    if provider.groups.is_empty() && default_group {
        provider.groups.push(DEFAULT_GROUP.to_owned());
    }
    let models = record.list("allowed_models");
    let models = models
        .iter()
        .filter_map(|value| patterned(record, "allowed_models", value));
    provider.models = models.collect();
    provider.redirects = redirects(record);
    provider.limits = limits::of(draft, record, "limit_daily_usd", options);
    provider.breaker = breaker(record);
    provider.timeouts = timeouts(record);
    let mut secrets = ProviderSecrets {
        credential: record.text("key").map(|key| match speech.bearer {
            true => Credential::BearerToken(key),
            false => Credential::ApiKey(key),
        }),
        proxy_password: None,
    };
    set_proxy(draft, record, &mut provider.outbound, &mut secrets);
    provider.enabled &= draft.is_readable(record);
    draft.provider(&record.source, &provider, secrets);
    draft.note_left_over(record, NOTHING);
    Some(provider)
}

fn speech(theirs: &str) -> Option<Speech> {
    let of = |kind, dialects, version| Speech {
        kind,
        dialects,
        bearer: false,
        version,
    };
    Some(match theirs {
        "claude" => of(ProviderKind::Anthropic, &[], ""),
        "claude-auth" => Speech {
            bearer: true,
            ..of(ProviderKind::Anthropic, &[], "")
        },
        "codex" => of(ProviderKind::Openai, &[Dialect::OpenaiResponses], "/v1"),
        "openai-compatible" => of(ProviderKind::OpenaiCompatible, &[], "/v1"),
        "gemini" => of(ProviderKind::Gemini, &[], ""),
        _ => return None,
    })
}

/// There the path of a call was put behind the URL, unless it was there already.
fn base_url(url: &str, speech: &Speech) -> String {
    let mut url = url.trim().trim_end_matches('/');
    for end in ["/messages", "/responses", "/chat/completions", "/v1", "/v1beta"] {
        url = url.strip_suffix(end).unwrap_or(url);
    }
    format!("{}{}", url.trim_end_matches('/'), speech.version)
}

fn multiplier(draft: &mut Draft, record: &Record) -> Millionths {
    let Some(text) = record.text("cost_multiplier") else {
        return Millionths::ONE;
    };
    text.parse().unwrap_or_else(|_| {
        draft.note(&record.source, "its cost multiplier cannot be read: it is 1 here");
        Millionths::ONE
    })
}

/// What cannot be read is remembered: without a pattern a provider serves every model.
fn patterned(record: &Record, field: &str, value: &Value) -> Option<ModelPattern> {
    pattern(value).or_else(|| record.cannot_read(field, None))
}

/// A name, or how it is matched.
fn pattern(value: &Value) -> Option<ModelPattern> {
    if let Value::String(name) = value {
        return Some(ModelPattern::Exact(name.clone()));
    }
    let text = |field| value.get(field).and_then(Value::as_str);
    let what = text("pattern").or_else(|| text("source"))?.to_owned();
    Some(
        match text("matchType")
            .or_else(|| text("match_type"))
            .unwrap_or("exact")
        {
            "prefix" => ModelPattern::Prefix(what),
            "suffix" => ModelPattern::Suffix(what),
            "contains" => ModelPattern::Contains(what),
            "regex" => ModelPattern::Regex(ModelRegex::from(what)),
            "exact" => ModelPattern::Exact(what),
            _ => return None,
        },
    )
}

fn redirects(record: &Record) -> Vec<Redirect> {
    let unreadable = || record.cannot_read("model_redirects", None);
    match record.json("model_redirects") {
        Some(Value::Object(pairs)) => {
            let redirect = |(from, to): (String, Value)| {
                let to = to.as_str()?.to_owned();
                let from = ModelPattern::Exact(from);
                Some(Redirect { from, to })
            };
            let pairs = pairs.into_iter();
            pairs
                .filter_map(|pair| redirect(pair).or_else(unreadable))
                .collect()
        }
        Some(Value::Array(rules)) => {
            let redirect = |rule: &Value| {
                let to = rule.get("target")?.as_str()?.to_owned();
                let from = pattern(rule)?;
                Some(Redirect { from, to })
            };
            let rules = rules.iter();
            rules
                .filter_map(|rule| redirect(rule).or_else(unreadable))
                .collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            record.cannot_read("model_redirects", Vec::new())
        }
        Some(Value::Null) | None => Vec::new(),
    }
}

fn breaker(record: &Record) -> BreakerSettings {
    let ours = BreakerSettings::default();
    let number = |field, otherwise: u32| match record.text(field) {
        None => otherwise,
        Some(text) => text
            .parse()
            .unwrap_or_else(|_| record.cannot_read(field, otherwise)),
    };
    let open_ms = record.count("circuit_breaker_open_duration");
    BreakerSettings {
        failures: number("circuit_breaker_failure_threshold", ours.failures),
        open_ms: if open_ms == 0 { ours.open_ms } else { open_ms },
        successes: number("circuit_breaker_half_open_success_threshold", ours.successes),
        ..ours
    }
}

/// There 0 is no limit; here none is infinite, so it is the default.
fn timeouts(record: &Record) -> Timeouts {
    let ms = |field| Some(record.count(field)).filter(|ms| *ms > 0);
    Timeouts {
        first_byte_ms: ms("first_byte_timeout_streaming_ms"),
        idle_ms: ms("streaming_idle_timeout_ms"),
        total_ms: ms("request_timeout_non_streaming_ms"),
        ..Timeouts::default()
    }
}

fn set_proxy(draft: &mut Draft, record: &Record, outbound: &mut Outbound, secrets: &mut ProviderSecrets) {
    outbound.fallback_to_direct = record.flag("proxy_fallback_to_direct", false);
    let Some(url) = record.text("proxy_url") else {
        return;
    };
    let (url, password) = without_password(&url);
    match url.parse() {
        Ok(proxy) => {
            outbound.proxy = Some(proxy);
            secrets.proxy_password = password;
        }
        Err(error) => draft.note(&record.source, format!("its proxy is left out: it {error}")),
    }
}

/// `scheme://user:password@host` in two parts.
pub(in crate::import) fn without_password(url: &str) -> (String, Option<Secret>) {
    let whole = (url.trim().to_owned(), None);
    let Some((scheme, rest)) = url.trim().split_once("://") else {
        return whole;
    };
    let Some((user, host)) = rest.rsplit_once('@') else {
        return whole;
    };
    let Some((user, password)) = user.split_once(':') else {
        return whole;
    };
    let decoded = percent(password);
    (format!("{scheme}://{user}@{host}"), Some(Secret::new(decoded)))
}

/// `%40` as `@`.
fn percent(text: &str) -> String {
    let (mut bytes, mut decoded) = (text.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits: Option<[u8; 2]> = ahead.next().zip(ahead.next()).map(|(a, b)| [a, b]);
        let hex = digits.and_then(|digits| hex::decode(digits).ok());
        match (byte, hex.as_deref()) {
            (b'%', Some([value])) => {
                decoded.push(*value);
                bytes = ahead;
            }
            (byte, _) => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
