//! Its accounts as providers.

use penstock_core::dialect::Dialect;
use penstock_core::limits::{Limits, Zone};
use penstock_core::model::ModelPattern;
use penstock_core::money::NanoUsd;
use penstock_core::provider::{Outbound, Provider, ProviderKind, Redirect};
use penstock_core::secret::Secret;
use serde_json::Value;

use super::binding::{Bindings, short};
use super::decrypt::Decrypter;
use super::dump::{Dump, Platform};
use super::secrets::{self, Found};
use crate::failure::Failure;
use crate::import::draft::{Draft, ProviderSecrets};
use crate::import::names::{self, Given};
use crate::import::record::Record;

/// How it did, and how it looks.
const NOTHING: &[&str] = &[
    "id",
    "name",
    "description",
    "platform",
    "type",
    "status",
    "errorMessage",
    "accountType",
    "createdAt",
    "updatedAt",
    "lastUsedAt",
    "lastRefreshAt",
    "lastRefresh",
    "lastResetDate",
    "dailyUsage",
    "quotaStoppedAt",
    "rateLimitedAt",
    "rateLimitStatus",
    "rateLimitResetAt",
    "rateLimitEndAt",
    "rateLimitAutoStopped",
    "rateLimitUntil",
    "unauthorizedAt",
    "unauthorizedCount",
    "blockedAt",
    "sessionWindowStart",
    "sessionWindowEnd",
    "sessionWindowStatus",
    "totalUsedTokens",
    "subscriptionInfo",
    "extInfo",
    "credentialType",
    "authType",
    "defaultModel",
    "supportedModels",
    "groupId",
    "lastRequestTime",
    "rateLimitDuration",
];
const ANTHROPIC: &str = "https://api.anthropic.com";

pub(super) fn draft(
    draft: &mut Draft,
    dump: &Dump,
    bindings: &Bindings,
    decrypter: &Decrypter,
    zone: &str,
) -> Result<(), Failure> {
    let mut given = Given::default();
    for (platform, account) in &dump.accounts {
        let found = secrets::of(*platform, account, decrypter)?;
        let Some((kind, url)) = kind_and_url(*platform, account) else {
            let note = "has no counterpart: it is left out. Make a provider for it by hand";
            draft.note(&account.source, note);
            continue;
        };
        let theirs = account.text("name").unwrap_or_default();
        let id = account.text("id").unwrap_or_default();
        let name = given.take(
            names::nearest(&theirs, &format!("account-{}", short(&id))),
            short(&id),
        );
        if name != theirs {
            draft.note(&account.source, format!("is called {name} here"));
        }
        let mut provider = Provider::new(name, kind, url);
        provider.groups = bindings.of_account(*platform, account);
        shape(*platform, account, zone, &mut provider);
        let mut secrets = ProviderSecrets::default();
        set_proxy(draft, account, &mut provider.outbound, &mut secrets);
        match found {
            Found::Credential(credential) => secrets.credential = Some(credential),
            Found::Login => {
                provider.enabled = false;
                let note = format!(
                    "logs in, which its token cannot be moved for: it is disabled until penstock oauth login {}",
                    provider.name
                );
                draft.note(&account.source, note);
            }
            Found::Nothing => {
                provider.enabled = false;
                draft.note(
                    &account.source,
                    "has no credential in the dump: it is disabled until it gets one",
                );
            }
        }
        provider.enabled &= draft.is_readable(account);
        draft.provider(&account.source, &provider, secrets);
        draft.note_left_over(account, NOTHING);
    }
    Ok(())
}

