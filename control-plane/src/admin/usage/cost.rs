//! What a call cost, line by line: counted again from the price that it was charged by.
//!
//! The record keeps the price's name and version. The price of that version is the one in force, or it is found in the
//! history, as it was at the revision that decided the call. Whether the lines make the record's cost is always checked
//! and said: after a restore the history may be another one.

use penstock_core::cost::{self, Line};
use penstock_core::price::Price;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::setting::UnpricedAction;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_proto::convert::enums::token_class_to_wire;
use penstock_store::{Error, LoggedSpec, Store, StoredSpec};
use tonic::Status;

use super::super::{names, status};
use crate::context::Context;

pub(super) async fn of(context: &Context, record: &UsageRecord) -> Result<wire::CallCost, Status> {
    if record.tokens.is_empty() {
        return Ok(nothing("nothing was used"));
    }
    let Some((name, version)) = &record.price else {
        return Ok(nothing(match record.unpriced {
            Some(UnpricedAction::Free) => "the model has no price and is free by the setting `unpriced`",
            Some(UnpricedAction::ChargeDefault | UnpricedAction::Reject) => {
                "the model has no price; the setting `unpriced` said what to charge, and its rates are not kept"
            }
            None => "nothing was charged",
        }));
    };
    let price = price(&*context.store, name, *version, record.revision).await?;
    Ok(match price {
        Some(price) => lines(&price, record),
        None => nothing(&format!(
            "version {version} of the price {name} is not known any more"
        )),
    })
}

/// The price as it was.
async fn price(store: &dyn Store, name: &str, version: u64, revision: u64) -> Result<Option<Price>, Status> {
    let reference = ResourceRef::Price(name.into());
    if let Some(stored) = names::get(store, &reference).await?
        && stored.version == version
        && let StoredSpec::Price(price) = stored.spec
    {
        return Ok(Some(*price));
    }
    let head = store.head().await.map_err(status::from_store)?;
    let differences = match store.differences(head.revision, revision).await {
        Ok(differences) => differences,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(status::from_store(error)),
    };
    let change = differences
        .changes
        .into_iter()
        .find(|change| change.reference == reference);
    let logged = change.and_then(|change| LoggedSpec::read(Kind::Price, &change.after?).ok());
    Ok(match logged {
        Some(LoggedSpec::Price(price)) => Some(*price),
        Some(
            LoggedSpec::Provider(_)
            | LoggedSpec::User(_)
            | LoggedSpec::Key(_)
            | LoggedSpec::Setting(_)
            | LoggedSpec::ErrorRule(_)
            | LoggedSpec::WordRule(_)
            | LoggedSpec::RequestFilter(_)
            | LoggedSpec::ImportSuffix,
        )
        | None => None,
    })
}

fn lines(price: &Price, record: &UsageRecord) -> wire::CallCost {
    let used = &record.tokens;
    let factors = price.factors.iter();
    let factors = factors.filter(|factor| used.factors.contains(&factor.name));
    wire::CallCost {
        lines: cost::breakdown(price, used).into_iter().map(line).collect(),
        web_searches: used.web_searches,
        web_search_nanousd: price.web_search.0,
        request_nanousd: cost::fee(price, used),
        factors: factors.map(convert::factor_to_wire).collect(),
        adds_up: cost::charge(price, used, record.cost_multiplier) == record.cost,
        unknown: String::new(),
    }
}

fn line(line: Line) -> wire::CostLine {
    let pico_usd = line.rate.map_or(0, |rate| rate.pico_usd.0);
    wire::CostLine {
        token_class: token_class_to_wire(line.class),
        tokens: line.tokens,
        rate: line.rate.as_ref().map(convert::rate_to_wire),
        amount_picousd: line.tokens.saturating_mul(pico_usd),
    }
}

fn nothing(why: &str) -> wire::CallCost {
    wire::CallCost {
        unknown: why.to_owned(),
        ..wire::CallCost::default()
    }
}
