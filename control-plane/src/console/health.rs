//! What `/health` tells.

use penstock_store::Backend;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// Where the process stands between start and end.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// Not live before this is cancelled.
    pub live_after: CancellationToken,
    /// Cancelled at the start of shutdown.
    pub stopping: CancellationToken,
}

/// The body of `/health`. Fields are added, never changed.
#[derive(Debug, Serialize)]
pub struct Health {
    /// `ok`, `degraded` (it serves, but somebody should look) or `stopping`.
    pub status: &'static str,
    /// Why it is not `ok`, for people.
    pub reasons: Vec<&'static str>,
    pub version: &'static str,
    pub name: String,
    pub uptime_seconds: u64,
    pub memory_bytes: u64,
    pub database: Database,
    pub epoch: String,
    /// The newest revision in this replica's memory.
    pub head: u64,
    pub nodes: Nodes,
    pub log: Log,
}

#[derive(Debug, Serialize)]
pub struct Log {
    /// `stdout`, `stderr` or `files`; `none` where the surrounding process logs elsewhere.
    pub to: &'static str,
    /// Since the process began.
    pub dropped_lines: u64,
}

#[derive(Debug, Serialize)]
pub struct Database {
    pub kind: &'static str,
    pub status: &'static str,
    /// Since the last contact that succeeded.
    pub contact_age_seconds: u64,
}

#[derive(Debug, Serialize)]
pub struct Nodes {
    /// With a stream to this replica.
    pub connected: usize,
    /// With a stream to any replica.
    pub live: u32,
}

impl Health {
    pub fn of(context: &Context, lifecycle: &Lifecycle) -> Self {
        let contact = context.index.contact();
        let head = context.index.head();
        let stopping = lifecycle.stopping.is_cancelled();
        let reasons = [
            (stopping, "the replica is stopping"),
            (
                !contact.ok,
                "the database is away: data planes go on with what they hold, changes and usage wait",
            ),
        ];
        let holding = |(holds, reason): &(bool, &'static str)| holds.then_some(*reason);
        Self {
            status: match (stopping, contact.ok) {
                (true, _) => "stopping",
                (false, true) => "ok",
                (false, false) => "degraded",
            },
            reasons: reasons.iter().filter_map(holding).collect(),
            version: env!("CARGO_PKG_VERSION"),
            name: context.name.to_string(),
            uptime_seconds: context.started.elapsed().as_secs(),
            memory_bytes: penstock_metrics::resident_bytes(),
            database: Database {
                kind: Backend::as_str(context.store.backend()),
                status: if contact.ok { "connected" } else { "disconnected" },
                contact_age_seconds: contact.at.elapsed().as_secs(),
            },
            epoch: head.epoch.to_string(),
            head: head.revision,
            nodes: Nodes {
                connected: context.nodes.connected(),
                live: *context.nodes.live().borrow(),
            },
            log: Log {
                to: penstock_log::destination(),
                dropped_lines: penstock_log::dropped_lines(),
            },
        }
    }
}