/// None: there is nothing here that speaks as it does.
fn kind_and_url(platform: Platform, account: &Record) -> Option<(ProviderKind, String)> {
    let url = |fields: &[&str]| {
        let url = fields.iter().find_map(|field| account.text(field));
        url.map(|url| url.trim().trim_end_matches('/').to_owned())
    };
    Some(match platform {
        Platform::Claude => (ProviderKind::Anthropic, ANTHROPIC.to_owned()),
        Platform::ClaudeConsole | Platform::Ccr => {
            let url = url(&["apiUrl"])?;
            let url = url.strip_suffix("/messages").unwrap_or(&url);
            (
                ProviderKind::Anthropic,
                url.strip_suffix("/v1").unwrap_or(url).to_owned(),
            )
        }
        Platform::OpenaiResponses => {
            let url = url(&["baseApi", "apiUrl"])?;
            let url = match url.ends_with("/v1") {
                true => url,
                false => format!("{url}/v1"),
            };
            (ProviderKind::Openai, url)
        }
        Platform::AzureOpenai => (ProviderKind::AzureOpenai, url(&["azureEndpoint"])?),
        Platform::Bedrock => {
            let region = account.text("region").unwrap_or_else(|| "us-east-1".to_owned());
            (
                ProviderKind::Bedrock,
                format!("https://bedrock-runtime.{region}.amazonaws.com"),
            )
        }
        Platform::GeminiApi => {
            let url =
                url(&["baseUrl"]).unwrap_or_else(|| "https://generativelanguage.googleapis.com".to_owned());
            let url = url.strip_suffix("/models").unwrap_or(&url);
            let url = url.strip_suffix("/v1beta").unwrap_or(url);
            (ProviderKind::Gemini, url.to_owned())
        }
        Platform::Openai | Platform::Gemini | Platform::Droid => return None,
    })
}

fn shape(platform: Platform, account: &Record, zone: &str, provider: &mut Provider) {
    let schedulable = account.flag("schedulable", true);
    provider.enabled = account.flag("isActive", true) && schedulable;
    if let Some(priority) = account.text("priority").and_then(|text| text.parse().ok()) {
        provider.priority = priority;
    }
    let daily = account.usd("dailyQuota");
    let mut limits = Limits {
        usd_daily: daily,
        concurrent_requests: account.count("maxConcurrentTasks"),
        ..Limits::default()
    };
    let at = account.text("quotaResetTime").and_then(|text| text.parse().ok());
    if daily != NanoUsd::default() {
        limits.daily_reset = at.unwrap_or_default();
        limits.zone = Zone(zone.to_owned());
    }
    provider.limits = limits.shared();
    if platform == Platform::OpenaiResponses {
        provider.dialects = vec![Dialect::OpenaiResponses];
    }
    if platform == Platform::AzureOpenai {
        provider.api_version = account.text("apiVersion");
    }
    models(platform, account, provider);
}

/// A list of models, or a table of what they are called there.
fn models(platform: Platform, account: &Record, provider: &mut Provider) {
    let deployment = account
        .text("deploymentName")
        .filter(|_| platform == Platform::AzureOpenai);
    let pairs: Vec<(String, String)> = match account.json("supportedModels") {
        Some(Value::Object(pairs)) => {
            let pairs = pairs.into_iter();
            pairs
                .filter_map(|(from, to)| Some((from, to.as_str()?.to_owned())))
                .collect()
        }
        Some(Value::Array(models)) => {
            let models = models.iter().filter_map(Value::as_str);
            models
                .map(|model| {
                    (
                        model.to_owned(),
                        deployment.clone().unwrap_or_else(|| model.to_owned()),
                    )
                })
                .collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => Vec::new(),
    };
    for (from, to) in pairs {
        provider.models.push(ModelPattern::Exact(from.clone()));
        if from != to {
            let from = ModelPattern::Exact(from);
            provider.redirects.push(Redirect { from, to });
        }
    }
}

fn set_proxy(draft: &mut Draft, account: &Record, outbound: &mut Outbound, secrets: &mut ProviderSecrets) {
    let Some(proxy) = account.json("proxy") else {
        return;
    };
    let text = |field: &str| {
        proxy
            .get(field)
            .map(crate::import::tables::plain)
            .unwrap_or_default()
    };
    let scheme = match text("type") {
        scheme if scheme.is_empty() => text("protocol"),
        scheme => scheme,
    };
    let user = text("username");
    let at = if user.is_empty() {
        String::new()
    } else {
        format!("{user}@")
    };
    let url = format!("{scheme}://{at}{}:{}", text("host"), text("port"));
    match url.parse() {
        Ok(proxy) => {
            outbound.proxy = Some(proxy);
            let password = Secret::new(text("password"));
            secrets.proxy_password = (!password.is_empty() && !user.is_empty()).then_some(password);
        }
        Err(error) => draft.note(&account.source, format!("its proxy is left out: it {error}")),
    }
}
