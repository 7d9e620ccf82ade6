//! Prices. What operators write is manual: it replaces a shipped price of the same name and survives updates. Deleting it
//! brings the shipped one back in the same commit.

mod backfill;
mod fetch;
mod import;
mod resolve;
mod shipped;
mod tariffs;

use std::pin::Pin;

use futures::Stream;
use penstock_core::invalid::Invalid;
use penstock_core::price::{Price, PriceSource};
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::price_service_server::PriceService;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_proto::convert::enums::price_source_from_wire;
use penstock_store::{Expect, Filter, NewSpec, Put, Stored, StoredSpec};
use tonic::{Request, Response, Status};

use self::backfill::Backfill;
pub(super) use self::resolve::resolve;
use super::author::Author;
use super::mask::Mask;
use super::provider::expect_or_any;
use super::status::{self, required};
use super::{names, page, reply};
use crate::context::Context;

pub(super) struct Prices(pub(super) Context);

#[tonic::async_trait]
impl PriceService for Prices {
    async fn create_price(
        &self,
        request: Request<wire::CreatePriceRequest>,
    ) -> Result<Response<wire::CreatePriceResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let price = read_spec(&request.name, request.spec)?;
        let reference = ResourceRef::Price(request.name.into());
        let shipped = names::get(&*self.0.store, &reference).await?.filter(is_shipped);
        let expect = shipped.map_or(Expect::Absent, |shipped| Expect::Version(shipped.version));
        let put = Put::new(reference, NewSpec::Price(Box::new(price))).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::CreatePriceResponse {
            price: Some(reply::price(&stored)?),
            revision,
        }))
    }

    async fn get_price(
        &self,
        request: Request<wire::GetPriceRequest>,
    ) -> Result<Response<wire::GetPriceResponse>, Status> {
        let stored = self.find(&request.into_inner().name).await?;
        let price = Some(reply::price(&stored)?);
        Ok(Response::new(wire::GetPriceResponse { price }))
    }

    async fn list_prices(
        &self,
        request: Request<wire::ListPricesRequest>,
    ) -> Result<Response<wire::ListPricesResponse>, Status> {
        let request = request.into_inner();
        let source = match request.source {
            0 => None,
            source => Some(price_source_from_wire("source", source).map_err(|e| status::invalid(&e))?),
        };
        let filter = Filter::Prices {
            contains: (!request.contains.is_empty()).then_some(request.contains),
            source,
        };
        let listed = self.0.store.list(&filter, &page::asked(request.page)).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        Ok(Response::new(wire::ListPricesResponse {
            prices: listed
                .resources
                .iter()
                .map(reply::price)
                .collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_price(
        &self,
        request: Request<wire::UpdatePriceRequest>,
    ) -> Result<Response<wire::UpdatePriceResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let stored = self.find(&request.name).await?;
        let expect = mask.expect(request.expected_version, stored.version)?;
        let current = reply::price(&stored)?.spec;
        let spec = mask.spec("penstock.config.v1.Price", current, request.spec)?;
        let price = read_spec(&request.name, Some(spec))?;
        let put = Put::new(stored.reference, NewSpec::Price(Box::new(price))).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::UpdatePriceResponse {
            price: Some(reply::price(&stored)?),
            revision,
        }))
    }

    async fn delete_price(
        &self,
        request: Request<wire::DeletePriceRequest>,
    ) -> Result<Response<wire::DeletePriceResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let stored = self.find(&request.name).await?;
        let op = shipped::deletion(stored, expect_or_any(request.expected_version))?;
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeletePriceResponse { revision }))
    }

    async fn resolve_price(
        &self,
        request: Request<wire::ResolvePriceRequest>,
    ) -> Result<Response<wire::ResolvePriceResponse>, Status> {
        let request = request.into_inner();
        let provider = names::provider(&*self.0.store, &request.provider).await?;
        if request.model.is_empty() {
            return Err(status::invalid(&Invalid::new("model", "is missing")));
        }
        let answer = resolve(&*self.0.store, &provider.value.provider, &request.model).await?;
        Ok(Response::new(answer))
    }

    async fn import_prices(
        &self,
        request: Request<wire::ImportPricesRequest>,
    ) -> Result<Response<wire::ImportPricesResponse>, Status> {
        let author = Author::of(&request);
        let answer = import::run(&self.0, author, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    type BackfillPricesStream =
        Pin<Box<dyn Stream<Item = Result<wire::BackfillPricesResponse, Status>> + Send>>;

    async fn backfill_prices(
        &self,
        request: Request<wire::BackfillPricesRequest>,
    ) -> Result<Response<Self::BackfillPricesStream>, Status> {
        let author = Author::of(&request);
        let backfill = Backfill::begin(&self.0, author, request.into_inner()).await?;
        Ok(Response::new(Box::pin(backfill.answers())))
    }

    async fn list_price_backfills(
        &self,
        _: Request<wire::ListPriceBackfillsRequest>,
    ) -> Result<Response<wire::ListPriceBackfillsResponse>, Status> {
        let known = self.0.store.price_backfills(backfill::MAX_LISTED).await;
        let known = known.map_err(status::from_store)?;
        Ok(Response::new(wire::ListPriceBackfillsResponse {
            backfills: known.into_iter().map(backfill::reply).collect(),
        }))
    }
}

impl Prices {
    async fn find(&self, name: &str) -> Result<Stored, Status> {
        let stored = names::get(&*self.0.store, &ResourceRef::Price(name.into())).await?;
        stored.ok_or_else(|| status::not_found(&format!("price {name:?}")))
    }
}

fn is_shipped(stored: &Stored) -> bool {
    matches!(&stored.spec, StoredSpec::Price(price) if price.source == PriceSource::Shipped)
}

pub(super) fn read_spec(name: &str, spec: Option<config::Price>) -> Result<Price, Status> {
    let manual = config::Price {
        source: config::PriceSource::Manual.into(),
        ..required("spec", spec)?
    };
    let price = convert::price_from_wire(manual).map_err(status::invalid_in("spec"))?;
    price
        .validate(name)
        .map_err(|invalid| match invalid.field.as_str() {
            "name" => status::invalid(&invalid),
            _ => status::invalid(&invalid.within("spec")),
        })?;
    Ok(price)
}

#[cfg(test)]
mod tests {
    use penstock_core::money::PicoUsd;
    use penstock_core::price::{Rate, ServiceTier, TokenClass};

    use super::*;

    fn spec(rates: Vec<Rate>) -> config::Price {
        convert::price_to_wire(&Price {
            source: PriceSource::Shipped,
            ..Price::of_rates("anthropic", rates)
        })
    }

    fn rate(class: TokenClass) -> Rate {
        Rate {
            class,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(1),
        }
    }

    #[test]
    fn e04_what_an_operator_writes_is_manual() {
        let rates = vec![rate(TokenClass::Input), rate(TokenClass::Output)];
        assert_eq!(
            read_spec("m", Some(spec(rates))).unwrap().source,
            PriceSource::Manual
        );
    }

    #[test]
    fn a_field_is_named_by_its_path() {
        let error = read_spec("m", Some(spec(vec![rate(TokenClass::Input)]))).unwrap_err();
        assert!(error.message().starts_with("spec.rates: "), "{}", error.message());
        let rates = vec![rate(TokenClass::Input), rate(TokenClass::Output)];
        let error = read_spec("", Some(spec(rates))).unwrap_err();
        assert!(error.message().starts_with("name: "), "{}", error.message());
    }
}
