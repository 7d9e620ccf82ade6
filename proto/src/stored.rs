//! The telemetry stream of a node whose spool keeps usage records as the wire has them.
//!
//! Records are encoded once, when their call ends. Reading them back only to encode them again for the stream cost more
//! than everything else about them, so a batch of them goes out as it lies in the spool: [`StoredBatch`] has the same bytes
//! as a [`ReportRequest`] with a [`UsageBatch`](crate::telemetry::v1::UsageBatch). The spool's checksums vouch for them.

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::telemetry::v1::{ReportRequest, ReportResponse};

/// One message of the stream.
#[derive(Clone, Debug)]
pub enum Report {
    Message(ReportRequest),
    Usage(StoredBatch),
}

/// Records with consecutive numbers: the bytes of a `UsageBatch`, since on the wire an embedded message is the bytes of its
/// encoding.
#[derive(Clone, PartialEq, Message)]
pub struct StoredBatch {
    #[prost(string, tag = "1")]
    pub spool_id: String,
    /// Of the first record.
    #[prost(uint64, tag = "2")]
    pub first_sequence: u64,
    /// Each an encoded [`UsageRecord`](crate::telemetry::v1::UsageRecord).
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub records: Vec<Bytes>,
}

/// A `ReportRequest`, as far as it concerns usage.
#[derive(Clone, PartialEq, Message)]
struct UsageRequest {
    #[prost(message, optional, tag = "2")]
    usage: Option<StoredBatch>,
}

#[derive(Clone, Copy, Debug, Default)]
struct ReportCodec;

#[derive(Clone, Copy, Debug)]
struct ReportEncoder;

/// Opens the telemetry stream.
pub async fn report<S>(
    channel: Channel,
    request: Request<S>,
) -> Result<Response<Streaming<ReportResponse>>, Status>
where
    S: tonic::codegen::tokio_stream::Stream<Item = Report> + Send + 'static,
{
    let mut grpc = Grpc::new(channel);
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::unavailable(format!("the connection is not ready: {error}")))?;
    let path = PathAndQuery::from_static("/penstock.telemetry.v1.TelemetryService/Report");
    grpc.streaming(request, path, ReportCodec).await
}

impl Report {
    fn encode(self, into: &mut EncodeBuf<'_>) -> Result<(), prost::EncodeError> {
        match self {
            Self::Message(message) => message.encode(into),
            Self::Usage(batch) => UsageRequest { usage: Some(batch) }.encode(into),
        }
    }
}

impl Codec for ReportCodec {
    type Encode = Report;
    type Decode = ReportResponse;
    type Encoder = ReportEncoder;
    type Decoder = <ProstCodec<ReportRequest, ReportResponse> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ReportEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<ReportRequest, ReportResponse>::default().decoder()
    }
}

impl Encoder for ReportEncoder {
    type Item = Report;
    type Error = Status;

    fn encode(&mut self, report: Report, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        report
            .encode(into)
            .map_err(|error| Status::internal(format!("a report cannot be encoded: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::v1::report_request::Message as Reported;
    use crate::telemetry::v1::{UsageBatch, UsageRecord};

    #[test]
    fn e05_a_stored_batch_has_the_bytes_of_the_batch_that_it_stands_for() {
        let record = |model: &str| UsageRecord {
            model: model.to_owned(),
            duration_ms: 7,
            ..UsageRecord::default()
        };
        let records = vec![record("one"), record(""), UsageRecord::default()];
        let stored = StoredBatch {
            spool_id: "spool".to_owned(),
            first_sequence: 300,
            records: records
                .iter()
                .map(|record| record.encode_to_vec().into())
                .collect(),
        };
        let plain = ReportRequest {
            message: Some(Reported::Usage(UsageBatch {
                spool_id: "spool".to_owned(),
                first_sequence: 300,
                records,
            })),
        };
        let stored = UsageRequest { usage: Some(stored) };
        assert_eq!(stored.encode_to_vec(), plain.encode_to_vec());
    }
}
