//! Operators' rules on upstream errors. They are known by their names, as prices are.

mod dry_run;

use penstock_core::error_rule::ErrorRule;
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::error_rule_service_server::ErrorRuleService;
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

pub(super) struct Rules(pub(super) Context);

#[tonic::async_trait]
impl ErrorRuleService for Rules {
    async fn create_error_rule(
        &self,
        request: Request<wire::CreateErrorRuleRequest>,
    ) -> Result<Response<wire::CreateErrorRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let rule = read_spec(&request.name, request.spec)?;
        check_name(&*self.0.store, "spec.provider", rule.provider.as_deref()).await?;
        let put = put(rule).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::CreateErrorRuleResponse {
            error_rule: Some(reply::error_rule(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn get_error_rule(
        &self,
        request: Request<wire::GetErrorRuleRequest>,
    ) -> Result<Response<wire::GetErrorRuleResponse>, Status> {
        let stored = self.find(&request.into_inner().name).await?;
        let error_rule = Some(reply::error_rule(&stored, &self.refusals().await?)?);
        Ok(Response::new(wire::GetErrorRuleResponse { error_rule }))
    }

    async fn list_error_rules(
        &self,
        request: Request<wire::ListErrorRulesRequest>,
    ) -> Result<Response<wire::ListErrorRulesResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let listed = self.0.store.list(&Filter::ErrorRules, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let refusals = self.refusals().await?;
        let rules = listed
            .resources
            .iter()
            .map(|stored| reply::error_rule(stored, &refusals));
        Ok(Response::new(wire::ListErrorRulesResponse {
            error_rules: rules.collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_error_rule(
        &self,
        request: Request<wire::UpdateErrorRuleRequest>,
    ) -> Result<Response<wire::UpdateErrorRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let stored = self.find(&request.name).await?;
        let expect = mask.expect(request.expected_version, stored.version)?;
        let current = reply::error_rule(&stored, &Refusals::default())?.spec;
        let spec = mask.spec("penstock.config.v1.ErrorRule", current, request.spec)?;
        let rule = read_spec(&request.name, Some(spec))?;
        check_name(&*self.0.store, "spec.provider", rule.provider.as_deref()).await?;
        let put = put(rule).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::UpdateErrorRuleResponse {
            error_rule: Some(reply::error_rule(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn delete_error_rule(
        &self,
        request: Request<wire::DeleteErrorRuleRequest>,
    ) -> Result<Response<wire::DeleteErrorRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let stored = self.find(&request.name).await?;
        let op = Op::delete(stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteErrorRuleResponse { revision }))
    }

    async fn test_error_rule(
        &self,
        request: Request<wire::TestErrorRuleRequest>,
    ) -> Result<Response<wire::TestErrorRuleResponse>, Status> {
        let answer = dry_run::run(&*self.0.store, request.into_inner()).await?;
        Ok(Response::new(answer))
    }
}

impl Rules {
    async fn find(&self, name: &str) -> Result<Stored, Status> {
        let stored = names::get(&*self.0.store, &ResourceRef::ErrorRule(name.into())).await?;
        stored.ok_or_else(|| status::not_found(&format!("error rule {name:?}")))
    }

    async fn refusals(&self) -> Result<Refusals, Status> {
        Refusals::read(&*self.0.store).await
    }
}

fn put(rule: ErrorRule) -> Put {
    let reference = ResourceRef::ErrorRule(rule.name.as_str().into());
    Put::new(reference, NewSpec::ErrorRule(Box::new(rule)))
}

pub(super) fn read_spec(name: &str, spec: Option<config::ErrorRule>) -> Result<ErrorRule, Status> {
    let rule =
        convert::error_rule_from_wire(name, required("spec", spec)?).map_err(status::invalid_in("spec"))?;
    rule.validate().map_err(|invalid| match invalid.field.as_str() {
        "name" => status::invalid(&invalid),
        _ => status::invalid(&invalid.within("spec")),
    })?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_its_path() {
        let spec = || config::ErrorRule {
            class: config::FailureClass::Caller.into(),
            ..config::ErrorRule::default()
        };
        let message = |name: &str, spec| {
            let refused = read_spec(name, Some(spec)).unwrap_err();
            refused.message().to_owned()
        };
        assert!(message("a b", spec()).starts_with("name: "));
        assert!(message("a", spec()).starts_with("spec.pattern: "));
        let status = Some(70_000);
        assert!(message("a", config::ErrorRule { status, ..spec() }).starts_with("spec.status: "));
        let unclassed = config::ErrorRule::default();
        assert!(message("a", unclassed).starts_with("spec.class: "));
    }
}
