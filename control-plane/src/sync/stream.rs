//! One node's stream, from Hello to its end.

use std::ops::ControlFlow;
use std::time::Duration;

use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::sync_response::Message as Reply;
use penstock_proto::sync::v1::{Ack, FleetInfo, SyncRequest, SyncResponse};
use penstock_store::Head;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::PATIENCE;
use super::commands::Pending;
use super::in_flight::{InFlight, read_refusals};
use super::opening::{self, Opening};
use super::parts::Parts;
use super::quarantine::Quarantine;
use super::states::States;
use crate::clock;
use crate::context::Context;
use crate::metrics::UpdateLabels;
use crate::nodes::{NodeHandle, Order};

/// Goes on, or the stream ends with OK.
type Flow = ControlFlow<()>;

/// The stream before its Hello.
pub(super) struct Stream {
    context: Context,
    closing: CancellationToken,
    sender: mpsc::Sender<Result<SyncResponse, Status>>,
}

/// The stream of a known node.
struct Session {
    stream: Stream,
    node: NodeHandle,
    /// What the node understands.
    schema: u32,
    /// What is in force on the node. None: it needs everything.
    held: Option<Head>,
    in_flight: Option<InFlight>,
    /// An update was sent whole; `FleetInfo` may follow.
    begun: bool,
    quarantine: Quarantine,
    /// Commands that the node has not answered yet.
    commands: Pending,
    heads: watch::Receiver<Head>,
    live: watch::Receiver<u32>,
    states: States,
}

impl Stream {
    pub(super) fn new(
        context: Context,
        closing: CancellationToken,
        sender: mpsc::Sender<Result<SyncResponse, Status>>,
    ) -> Self {
        Self {
            context,
            closing,
            sender,
        }
    }

    /// Serves the stream to its end and tells the node why, unless it went away.
    pub(super) async fn run(self, mut inbound: Streaming<SyncRequest>, lifetime: Duration) {
        let sender = self.sender.clone();
        let end = Instant::now() + lifetime;
        if let Err(status) = self.serve(&mut inbound, end).await {
            tracing::debug!(code = ?status.code(), reason = status.message(), "config stream ended");
            // Nobody reads any more, or does not read for too long: then there is nobody to tell.
            drop(sender.send_timeout(Err(status), PATIENCE).await);
        }
    }

    async fn serve(self, inbound: &mut Streaming<SyncRequest>, end: Instant) -> Result<(), Status> {
        let closing = self.closing.clone();
        let opened = async {
            let opening = opening::hello(inbound).await?;
            let held = opening::settle(&self.context, &opening.identity.id, opening.held).await?;
            Ok::<_, Status>((opening, held))
        };
        let (opening, held) = tokio::select! {
            () = closing.cancelled() => return Ok(()),
            opened = opened => opened?,
        };
        let mut session = self.begin(opening, held)?;
        while session.step(inbound, end).await?.is_continue() {}
        Ok(())
    }

    fn begin(self, opening: Opening, held: Option<Head>) -> Result<Session, Status> {
        let Opening {
            identity,
            held: said,
            refused,
        } = opening;
        let quarantine = Quarantine::of(refused);
        let schema = identity.schema;
        let (id, version, zone) = (
            identity.id.clone(),
            identity.version.clone(),
            identity.zone.clone(),
        );
        let nodes = &self.context.nodes;
        let node = nodes
            .connect(identity, said, quarantine.list(), clock::now())
            .map_err(|crowded| Status::resource_exhausted(crowded.to_string()))?;
        let holds = said.map(|head| head.revision);
        tracing::info!(
            node = &*id,
            version,
            zone,
            holds,
            full = held.is_none(),
            "data plane connected"
        );
        let mut heads = self.context.index.watch();
        let mut live = nodes.live();
        // The first update and the first FleetInfo are due whatever happens.
        heads.mark_changed();
        live.mark_changed();
        let states = States::new(&self.context.fleet_states);
        Ok(Session {
            stream: self,
            node,
            schema,
            held,
            in_flight: None,
            begun: false,
            quarantine,
            commands: Pending::default(),
            heads,
            live,
            states,
        })
    }
}

impl Session {
    /// One event: a revision to send, something the node said, or an end.
    async fn step(&mut self, inbound: &mut Streaming<SyncRequest>, end: Instant) -> Result<Flow, Status> {
        let idle = self.in_flight.is_none();
        let deadline = self
            .in_flight
            .as_ref()
            .map_or(end, |in_flight| in_flight.deadline);
        tokio::select! {
            biased;
            () = self.stream.closing.cancelled() => Ok(Flow::Break(())),
            () = self.stream.sender.closed() => Ok(Flow::Break(())),
            message = inbound.message() => self.receive(message?),
            () = tokio::time::sleep_until(end) => Ok(Flow::Break(())),
            () = tokio::time::sleep_until(deadline), if !idle => {
                Err(Status::unavailable("the update was not acknowledged in time; connect again"))
            }
            changed = self.heads.changed(), if idle => match changed {
                Ok(()) => self.update().await,
                Err(_) => Ok(Flow::Break(())),
            },
            changed = self.live.changed(), if self.begun => match changed {
                Ok(()) => self.fleet().await,
                Err(_) => Ok(Flow::Break(())),
            },
            changed = self.states.changed(), if self.begun => match changed {
                Ok(()) => self.fleet_states().await,
                Err(_) => Ok(Flow::Break(())),
            },
            Some(order) = self.node.order(), if self.begun => self.command(order).await,
        }
    }

