//! The gRPC side of the config stream.

use std::time::Duration;

use penstock_proto::sync::v1::config_sync_service_server::ConfigSyncService;
use penstock_proto::sync::v1::{SyncRequest, SyncResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::stream::Stream;
use crate::clock;
use crate::context::Context;
use crate::streams::{Streams, jittered};

/// Messages made but not yet sent: one on its way, one ready.
const QUEUE: usize = 2;

/// Serves `penstock.sync.v1.ConfigSyncService`.
#[expect(missing_debug_implementations, reason = "holds the sealer")]
pub struct ConfigSync {
    context: Context,
    streams: Streams,
    lifetime: Duration,
}

impl ConfigSync {
    /// Streams last about `lifetime`.
    pub fn new(context: Context, streams: Streams, lifetime: Duration) -> Self {
        Self {
            context,
            streams,
            lifetime,
        }
    }
}

#[tonic::async_trait]
impl ConfigSyncService for ConfigSync {
    type SyncStream = ReceiverStream<Result<SyncResponse, Status>>;

    async fn sync(
        &self,
        request: Request<Streaming<SyncRequest>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let lifetime = jittered(self.lifetime, clock::random());
        let stream = Stream::new(self.context.clone(), self.streams.closing().clone(), sender);
        self.streams.serve(stream.run(request.into_inner(), lifetime))?;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
