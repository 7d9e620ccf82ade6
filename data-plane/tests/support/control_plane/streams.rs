//! The far end of one stream.

use penstock_proto::sync::v1::{
    Ack, Command, CommandResult, FleetInfo, Hello, SyncRequest, SyncResponse, Update, sync_request,
    sync_response,
};
use penstock_proto::telemetry::v1::KeyUpgrade;
use penstock_proto::telemetry::v1::{
    NodeHealth, ReportRequest, ReportResponse, ReporterSettings, UsageAck, UsageBatch, report_request,
    report_response,
};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::within;

/// A config stream. Dropping it ends it with OK.
pub(crate) struct SyncStream {
    inbound: Streaming<SyncRequest>,
    outbound: mpsc::Sender<Result<SyncResponse, Status>>,
}

/// A telemetry stream. Dropping it ends it with OK.
pub(crate) struct ReportStream {
    inbound: Streaming<ReportRequest>,
    outbound: mpsc::Sender<Result<ReportResponse, Status>>,
}

impl SyncStream {
    pub(super) fn new(
        inbound: Streaming<SyncRequest>,
    ) -> (Self, mpsc::Receiver<Result<SyncResponse, Status>>) {
        let (outbound, sent) = mpsc::channel(64);
        (Self { inbound, outbound }, sent)
    }

    pub(crate) async fn hello(&mut self) -> Hello {
        match self.next().await {
            Some(sync_request::Message::Hello(hello)) => hello,
            other => panic!("not Hello: {other:?}"),
        }
    }

    pub(crate) async fn ack(&mut self) -> Ack {
        match self.next().await {
            Some(sync_request::Message::Ack(ack)) => ack,
            other => panic!("not an Ack: {other:?}"),
        }
    }

    /// Sends an update and reads its Ack.
    pub(crate) async fn push(&mut self, update: Update) -> Ack {
        self.send(update).await;
        self.ack().await
    }

    pub(crate) async fn send(&self, update: Update) {
        self.reply(sync_response::Message::Update(update)).await;
    }

    pub(crate) async fn fleet(&self, live_nodes: u32) {
        self.reply(sync_response::Message::Fleet(FleetInfo { live_nodes }))
            .await;
    }

    pub(crate) async fn command(&self, command: Command) {
        self.reply(sync_response::Message::Command(command)).await;
    }

    pub(crate) async fn result(&mut self) -> CommandResult {
        match self.next().await {
            Some(sync_request::Message::CommandResult(result)) => result,
            other => panic!("not a CommandResult: {other:?}"),
        }
    }

    pub(crate) async fn fail(self, status: Status) {
        self.outbound.send(Err(status)).await.unwrap();
    }

    /// Waits until the node has ended the stream.
    pub(crate) async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }

    async fn reply(&self, message: sync_response::Message) {
        let message = Some(message);
        self.outbound.send(Ok(SyncResponse { message })).await.unwrap();
    }

    async fn next(&mut self) -> Option<sync_request::Message> {
        let message = within("a message of the node", self.inbound.message()).await;
        message.ok().flatten().and_then(|request| request.message)
    }
}

impl ReportStream {
    pub(super) fn new(
        inbound: Streaming<ReportRequest>,
    ) -> (Self, mpsc::Receiver<Result<ReportResponse, Status>>) {
        let (outbound, sent) = mpsc::channel(64);
        (Self { inbound, outbound }, sent)
    }

    /// Reads Hello and sends settings; gives the node's id.
    pub(crate) async fn begin(&mut self, window: u32, max_batch_records: u32) -> String {
        let Some(report_request::Message::Hello(hello)) = self.next().await else {
            panic!("not Hello");
        };
        let settings = ReporterSettings {
            health_interval_ms: 1_000,
            window,
            max_batch_records,
        };
        self.reply(report_response::Message::Settings(settings)).await;
        hello.node_id
    }

    /// The next batch; what else comes is skipped.
    pub(crate) async fn batch(&mut self) -> UsageBatch {
        loop {
            match self.next().await {
                Some(report_request::Message::Usage(batch)) => return batch,
                Some(_) => {}
                None => panic!("the stream ended before a batch came"),
            }
        }
    }

    pub(crate) async fn health(&mut self) -> NodeHealth {
        loop {
            match self.next().await {
                Some(report_request::Message::Health(health)) => return health,
                Some(_) => {}
                None => panic!("the stream ended before health came"),
            }
        }
    }

    pub(crate) async fn key_upgrade(&mut self) -> KeyUpgrade {
        loop {
            match self.next().await {
                Some(report_request::Message::KeyUpgrade(upgrade)) => return upgrade,
                Some(_) => {}
                None => panic!("the stream ended before an upgrade came"),
            }
        }
    }

    pub(crate) async fn ack(&self, batch: &UsageBatch) {
        let ack = UsageAck {
            spool_id: batch.spool_id.clone(),
            through_sequence: batch.first_sequence + batch.records.len() as u64 - 1,
        };
        self.reply(report_response::Message::Usage(ack)).await;
    }

    pub(crate) async fn fail(self, status: Status) {
        self.outbound.send(Err(status)).await.unwrap();
    }

    async fn reply(&self, message: report_response::Message) {
        let message = Some(message);
        self.outbound.send(Ok(ReportResponse { message })).await.unwrap();
    }

    async fn next(&mut self) -> Option<report_request::Message> {
        let message = within("a message of the node", self.inbound.message()).await;
        message.ok().flatten().and_then(|request| request.message)
    }
}
