//! What requests must not contain. They are known by their names, as prices are.

use penstock_core::resource::ResourceRef;
use penstock_core::word_rule::WordRule;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::word_rule_service_server::WordRuleService;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, NewSpec, Op, Put, Stored};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::provider::expect_or_any;
use super::refusals::Refusals;
use super::status::{self, required};
use super::{names, page, reply};
use crate::context::Context;

pub(super) struct Rules(pub(super) Context);

#[tonic::async_trait]
impl WordRuleService for Rules {
    async fn create_word_rule(
        &self,
        request: Request<wire::CreateWordRuleRequest>,
    ) -> Result<Response<wire::CreateWordRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let rule = read_spec(&request.name, request.spec)?;
        let put = put(rule).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::CreateWordRuleResponse {
            word_rule: Some(reply::word_rule(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn get_word_rule(
        &self,
        request: Request<wire::GetWordRuleRequest>,
    ) -> Result<Response<wire::GetWordRuleResponse>, Status> {
        let stored = self.find(&request.into_inner().name).await?;
        let word_rule = Some(reply::word_rule(&stored, &self.refusals().await?)?);
        Ok(Response::new(wire::GetWordRuleResponse { word_rule }))
    }

    async fn list_word_rules(
        &self,
        request: Request<wire::ListWordRulesRequest>,
    ) -> Result<Response<wire::ListWordRulesResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let listed = self.0.store.list(&Filter::WordRules, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let refusals = self.refusals().await?;
        let rules = listed
            .resources
            .iter()
            .map(|stored| reply::word_rule(stored, &refusals));
        Ok(Response::new(wire::ListWordRulesResponse {
            word_rules: rules.collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_word_rule(
        &self,
        request: Request<wire::UpdateWordRuleRequest>,
    ) -> Result<Response<wire::UpdateWordRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let stored = self.find(&request.name).await?;
        let expect = mask.expect(request.expected_version, stored.version)?;
        let current = reply::word_rule(&stored, &Refusals::default())?.spec;
        let spec = mask.spec("penstock.config.v1.WordRule", current, request.spec)?;
        let rule = read_spec(&request.name, Some(spec))?;
        let put = put(rule).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::UpdateWordRuleResponse {
            word_rule: Some(reply::word_rule(&stored, &self.refusals().await?)?),
            revision,
        }))
    }

    async fn delete_word_rule(
        &self,
        request: Request<wire::DeleteWordRuleRequest>,
    ) -> Result<Response<wire::DeleteWordRuleResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let stored = self.find(&request.name).await?;
        let op = Op::delete(stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteWordRuleResponse { revision }))
    }
}

impl Rules {
    async fn find(&self, name: &str) -> Result<Stored, Status> {
        let stored = names::get(&*self.0.store, &ResourceRef::WordRule(name.into())).await?;
        stored.ok_or_else(|| status::not_found(&format!("word rule {name:?}")))
    }

    async fn refusals(&self) -> Result<Refusals, Status> {
        Refusals::read(&*self.0.store).await
    }
}

fn put(rule: WordRule) -> Put {
    let reference = ResourceRef::WordRule(rule.name.as_str().into());
    Put::new(reference, NewSpec::WordRule(Box::new(rule)))
}

pub(super) fn read_spec(name: &str, spec: Option<config::WordRule>) -> Result<WordRule, Status> {
    let rule =
        convert::word_rule_from_wire(name, required("spec", spec)?).map_err(status::invalid_in("spec"))?;
    rule.validate().map_err(|invalid| match invalid.field.as_str() {
        "name" => status::invalid(&invalid),
        _ => status::invalid(&invalid.within("spec")),
    })?;
    Ok(rule)
}
