//! One node's telemetry stream.

use std::time::Duration;

use penstock_proto::convert::provider_state_from_wire;
use penstock_proto::fleet::v1::ProviderState;
use penstock_proto::telemetry::v1::report_request::Message;
use penstock_proto::telemetry::v1::report_response::Message as Reply;
use penstock_proto::telemetry::v1::{
    FailureBatch, NodeHealth, ReportRequest, ReportResponse, TokenRefused, UsageBatch,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::spool::Spools;
use super::{failures, first_use, ingest, settings, upgrade};
use crate::clock;
use crate::context::Context;
use crate::metrics::ReportLabels;
use crate::nodes::Health;

/// A node that does not say who it is, or does not read, is given up after this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The stream.
pub(super) struct Report {
    context: Context,
    closing: CancellationToken,
    sender: mpsc::Sender<Result<ReportResponse, Status>>,
}

impl Report {
    pub(super) fn new(
        context: Context,
        closing: CancellationToken,
        sender: mpsc::Sender<Result<ReportResponse, Status>>,
    ) -> Self {
        Self {
            context,
            closing,
            sender,
        }
    }

    /// Serves the stream to its end and tells the node why, unless it went away.
    pub(super) async fn run(self, mut inbound: Streaming<ReportRequest>) {
        if let Err(status) = self.serve(&mut inbound).await {
            tracing::debug!(code = ?status.code(), reason = status.message(), "telemetry stream ended");
            // Nobody reads any more, or does not read for too long: then there is nobody to tell.
            drop(self.sender.send_timeout(Err(status), PATIENCE).await);
        }
    }

    async fn serve(&self, inbound: &mut Streaming<ReportRequest>) -> Result<(), Status> {
        let node = tokio::select! {
            () = self.closing.cancelled() => return Ok(()),
            node = hello(inbound) => node?,
        };
        self.send(Reply::Settings(settings())).await?;
        let mut spools = Spools::default();
        loop {
            // What has begun is finished: a batch that is committed is acknowledged, also while closing.
            let message = tokio::select! {
                biased;
                () = self.closing.cancelled() => return Ok(()),
                () = self.sender.closed() => return Ok(()),
                message = inbound.message() => message?,
            };
            let Some(request) = message else {
                return Ok(());
            };
            match request.message {
                Some(Message::Usage(batch)) => self.usage(&node, &mut spools, batch).await?,
                Some(Message::Health(health)) => self.health(&node, health).await,
                Some(Message::KeyUpgrade(key)) => upgrade::apply(&self.context, &node, key).await,
                Some(Message::FirstUse(used)) => first_use::reported(&self.context, &node, used).await,
                Some(Message::ProviderState(state)) => self.provider_state(&node, state),
                Some(Message::TokenRefused(refused)) => self.token_refused(&node, &refused),
                Some(Message::Failures(batch)) => self.failures(&node, batch).await?,
                Some(Message::Hello(_)) => return Err(Status::invalid_argument("Hello comes only once")),
                // Of a newer release; nothing that this one must know.
                None => {}
            }
        }
    }

    async fn usage(&self, node: &str, spools: &mut Spools, batch: UsageBatch) -> Result<(), Status> {
        let Some(through) = spools.take(&batch)? else {
            return Ok(());
        };
        let spool_id = batch.spool_id.clone();
        ingest::batch(&self.context, node, batch, through.delivered(clock::now())).await?;
        self.send(Reply::Usage(through.ack(spool_id))).await
    }

    async fn failures(&self, node: &str, batch: FailureBatch) -> Result<(), Status> {
        let (ack, dropped) = failures::batch(&self.context, node, batch).await?;
        if dropped > 0 {
            self.dropped("failure", dropped);
        }
        match ack {
            Some(ack) => self.send(Reply::Failures(ack)).await,
            None => Ok(()),
        }
    }

    /// A node whose config stream is at another replica is not in the registry here; its row is.
    async fn health(&self, node: &str, health: NodeHealth) {
        let now = clock::now();
        let health = Health {
            received: now,
            ..Health::from(health)
        };
        if self.context.nodes.report(node, &health, now) {
            return;
        }
        let Ok(json) = serde_json::to_value(&health) else {
            return;
        };
        if let Err(error) = self.context.store.put_node_health(node, &json, now).await {
            tracing::debug!(node, %error, "a report on a data plane's health is dropped; the next one comes soon");
        }
    }

    fn provider_state(&self, node: &str, state: ProviderState) {
        match provider_state_from_wire(state) {
            Ok((provider, state)) => self.context.fleet_states.report(provider, &state, clock::now()),
            Err(error) => {
                tracing::warn!(node, %error, "what a data plane says of a provider cannot be read");
                self.dropped("provider_state", 1);
            }
        }
    }

    fn token_refused(&self, node: &str, refused: &TokenRefused) {
        match refused.provider_id.parse() {
            Ok(provider) => self.context.tokens.refused(provider, refused.token_version),
            Err(_) => {
                tracing::warn!(node, "a data plane's report on a refused token names no provider");
                self.dropped("token_refused", 1);
            }
        }
    }

    fn dropped(&self, kind: &'static str, number: usize) {
        let counter = self
            .context
            .metrics
            .dropped_reports
            .get_or_create(&ReportLabels { kind });
        counter.inc_by(u64::try_from(number).unwrap_or(u64::MAX));
    }

    async fn send(&self, reply: Reply) -> Result<(), Status> {
        let response = ReportResponse { message: Some(reply) };
        match self.sender.send_timeout(Ok(response), PATIENCE).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Status::unavailable("the data plane does not read; connect again")),
        }
    }
}

async fn hello(inbound: &mut Streaming<ReportRequest>) -> Result<String, Status> {
    let first = tokio::time::timeout(PATIENCE, inbound.message()).await;
    let message = first.map_err(|_| Status::invalid_argument("the first message, Hello, did not come"))??;
    match message.and_then(|request| request.message) {
        Some(Message::Hello(hello)) if !hello.node_id.is_empty() && hello.node_id.chars().count() <= 64 => {
            Ok(hello.node_id)
        }
        Some(
            Message::Hello(_)
            | Message::Usage(_)
            | Message::Health(_)
            | Message::Failures(_)
            | Message::KeyUpgrade(_)
            | Message::FirstUse(_)
            | Message::ProviderState(_)
            | Message::TokenRefused(_),
        )
        | None => Err(Status::invalid_argument(
            "the first message must be Hello with a node_id of 1 to 64 characters",
        )),
    }
}
