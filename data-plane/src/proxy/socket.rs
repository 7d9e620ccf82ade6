//! A caller's socket that shows whether its writes get anywhere.
//!
//! A client that stops reading would hold its call for ever, since nothing is asked of a stream that cannot be written.
//! The connection's regular look drops it when no write succeeded since the last one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// See the module.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    writes: Arc<Writes>,
}

/// How a socket's writes do.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Those that succeeded.
    done: AtomicU64,
    /// One waits for the client to read.
    blocked: AtomicBool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, writes: Arc<Writes>) -> Self {
        Self { stream, writes }
    }
}

impl Writes {
    /// Whether a write has waited since the last look, in vain. `seen` is how many had succeeded then.
    pub(super) fn are_stuck(&self, seen: &mut u64) -> bool {
        let done = self.done.load(Ordering::Relaxed);
        std::mem::replace(seen, done) == done && self.blocked.load(Ordering::Relaxed)
    }

    fn note(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match poll {
            Poll::Ready(_) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                self.blocked.store(false, Ordering::Relaxed);
            }
            Poll::Pending => self.blocked.store(true, Ordering::Relaxed),
        }
        poll
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.writes.note(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.writes.note(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn s08_a_client_that_does_not_read_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, accepted) = tokio::join!(
            TcpStream::connect(listener.local_addr().unwrap()),
            listener.accept()
        );
        let (mut client, writes) = (client.unwrap(), Arc::new(Writes::default()));
        let mut socket = Socket::new(accepted.unwrap().0, Arc::clone(&writes));
        let mut seen = 0;
        socket.write_all(b"something").await.unwrap();
        assert!(!writes.are_stuck(&mut seen));
        assert!(!writes.are_stuck(&mut seen));

        let flood = vec![0; 64 << 20];
        let mut flooding = Box::pin(socket.write_all(&flood));
        while futures::poll!(flooding.as_mut()).is_pending() && !writes.are_stuck(&mut seen) {
            tokio::task::yield_now().await;
        }
        assert!(writes.are_stuck(&mut seen));

        let reading = async {
            let mut piece = vec![0; 1 << 20];
            while !matches!(client.read(&mut piece).await, Ok(0) | Err(_)) {}
        };
        tokio::select! {
            written = flooding => written.unwrap(),
            () = reading => {}
        }
        assert!(!writes.are_stuck(&mut seen));
    }
}
