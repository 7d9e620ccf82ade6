//! Prices of models.

use penstock_core::money::NanoUsd;
use penstock_core::price::Price;
use penstock_core::resource::ResourceRef;
use serde_json::Value as Json;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::{AsJson, AsWord};

#[derive(sqlx::FromRow)]
pub(super) struct PriceRow {
    name: String,
    source: String,
    platform: String,
    rates: Json,
    web_search: i64,
    request_fee: i64,
    factors: Json,
    max_input_tokens: Option<i64>,
    max_output_tokens: Option<i64>,
    deprecation_date: String,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.source, t.platform, t.rates, t.web_search, t.request_fee, t.factors, \
             t.max_input_tokens, t.max_output_tokens, t.deprecation_date, t.version, t.min_schema, t.created_at, t.updated_at \
             FROM model_prices t",
    id: "t.name",
    insert: "INSERT INTO model_prices (name, source, platform, rates, web_search, request_fee, factors, \
             max_input_tokens, max_output_tokens, deprecation_date, version, min_schema, created_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (name) \
             DO NOTHING",
    update: "UPDATE model_prices SET source = $2, platform = $3, rates = $4, web_search = $5, \
             request_fee = $6, factors = $7, max_input_tokens = $8, max_output_tokens = $9, deprecation_date = $10, \
             version = $11, min_schema = $12, created_at = $13, updated_at = $14 WHERE name = $1 AND version = $11 - 1",
    lock: "UPDATE model_prices SET version = version WHERE name = $1",
    delete: "DELETE FROM model_prices WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, price: &Price) -> Query {
    query
        .bind(super::id_value(&stored.reference))
        .bind(AsWord(price.source))
        .bind(&price.platform)
        .bind(AsJson(&price.rates))
        .bind(price.web_search.0)
        .bind(price.request.0)
        .bind(AsJson(&price.factors))
        .bind(price.max_input_tokens)
        .bind(price.max_output_tokens)
        .bind(&price.deprecation_date)
}

impl ResourceRow for PriceRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::Price(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::Price(Box::new(Price {
            source: super::word("source", self.source)?,
            platform: self.platform,
            rates: super::json("rates", self.rates)?,
            web_search: NanoUsd(self.web_search),
            request: NanoUsd(self.request_fee),
            factors: super::json("factors", self.factors)?,
            max_input_tokens: self.max_input_tokens.map(super::count).transpose()?,
            max_output_tokens: self.max_output_tokens.map(super::count).transpose()?,
            deprecation_date: self.deprecation_date,
        })))
    }
}
