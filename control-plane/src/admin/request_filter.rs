//! What is changed in requests before they go to a provider. They are known by their names, as prices are.

use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::request_filter_service_server::RequestFilterService;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, NewSpec, Op, Put, Stored};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::provider::{check_name, expect_or_any};
use super::refusals::Refusals;
use super::status::{self, required};
use super::{names, page, reply};
use crate::context::Context;

pub(super) struct Filters(pub(super) Context);

#[tonic::async_trait]
impl RequestFilterService for Filters {
    async fn create_request_filter(
        &self,
        request: Request<wire::CreateRequestFilterRequest>,
    ) -> Result<Response<wire::CreateRequestFilterResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let filter = read_spec(&request.name, request.spec)?;
        check_name(&*self.0.store, "spec.provider", filter.provider.as_deref()).await?;
        let put = put(filter).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::CreateRequestFilterResponse {
            request_filter: Some(reply::request_filter(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn get_request_filter(
        &self,
        request: Request<wire::GetRequestFilterRequest>,
    ) -> Result<Response<wire::GetRequestFilterResponse>, Status> {
        let stored = self.find(&request.into_inner().name).await?;
        let request_filter = Some(reply::request_filter(&stored, &self.refusals().await?)?);
        Ok(Response::new(wire::GetRequestFilterResponse { request_filter }))
    }

    async fn list_request_filters(
        &self,
        request: Request<wire::ListRequestFiltersRequest>,
    ) -> Result<Response<wire::ListRequestFiltersResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let listed = self.0.store.list(&Filter::RequestFilters, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let refusals = self.refusals().await?;
        let filters = listed
            .resources
            .iter()
            .map(|stored| reply::request_filter(stored, &refusals));
        Ok(Response::new(wire::ListRequestFiltersResponse {
            request_filters: filters.collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_request_filter(
        &self,
        request: Request<wire::UpdateRequestFilterRequest>,
    ) -> Result<Response<wire::UpdateRequestFilterResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let stored = self.find(&request.name).await?;
        let expect = mask.expect(request.expected_version, stored.version)?;
        let current = reply::request_filter(&stored, &Refusals::default())?.spec;
        let spec = mask.spec("penstock.config.v1.RequestFilter", current, request.spec)?;
        let filter = read_spec(&request.name, Some(spec))?;
        check_name(&*self.0.store, "spec.provider", filter.provider.as_deref()).await?;
        let put = put(filter).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::UpdateRequestFilterResponse {
            request_filter: Some(reply::request_filter(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn delete_request_filter(
        &self,
        request: Request<wire::DeleteRequestFilterRequest>,
    ) -> Result<Response<wire::DeleteRequestFilterResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let stored = self.find(&request.name).await?;
        let op = Op::delete(stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteRequestFilterResponse { revision }))
    }
}

impl Filters {
    async fn find(&self, name: &str) -> Result<Stored, Status> {
        let stored = names::get(&*self.0.store, &ResourceRef::RequestFilter(name.into())).await?;
        stored.ok_or_else(|| status::not_found(&format!("request filter {name:?}")))
    }

    async fn refusals(&self) -> Result<Refusals, Status> {
        Refusals::read(&*self.0.store).await
    }
}

fn put(filter: RequestFilter) -> Put {
    let reference = ResourceRef::RequestFilter(filter.name.as_str().into());
    Put::new(reference, NewSpec::RequestFilter(Box::new(filter)))
}

pub(super) fn read_spec(name: &str, spec: Option<config::RequestFilter>) -> Result<RequestFilter, Status> {
    let filter = convert::request_filter_from_wire(name, required("spec", spec)?)
        .map_err(status::invalid_in("spec"))?;
    filter
        .validate()
        .map_err(|invalid| match invalid.field.as_str() {
            "name" => status::invalid(&invalid),
            _ => status::invalid(&invalid.within("spec")),
        })?;
    Ok(filter)
}
