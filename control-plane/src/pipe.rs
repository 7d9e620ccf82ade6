//! The in-memory way into the control plane: how `penstock up` joins the planes in one process.
//!
//! The pipe carries the same gRPC services as the network. Who holds a [`PipeConnector`] is in this process and
//! therefore trusted: calls through the pipe need neither token nor certificate, as node and as admin.
//! Connections that nobody accepts yet are few and bounded; a connector waits for its place.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tonic::transport::server::Connected;

/// Bytes under way in each direction.
const BUFFER: usize = 256 * 1024;
const WAITING: usize = 16;

/// Makes connections. Clones reach the same control plane.
#[derive(Clone, Debug)]
pub struct PipeConnector(mpsc::Sender<PipeStream>);

/// The control plane's end.
#[derive(Debug)]
pub struct PipeListener(pub(crate) mpsc::Receiver<PipeStream>);

/// A connection as the control plane sees it.
#[derive(Debug)]
pub struct PipeStream(DuplexStream);

/// Marks a request as having come through the pipe, among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct FromPipe;

/// A connector and the listener that it reaches.
pub fn pipe() -> (PipeConnector, PipeListener) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (PipeConnector(sender), PipeListener(receiver))
}

impl PipeConnector {
    /// A new connection; speak HTTP/2 on it. Fails with `ConnectionRefused` once the control plane has stopped.
    pub async fn connect(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        match self.0.send(PipeStream(theirs)).await {
            Ok(()) => Ok(ours),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "the control plane has stopped",
            )),
        }
    }
}

impl Connected for PipeStream {
    type ConnectInfo = FromPipe;

    fn connect_info(&self) -> FromPipe {
        FromPipe
    }
}

impl AsyncRead for PipeStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for PipeStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_pass_both_ways() {
        let (connector, mut listener) = pipe();
        let mut near = connector.connect().await.unwrap();
        let mut far = listener.0.recv().await.unwrap();
        near.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        far.read_exact(&mut buf).await.unwrap();
        far.write_all(&buf).await.unwrap();
        near.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");
    }

    #[tokio::test]
    async fn a_stopped_control_plane_refuses_connections() {
        let (connector, listener) = pipe();
        drop(listener);
        let refused = connector.connect().await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
