//! Prices: in USD for a million tokens for people, and in pico-USD for one token exactly.

use penstock_core::price::{Price as Core, PriceSource, Rate as CoreRate};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::{Row, View, fields, instant, or_dash, rows};
use crate::args::rate;
use crate::failure::Failure;

/// A price.
#[derive(Debug, Serialize)]
pub(crate) struct Price {
    pub name: String,
    /// `shipped`, `manual` or `imported`.
    pub source: &'static str,
    pub platform: String,
    pub rates: Vec<Rate>,
    pub web_search_usd: String,
    pub web_search_nanousd: i64,
    pub request_usd: String,
    pub request_nanousd: i64,
    pub factors: Vec<Factor>,
    pub max_input_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub deprecation_date: Option<String>,
    pub version: u64,
    pub updated_at: Option<String>,
}

/// The price of one token of one class.
#[derive(Debug, Serialize)]
pub(crate) struct Rate {
    pub class: &'static str,
    pub tier: &'static str,
    pub above_tokens: u64,
    pub usd_per_million: String,
    pub pico_usd: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Factor {
    pub name: String,
    pub factor: String,
    pub millionths: u32,
}

/// Which price a model pays at a provider, and why.
#[derive(Debug, Serialize)]
pub(crate) struct ResolvedPrice {
    pub model: String,
    pub provider: String,
    /// The rule that found it, or what happens without a price.
    pub rule: String,
    pub price: Option<Price>,
}

impl Price {
    pub(crate) fn read(price: wire::Price) -> Result<Self, Failure> {
        let spec = convert::price_from_wire(price.spec.unwrap_or_default())?;
        Ok(Self {
            name: price.name,
            source: source(spec.source),
            rates: spec.rates.iter().map(Rate::from).collect(),
            web_search_usd: spec.web_search.to_string(),
            web_search_nanousd: spec.web_search.0,
            request_usd: spec.request.to_string(),
            request_nanousd: spec.request.0,
            factors: factors(&spec),
            platform: spec.platform,
            max_input_tokens: spec.max_input_tokens,
            max_output_tokens: spec.max_output_tokens,
            deprecation_date: (!spec.deprecation_date.is_empty()).then_some(spec.deprecation_date),
            version: price.version,
            updated_at: instant(price.updated_at_ms),
        })
    }

    /// The standard rate of a class, for prompts of any length.
    fn standard(&self, class: &str) -> String {
        let found = self
            .rates
            .iter()
            .find(|r| r.class == class && r.tier == "standard" && r.above_tokens == 0);
        or_dash(found.map(|rate| rate.usd_per_million.as_str()))
    }
}

impl From<&CoreRate> for Rate {
    fn from(rate: &CoreRate) -> Self {
        Self {
            class: rate.class.as_str(),
            tier: rate::tier_name(rate.tier),
            above_tokens: rate.above_tokens,
            usd_per_million: rate::write_usd(rate.pico_usd),
            pico_usd: rate.pico_usd.0,
        }
    }
}

fn source(source: PriceSource) -> &'static str {
    match source {
        PriceSource::Shipped => "shipped",
        PriceSource::Manual => "manual",
        PriceSource::Imported => "imported",
    }
}

fn factors(price: &Core) -> Vec<Factor> {
    let factor = |factor: &penstock_core::price::Factor| Factor {
        name: factor.name.clone(),
        factor: factor.millionths.to_string(),
        millionths: factor.millionths.0,
    };
    price.factors.iter().map(factor).collect()
}

/// The rates in a table of their own.
pub(crate) fn rate_table(rates: &[Rate]) -> String {
    let row = |rate: &Rate| {
        let above = match rate.above_tokens {
            0 => "-".to_owned(),
            tokens => tokens.to_string(),
        };
        vec![
            rate.class.to_owned(),
            rate.tier.to_owned(),
            above,
            rate.usd_per_million.clone(),
        ]
    };
    rows(
        &["CLASS", "TIER", "ABOVE TOKENS", "USD PER MILLION"],
        rates.iter().map(row),
    )
}

impl View for Price {
    fn table(&self) -> String {
        let factors: Vec<_> = self
            .factors
            .iter()
            .map(|f| format!("{} x{}", f.name, f.factor))
            .collect();
        let head = fields(&[
            ("name", self.name.clone()),
            ("source", self.source.to_owned()),
            ("platform", or_dash(Some(&self.platform))),
            ("web search", format!("{} USD", self.web_search_usd)),
            ("request", format!("{} USD", self.request_usd)),
            ("factors", super::joined(&factors)),
            ("deprecated from", or_dash(self.deprecation_date.as_deref())),
            ("version", self.version.to_string()),
        ]);
        format!("{head}\n\n{}", rate_table(&self.rates))
    }
}

impl View for ResolvedPrice {
    fn table(&self) -> String {
        let head = fields(&[
            ("model", self.model.clone()),
            ("provider", self.provider.clone()),
            ("rule", self.rule.clone()),
        ]);
        match &self.price {
            Some(price) => format!("{head}\n\n{}", price.table()),
            None => head,
        }
    }
}

impl Row for Price {
    const COLUMNS: &'static [&'static str] = &[
        "NAME",
        "SOURCE",
        "PLATFORM",
        "INPUT",
        "OUTPUT",
        "CACHE READ",
        "CACHE WRITE",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.source.to_owned(),
            or_dash(Some(&self.platform)),
            self.standard("input"),
            self.standard("output"),
            self.standard("cache_read"),
            self.standard("cache_write"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::money::{NanoUsd, PicoUsd};
    use penstock_core::price::{ServiceTier, TokenClass};

    use super::*;

    fn price() -> Price {
        let rate = |class, pico_usd| CoreRate {
            class,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(pico_usd),
        };
        let core = Core {
            web_search: NanoUsd(10_000_000),
            ..Core::of_rates(
                "anthropic",
                vec![
                    rate(TokenClass::Input, 3_000_000),
                    rate(TokenClass::Output, 15_000_000),
                ],
            )
        };
        let price = wire::Price {
            name: "claude-x".into(),
            version: 1,
            spec: Some(convert::price_to_wire(&core)),
            updated_at_ms: 0,
        };
        Price::read(price).unwrap()
    }

    #[test]
    fn e04_money_is_text_and_an_integer() {
        let json = serde_json::to_value(price()).unwrap();
        assert_eq!(json["rates"][0]["usd_per_million"], "3");
        assert_eq!(json["rates"][0]["pico_usd"], 3_000_000);
        assert_eq!(
            (&json["web_search_usd"], &json["web_search_nanousd"]),
            (&"0.01".into(), &10_000_000.into())
        );
        assert_eq!(json["source"], "manual");
    }

    #[test]
    fn a_row_shows_the_standard_rates() {
        let cells = price().cells();
        assert_eq!(cells.len(), Price::COLUMNS.len());
        assert_eq!(cells[3..], ["3", "15", "-", "-"]);
    }

    #[test]
    fn e04_a_model_without_a_price_still_shows_the_rule() {
        let resolved = ResolvedPrice {
            model: "m".into(),
            provider: "p".into(),
            rule: "no price: …".into(),
            price: None,
        };
        assert!(resolved.table().contains("no price"));
    }
}
