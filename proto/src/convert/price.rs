//! Prices and rates.

use penstock_core::invalid::Invalid;
use penstock_core::money::{Millionths, NanoUsd, PicoUsd};
use penstock_core::price::{Factor, Price, Rate};

use super::enums::{
    price_source_from_wire, price_source_to_wire, service_tier_from_wire, service_tier_to_wire,
    token_class_from_wire, token_class_to_wire,
};
use crate::config::v1 as wire;

/// Writes a price.
pub fn price_to_wire(price: &Price) -> wire::Price {
    wire::Price {
        source: price_source_to_wire(price.source),
        platform: price.platform.clone(),
        rates: rates_to_wire(&price.rates),
        web_search_nanousd: u64::try_from(price.web_search.0).unwrap_or_default(),
        factors: price.factors.iter().map(factor_to_wire).collect(),
        max_input_tokens: price.max_input_tokens,
        max_output_tokens: price.max_output_tokens,
        deprecation_date: price.deprecation_date.clone(),
        request_nanousd: u64::try_from(price.request.0).unwrap_or_default(),
    }
}

/// Reads a price.
pub fn price_from_wire(price: wire::Price) -> Result<Price, Invalid> {
    let web_search = i64::try_from(price.web_search_nanousd)
        .map_err(|_| Invalid::new("web_search_nanousd", "is too large"))?;
    let request =
        i64::try_from(price.request_nanousd).map_err(|_| Invalid::new("request_nanousd", "is too large"))?;
    Ok(Price {
        request: NanoUsd(request),
        source: price_source_from_wire("source", price.source)?,
        platform: price.platform,
        rates: rates_from_wire("rates", price.rates)?,
        web_search: NanoUsd(web_search),
        factors: price
            .factors
            .into_iter()
            .map(|f| Factor {
                name: f.name,
                millionths: Millionths(f.millionths),
            })
            .collect(),
        max_input_tokens: price.max_input_tokens,
        max_output_tokens: price.max_output_tokens,
        deprecation_date: price.deprecation_date,
    })
}

pub(super) fn rates_to_wire(rates: &[Rate]) -> Vec<wire::Rate> {
    rates.iter().map(rate_to_wire).collect()
}

/// Writes a rate.
pub fn rate_to_wire(rate: &Rate) -> wire::Rate {
    wire::Rate {
        token_class: token_class_to_wire(rate.class),
        tier: service_tier_to_wire(rate.tier),
        above_tokens: rate.above_tokens,
        pico_usd: rate.pico_usd.0,
    }
}

/// Writes a factor.
pub fn factor_to_wire(factor: &Factor) -> wire::Factor {
    wire::Factor {
        name: factor.name.clone(),
        millionths: factor.millionths.0,
    }
}

pub(super) fn rates_from_wire(field: &str, rates: Vec<wire::Rate>) -> Result<Vec<Rate>, Invalid> {
    let read = |(i, rate): (usize, wire::Rate)| {
        Ok(Rate {
            class: token_class_from_wire(&format!("{field}[{i}].token_class"), rate.token_class)?,
            tier: service_tier_from_wire(&format!("{field}[{i}].tier"), rate.tier)?,
            above_tokens: rate.above_tokens,
            pico_usd: PicoUsd(rate.pico_usd),
        })
    };
    rates.into_iter().enumerate().map(read).collect()
}
