//! The control plane: owns the configuration and the ledger, pushes to data planes, serves operators.
//!
//! [`run`] is all of it, for the binary and for `penstock up`. It installs nothing global: no logger, no panic hook, no
//! signal handler, no allocator.
//!
//! ```text
//!  operators ──admin──▶ Context ──commit──▶ store ──changes──▶ index ──sync──▶ data planes
//!                                             ▲                                    │
//!                                             └──────── telemetry (usage) ◀────────┘
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`config`], [`startup`] | what it is told, and the faults of a start |
//! | [`context`] | what the services share |
//! | [`index`] | the newest configuration in memory |
//! | [`sync`], [`telemetry`], [`nodes`] | data planes: the config stream, what they report, who they are |
//! | [`fleet_states`] | which providers are well, merged from what data planes report |
//! | [`admin`] | operators' services |
//! | [`access`], [`credentials`] | who may call; secrets at rest |
//! | `backup` | the installation as a text, and back |
//! | [`tokens`] | access tokens that it obtains for providers |
//! | [`console`] | health and metrics over HTTP |
//! | [`doctor`] | what is wrong, and what to do |
//! | [`prices`] | the prices that ship |
//! | `retention` | cleaning of old records |
//! | [`pipe`] | the in-memory way in |

pub mod access;
pub mod admin;
mod alerts;
mod backup;
pub mod clock;
pub mod config;
pub mod console;
pub mod context;
pub mod credentials;
pub mod doctor;
pub mod fleet_states;
mod grpc;
mod incoming;
pub mod index;
mod logging;
pub mod metrics;
pub mod nodes;
pub mod pipe;
pub mod prices;
mod retention;
mod serve;
pub mod startup;
pub mod streams;
pub mod sync;
pub mod telemetry;
pub mod tokens;

use std::sync::Arc;

pub use penstock_store as store;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use startup::{Fault, Listeners};

use access::Gate;
use access::audit::Audit;
use serve::Started;
use startup::Secrets;

/// Starts the control plane and serves until `shutdown` is cancelled, then stops in order.
///
/// What [`Listeners`] gives is used, the rest is bound as configured. An error before the first call was served is a
/// fault of the start; its text says what to do.
pub async fn run(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), Fault> {
    let started = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        started = start(&config, listeners) => started?,
    };
    serve::serve(started, shutdown).await
}

async fn start(config: &Config, listeners: Listeners) -> Result<Started, Fault> {
    startup::check_exposure(&config.listen, listeners.grpc.as_ref(), &config.tls)?;
    let secrets = Secrets::load(config, listeners.pipe.is_some())?;
    let server = grpc::network_server(startup::tls(&config.tls)?)?;
    let grpc = match listeners.grpc {
        Some(listener) => listener,
        None => startup::bind("--listen-grpc", config.listen.listen_grpc).await?,
    };
    let console = match listeners.console {
        Some(listener) => listener,
        None => startup::bind("--listen-console", config.listen.listen_console).await?,
    };
    let context = startup::open(config, &secrets).await?;
    for warning in &secrets.warnings {
        tracing::warn!("{warning}");
    }
    tracing::info!(
        name = &*context.name,
        version = env!("CARGO_PKG_VERSION"),
        grpc = startup::address(&grpc),
        console = startup::address(&console),
        database = context.store.backend().as_str(),
        revision = context.index.head().revision,
        tls = config.tls.tls_cert.is_some(),
        client_certificates = config.tls.tls_ca.is_some(),
        node_tokens = secrets.nodes.len(),
        pipe = listeners.pipe.is_some(),
        auto_migrate = config.database.auto_migrate,
        "control plane started"
    );
    let live_after = listeners.live_after.unwrap_or_else(|| {
        let now = CancellationToken::new();
        now.cancel();
        now
    });
    let gate = Gate {
        admin: Some(secrets.admin),
        operators: Arc::clone(&context.operators),
        audit: Arc::new(Audit::new(Arc::clone(&context.store))),
        nodes: secrets.nodes.into(),
        certificates: config.tls.tls_ca.is_some(),
        metrics: Arc::clone(&context.metrics),
        refused: Arc::default(),
    };
    let (pipe, stream_lifetime) = (listeners.pipe, config.stream_lifetime);
    Ok(Started {
        context,
        gate,
        server,
        grpc,
        console,
        pipe,
        live_after,
        stream_lifetime,
    })
}

#[cfg(test)]
#[path = "../tests/support/node.rs"]
mod node_client;
#[cfg(test)]
#[path = "../tests/support/reporter.rs"]
mod reporter;
#[cfg(test)]
mod tests;
#[cfg(test)]
use pipe::PipeConnector;
