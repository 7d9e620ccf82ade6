//! Following the log: one task a reader, which looks once a second ([`looks`]) and sends what is new.
//!
//! *Ends.* When the reader leaves, at once; when its access ends, with the status that says so; when the control plane stops,
//! or cannot read the log [`FAILURES`] times in a row, with UNAVAILABLE, so that a client knows that it may connect again.
//! Each message says up to which moment all was told; a client that goes on from a minute before it, and leaves out what it
//! has, misses nothing.
//!
//! *Bounds.* [`AT_A_TIME`] readers; one more gets `RESOURCE_EXHAUSTED`. A reader who is slow makes the next look late, and
//! never makes anything grow.

mod looks;

use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_store::LogFilter;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::call;
use crate::access::Standing;
use crate::admin::status;
use crate::clock;
use crate::context::Context;
use looks::{Found, Looks};

/// Readers of one control plane.
pub(super) const AT_A_TIME: usize = 16;
const EVERY: Duration = Duration::from_secs(1);
const FAILURES: u32 = 5;
/// Looks without news until there is a sign of life.
const QUIET: u32 = 15;
/// Calls of one message, which stays far below what gRPC takes.
const CHUNK: usize = 500;

pub(super) type Answer = Result<wire::TailCallsResponse, Status>;

/// See the module.
pub(super) struct Tail {
    context: Context,
    standing: Standing,
    looks: Looks,
    /// Looks since something was sent.
    quiet: u32,
    failed: u32,
    sender: mpsc::Sender<Answer>,
    _place: OwnedSemaphorePermit,
}

/// Nothing more is sent.
struct Ended;

impl Tail {
    /// Begins with what ended since then, a day back at most; None: from now on.
    pub(super) fn new(
        context: Context,
        standing: Standing,
        (filter, since): (LogFilter, Option<UnixMs>),
        place: OwnedSemaphorePermit,
    ) -> (Self, mpsc::Receiver<Answer>) {
        let (sender, receiver) = mpsc::channel(4);
        let tail = Self {
            context,
            standing,
            looks: Looks::new(filter, since, clock::now()),
            quiet: 0,
            failed: 0,
            sender,
            _place: place,
        };
        (tail, receiver)
    }

    pub(super) async fn run(mut self, closing: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let sender = self.sender.clone();
        let steps = async {
            loop {
                ticks.tick().await;
                if self.step().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = sender.closed() => {}
            () = steps => {}
            () = closing.cancelled() => {
                // A reader who does not read learns of it from the end of the stream.
                drop(sender.try_send(Err(Status::unavailable("the control plane stops; connect again"))));
            }
        }
    }

    async fn step(&mut self) -> Result<(), Ended> {
        let now = clock::now();
        if let Err(status) = self.standing.check(now) {
            return self.end(status).await;
        }
        let found = match self.looks.next(&*self.context.store, now).await {
            Ok(found) => found,
            Err(error) => {
                self.failed += 1;
                tracing::debug!(%error, "the log cannot be followed now");
                return match self.failed {
                    FAILURES => self.end(status::from_store(error)).await,
                    _ => Ok(()),
                };
            }
        };
        (self.failed, self.quiet) = (0, self.quiet + 1);
        let sign_of_life = self.looks.is_first() || self.quiet >= QUIET;
        if found.calls.is_empty() && !found.incomplete && !sign_of_life {
            return Ok(());
        }
        self.quiet = 0;
        self.tell(found, now).await
    }

    async fn tell(&self, found: Found, now: UnixMs) -> Result<(), Ended> {
        let mut incomplete = found.incomplete;
        let mut rest = found.calls.as_slice();
        loop {
            let (some, later) = rest.split_at(rest.len().min(CHUNK));
            let answer = wire::TailCallsResponse {
                calls: some.iter().map(|call| call::write(&self.context, call)).collect(),
                incomplete: std::mem::take(&mut incomplete),
                told_ms: if later.is_empty() { now.0 } else { 0 },
            };
            self.sender.send(Ok(answer)).await.map_err(|_| Ended)?;
            rest = later;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    async fn end(&self, status: Status) -> Result<(), Ended> {
        // Whoever left need not know.
        drop(self.sender.send(Err(status)).await);
        Err(Ended)
    }
}
