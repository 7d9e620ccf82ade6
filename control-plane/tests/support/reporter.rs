//! A scripted data plane's telemetry stream, and usage records to send on it.

use std::time::Duration;

use penstock_core::id::{KeyId, RequestId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};
use penstock_proto::convert::usage_record_to_wire;
use penstock_proto::telemetry::v1 as wire;
use penstock_proto::telemetry::v1::report_request::Message;
use penstock_proto::telemetry::v1::report_response::Message as Reply;
use penstock_proto::telemetry::v1::telemetry_service_client::TelemetryServiceClient;
use penstock_proto::telemetry::v1::{
    ReportRequest, ReportResponse, ReporterHello, ReporterSettings, UsageBatch,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::node_client::with_token;

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time of all records.
pub(crate) const STARTED: i64 = 1_760_000_000_000;

/// A telemetry stream. Dropped: the node is gone.
pub(crate) struct Reporter {
    outbound: mpsc::Sender<ReportRequest>,
    inbound: Streaming<ReportResponse>,
}

impl Reporter {
    /// Says Hello and reads the settings.
    pub(crate) async fn open(
        channel: Channel,
        token: Option<&str>,
        id: &str,
    ) -> Result<(Self, ReporterSettings), Status> {
        let hello = Message::Hello(ReporterHello {
            node_id: id.to_owned(),
        });
        let mut reporter = Self::open_with(channel, token, hello).await?;
        match reporter.next().await? {
            Some(Reply::Settings(settings)) => Ok((reporter, settings)),
            other => panic!("settings come first, not {other:?}"),
        }
    }

    pub(crate) async fn open_with(
        channel: Channel,
        token: Option<&str>,
        first: Message,
    ) -> Result<Self, Status> {
        let (outbound, receiver) = mpsc::channel(16);
        outbound
            .send(ReportRequest { message: Some(first) })
            .await
            .unwrap();
        let mut client = TelemetryServiceClient::new(channel);
        let response = client
            .report(with_token(ReceiverStream::new(receiver), token))
            .await?;
        Ok(Self {
            outbound,
            inbound: response.into_inner(),
        })
    }

    pub(crate) async fn say(&self, message: Message) {
        self.outbound
            .send(ReportRequest {
                message: Some(message),
            })
            .await
            .unwrap();
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Reply>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.inbound.message())
            .await
            .expect("nothing came in time")?;
        Ok(message.and_then(|response| response.message))
    }

    /// Sends a batch and reads its acknowledgement: through which sequence number.
    pub(crate) async fn acked(&mut self, batch: UsageBatch) -> Result<u64, Status> {
        let spool = batch.spool_id.clone();
        self.say(Message::Usage(batch)).await;
        loop {
            match self.next().await? {
                Some(Reply::Usage(ack)) => {
                    assert_eq!(ack.spool_id, spool);
                    return Ok(ack.through_sequence);
                }
                // Of records of failed calls, which nobody waits for.
                Some(Reply::Failures(_)) => {}
                other => panic!("an acknowledgement, not {other:?}"),
            }
        }
    }
}

/// Records `first` to `last` of a spool; each is known by its sequence number.
pub(crate) fn batch(first: u64, last: u64) -> UsageBatch {
    UsageBatch {
        spool_id: uuid::Uuid::from_u128(0x5b001).to_string(),
        first_sequence: first,
        records: (first..=last).map(|n| usage_record_to_wire(&record(n))).collect(),
    }
}

pub(crate) fn record_id(n: u64) -> RequestId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RequestId::from_parts(u64::try_from(STARTED).unwrap(), &random)
}

pub(crate) fn record(n: u64) -> UsageRecord {
    UsageRecord {
        admitted_at: None,
        id: record_id(n),
        started_at: UnixMs(STARTED),
        user_id: UserId::from_parts(1, &[1; 10]),
        key_id: KeyId::from_parts(1, &[1; 10]),
        provider_id: None,
        dialect: "anthropic".to_owned(),
        model: "claude-opus-4-8".to_owned(),
        model_served: "claude-opus-4-8".to_owned(),
        stream: true,
        status: 200,
        outcome: Outcome::Succeeded,
        code: None,
        tokens: TokenUsage {
            input: 10,
            output: 20,
            ..TokenUsage::default()
        },
        estimated: false,
        cost: NanoUsd(1_000),
        price: None,
        cost_multiplier: Millionths::ONE,
        duration_ms: 5,
        first_byte_ms: Some(1),
        attempts: 1,
        session: None,
        revision: 1,
        node_id: "a".to_owned(),
        upstream_request_id: None,
        unpriced: None,
        decision: None,
    }
}

/// A record that cannot be read.
pub(crate) fn malformed() -> wire::UsageRecord {
    wire::UsageRecord {
        id: "not-an-id".to_owned(),
        ..wire::UsageRecord::default()
    }
}