    fn receive(&mut self, message: Option<SyncRequest>) -> Result<Flow, Status> {
        let Some(request) = message else {
            return Ok(Flow::Break(()));
        };
        match request.message {
            Some(Message::Ack(ack)) => self.acknowledged(ack),
            Some(Message::Hello(_)) => Err(Status::invalid_argument("Hello comes only once")),
            Some(Message::CommandResult(result)) => {
                self.commands.settle(&result);
                Ok(Flow::Continue(()))
            }
            // Of a newer release; nothing that this one must know.
            None => Ok(Flow::Continue(())),
        }
    }

    fn acknowledged(&mut self, mut ack: Ack) -> Result<Flow, Status> {
        let in_flight = self.in_flight.take();
        let in_flight =
            in_flight.ok_or_else(|| Status::invalid_argument("an Ack came without an Update before it"))?;
        let refused = read_refusals(self.node.id(), std::mem::take(&mut ack.refused));
        let metrics = &self.stream.context.metrics;
        metrics.acks.inc();
        metrics
            .nacks
            .inc_by(u64::try_from(refused.len()).unwrap_or(u64::MAX));
        // The rest shows in the node's list.
        for refusal in refused.iter().take(10) {
            tracing::warn!(
                node = &**self.node.id(),
                resource = %refusal.reference,
                version = refusal.version,
                reason = refusal.reason,
                "a data plane refused a resource; it keeps the last good version (of a user or key: denies it)"
            );
        }
        let held = in_flight.acknowledge(&ack, refused, &mut self.quarantine)?;
        self.held = Some(held);
        self.node.acknowledged(held, self.quarantine.list(), clock::now());
        // What was committed meanwhile is still to be seen by `heads.changed`.
        Ok(Flow::Continue(()))
    }

    /// Brings the node to the head.
    async fn update(&mut self) -> Result<Flow, Status> {
        let index = &self.stream.context.index;
        if self.begun && self.held == Some(index.head()) {
            return Ok(Flow::Continue(()));
        }
        let delta = self
            .held
            .and_then(|held| index.delta(held).map(|delta| (held, delta)));
        let (parts, mut in_flight, kind) = match delta {
            Some((held, mut delta)) => {
                self.quarantine.filter(&mut delta);
                let in_flight = InFlight::delta(delta.to, self.quarantine.touched_by(&delta));
                (
                    Parts::delta(held.revision, delta, self.schema),
                    in_flight,
                    "delta",
                )
            }
            None => {
                let full = index.full();
                let in_flight = InFlight::full(full.head);
                (Parts::full(full, self.schema), in_flight, "full")
            }
        };
        self.stream
            .context
            .metrics
            .updates
            .get_or_create(&UpdateLabels { kind })
            .inc();
        for part in parts {
            if self.send(Reply::Update(part)).await?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        in_flight.sent();
        self.in_flight = Some(in_flight);
        self.begun = true;
        Ok(Flow::Continue(()))
    }

    async fn fleet(&mut self) -> Result<Flow, Status> {
        let live_nodes = *self.live.borrow_and_update();
        self.send(Reply::Fleet(FleetInfo { live_nodes })).await
    }

    /// Tells which providers are well.
    async fn fleet_states(&mut self) -> Result<Flow, Status> {
        for told in self.states.news(&self.stream.context.fleet_states) {
            if self.send(Reply::FleetStates(told)).await?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    async fn command(&mut self, order: Order) -> Result<Flow, Status> {
        match self.commands.give(order) {
            Some(command) => self.send(Reply::Command(command)).await,
            None => Ok(Flow::Continue(())),
        }
    }

    async fn send(&self, message: Reply) -> Result<Flow, Status> {
        let response = SyncResponse {
            message: Some(message),
        };
        tokio::select! {
            biased;
            () = self.stream.closing.cancelled() => Ok(Flow::Break(())),
            sent = tokio::time::timeout(PATIENCE, self.stream.sender.send(Ok(response))) => match sent {
                Ok(Ok(())) => Ok(Flow::Continue(())),
                Ok(Err(_)) => Ok(Flow::Break(())),
                Err(_) => Err(Status::unavailable("the data plane does not read; connect again")),
            },
        }
    }
}
