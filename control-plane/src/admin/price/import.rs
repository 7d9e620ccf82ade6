//! Prices from a file or URL: compared first, taken over when asked to (behaviour E4).
//!
//! The comparison and the commit expect the same versions: a price that somebody changes in between refuses the whole
//! import, and nothing has happened.

use std::collections::BTreeMap;

use penstock_core::invalid::Invalid;
use penstock_core::price::Price;
use penstock_core::price::changes::{PriceChange, PriceChanges, Sources};
use penstock_core::price::import::{self, Imported, MAX_BYTES};
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::import_prices_request::Source;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, MAX_OPS, NewSpec, Op, Page, Put, Store, StoredSpec};
use sha2::{Digest, Sha256};
use tonic::Status;

use super::{fetch, shipped};
use crate::admin::author::Author;
use crate::admin::status::{self, required};
use crate::context::Context;

/// The prices in the store, and their versions.
#[derive(Default)]
struct Known {
    prices: BTreeMap<String, Price>,
    versions: BTreeMap<String, u64>,
}

pub(super) async fn run(
    context: &Context,
    author: Author,
    request: wire::ImportPricesRequest,
) -> Result<wire::ImportPricesResponse, Status> {
    let file = file(context, request.source, request.allow_http).await?;
    let digest = hex::encode(Sha256::digest(&file));
    if !request.digest.is_empty() && request.digest != digest {
        let problem = "the file is not the one that was compared before: look at the differences again";
        return Err(Status::failed_precondition(problem));
    }
    let Imported {
        prices,
        left_out,
        left_names,
    } = read(&file)?;
    let known = known(&*context.store).await?;
    let shipped: BTreeMap<String, Price> = shipped::all()?.into_iter().collect();
    let sources = Sources {
        file: &prices,
        left_out: &left_names,
        shipped: &shipped,
    };
    let found = PriceChanges::between(&known.prices, sources, request.keep_missing);
    if found.changes.len() > MAX_OPS {
        let count = found.changes.len();
        let problem =
            format!("would change {count} prices, and one import changes {MAX_OPS} at most: split it");
        return Err(status::invalid(&Invalid::new("file", problem)));
    }
    let revision = match request.apply && !found.changes.is_empty() {
        true => {
            let ops = found.changes.iter().map(|change| op(change, &known)).collect();
            author
                .commit_all(context, request.change, ops)
                .await?
                .head
                .revision
        }
        false => 0,
    };
    let left_out = left_out
        .into_iter()
        .map(|(reason, count)| wire::LeftOut { reason, count });
    Ok(wire::ImportPricesResponse {
        differences: found.changes.iter().map(difference).collect(),
        kept: found.kept,
        left_out: left_out.collect(),
        prices: u64::try_from(prices.len()).unwrap_or(u64::MAX),
        digest,
        revision,
    })
}

async fn file(context: &Context, source: Option<Source>, allow_http: bool) -> Result<Vec<u8>, Status> {
    match required("source", source)? {
        Source::File(file) if file.len() > MAX_BYTES => {
            let problem = format!("is larger than {} MB", MAX_BYTES >> 20);
            Err(status::invalid(&Invalid::new("file", problem)))
        }
        Source::File(file) => Ok(file),
        Source::Url(url) => match fetch::fetch(&url, allow_http, &context.trusted_hosts).await {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error @ (fetch::FetchError::Url(_) | fetch::FetchError::Plain(_))) => {
                Err(status::invalid(&Invalid::new("url", error.to_string())))
            }
            Err(error) => Err(Status::unavailable(format!("{url}: {error}"))),
        },
    }
}

fn read(file: &[u8]) -> Result<Imported, Status> {
    let refused = |problem: String| status::invalid(&Invalid::new("file", problem));
    let text = std::str::from_utf8(file).map_err(|_| refused("is not UTF-8".to_owned()))?;
    import::parse(text).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        refused(format!("{error}{}", cause.unwrap_or_default()))
    })
}

async fn known(store: &dyn Store) -> Result<Known, Status> {
    let filter = Filter::Prices {
        contains: None,
        source: None,
    };
    let mut known = Known::default();
    let mut page = Page::first(Page::MAX);
    loop {
        let listed = store.list(&filter, &page).await.map_err(status::from_store)?;
        for stored in listed.resources {
            if let StoredSpec::Price(price) = stored.spec {
                known.versions.insert(stored.reference.id(), stored.version);
                known.prices.insert(stored.reference.id(), *price);
            }
        }
        match listed.next {
            Some(next) => page.after = Some(next),
            None => return Ok(known),
        }
    }
}

fn op(change: &PriceChange, known: &Known) -> Op {
    let reference = ResourceRef::Price(change.name.as_str().into());
    let expect = known
        .versions
        .get(&change.name)
        .map_or(Expect::Absent, |version| Expect::Version(*version));
    match &change.after {
        Some(price) => Put::new(reference, NewSpec::Price(Box::new(price.clone())))
            .expecting(expect)
            .into(),
        None => Op::delete(reference, expect),
    }
}

fn difference(change: &PriceChange) -> wire::PriceDifference {
    wire::PriceDifference {
        name: change.name.clone(),
        before: change.before.as_ref().map(convert::price_to_wire),
        after: change.after.as_ref().map(convert::price_to_wire),
    }
}
