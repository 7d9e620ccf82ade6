//! One config stream, from Hello to its end.
//!
//! Each update is applied whole before the next message is read, so that updates are acknowledged in their order and a
//! slow disk holds back the sender instead of filling memory. What was acknowledged is in force.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use penstock_core::resource::SCHEMA;
use penstock_core::snapshot::{Snapshot, UpdateError};
use penstock_proto::convert::{nack_to_wire, provider_state_from_wire};
use penstock_proto::sync::v1 as wire;
use penstock_proto::sync::v1::config_sync_service_client::ConfigSyncServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::LastKnownGood;
use super::applied::{self, Applied};
use super::collect::{BadPart, Collector};
use super::commands::Commands;
use crate::app::App;
use crate::clock;
use crate::link::{Link, LinkError};

/// What a node accepts of one part.
const MAX_PART: usize = 4 << 20;
/// For the answer to the stream's opening.
const OPENING: Duration = Duration::from_secs(15);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamEnd {
    /// The control plane ended it, as it does from time to time.
    #[error("the control plane ended the stream")]
    Finished,
    #[error("this node is shutting down")]
    Shutdown,
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the control plane did not answer within {} s", OPENING.as_secs())]
    Silent,
    #[error("{}", describe(.0))]
    Status(#[from] tonic::Status),
    /// What came does not go on top of what is held: everything must be asked for anew.
    #[error(transparent)]
    OutOfStep(#[from] UpdateError),
    #[error(transparent)]
    Unreadable(#[from] BadPart),
    #[error("applying an update failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// One open stream.
pub(super) struct Session<'a> {
    app: &'a App,
    file: Arc<Mutex<LastKnownGood>>,
    inbound: Streaming<wire::SyncResponse>,
    outbound: mpsc::Sender<wire::SyncRequest>,
    collector: Collector,
    commands: Commands,
    pub(super) applied: u64,
}

impl<'a> Session<'a> {
    /// Opens a stream. Hello goes with its opening: the other end may answer nothing before it has it.
    pub(super) async fn open(
        app: &'a Arc<App>,
        link: &Link,
        file: Arc<Mutex<LastKnownGood>>,
        anew: bool,
    ) -> Result<Self, StreamEnd> {
        let channel = link.connect().await?;
        let mut client = ConfigSyncServiceClient::new(channel).max_decoding_message_size(MAX_PART);
        let (outbound, requests) = mpsc::channel(4);
        send(&outbound, wire::sync_request::Message::Hello(hello(app, anew))).await;
        let opening = client.sync(link.sign(ReceiverStream::new(requests)));
        let opened = tokio::time::timeout(OPENING, opening).await;
        let inbound = opened.map_err(|_| StreamEnd::Silent)??.into_inner();
        app.sync.connected();
        tracing::info!(
            node = &*app.node_id,
            control_plane = link.describe(),
            "config stream open"
        );
        Ok(Self {
            app,
            file,
            inbound,
            commands: Commands::new(Arc::clone(app), outbound.clone()),
            outbound,
            collector: Collector::default(),
            applied: 0,
        })
    }

    /// Follows the stream until it ends. What has come whole is finished first, also at shutdown.
    pub(super) async fn run(&mut self, shutdown: &CancellationToken) -> StreamEnd {
        loop {
            let message = match shutdown.run_until_cancelled(self.inbound.message()).await {
                Some(Ok(Some(response))) => response.message,
                Some(Ok(None)) => return StreamEnd::Finished,
                Some(Err(status)) => return status.into(),
                None => return StreamEnd::Shutdown,
            };
            let taken = match message {
                Some(wire::sync_response::Message::Update(part)) => self.part(part).await,
                Some(wire::sync_response::Message::Fleet(fleet)) => {
                    self.app.sync.set_live_nodes(fleet.live_nodes);
                    Ok(())
                }
                Some(wire::sync_response::Message::FleetStates(told)) => {
                    self.fleet_states(told);
                    Ok(())
                }
                Some(wire::sync_response::Message::Command(command)) => {
                    self.commands.take(command);
                    Ok(())
                }
                // Of a newer release; nothing that this one must know.
                None => Ok(()),
            };
            if let Err(end) = taken {
                return end;
            }
        }
    }

    /// One that cannot be read is left out: a newer release may know more.
    fn fleet_states(&self, told: wire::FleetStates) {
        for state in told.states {
            match provider_state_from_wire(state) {
                Ok((provider, state)) => self.app.health.merge(provider, &state, clock::now()),
                Err(error) => tracing::warn!(%error, "what the fleet knows of a provider cannot be read"),
            }
        }
    }

    async fn part(&mut self, part: wire::Update) -> Result<(), StreamEnd> {
        let mut collector = std::mem::take(&mut self.collector);
        let held = self.app.live.load();
        let (collector, applied) = tokio::task::spawn_blocking(move || {
            let applied = match collector.take(part)? {
                Some(update) => Some(Applied::new(&held, update)?),
                None => None,
            };
            Ok::<_, StreamEnd>((collector, applied))
        })
        .await??;
        self.collector = collector;
        match applied {
            Some(applied) => self.put_in_force(applied).await,
            None => Ok(()),
        }
    }

    async fn put_in_force(&mut self, applied: Applied) -> Result<(), StreamEnd> {
        let app = self.app;
        say_if_elsewhere(&app.live.load(), &applied.snapshot);
        app.live.store(Arc::clone(&applied.snapshot));
        penstock_log::set_filter(|own| applied.snapshot.logging().filter(own));
        app.ready.set();
        app.sync.in_touch();
        app.metrics.snapshot_applied();
        self.applied = self.applied.saturating_add(1);
        say(&applied);
        send(&self.outbound, wire::sync_request::Message::Ack(applied.ack())).await;
        let file = Arc::clone(&self.file);
        let now = clock::now();
        let saved = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.save(&applied, now)
        })
        .await?;
        match saved {
            Ok(true) => app.sync.saved(now),
            Ok(false) => {}
            Err(error) => tracing::error!(
                %error,
                "the last known good configuration cannot be written; the node serves on, but would restart with an \
                 older one: check the disk of the data directory"
            ),
        }
        Ok(())
    }
}

fn hello(app: &App, anew: bool) -> wire::Hello {
    let held = match anew {
        true => Arc::new(Snapshot::default()),
        false => app.live.load(),
    };
    let refused = applied::refusals(&held);
    wire::Hello {
        node_id: app.node_id.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: SCHEMA,
        zone: app.config.node.zone.clone(),
        epoch: applied::epoch_text(&held),
        revision: held.revision(),
        refused: refused.iter().map(nack_to_wire).collect(),
    }
}

/// The stream may have ended meanwhile; then reading it says so.
async fn send(outbound: &mpsc::Sender<wire::SyncRequest>, message: wire::sync_request::Message) {
    let message = Some(message);
    drop(outbound.send(wire::SyncRequest { message }).await);
}

/// The control plane's database is not the one whose configuration was in force: a backup, or a wrong URL.
fn say_if_elsewhere(held: &Snapshot, new: &Snapshot) {
    if !is_elsewhere(held, new) {
        return;
    }
    tracing::warn!(
        was = held.revision(),
        now = new.revision(),
        keys_before = held.counts().keys,
        keys_now = new.counts().keys,
        "the control plane has another database than before, and its whole configuration replaces the one in force; if \
         no backup was restored, check its --database-url"
    );
}

fn is_elsewhere(held: &Snapshot, new: &Snapshot) -> bool {
    held.epoch().is_some() && held.epoch() != new.epoch()
}

fn say(applied: &Applied) {
    let snapshot = &applied.snapshot;
    let counts = snapshot.counts();
    tracing::info!(
        revision = snapshot.revision(),
        full = applied.touched.is_none(),
        providers = counts.providers,
        users = counts.users,
        keys = counts.keys,
        prices = counts.prices,
        "configuration in force"
    );
    // The rest shows in the control plane's list.
    for refusal in applied.refused.iter().take(10) {
        tracing::warn!(
            resource = %refusal.reference,
            version = refusal.version,
            reason = refusal.reason,
            "a resource was refused; its last good version stays in force, a user or key is denied"
        );
    }
}

fn describe(status: &tonic::Status) -> String {
    format!(
        "the control plane answered {:?}: {}",
        status.code(),
        status.message()
    )
}

#[cfg(test)]
mod tests {
    use penstock_core::id::Epoch;
    use penstock_core::snapshot::Update;

    use super::*;

    fn of_database(database: u8, revision: u64) -> Snapshot {
        let update = Update {
            epoch: Epoch::from_parts(1, &[database; 10]),
            full: true,
            from_revision: 0,
            to_revision: revision,
            upserts: Vec::new(),
            removals: Vec::new(),
        };
        Snapshot::default().apply(update).unwrap().0
    }

    #[test]
    fn another_database_is_noticed_and_a_first_or_later_configuration_is_none() {
        let held = of_database(1, 317);
        assert!(is_elsewhere(&held, &of_database(2, 1)));
        assert!(!is_elsewhere(&held, &of_database(1, 318)));
        assert!(!is_elsewhere(&Snapshot::default(), &held));
    }
}
