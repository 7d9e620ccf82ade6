//! Accepting callers' connections: HTTP/1.1, and HTTP/2 without TLS for those that begin with it.
//!
//! Connections beyond the bound wait in the kernel's queue until another one ends. Each connection is a tracked task
//! of the drain: when accepting stops they are asked to finish, and at the cut they are dropped as they are.
//!
//! A failed accept (too many open files) is logged and tried again after a moment; the server ends only with the
//! drain.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{Proxy, Tracked, connection};

/// After an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Of a request's head, and of one read; HTTP/1.1 takes at most 100 headers.
const HTTP1_BUFFER: usize = 64 * 1024;
const HTTP2_HEADER_LIST: u32 = 64 * 1024;
const HTTP2_STREAMS: u32 = 256;
const HTTP2_STREAM_WINDOW: u32 = 1 << 20;
const HTTP2_CONNECTION_WINDOW: u32 = 4 << 20;
const HTTP2_SEND_BUFFER: usize = 64 * 1024;
const HTTP2_PING: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) type Builder = auto::Builder<Tracked>;

impl Proxy {
    /// Serves callers until the drain stops accepting. Connections go on as tasks of the drain.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let drain = self.app.drain.clone();
        let stop = drain.stop_accepting().clone();
        let tasks = Tracked::new(drain.connections().clone(), drain.cut().clone());
        let builder = Arc::new(builder(tasks));
        let room = Arc::new(Semaphore::new(self.app.config.traffic.max_connections));
        let accepting = async {
            loop {
                // The semaphore is never closed.
                let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                    return;
                };
                let (stream, peer) = accept(&listener).await;
                let proxy = Arc::clone(&self);
                let builder = Arc::clone(&builder);
                drain.connections().spawn(async move {
                    connection::serve(proxy, &builder, stream, peer).await;
                    drop(permit);
                });
            }
        };
        stop.run_until_cancelled(accepting).await;
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip()),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted; is the limit of open files too low?");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(tasks: Tracked) -> Builder {
    let mut builder = auto::Builder::new(tasks);
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(HTTP1_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HTTP2_HEADER_LIST)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING_TIMEOUT);
    builder
}
