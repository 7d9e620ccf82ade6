//! Reads a file of prices: the one that ships with the product, or a newer one in the same shape.
//!
//! The shape is described beside the file, in `control-plane/prices/README.md`. A file is taken whole or not at all:
//! an unknown field, a price that is not valid, or a number of models that is not the one the file states (a file cut
//! short, a name that stands twice) refuses all of it, since half a price list is worse than yesterday's.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Factor, Price, PriceSource, Rate};
use crate::invalid::Invalid;
use crate::money::NanoUsd;

/// Why a file of prices is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error(
        "the price file cannot be read: it is neither in the shape that ships with a matching release nor LiteLLM's"
    )]
    Json(#[from] serde_json::Error),
    #[error("the price file states {stated} models but has {found}: it was cut short or names a model twice")]
    Incomplete { stated: usize, found: usize },
    #[error("the price of {name:?} cannot be used")]
    Price { name: String, source: Invalid },
    /// What was left out, by reason.
    #[error("the file holds no price that can be used{0}")]
    Nothing(String),
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "_meta")]
    meta: Meta,
    models: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct Meta {
    entries: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    platform: String,
    rates: Vec<Rate>,
    #[serde(default)]
    web_search: NanoUsd,
    #[serde(default)]
    request: NanoUsd,
    #[serde(default)]
    factors: Vec<Factor>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    deprecation_date: String,
}

/// The prices of the file, by name and in its order, each one valid and marked as shipped.
pub fn parse(text: &str) -> Result<Vec<(String, Price)>, ParseError> {
    let file: File = serde_json::from_str(text)?;
    if file.meta.entries != file.models.len() {
        return Err(ParseError::Incomplete {
            stated: file.meta.entries,
            found: file.models.len(),
        });
    }
    file.models.into_iter().map(checked).collect()
}

fn checked((name, row): (String, Row)) -> Result<(String, Price), ParseError> {
    let price = Price::from(row);
    match price.validate(&name) {
        Ok(()) => Ok((name, price)),
        Err(source) => Err(ParseError::Price { name, source }),
    }
}

impl From<Row> for Price {
    fn from(row: Row) -> Self {
        Self {
            source: PriceSource::Shipped,
            platform: row.platform,
            rates: row.rates,
            web_search: row.web_search,
            request: row.request,
            factors: row.factors,
            max_input_tokens: row.max_input_tokens,
            max_output_tokens: row.max_output_tokens,
            deprecation_date: row.deprecation_date,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
