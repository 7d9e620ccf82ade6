//! What an error would mean, found as data planes find it: the same reader of bodies and headers, the same table.
//!
//! The rules are those in the store, so a rule that was made a moment ago counts already.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::error_rule::ErrorRule;
use penstock_core::failure::{self, ErrorRules, Finding, Repeat, Scope};
use penstock_core::invalid::Invalid;
use penstock_core::provider::ProviderKind;
use penstock_dialect::upstream_error::{ErrorHead, UpstreamError};
use penstock_proto::admin::v1 as wire;
use penstock_proto::config::v1 as config;
use penstock_proto::convert::enums::{failure_class_to_wire, provider_kind_from_wire};
use penstock_proto::convert::replace_to_wire;
use penstock_store::{Filter, Page, Store, StoredSpec};
use tonic::Status;

use super::read_spec;
use crate::admin::{names, status};
use crate::clock;

const MAX_BODY: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

pub(super) async fn run(
    store: &dyn Store,
    request: wire::TestErrorRuleRequest,
) -> Result<wire::TestErrorRuleResponse, Status> {
    let (provider, kind) = whose(store, &request).await?;
    let answer_status = u16::try_from(request.status)
        .ok()
        .filter(|status| (200..600).contains(status))
        .ok_or_else(|| refuse("status", "must be from 200 to 599"))?;
    if request.body.len() > MAX_BODY {
        return Err(refuse("body", "is longer than 64 KB"));
    }
    let candidate = match request.spec {
        Some(spec) => Some(read_spec(&request.name, Some(spec))?),
        None => None,
    };
    let rules = rules(store, candidate).await?;
    let now = clock::now();
    let head = ErrorHead::read(&headers(&request.headers)?, now);
    let error = UpstreamError::read(&request.body);
    let seen = error.answered(&head, &provider, kind, answer_status);
    Ok(answer(&failure::of_answer(&rules, &seen, now)))
}

/// The provider's name, empty for any of a kind; and the kind.
async fn whose(
    store: &dyn Store,
    request: &wire::TestErrorRuleRequest,
) -> Result<(String, ProviderKind), Status> {
    match (request.provider.as_str(), request.provider_kind) {
        ("", 0) => Err(refuse("provider", "is missing; name a provider or a kind")),
        ("", kind) => {
            let kind = provider_kind_from_wire("provider_kind", kind);
            Ok((String::new(), kind.map_err(|e| status::invalid(&e))?))
        }
        (name, 0) => {
            let provider = names::provider(store, name).await?.value.provider;
            Ok((provider.name, provider.kind))
        }
        _ => Err(refuse(
            "provider_kind",
            "is the provider's own; name one of the two",
        )),
    }
}

/// All rules of the store; the candidate stands in for one of its name.
async fn rules(store: &dyn Store, candidate: Option<ErrorRule>) -> Result<ErrorRules, Status> {
    let mut rules: Vec<Arc<ErrorRule>> = Vec::new();
    let mut page = Page::first(Page::MAX);
    loop {
        let listed = store.list(&Filter::ErrorRules, &page).await;
        let listed = listed.map_err(status::from_store)?;
        rules.extend(
            listed
                .resources
                .into_iter()
                .filter_map(|stored| match stored.spec {
                    StoredSpec::ErrorRule(rule) => Some(Arc::from(rule)),
                    StoredSpec::Provider(_)
                    | StoredSpec::User(_)
                    | StoredSpec::Key(_)
                    | StoredSpec::Price(_)
                    | StoredSpec::Setting(_)
                    | StoredSpec::ImportSuffix(_)
                    | StoredSpec::WordRule(_)
                    | StoredSpec::RequestFilter(_) => None,
                }),
        );
        if listed.next.is_none() {
            break;
        }
        page.after = listed.next;
    }
    if let Some(candidate) = candidate {
        rules.retain(|rule| rule.name != candidate.name);
        rules.push(Arc::new(candidate));
    }
    Ok(ErrorRules::new(rules))
}

fn headers(given: &[config::Header]) -> Result<HeaderMap, Status> {
    if given.len() > MAX_HEADERS {
        return Err(refuse("headers", "are more than 64"));
    }
    let read = |header: &config::Header| {
        let name = HeaderName::try_from(&header.name).ok()?;
        Some((name, HeaderValue::try_from(&header.value).ok()?))
    };
    given
        .iter()
        .map(|header| read(header).ok_or_else(|| refuse("headers", "has one that is no header")))
        .collect()
}

fn answer(finding: &Finding) -> wire::TestErrorRuleResponse {
    let class = finding.class;
    let cooling = finding.cooling.filter(|_| finding.until.is_none());
    wire::TestErrorRuleResponse {
        class: failure_class_to_wire(class),
        rule: finding.rule.as_deref().unwrap_or_default().to_owned(),
        row: finding.row.to_owned(),
        scope: scope(finding.scope).to_owned(),
        tries_next: class.tries_next(),
        repeat_after_ms: match finding.repeat {
            Repeat::Never => None,
            Repeat::Once { after } => Some(ms(after)),
        },
        until_ms: finding.until.map(|until| until.0),
        cooling_first_ms: cooling.map(|cooling| ms(cooling.first)),
        cooling_cap_ms: cooling.map(|cooling| ms(cooling.cap)),
        permanent: finding.permanent,
        counts_for_breaker: class.counts_for_breaker(),
        shown: class.may_be_shown(),
        replace: finding.replace.as_deref().map(replace_to_wire),
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Provider => "provider",
        Scope::Model => "model",
        Scope::Route => "route",
        Scope::Endpoint => "endpoint",
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn refuse(field: &str, problem: &str) -> Status {
    status::invalid(&Invalid::new(field, problem))
}
