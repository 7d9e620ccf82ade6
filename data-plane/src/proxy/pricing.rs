//! What a call to a provider will be charged by (behaviour E3).
//!
//! Decided when the provider is chosen, from the call's own snapshot, so that a policy that refuses unpriced models
//! can refuse before anything is sent.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use penstock_core::cost;
use penstock_core::id::Epoch;
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::price::Price;
use penstock_core::price::dearest::dearest;
use penstock_core::price::lookup;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::setting::UnpricedAction;
use penstock_core::snapshot::{PriceEntry, Snapshot};
use penstock_core::usage::TokenUsage;

/// By what a call is charged.
#[derive(Clone, Debug)]
pub(super) enum Tariff {
    /// The model's price.
    Listed(Arc<PriceEntry>),
    /// The model has none; the operator's default, or the dearest of the platform.
    Default(Arc<Price>),
    /// The model has none and is free by the operator's choice.
    Free,
}

/// The model has no price here and is refused for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unpriced;

/// Default prices by platform, computed once for each revision.
#[derive(Debug, Default)]
pub(super) struct Defaults(ArcSwapOption<Computed>);

#[derive(Debug)]
struct Computed {
    epoch: Option<Epoch>,
    revision: u64,
    by_platform: Vec<(&'static str, Option<Arc<Price>>)>,
}

/// Finds what a call for `model` is charged by at a provider.
pub(super) fn tariff(
    snapshot: &Snapshot,
    defaults: &Defaults,
    provider: &Provider,
    model: &str,
) -> Result<Tariff, Unpriced> {
    let price = |name: &str| snapshot.price(name).map(|entry| &entry.price);
    let found = lookup::resolve(provider.kind, &provider.name, model, price);
    if let Some(entry) = found.and_then(|found| snapshot.price(&found.name)) {
        return Ok(Tariff::Listed(Arc::clone(entry)));
    }
    match snapshot.unpriced().action {
        UnpricedAction::Reject => Err(Unpriced),
        UnpricedAction::Free => Ok(Tariff::Free),
        UnpricedAction::ChargeDefault => defaults
            .get(snapshot, provider.kind.price_platform())
            .map(Tariff::Default)
            .ok_or(Unpriced),
    }
}

impl Tariff {
    pub(super) fn charge(&self, used: &TokenUsage, multiplier: Millionths) -> NanoUsd {
        match self {
            Self::Listed(entry) => cost::charge(&entry.price, used, multiplier),
            Self::Default(price) => cost::charge(price, used, multiplier),
            Self::Free => NanoUsd(0),
        }
    }

    /// Name and version of the price, as the ledger keeps them.
    pub(super) fn price(&self) -> Option<(String, u64)> {
        match self {
            Self::Listed(entry) => Some((entry.name.to_string(), entry.version)),
            Self::Default(_) | Self::Free => None,
        }
    }

    /// What decided in place of a price.
    pub(super) fn unpriced(&self) -> Option<UnpricedAction> {
        match self {
            Self::Listed(_) => None,
            Self::Default(_) => Some(UnpricedAction::ChargeDefault),
            Self::Free => Some(UnpricedAction::Free),
        }
    }
}

impl Defaults {
    /// None: the platform has no price at all.
    fn get(&self, snapshot: &Snapshot, platform: &str) -> Option<Arc<Price>> {
        let of_revision = (snapshot.epoch(), snapshot.revision());
        let known = self.0.load_full();
        let computed = match known.filter(|known| (known.epoch, known.revision) == of_revision) {
            Some(computed) => computed,
            None => {
                let computed = Arc::new(Computed::new(snapshot));
                self.0.store(Some(Arc::clone(&computed)));
                computed
            }
        };
        let found = computed.by_platform.iter().find(|(name, _)| *name == platform)?;
        found.1.clone()
    }
}

impl Computed {
    fn new(snapshot: &Snapshot) -> Self {
        let stated = &snapshot.unpriced().default_rates;
        let mut platforms: Vec<_> = ProviderKind::ALL.map(ProviderKind::price_platform).to_vec();
        platforms.dedup();
        let price = |platform| {
            let rates = match stated.is_empty() {
                true => dearest(platform, snapshot.prices().map(|entry| &entry.price)),
                false => stated.clone(),
            };
            (!rates.is_empty()).then(|| Arc::new(Price::of_rates(platform, rates)))
        };
        Self {
            epoch: snapshot.epoch(),
            revision: snapshot.revision(),
            by_platform: platforms
                .into_iter()
                .map(|platform| (platform, price(platform)))
                .collect(),
        }
    }
}
