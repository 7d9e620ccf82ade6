//! One caller's connection, from its first byte to its end.
//!
//! An idle connection is closed: every [`TICK`] it is looked at, and one on which no request is under way and none
//! began since the last look is asked to finish; if it is still there at the next look, it is dropped. One timer a
//! connection covers clients that send no request, or a head byte by byte, or keep a connection they do not use, and
//! costs a request nothing but two counters. A connection whose writes got nowhere since the last look is dropped too,
//! and an answer of which its caller took nothing is given up (HTTP/2 can hold back one answer of many).

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use tokio::net::TcpStream;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::answer::{Answer, AnswerBody};
use super::error::Refusal;
use super::server::Builder;
use super::socket::{Socket, Writes};
use super::stopwatch::Arrival;
use super::{Proxy, chain};

/// Between two looks at a connection; it is idle for one to two of them before it is closed.
const TICK: Duration = Duration::from_secs(60);

/// Answers a connection's requests.
struct Answering {
    proxy: Arc<Proxy>,
    peer: IpAddr,
    activity: Arc<Activity>,
}

/// What a connection does. Requests are counted when they begin and when they end.
#[derive(Default)]
struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
    /// Answers under way, and some that are gone.
    answers: Mutex<Vec<Weak<Answer>>>,
}

/// A request under way.
pub(super) struct Active(Arc<Activity>);

/// What a look at the connection says.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Busy,
    /// Idle since the last look.
    Idle,
}

/// Serves until the caller or the drain ends it.
pub(super) async fn serve(proxy: Arc<Proxy>, builder: &Builder, stream: TcpStream, peer: IpAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let drain = &proxy.app.drain;
    // Tokens of its own: polling a token takes its lock.
    let (finish, cut) = (drain.stop_accepting().child_token(), drain.cut().child_token());
    let activity = Arc::new(Activity::default());
    let service = Answering {
        proxy: Arc::clone(&proxy),
        peer,
        activity: Arc::clone(&activity),
    };
    let writes = Arc::new(Writes::default());
    let socket = Socket::new(stream, Arc::clone(&writes));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let mut ticks = ticks();
    let mut asked = false;
    let (mut seen, mut written) = (0, 0);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a caller's connection broke");
                }
                return;
            }
            () = cut.cancelled() => return,
            () = finish.cancelled(), if !asked => {
                asked = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = ticks.tick() => match (activity.look(&mut seen), asked) {
                (Look::Busy, _) if writes.are_stuck(&mut written) => {
                    tracing::debug!("a caller stopped reading");
                    return;
                }
                (Look::Busy, _) => {}
                (Look::Idle, true) => return,
                (Look::Idle, false) => {
                    asked = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval_at(tokio::time::Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let proxy = Arc::clone(&self.proxy);
        let active = Active::new(&self.activity);
        let arrival = Arrival::from(self.peer);
        Box::pin(async move {
            // A panic ends this request, not the others of its connection; its record was made when it unwound.
            let answering = AssertUnwindSafe(chain::answer(proxy, arrival, request));
            let answer = match answering.catch_unwind().await {
                Ok(answer) => answer,
                Err(_) => died(&arrival),
            };
            answer.body().keep(active);
            Ok(answer)
        })
    }
}

/// For a request whose handling panicked.
fn died(arrival: &Arrival) -> Response<AnswerBody> {
    let message = format!("Internal error; the logs have it under {}.", arrival.id);
    Refusal::new(Code::InternalError, message).answer(Dialect::Anthropic, arrival.id)
}

impl Activity {
    /// `seen` is how many requests had begun when nothing was under way last; a look at a busy connection leaves it.
    fn look(&self, seen: &mut u64) -> Look {
        for answer in self
            .answers()
            .iter()
            .filter_map(Weak::upgrade)
            .collect::<Vec<_>>()
        {
            if answer.look() {
                tracing::debug!("a caller took nothing of an answer for too long; it is given up");
            }
        }
        let ended = self.ended.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Acquire);
        match begun == ended && begun == std::mem::replace(seen, begun) {
            true => Look::Idle,
            false => Look::Busy,
        }
    }
}

impl Activity {
    fn answers(&self) -> MutexGuard<'_, Vec<Weak<Answer>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// Lets the connection look at the answer for as long as it is under way.
    pub(super) fn watch(&self, answer: &Arc<Answer>) {
        let mut answers = self.0.answers();
        // Before the list grows, those that are gone make room; so it is at most twice what is under way.
        if answers.len() == answers.capacity() {
            answers.retain(|answer| answer.strong_count() > 0);
        }
        answers.push(Arc::downgrade(answer));
    }

    fn new(activity: &Arc<Activity>) -> Self {
        activity.begun.fetch_add(1, Ordering::Release);
        Self(Arc::clone(activity))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s08_a_connection_without_a_request_since_the_last_look_is_idle() {
        let activity = Arc::new(Activity::default());
        let mut seen = 0;
        assert_eq!(activity.look(&mut seen), Look::Idle);
        let active = Active::new(&activity);
        assert_eq!(activity.look(&mut seen), Look::Busy);
        assert_eq!(activity.look(&mut seen), Look::Busy);
        drop(active);
        assert_eq!(activity.look(&mut seen), Look::Busy);
        assert_eq!(activity.look(&mut seen), Look::Idle);
    }

    #[test]
    fn s08_an_answer_that_nobody_reads_keeps_no_connection_busy() {
        let activity = Arc::new(Activity::default());
        let mut seen = 0;
        let body = AnswerBody::from(bytes::Bytes::from_static(b"{}"));
        body.keep(Active::new(&activity));
        assert_eq!(activity.look(&mut seen), Look::Busy);
        assert_eq!(activity.look(&mut seen), Look::Busy, "given up at this look");
        assert_eq!(activity.look(&mut seen), Look::Idle);
        drop(body);
    }

    #[test]
    fn the_list_of_answers_does_not_grow_with_the_requests_of_a_connection() {
        let activity = Arc::new(Activity::default());
        for _ in 0..10_000 {
            AnswerBody::from(bytes::Bytes::new()).keep(Active::new(&activity));
        }
        assert!(activity.answers().capacity() <= 8);
    }

    #[test]
    fn a_request_between_two_looks_keeps_the_connection() {
        let activity = Arc::new(Activity::default());
        let mut seen = 0;
        drop(Active::new(&activity));
        assert_eq!(activity.look(&mut seen), Look::Busy);
        assert_eq!(activity.look(&mut seen), Look::Idle);
    }
}
