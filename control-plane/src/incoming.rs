//! Accepts TCP connections. A failure to accept (too many open files) is said and waited out; it never ends the server.

use std::io;
use std::time::Duration;

use futures::Stream;
use tokio::net::{TcpListener, TcpStream};

const PAUSE: Duration = Duration::from_millis(200);

/// Connections as they come, without end.
pub(crate) fn incoming(listener: TcpListener) -> impl Stream<Item = io::Result<TcpStream>> {
    futures::stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "TCP_NODELAY cannot be set");
                    }
                    return Some((Ok(stream), listener));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn connections_come_one_after_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut incoming = pin!(incoming(listener));
        for _ in 0..2 {
            let client = TcpStream::connect(addr).await.unwrap();
            let served = incoming.next().await.unwrap().unwrap();
            assert_eq!(served.peer_addr().unwrap(), client.local_addr().unwrap());
        }
    }
}
