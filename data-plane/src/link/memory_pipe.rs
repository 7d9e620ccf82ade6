//! Connections through memory, for both planes in one process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;

use super::Pipe;

/// Opens one connection to the control plane in this process. What comes back is spoken to in HTTP/2.
pub type Connector =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>> + Send + Sync>;

/// The same, as tonic asks for it.
pub(super) struct ConnectorService(pub(super) Connector);

impl tower_service::Service<Uri> for ConnectorService {
    type Response = Pipe;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Pipe>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = (self.0)();
        Box::pin(async move { Ok(TokioIo::new(connecting.await?)) })
    }
}
