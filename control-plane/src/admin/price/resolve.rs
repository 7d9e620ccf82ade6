//! The price a call would pay, as the data planes find it, and why.
//!
//! The rule itself is core's. It is asked twice: once without any price, to learn which names it would look at, and
//! once with the prices that exist among these few.

use std::cell::RefCell;
use std::collections::BTreeMap;

use penstock_core::price::Price;
use penstock_core::price::lookup::{self, Rule};
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::{Setting, UnpricedAction, UnpricedPolicy};
use penstock_proto::admin::v1::ResolvePriceResponse;
use penstock_store::{Store, Stored, StoredSpec};
use tonic::Status;

use crate::admin::{names, reply};

/// Answers for one model at one provider.
pub(in crate::admin) async fn resolve(
    store: &dyn Store,
    provider: &Provider,
    model: &str,
) -> Result<ResolvePriceResponse, Status> {
    let mut rows = BTreeMap::new();
    for name in names_tried(provider, model) {
        let stored = names::get(store, &ResourceRef::Price(name.as_str().into())).await?;
        rows.extend(stored.map(|stored| (name, stored)));
    }
    let found = lookup::resolve(provider.kind, &provider.name, model, |name| {
        rows.get(name).and_then(price_of)
    });
    let Some(found) = found else {
        return Ok(ResolvePriceResponse {
            price: None,
            rule: explain_none(&policy(store).await?, provider),
        });
    };
    let price = rows.get(&found.name).map(reply::price).transpose()?;
    Ok(ResolvePriceResponse {
        price,
        rule: explain(found.rule, provider),
    })
}

fn names_tried(provider: &Provider, model: &str) -> Vec<String> {
    let tried = RefCell::new(Vec::new());
    let nothing = lookup::resolve(provider.kind, &provider.name, model, |name| {
        tried.borrow_mut().push(name.to_owned());
        None
    });
    debug_assert!(nothing.is_none(), "a price came out of nothing");
    tried.into_inner()
}

fn price_of(stored: &Stored) -> Option<&Price> {
    match &stored.spec {
        StoredSpec::Price(price) => Some(price),
        StoredSpec::Provider(_)
        | StoredSpec::User(_)
        | StoredSpec::Key(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => None,
    }
}

async fn policy(store: &dyn Store) -> Result<UnpricedPolicy, Status> {
    let default = Setting::Unpriced(UnpricedPolicy::default());
    let stored = names::get(store, &ResourceRef::Setting(default.name().into())).await?;
    Ok(match stored.map(|stored| stored.spec) {
        Some(StoredSpec::Setting(Setting::Unpriced(policy))) => policy,
        Some(_) | None => UnpricedPolicy::default(),
    })
}

fn explain(rule: Rule, provider: &Provider) -> String {
    let platform = provider.kind.price_platform();
    match rule {
        Rule::Provider => format!(
            "provider: the price is for the provider {:?} alone",
            provider.name
        ),
        Rule::Exact => "exact: the price has the model's name".to_owned(),
        Rule::Platform => format!("platform: the price has the model's name behind {platform}/"),
        Rule::Alias => "alias: the price is for the model without its date or \"latest\"".to_owned(),
        Rule::Profile => {
            "profile: the price is for the model that the inference profile or ARN names".to_owned()
        }
    }
}

fn explain_none(policy: &UnpricedPolicy, provider: &Provider) -> String {
    let platform = provider.kind.price_platform();
    let what = match policy.action {
        UnpricedAction::Reject => "calls are refused (MODEL_UNPRICED)".to_owned(),
        UnpricedAction::Free => "calls are free of charge".to_owned(),
        UnpricedAction::ChargeDefault if policy.default_rates.is_empty() => {
            format!("calls are charged at the dearest rates of {platform}")
        }
        UnpricedAction::ChargeDefault => "calls are charged at the default rates of the setting".to_owned(),
    };
    format!(
        "no price: by the setting \"unpriced\" ({}) {what}",
        policy.action.as_str()
    )
}

#[cfg(test)]
mod tests {
    use penstock_core::provider::ProviderKind;

    use super::*;

    fn provider() -> Provider {
        Provider::new("main", ProviderKind::Anthropic, "https://api.anthropic.com")
    }

    #[test]
    fn e04_every_name_that_the_rule_looks_at_is_read() {
        let names = names_tried(&provider(), "claude-opus-4-8-20260101");
        for name in [
            "main/claude-opus-4-8-20260101",
            "claude-opus-4-8-20260101",
            "claude-opus-4-8",
            "anthropic/claude-opus-4-8",
        ] {
            assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
        }
    }

    #[test]
    fn e03_a_model_without_a_price_is_said_to_be_so_with_what_follows() {
        let text = explain_none(&UnpricedPolicy::default(), &provider());
        assert!(
            text.contains("charge_default") && text.contains("dearest rates of anthropic"),
            "{text}"
        );
        let reject = UnpricedPolicy {
            action: UnpricedAction::Reject,
            default_rates: Vec::new(),
        };
        assert!(explain_none(&reject, &provider()).contains("refused"));
    }
}
