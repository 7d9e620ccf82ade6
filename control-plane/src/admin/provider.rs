//! Providers. Credentials and proxies' passwords are sealed before anything else happens to them.

mod credential;
mod named;
mod proxy;

pub(super) use credential::{
    read as read_credential, read_account, seal as seal_credential, set as set_credential,
};
pub(super) use named::check as check_name;
pub(super) use proxy::password as proxy_password;

use penstock_core::id::ProviderId;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::provider_service_server::ProviderService;
use penstock_proto::config::v1::ProviderSpec;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, NewSpec, Op, Put};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::refusals::Refusals;
use super::status::{self, required};
use super::{breaker, names, page, provider_test, random, reply, resets};
use crate::context::Context;

pub(super) struct Providers(pub(super) Context);

#[tonic::async_trait]
impl ProviderService for Providers {
    async fn create_provider(
        &self,
        request: Request<wire::CreateProviderRequest>,
    ) -> Result<Response<wire::CreateProviderResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let (ms, unique) = random::id_parts()?;
        let reference = ResourceRef::Provider(ProviderId::from_parts(ms, &unique));
        let mut provider = read_spec(request.spec)?;
        provider.limits = resets::none(&provider.limits);
        let given = credential::read(request.credential, request.new_credential)?;
        let credential = credential::seal(&self.0, &reference, given)?;
        let proxy_password = proxy::password(
            &self.0.sealer,
            &reference,
            (None, provider.outbound.proxy.as_ref()),
            request.proxy_password,
        )?;
        let spec = NewSpec::Provider {
            provider: Box::new(provider),
            credential,
            proxy_password,
        };
        let put = Put::new(reference, spec).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        let provider = reply::provider(stored, &self.refusals().await?)?;
        Ok(Response::new(wire::CreateProviderResponse {
            provider: Some(provider),
            revision,
        }))
    }

    async fn get_provider(
        &self,
        request: Request<wire::GetProviderRequest>,
    ) -> Result<Response<wire::GetProviderResponse>, Status> {
        let found = names::provider(&*self.0.store, &request.into_inner().provider).await?;
        let provider = reply::provider(found.stored, &self.refusals().await?)?;
        Ok(Response::new(wire::GetProviderResponse {
            provider: Some(provider),
        }))
    }

    async fn list_providers(
        &self,
        request: Request<wire::ListProvidersRequest>,
    ) -> Result<Response<wire::ListProvidersResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let listed = self.0.store.list(&Filter::Providers, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let refusals = self.refusals().await?;
        let providers = listed
            .resources
            .into_iter()
            .map(|stored| reply::provider(stored, &refusals));
        Ok(Response::new(wire::ListProvidersResponse {
            providers: providers.collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_provider(
        &self,
        request: Request<wire::UpdateProviderRequest>,
    ) -> Result<Response<wire::UpdateProviderResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let found = names::provider(&*self.0.store, &request.provider).await?;
        let expect = mask.expect(request.expected_version, found.stored.version)?;
        let current = convert::provider_to_wire(&found.value.provider);
        let spec = mask.spec("penstock.config.v1.ProviderSpec", Some(current), request.spec)?;
        let mut provider = read_spec(Some(spec))?;
        if provider.name != found.value.provider.name {
            named::unnamed(&*self.0.store, &found.value.provider.name, "renamed").await?;
        }
        provider.limits = resets::kept(&provider.limits, &found.value.provider.limits);
        let reference = ResourceRef::Provider(found.id);
        let given = credential::read(request.credential, request.new_credential)?;
        let has_new_credential = given.is_some();
        let stays = !has_new_credential && found.value.credential.is_some();
        if stays && !request.keep_credential {
            credential::stays(&provider, &found.value.provider)?;
        }
        let credential = credential::seal(&self.0, &reference, given)?;
        let proxies = (
            found.value.provider.outbound.proxy.as_ref(),
            provider.outbound.proxy.as_ref(),
        );
        let proxy_password = proxy::password(&self.0.sealer, &reference, proxies, request.proxy_password)?;
        let spec = NewSpec::Provider {
            provider: Box::new(provider),
            credential,
            proxy_password,
        };
        let put = Put::new(reference, spec).expecting(expect);
        let made = author.clone().commit(&self.0, request.change, put).await?;
        let (stored, revision) = made.into_stored()?;
        if has_new_credential {
            breaker::new_credential(&self.0, found.id, &request.provider, &author).await;
        }
        let provider = reply::provider(stored, &self.refusals().await?)?;
        Ok(Response::new(wire::UpdateProviderResponse {
            provider: Some(provider),
            revision,
        }))
    }

    async fn test_provider(
        &self,
        request: Request<wire::TestProviderRequest>,
    ) -> Result<Response<wire::TestProviderResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("provider", &request.provider);
        let answer = provider_test::run(&self.0, request).await?;
        Ok(Response::new(answer))
    }

    async fn delete_provider(
        &self,
        request: Request<wire::DeleteProviderRequest>,
    ) -> Result<Response<wire::DeleteProviderResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let found = names::provider(&*self.0.store, &request.provider).await?;
        named::unnamed(&*self.0.store, &found.value.provider.name, "deleted").await?;
        let op = Op::delete(found.stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteProviderResponse { revision }))
    }
}

impl Providers {
    async fn refusals(&self) -> Result<Refusals, Status> {
        Refusals::read(&*self.0.store).await
    }
}

/// What a deletion expects: 0 is whatever version.
pub(super) fn expect_or_any(version: u64) -> Expect {
    match version {
        0 => Expect::Any,
        version => Expect::Version(version),
    }
}

pub(super) fn read_spec(spec: Option<ProviderSpec>) -> Result<Provider, Status> {
    let provider =
        convert::provider_from_wire(required("spec", spec)?).map_err(status::invalid_in("spec"))?;
    provider.validate().map_err(status::invalid_in("spec"))?;
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_without_a_version_takes_any() {
        assert_eq!(expect_or_any(0), Expect::Any);
        assert_eq!(expect_or_any(3), Expect::Version(3));
    }
}
