//! Sessions: those with calls in the last hours, and taking one its provider away.
//!
//! Which there are is told by the ledger. The binding itself is what data planes share, so one of them is asked to take it
//! away; the others see it within seconds.

use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::session_service_server::SessionService;
use penstock_proto::sync::v1::{self as sync_wire, command, command_result};
use penstock_store::{SessionUsage, UsageFilter};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::scope::Scope;
use super::{labels, names, status};
use crate::clock;
use crate::context::Context;
use crate::index::Index;
use crate::sync;

const HOUR_MS: i64 = 3_600_000;
const MAX_HOURS: u32 = 168;
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// A session that is kicked had a call since then.
const KNOWN_MS: i64 = 30 * 24 * HOUR_MS;
/// Nodes' clocks may run ahead.
const AHEAD_MS: u64 = 300_000;

pub(super) struct Sessions(pub(super) Context);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Result<Response<wire::ListSessionsResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let (store, now) = (&*self.0.store, clock::now());
        let hours = match request.hours {
            0 => 1,
            hours => hours.min(MAX_HOURS),
        };
        let limit = match request.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let mut filter = since(now, i64::from(hours) * HOUR_MS);
        filter.user = match request.user.as_str() {
            "" => scope.own(),
            user => Some(scope.user(store, user).await?.id),
        };
        if !request.key.is_empty() {
            filter.key = Some(scope.key(store, &request.key).await?.id);
        }
        if !request.provider.is_empty() {
            scope.refuse("providers")?;
            filter.provider = Some(names::provider(store, &request.provider).await?.id);
        }
        let sessions = store.sessions(&filter, limit).await.map_err(status::from_store)?;
        let sessions = sessions.into_iter().map(|found| match scope.own() {
            None => found,
            // A user does not learn who served it.
            Some(_) => SessionUsage {
                provider: None,
                ..found
            },
        });
        let sessions = sessions.map(|found| session(found, &self.0.index));
        Ok(Response::new(wire::ListSessionsResponse {
            sessions: sessions.collect(),
        }))
    }

    async fn kick_session(
        &self,
        request: Request<wire::KickSessionRequest>,
    ) -> Result<Response<wire::KickSessionResponse>, Status> {
        let author = Author::of(&request);
        let id = request.into_inner().id;
        author.about("session", &id);
        let filter = UsageFilter {
            session: Some(id.clone()),
            ..since(clock::now(), KNOWN_MS)
        };
        let last = self.0.store.usage_records(&filter, 1, None).await;
        let last = last.map_err(status::from_store)?.into_iter().next();
        let Some(last) = last else {
            return Err(Status::not_found(format!(
                "session {id:?} is not in the ledger of the last 30 days; see `penstock session list`"
            )));
        };
        let question = command::Command::KickSession(sync_wire::KickSession {
            session: id.clone(),
            key_id: last.key_id.to_string(),
        });
        let answered = sync::ask(&self.0, question).await?;
        match answered.result.result {
            Some(command_result::Result::SessionKicked(kicked)) => {
                tracing::info!(session = id, node = answered.node, "a session was kicked");
                Ok(Response::new(wire::KickSessionResponse {
                    unbound: kicked.unbound,
                    freed: kicked.freed,
                    node_id: answered.node,
                }))
            }
            Some(_) | None => Err(Status::unavailable(format!(
                "data plane {} cannot kick the session: {}",
                answered.node, answered.result.error
            ))),
        }
    }
}

fn since(now: UnixMs, ms: i64) -> UsageFilter {
    UsageFilter::span(UnixMs(now.0.saturating_sub(ms)), now.plus_ms(AHEAD_MS))
}

fn session(session: SessionUsage, index: &Index) -> wire::Session {
    let named = |reference: &ResourceRef| {
        let id = reference.id();
        (labels::name(index, reference).unwrap_or_else(|| id.clone()), id)
    };
    let (user_name, user_id) = named(&ResourceRef::User(session.user));
    let (key_name, key_id) = named(&ResourceRef::Key(session.key));
    let provider = session.provider.map(|id| named(&ResourceRef::Provider(id)));
    let (provider_name, provider_id) = provider.unwrap_or_default();
    wire::Session {
        id: session.id,
        user_id,
        user_name,
        key_id,
        key_name,
        provider_id,
        provider_name,
        model: session.model,
        first_call_ms: session.first_call.0,
        last_call_ms: session.last_call.0,
        calls: session.calls,
        tokens: session.tokens,
        cost_nanousd: session.cost.0,
    }
}
