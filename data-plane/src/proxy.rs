//! The life of a request, one file a phase.
//!
//! accept ([`server`]) → authenticate → inspect (body, decode) → admit → route → attempt (connect, send, gate) → relay
//! → settle → record. [`chain`] reads top to bottom; [`call::Call`] carries what later phases need. One snapshot is
//! loaded at the start and kept to the end.
//!
//! Rules: nothing here waits for the control plane. Every body, buffer and wait is bounded. Once answer content has
//! gone to the caller there is no other attempt. Whatever ends a call, a broken connection and a panic included, its
//! record is made: [`call::Call`] makes it when it is dropped. The record is in the spool before the caller can know
//! that the answer is whole.

mod address;
mod admit;
mod affinity;
mod answer;
mod attempt;
mod authenticate;
mod body;
mod budget;
mod call;
mod chain;
mod connection;
mod decision;
mod decode;
mod error;
mod failed;
mod failover;
mod failure_log;
mod filter;
mod full;
mod gate;
mod guards;
mod headroom;
mod http_debug;
mod late;
mod limits;
mod log;
mod models;
mod outgoing;
mod pass_error;
mod permit;
mod pieces;
mod plan;
mod prepare;
mod pricing;
mod provider_limits;
mod recent;
mod record;
mod relay;
mod reserve;
mod reshape;
mod route;
mod server;
mod session;
mod settle;
mod socket;
mod stopwatch;
mod tap;
mod trace;
mod trail;
mod usual;
mod whole;
mod words;

use std::sync::Arc;

use penstock_core::guard::GuardRules;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::config::ProviderAddresses;
use crate::upstream::{Clients, Targets};
use budget::Budget;
use full::FullLately;
use guards::Guards;
use log::Sampler;
use pricing::Defaults;
use usual::Usual;

pub use crate::upstream::TlsError;
pub(crate) use attempt::{Media, media_type};
use penstock_outbound::Reach;
pub use penstock_outbound::Tracked;
pub use plan::{ModelPlan, Plan, ProviderPlan, Question, plan};

/// What all requests share.
#[expect(missing_debug_implementations, reason = "holds credentials")]
pub struct Proxy {
    app: Arc<App>,
    targets: Targets,
    /// The connections to providers, and what ends them.
    upstream: TaskTracker,
    stop: CancellationToken,
    /// Memory for bodies.
    budget: Budget,
    defaults: Defaults,
    unknown_keys: Sampler,
    guards: Guards,
    usual: Usual,
    full: FullLately,
}

impl Proxy {
    /// Fails only when this build cannot do TLS.
    pub fn new(app: Arc<App>) -> Result<Arc<Self>, TlsError> {
        let upstream = TaskTracker::new();
        let stop = CancellationToken::new();
        let tasks = Tracked::new(upstream.clone(), stop.clone());
        let reach = match app.config.traffic.provider_addresses {
            ProviderAddresses::Any => Reach::Local,
            ProviderAddresses::Public => Reach::Public,
        };
        let caches = &app.caches;
        Ok(Arc::new(Self {
            targets: Targets::new(Clients::new(tasks)?, reach, caches.targets.clone()),
            upstream,
            stop,
            budget: Budget::new(app.config.traffic.max_bodies_bytes),
            defaults: Defaults::default(),
            unknown_keys: Sampler::default(),
            guards: Guards::new(GuardRules::default(), caches.guards.clone()),
            usual: Usual::new(caches.usual.clone()),
            full: FullLately::new(caches.full.clone()),
            app,
        }))
    }

    /// The ways to the providers.
    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Work that goes on behind an answer, until the node ends.
    fn in_the_background(&self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.child_token();
        let work = async move { stop.run_until_cancelled_owned(work).await.unwrap_or_default() };
        self.upstream.spawn_on(work, runtime);
    }

    /// After the drain: closes the connections to providers and waits until they are gone.
    pub async fn close(&self) {
        self.stop.cancel();
        self.upstream.close();
        self.upstream.wait().await;
    }
}
