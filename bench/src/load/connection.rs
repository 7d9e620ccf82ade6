//! One kept-alive HTTP/1.1 connection: a request, then its answer to the end, with the moments that matter.
//!
//! For a stream the moment of interest is the first content event and not the first byte: Penstock holds earlier bytes
//! back until it knows that the upstream really answers (behaviour B6), and a caller can use nothing before it anyway.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::target::Expect;

/// An answer that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers in a bench are small; more than this is not one.
const MOST: usize = 1024 * 1024;
const CONTENT: &[u8] = b"content_block_start";
const END: &[u8] = b"message_stop";

/// An open connection and the task that drives it.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Aborted when the connection is dropped.
    _driver: JoinSet<()>,
}

/// When things happened, from the moment the request was due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The first content event of a stream, the first bytes of a whole body.
    pub(crate) content: Duration,
    pub(crate) whole: Duration,
}

/// What has arrived of an answer.
struct Arrived {
    expect: Expect,
    bytes: BytesMut,
    content: Option<Instant>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        // How the connection ends is told to the request that is under way on it.
        driver.spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self {
            sender,
            _driver: driver,
        })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// A status other than 200, an answer that is not what is expected, a broken connection, 30 s without an end.
    pub(crate) async fn call(
        &mut self,
        request: Request<Full<Bytes>>,
        expect: Expect,
        due: Instant,
    ) -> Result<Timing> {
        timeout(PATIENCE, self.exchange(request, expect, due))
            .await
            .context("no answer within 30 s")?
    }

    /// Sends a request for a stream, and leaves it to the caller to read it.
    ///
    /// # Errors
    /// A status other than 200, or no head within 30 s.
    pub(crate) async fn stream(&mut self, request: Request<Full<Bytes>>) -> Result<Incoming> {
        let answer = timeout(PATIENCE, self.sender.send_request(request))
            .await
            .context("no answer within 30 s")??;
        ensure!(answer.status() == StatusCode::OK, "status {}", answer.status());
        Ok(answer.into_body())
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        expect: Expect,
        due: Instant,
    ) -> Result<Timing> {
        self.sender.ready().await.context("the connection was closed")?;
        let mut answer = self.sender.send_request(request).await?;
        let mut arrived = Arrived {
            expect,
            bytes: BytesMut::new(),
            content: None,
        };
        while let Some(frame) = answer.body_mut().frame().await {
            arrived.take(frame?.data_ref().map(Bytes::as_ref).unwrap_or_default())?;
        }
        let whole = due.elapsed();
        arrived.check(answer.status())?;
        let content = arrived.content.context("an answer without content")?;
        Ok(Timing {
            content: content.saturating_duration_since(due),
            whole,
        })
    }
}

impl Arrived {
    fn take(&mut self, data: &[u8]) -> Result<()> {
        ensure!(
            self.bytes.len() + data.len() <= MOST,
            "an answer of more than {MOST} bytes"
        );
        // The words looked for may lie across two frames.
        let from = self.bytes.len().saturating_sub(CONTENT.len());
        self.bytes.extend_from_slice(data);
        if self.content.is_none() && !data.is_empty() {
            let seen = match self.expect {
                Expect::Whole => true,
                Expect::Stream => contains(self.bytes.get(from..).unwrap_or_default(), CONTENT),
            };
            self.content = seen.then(Instant::now);
        }
        Ok(())
    }

    fn check(&self, status: StatusCode) -> Result<()> {
        let tail = self
            .bytes
            .get(self.bytes.len().saturating_sub(80)..)
            .unwrap_or_default();
        let complete = match self.expect {
            Expect::Whole => tail.ends_with(b"}"),
            Expect::Stream => is_end(tail),
        };
        if status != StatusCode::OK || !complete {
            let start = self.bytes.get(..300).unwrap_or(&self.bytes);
            bail!("status {status}: {}", String::from_utf8_lossy(start).trim_end());
        }
        Ok(())
    }
}

/// One GET on a connection of its own, for health checks.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<StatusCode> {
    let mut connection = Connection::open(address).await?;
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .body(Full::default())?;
    let exchange = async {
        let answer: Response<Incoming> = connection.sender.send_request(request).await?;
        Ok(answer.status())
    };
    timeout(PATIENCE, exchange)
        .await
        .context("no answer within 30 s")?
}

/// Whether these last bytes of a stream are those of a whole one.
pub(super) fn is_end(tail: &[u8]) -> bool {
    contains(tail, END)
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

#[cfg(test)]
mod tests {
    use penstock_fake_provider::{Behaviour, FakeProvider};

    use super::super::target::Target;
    use super::*;
    use crate::body;

    async fn call(behaviour: Behaviour, body: Bytes, expect: Expect) -> Result<Timing> {
        let fake = FakeProvider::builder()
            .default_behaviour(behaviour)
            .start()
            .await?;
        let address = fake.base_url().trim_start_matches("http://").parse()?;
        let target = Target::messages(address, &["key".to_owned()], &body, expect)?;
        let mut connection = Connection::open(address).await?;
        let timing = connection.call(target.request(0)?, expect, Instant::now()).await;
        drop(connection);
        fake.shutdown().await;
        timing
    }

    #[tokio::test]
    async fn a_whole_answer_is_read_to_its_end() {
        let timing = call(Behaviour::default(), body::small(1024).unwrap(), Expect::Whole)
            .await
            .unwrap();
        assert!(timing.content <= timing.whole);
    }

    #[tokio::test]
    async fn the_first_content_of_a_stream_comes_before_its_end() {
        let paced = Behaviour::default().pace(Duration::from_millis(2));
        let timing = call(paced, body::agent(100_000).unwrap(), Expect::Stream)
            .await
            .unwrap();
        assert!(timing.content < timing.whole);
    }

    #[tokio::test]
    async fn an_error_names_the_status_and_what_was_said() {
        let error = call(Behaviour::status(529), body::small(1024).unwrap(), Expect::Whole)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("529"), "{error}");
        assert!(error.to_string().contains("overloaded_error"), "{error}");
    }

    #[tokio::test]
    async fn a_stream_without_its_last_event_has_failed() {
        let ends = Behaviour::ends(4, penstock_fake_provider::Ending::Clean);
        assert!(
            call(ends, body::agent(100_000).unwrap(), Expect::Stream)
                .await
                .is_err()
        );
    }

    #[test]
    fn content_is_found_across_two_frames() {
        let mut arrived = Arrived {
            expect: Expect::Stream,
            bytes: BytesMut::new(),
            content: None,
        };
        arrived
            .take(b"event: message_start\n\nevent: content_blo")
            .unwrap();
        assert!(arrived.content.is_none());
        arrived.take(b"ck_start\n").unwrap();
        assert!(arrived.content.is_some());
    }
}
