//! What a call to a provider will be charged by (behaviour E3).
//!
//! Decided when the provider is chosen, from the call's own snapshot, so that a policy that refuses unpriced models
//! can refuse before anything is sent.
//!
//! For strict budgets it also says the most that a call can cost, from the most that it can use.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use penstock_core::cost;
use penstock_core::cost::bound::MostOf;
use penstock_core::id::Epoch;
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::price::Price;
use penstock_core::price::dearest::dearest;
use penstock_core::price::lookup;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::setting::UnpricedAction;
use penstock_core::snapshot::{PriceEntry, Snapshot};
use penstock_core::usage::TokenUsage;
use penstock_dialect::bound::{Bound, Unbounded};

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

/// The most that one call can cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// For what is used before the first word of the answer, and for searches.
    pub(super) input: NanoUsd,
    pub(super) output_tokens: u64,
    pub(super) rates: MostOf,
}

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

    /// The most that a call within the bound can cost. What is free needs no bound.
    pub(super) fn most(&self, bound: &Bound, multiplier: Millionths) -> Result<Most, Unbounded> {
        let price = match self {
            Self::Listed(entry) => &entry.price,
            Self::Default(price) => &**price,
            Self::Free => return Ok(Most::nothing()),
        };
        let input = bound.input(price.max_input_tokens)?;
        let rates = MostOf::new(price, bound.triggers, input, multiplier);
        Ok(Most {
            input: rates.input(input) + rates.searches(bound.searches),
            output_tokens: bound.output(price.max_output_tokens)?,
            rates,
        })
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

impl Most {
    fn nothing() -> Self {
        Self {
            input: NanoUsd(0),
            output_tokens: 0,
            rates: MostOf::free(),
        }
    }

    /// What suffices for a stream at either provider.
    pub(super) fn or_dearer(self, other: Self) -> Self {
        let rate = |most: &Self| most.rates.output(1 << 20);
        Self {
            input: self.input.max(other.input),
            output_tokens: self.output_tokens.max(other.output_tokens),
            rates: if rate(&other) > rate(&self) {
                other.rates
            } else {
                self.rates
            },
        }
    }

    /// With all of its output.
    pub(super) fn whole(&self) -> NanoUsd {
        self.with_output(self.output_tokens)
    }

    /// With no more than so many tokens of output.
    pub(super) fn with_output(&self, tokens: u64) -> NanoUsd {
        self.input + self.rates.output(tokens.min(self.output_tokens))
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

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::dialect::Dialect;
    use penstock_core::money::PicoUsd;
    use penstock_core::price::{Rate, ServiceTier, TokenClass};
    use penstock_dialect::bound::bound;

    fn tariff() -> Tariff {
        priced(1, 5)
    }

    /// Nano-USD for a token of input and of output.
    fn priced(input: u64, output: u64) -> Tariff {
        let rate = |class, nano_usd: u64| Rate {
            class,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(nano_usd * 1_000),
        };
        let rates = vec![rate(TokenClass::Input, input), rate(TokenClass::Output, output)];
        Tariff::Default(Arc::new(Price {
            max_input_tokens: Some(200_000),
            ..Price::of_rates("anthropic", rates)
        }))
    }

    fn of(body: &str) -> Bound {
        bound(Dialect::Anthropic, body.as_bytes()).unwrap()
    }

    #[test]
    fn d04_the_most_of_a_call_is_its_prompt_and_all_of_its_output() {
        let body = r#"{"max_tokens":1000,"messages":[]}"#;
        let most = tariff().most(&of(body), Millionths::ONE).unwrap();
        let input = i64::try_from(body.len()).unwrap() + 2_000;
        assert_eq!(most.input, NanoUsd(input));
        assert_eq!(most.whole(), NanoUsd(input + 5_000));
        assert_eq!(most.with_output(10), NanoUsd(input + 50));
        assert_eq!(most.with_output(u64::MAX), most.whole());
    }

    #[test]
    fn d04_what_is_held_for_a_stream_suffices_at_each_provider_that_could_serve_it() {
        let body = of(r#"{"max_tokens":1000,"messages":[]}"#);
        let each = [priced(10, 1), priced(1, 10)].map(|at| at.most(&body, Millionths::ONE).unwrap());
        let [one, other] = each;
        for both in [one.or_dearer(other), other.or_dearer(one)] {
            for (most, tokens) in each.iter().flat_map(|most| [(most, 10), (most, 1_000)]) {
                let more = |most: &Most| most.with_output(tokens).0 - most.with_output(0).0;
                assert!(both.with_output(tokens) >= most.with_output(tokens));
                assert!(more(&both) >= more(most));
            }
        }
    }

    #[test]
    fn d04_content_that_is_named_costs_a_whole_context_window() {
        let named =
            of(r#"{"max_tokens":1,"messages":[{"content":[{"type":"image","source":{"type":"url"}}]}]}"#);
        assert_eq!(
            tariff().most(&named, Millionths::ONE).unwrap().input,
            NanoUsd(200_000)
        );
    }

    #[test]
    fn d04_without_a_maximum_there_is_no_bound_unless_it_is_free() {
        let open = of(r#"{"messages":[]}"#);
        assert!(tariff().most(&open, Millionths::ONE).is_err());
        assert_eq!(
            Tariff::Free.most(&open, Millionths::ONE).unwrap().whole(),
            NanoUsd(0)
        );
    }
}
