//! The dry run of routing: one data plane says where a request would go, by what it knows now (behaviour B12).

use std::collections::BTreeSet;

use penstock_core::dialect::Dialect;
use penstock_core::id::{KeyId, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::provider::Provider;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::plan_route_request::Caller;
use penstock_proto::admin::v1::route_service_server::RouteService;
use penstock_proto::sync::v1::command::Command;
use penstock_proto::sync::v1::command_result::Result as Answer;
use penstock_proto::sync::v1::{PlanRoute, RoutePlan};
use tonic::{Request, Response, Status};

use super::status::{self, required};
use super::{labels, names};
use crate::context::Context;
use crate::index::Index;
use crate::sync;

pub(super) struct Routes(pub(super) Context);

#[tonic::async_trait]
impl RouteService for Routes {
    async fn plan_route(
        &self,
        request: Request<wire::PlanRouteRequest>,
    ) -> Result<Response<wire::PlanRouteResponse>, Status> {
        let request = request.into_inner();
        let caller = required("caller", request.caller.clone())?;
        let (user, key) = self.caller(&caller).await?;
        let question = question(request, user, key)?;
        let answered = sync::ask(&self.0, Command::PlanRoute(question)).await?;
        let plan = match answered.result.result {
            Some(Answer::Route(plan)) if answered.result.error.is_empty() => plan,
            Some(_) | None => {
                return Err(unplanned(&answered.node, &answered.result.error));
            }
        };
        let index = &self.0.index;
        let key = key.map(|id| labels::name(index, &ResourceRef::Key(id)).unwrap_or_else(|| id.to_string()));
        Ok(Response::new(wire::PlanRouteResponse {
            user_name: labels::user_name(index, user),
            key_name: key.unwrap_or_default(),
            providers: providers(index, &plan),
            plan: Some(plan),
            node_id: answered.node,
        }))
    }
}

impl Routes {
    async fn caller(&self, caller: &Caller) -> Result<(UserId, Option<KeyId>), Status> {
        let store = &*self.0.store;
        Ok(match caller {
            Caller::Key(name) => {
                let key = names::key(store, name).await?;
                (key.value.user_id, Some(key.id))
            }
            Caller::User(name) => (names::user(store, name).await?.id, None),
        })
    }
}

fn question(request: wire::PlanRouteRequest, user: UserId, key: Option<KeyId>) -> Result<PlanRoute, Status> {
    let dialect = match request.dialect.as_str() {
        "" => Dialect::Anthropic.as_str().to_owned(),
        _ => request.dialect,
    };
    let known = Dialect::ALL.map(Dialect::as_str);
    let refused = |field: &str, problem: &str| Err(status::invalid(&Invalid::new(field, problem.to_owned())));
    if !known.contains(&dialect.as_str()) {
        return refused("dialect", &format!("must be one of {}", known.join(", ")));
    }
    if request.model.is_empty() {
        return refused("model", "is missing");
    }
    if key.is_none() && !request.session.is_empty() {
        return refused("session", "belongs to a key; name the key");
    }
    Ok(PlanRoute {
        user_id: user.to_string(),
        key_id: key.map(|id| id.to_string()).unwrap_or_default(),
        dialect,
        model: request.model,
        session: request.session,
    })
}

/// Each provider of the plan once.
fn providers(index: &Index, plan: &RoutePlan) -> Vec<wire::PlannedProvider> {
    let planned = plan.models.iter().flat_map(|model| &model.providers);
    let ids: BTreeSet<&str> = planned.map(|provider| provider.provider_id.as_str()).collect();
    let planned = |id: &str| {
        let provider = provider(index, id);
        wire::PlannedProvider {
            id: id.to_owned(),
            name: provider
                .as_ref()
                .map_or_else(|| id.to_owned(), |provider| provider.name.clone()),
            priority: provider.as_ref().map_or(0, |provider| provider.priority),
            weight: provider.as_ref().map_or(0, |provider| provider.weight),
        }
    };
    ids.into_iter().map(planned).collect()
}

fn provider(index: &Index, id: &str) -> Option<Provider> {
    let resource = index.get(&ResourceRef::Provider(id.parse().ok()?))?;
    let Spec::Provider(spec) = &resource.spec else {
        return None;
    };
    Some(spec.provider.clone())
}

fn unplanned(node: &str, error: &str) -> Status {
    let error = match error {
        "" => "it gave no answer",
        error => error,
    };
    Status::unavailable(format!("the route cannot be planned: data plane {node}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(change: impl FnOnce(&mut wire::PlanRouteRequest)) -> Result<PlanRoute, Status> {
        let mut request = wire::PlanRouteRequest {
            model: "m".to_owned(),
            ..wire::PlanRouteRequest::default()
        };
        change(&mut request);
        question(request, UserId::from_parts(1, &[1; 10]), None)
    }

    #[test]
    fn b12_the_dialect_is_anthropics_unless_it_is_said() {
        assert_eq!(asked(|_| ()).unwrap().dialect, "anthropic");
        let chat = asked(|request| request.dialect = "openai-chat".to_owned());
        assert_eq!(chat.unwrap().dialect, "openai-chat");
    }

    #[test]
    fn b12_what_is_missing_or_unknown_is_named() {
        let refused =
            |change: fn(&mut wire::PlanRouteRequest)| asked(change).unwrap_err().message().to_owned();
        assert!(refused(|request| request.dialect = "gopher".to_owned()).contains("anthropic, openai-chat"));
        assert!(refused(|request| request.model.clear()).contains("model"));
        assert!(refused(|request| request.session = "s".to_owned()).contains("name the key"));
    }
}
