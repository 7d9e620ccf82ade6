//! What a call that is in the ledger costs by the configuration of now: the data planes' own rule, asked again.

use std::collections::BTreeMap;

use penstock_core::cost;
use penstock_core::id::ProviderId;
use penstock_core::money::NanoUsd;
use penstock_core::price::Price;
use penstock_core::price::dearest::dearest;
use penstock_core::price::lookup;
use penstock_core::provider::Provider;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{Setting, UnpricedAction, UnpricedPolicy};
use penstock_core::usage::UsageRecord;
use penstock_store::NewCharge;

use crate::index::Index;

/// The prices, providers and the setting, as they are at one revision.
#[derive(Default)]
pub(super) struct Tariffs {
    prices: BTreeMap<String, (u64, Price)>,
    providers: BTreeMap<ProviderId, Provider>,
    unpriced: UnpricedPolicy,
    /// By platform.
    defaults: BTreeMap<&'static str, Option<Price>>,
}

/// What becomes of one record.
pub(super) enum Counted {
    /// Nothing was used, or nobody answered: it costs nothing whatever the price.
    Nothing,
    /// It cannot be said what it costs.
    Skipped,
    Charge(NewCharge),
}

impl Tariffs {
    pub(super) fn of(index: &Index) -> Self {
        let mut tariffs = Self::default();
        for resource in &index.full().resources {
            match (&resource.reference, &resource.spec) {
                (ResourceRef::Price(name), Spec::Price(price)) => {
                    let priced = (resource.version, price.as_ref().clone());
                    tariffs.prices.insert(name.to_string(), priced);
                }
                (ResourceRef::Provider(id), Spec::Provider(spec)) => {
                    tariffs.providers.insert(*id, spec.provider.clone());
                }
                (ResourceRef::Setting(_), Spec::Setting(Setting::Unpriced(policy))) => {
                    tariffs.unpriced = policy.clone();
                }
                (_, _) => {}
            }
        }
        tariffs
    }

    pub(super) fn count(&mut self, record: &UsageRecord) -> Counted {
        let Some(id) = record.provider_id else {
            return Counted::Nothing;
        };
        if record.tokens.is_empty() {
            return Counted::Nothing;
        }
        let Some(provider) = self.providers.get(&id) else {
            return Counted::Skipped;
        };
        let model = match record.model_served.as_str() {
            "" => &record.model,
            served => served,
        };
        let (kind, multiplier) = (provider.kind, record.cost_multiplier);
        let price = |name: &str| self.prices.get(name).map(|(_, price)| price);
        let found = lookup::resolve(kind, &provider.name, model, price);
        if let Some(found) = found {
            let version = self.prices.get(&found.name).map_or(0, |(version, _)| *version);
            return Counted::Charge(NewCharge {
                cost: cost::charge(found.price, &record.tokens, multiplier),
                price: Some((found.name, version)),
                unpriced: None,
            });
        }
        let cost = match self.unpriced.action {
            UnpricedAction::Reject => return Counted::Skipped,
            UnpricedAction::Free => NanoUsd(0),
            UnpricedAction::ChargeDefault => match self.default_of(kind.price_platform()) {
                Some(price) => cost::charge(price, &record.tokens, multiplier),
                None => return Counted::Skipped,
            },
        };
        Counted::Charge(NewCharge {
            cost,
            price: None,
            unpriced: Some(self.unpriced.action),
        })
    }

    fn default_of(&mut self, platform: &'static str) -> Option<&Price> {
        let (prices, stated) = (&self.prices, &self.unpriced.default_rates);
        let default = self.defaults.entry(platform).or_insert_with(|| {
            let rates = match stated.is_empty() {
                true => dearest(platform, prices.values().map(|(_, price)| price)),
                false => stated.clone(),
            };
            (!rates.is_empty()).then(|| Price::of_rates(platform, rates))
        });
        default.as_ref()
    }
}
