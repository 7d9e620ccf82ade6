//! Which providers are well, and taking them out or bringing them back by hand.
//!
//! States are the fleet's and no configuration, so nothing here is a commit; what operators do is written beside the state
//! in the same transaction ([`penstock_store::FleetAction`]).

mod reply;

use penstock_core::health::State;
use penstock_core::health::mark::Maker;
use penstock_core::health::state::{MAX_MODEL_NAME, WHOLE};
use penstock_core::id::ProviderId;
use penstock_core::invalid::Invalid;
use penstock_core::provider::Provider;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::breaker_service_server::BreakerService;
use penstock_store::{Filter, FleetAction, Page};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::price::resolve as resolve_price;
use super::{names, page, status};
use crate::clock;
use crate::context::Context;
use crate::fleet_states::{Act, act};

pub(super) struct Breakers(pub(super) Context);

#[tonic::async_trait]
impl BreakerService for Breakers {
    async fn list_breakers(
        &self,
        request: Request<wire::ListBreakersRequest>,
    ) -> Result<Response<wire::ListBreakersResponse>, Status> {
        let (name, now) = (request.into_inner().provider, clock::now());
        let providers = match name.is_empty() {
            true => self.providers().await?,
            false => {
                let found = names::provider(&*self.0.store, &name).await?;
                vec![(found.id, found.value.provider)]
            }
        };
        let breakers = providers.into_iter().flat_map(|(id, provider)| {
            let state = self.0.fleet_states.get(id);
            reply::breakers(id, &provider, &state, now)
        });
        Ok(Response::new(wire::ListBreakersResponse {
            breakers: breakers.collect(),
        }))
    }

    async fn open_breaker(
        &self,
        request: Request<wire::OpenBreakerRequest>,
    ) -> Result<Response<wire::OpenBreakerResponse>, Status> {
        let (author, now) = (Author::of(&request), clock::now());
        let request = request.into_inner();
        let until = request.until_ms.map(UnixMs);
        check(&request.model, until, now).map_err(|error| status::invalid(&error))?;
        author.about("provider", &request.provider);
        let found = names::provider(&*self.0.store, &request.provider).await?;
        author.about("provider", &found.value.provider.name);
        // Before anything is done: what fails afterwards would say that nothing was.
        let remark = self.remark(&found.value.provider, &request.model).await?;
        let action = author.fleet_action("open", &request.model, request.change)?;
        let why = match action.reason.is_empty() {
            true => "opened by an operator",
            false => &action.reason,
        };
        let maker = Maker {
            by: &action.actor,
            why,
            now,
        };
        let opened = |state: &State| state.forced_open(&request.model, until, maker);
        let (_, after) = done(act(&self.0, found.id, &action, opened).await, &request.provider)?;
        say(&action, &found.value.provider.name);
        let mut breakers = reply::breakers(found.id, &found.value.provider, &after, now).into_iter();
        Ok(Response::new(wire::OpenBreakerResponse {
            breaker: breakers.find(|breaker| breaker.model == request.model),
            remark,
        }))
    }

    async fn reset_provider(
        &self,
        request: Request<wire::ResetProviderRequest>,
    ) -> Result<Response<wire::ResetProviderResponse>, Status> {
        let (author, now) = (Author::of(&request), clock::now());
        let request = request.into_inner();
        author.about("provider", &request.provider);
        let found = names::provider(&*self.0.store, &request.provider).await?;
        author.about("provider", &found.value.provider.name);
        let action = author.fleet_action("reset", WHOLE, request.change)?;
        let acted = act(&self.0, found.id, &action, State::reset).await;
        let (before, _) = done(acted, &request.provider)?;
        say(&action, &found.value.provider.name);
        let cleared = reply::breakers(found.id, &found.value.provider, &before, now);
        Ok(Response::new(wire::ResetProviderResponse {
            provider_id: found.id.to_string(),
            provider: found.value.provider.name,
            cleared: cleared
                .into_iter()
                .filter(|breaker| breaker.state != reply::CLOSED)
                .collect(),
        }))
    }
}

impl Breakers {
    /// About a model that is perhaps misspelt.
    async fn remark(&self, provider: &Provider, model: &str) -> Result<String, Status> {
        let named = provider.models.iter().any(|pattern| pattern.matches(model))
            || provider
                .redirects
                .iter()
                .any(|redirect| redirect.from.matches(model));
        let upstream = provider.upstream_model(model);
        let is_known = model == WHOLE
            || named
            || resolve_price(&*self.0.store, provider, upstream)
                .await?
                .price
                .is_some();
        Ok(match is_known {
            true => String::new(),
            false => format!(
                "no rule of provider {:?} matches model {model:?}, and it has no price there: is it spelt right?",
                provider.name
            ),
        })
    }

    /// All of them, by name.
    async fn providers(&self) -> Result<Vec<(ProviderId, Provider)>, Status> {
        let (mut providers, mut asked) = (Vec::new(), page::asked(None));
        loop {
            let listed = self.0.store.list(&Filter::Providers, &asked).await;
            let listed = listed.map_err(status::from_store)?;
            let found = listed.resources.into_iter().filter_map(names::as_provider);
            providers.extend(found.map(|found| (found.id, found.value.provider)));
            let Some(after) = listed.next else {
                return Ok(providers);
            };
            asked = Page {
                after: Some(after),
                ..asked
            };
        }
    }
}

/// A provider has a new credential: what is known of the old one is of no use. Best effort, since the change itself is
/// made: the next probe or an operator's reset does the same.
pub(super) async fn new_credential(context: &Context, provider: ProviderId, name: &str, author: &Author) {
    let state = context.fleet_states.get(provider);
    let known = |entry: &penstock_core::health::Entry| entry.credential.is_some() || entry.billing.is_some();
    if !state.entries.values().any(known) {
        return;
    }
    let Ok(action) = author.clone().fleet_action("credential", WHOLE, None) else {
        return;
    };
    match act(context, provider, &action, State::with_new_credential).await {
        Ok(Act::Done { .. }) => say(&action, name),
        Ok(Act::NoProvider) => {}
        Ok(Act::Busy) => tracing::warn!(
            provider = name,
            "the state of the old credential stays until a probe"
        ),
        Err(error) => {
            tracing::warn!(provider = name, %error, "the state of the old credential stays until a probe");
        }
    }
}

fn check(model: &str, until: Option<UnixMs>, now: UnixMs) -> Result<(), Invalid> {
    if model.len() > MAX_MODEL_NAME {
        return Err(Invalid::new("model", "is too long for a model's name"));
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Invalid::new("until_ms", "has passed already"));
    }
    Ok(())
}

type States = (std::sync::Arc<State>, std::sync::Arc<State>);

fn done(acted: Result<Act, penstock_store::Error>, provider: &str) -> Result<States, Status> {
    match acted.map_err(status::from_store)? {
        Act::Done { before, after } => Ok((before, after)),
        Act::NoProvider => Err(status::not_found(&format!("provider {provider:?}"))),
        Act::Busy => Err(Status::unavailable(format!(
            "the state of provider {provider:?} changes too fast now; try again"
        ))),
    }
}

fn say(action: &FleetAction, provider: &str) {
    tracing::info!(
        actor = action.actor,
        action = action.action,
        reason = action.reason,
        provider,
        model = action.model,
        "an operator changed a provider's state"
    );
}
