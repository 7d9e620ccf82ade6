//! HTTP debug: windows in the setting `http_debug`, opened and closed here only.
//!
//! It is a service of its own, and not the general one of settings, since bodies need another role than the rest, names
//! have to become ids, and windows have an end.

use penstock_core::invalid::Invalid;
use penstock_core::operator::Role;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::{DebugSubject, DebugWindow, HttpDebug, MAX_DEBUG_MS, Setting};
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::debug_service_server::DebugService;
use penstock_store::{Expect, NewSpec, Put, StoredSpec};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::{labels, names, status};
use crate::clock;
use crate::context::Context;

const NAME: &str = "http_debug";

pub(super) struct Debug(pub(super) Context);

#[tonic::async_trait]
impl DebugService for Debug {
    async fn start_http_debug(
        &self,
        request: Request<wire::StartHttpDebugRequest>,
    ) -> Result<Response<wire::StartHttpDebugResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        if request.for_ms == 0 || request.for_ms > MAX_DEBUG_MS {
            let problem = "must be more than 0 and at most 24 h";
            return Err(status::invalid(&Invalid::new("for_ms", problem)));
        }
        if request.bodies && author.role() != Role::Admin {
            let problem = "bodies are written out for administrators only; leave --bodies out";
            return Err(Status::permission_denied(problem));
        }
        let subject = self.subject(&request.key, &request.provider).await?;
        let Some(subject) = subject else {
            let problem = "is missing; give a key or a provider";
            return Err(status::invalid(&Invalid::new("key", problem)));
        };
        let now = clock::now();
        let (mut debug, expect) = self.current().await?;
        let window = DebugWindow {
            subject,
            until: now.plus_ms(request.for_ms),
            bodies: request.bodies,
        };
        debug.open(window.clone(), now);
        let revision = author
            .commit(&self.0, request.change, put(debug, expect)?)
            .await?
            .revision;
        Ok(Response::new(wire::StartHttpDebugResponse {
            window: Some(self.window(&window)),
            revision,
        }))
    }

    async fn list_http_debug(
        &self,
        _: Request<wire::ListHttpDebugRequest>,
    ) -> Result<Response<wire::ListHttpDebugResponse>, Status> {
        let (now, (debug, _)) = (clock::now(), self.current().await?);
        let open = debug.windows.iter().filter(|window| now < window.until);
        Ok(Response::new(wire::ListHttpDebugResponse {
            windows: open.map(|window| self.window(window)).collect(),
        }))
    }

    async fn stop_http_debug(
        &self,
        request: Request<wire::StopHttpDebugRequest>,
    ) -> Result<Response<wire::StopHttpDebugResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let subject = self.subject(&request.key, &request.provider).await?;
        let (now, (mut debug, expect)) = (clock::now(), self.current().await?);
        let before = debug.windows.clone();
        let stays = |window: &DebugWindow| subject.is_some_and(|subject| window.subject != subject);
        debug.windows.retain(|window| stays(window) && now < window.until);
        let stopped = before
            .iter()
            .filter(|window| !stays(window) && now < window.until)
            .count();
        let revision = match debug.windows == before {
            true => self.0.store.head().await.map_err(status::from_store)?.revision,
            false => {
                author
                    .commit(&self.0, request.change, put(debug, expect)?)
                    .await?
                    .revision
            }
        };
        Ok(Response::new(wire::StopHttpDebugResponse {
            stopped: u32::try_from(stopped).unwrap_or(u32::MAX),
            revision,
        }))
    }
}

impl Debug {
    /// None: neither is named.
    async fn subject(&self, key: &str, provider: &str) -> Result<Option<DebugSubject>, Status> {
        let store = &*self.0.store;
        match (key, provider) {
            ("", "") => Ok(None),
            (key, "") => Ok(Some(DebugSubject::Key(names::key(store, key).await?.id))),
            ("", provider) => Ok(Some(DebugSubject::Provider(
                names::provider(store, provider).await?.id,
            ))),
            (_, _) => {
                let problem = "cannot be given together with a provider; open two windows";
                Err(status::invalid(&Invalid::new("key", problem)))
            }
        }
    }

    async fn current(&self) -> Result<(HttpDebug, Expect), Status> {
        let stored = names::get(&*self.0.store, &ResourceRef::Setting(NAME.into())).await?;
        Ok(match stored.map(|stored| (stored.version, stored.spec)) {
            Some((version, StoredSpec::Setting(Setting::HttpDebug(debug)))) => {
                (debug, Expect::Version(version))
            }
            Some(_) | None => (HttpDebug::default(), Expect::Absent),
        })
    }

    fn window(&self, window: &DebugWindow) -> wire::HttpDebugWindow {
        let name = |reference: ResourceRef| {
            let id = reference.id();
            labels::name(&self.0.index, &reference).unwrap_or(id)
        };
        let (key, provider) = match window.subject {
            DebugSubject::Key(id) => (name(ResourceRef::Key(id)), String::new()),
            DebugSubject::Provider(id) => (String::new(), name(ResourceRef::Provider(id))),
        };
        let UnixMs(until_ms) = window.until;
        wire::HttpDebugWindow {
            key,
            provider,
            until_ms,
            bodies: window.bodies,
        }
    }
}

fn put(debug: HttpDebug, expect: Expect) -> Result<Put, Status> {
    let setting = Setting::HttpDebug(debug);
    setting.validate().map_err(status::invalid_in("setting"))?;
    Ok(Put::new(ResourceRef::Setting(NAME.into()), NewSpec::Setting(setting)).expecting(expect))
}
