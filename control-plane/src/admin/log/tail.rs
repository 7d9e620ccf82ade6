//! Following the log: one task a reader, which looks once a second ([`looks`]) and sends what is new.
//!
//! *Ends.* When the reader leaves, at once; when the control plane stops, with UNAVAILABLE, so that a client knows that it
//! may connect again; with OK after [`LIFETIME`], when a client connects again and is let in or not: an operator whose
//! access ended reads no longer than that. A store that is away ends nothing: the next look tries again.
//!
//! *Bounds.* [`AT_A_TIME`] readers; one more gets `RESOURCE_EXHAUSTED`. A reader who is slow makes the next look late, and
//! never makes anything grow.

mod looks;

use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_store::LogFilter;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::call;
use crate::clock;
use crate::context::Context;
use crate::streams::jittered;
use looks::Looks;

/// Readers of one control plane.
pub(super) const AT_A_TIME: usize = 16;
const EVERY: Duration = Duration::from_secs(1);
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Looks without news until there is a sign of life.
const QUIET: u32 = 15;
/// Calls of one message, which stays far below what gRPC takes.
const CHUNK: usize = 500;

pub(super) type Answer = Result<wire::TailCallsResponse, Status>;

/// See the module.
pub(super) struct Tail {
    context: Context,
    looks: Looks,
    sender: mpsc::Sender<Answer>,
    _place: OwnedSemaphorePermit,
}

impl Tail {
    /// Begins with what ended since then, a day back at most; None: from now on.
    pub(super) fn new(
        context: Context,
        filter: LogFilter,
        since: Option<UnixMs>,
        place: OwnedSemaphorePermit,
    ) -> (Self, mpsc::Receiver<Answer>) {
        let (sender, receiver) = mpsc::channel(4);
        let tail = Self {
            context,
            looks: Looks::new(filter, since, clock::now()),
            sender,
            _place: place,
        };
        (tail, receiver)
    }

    pub(super) async fn run(mut self, closing: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = sleep(jittered(LIFETIME, clock::random()));
        tokio::pin!(end);
        let sender = self.sender.clone();
        tokio::select! {
            () = sender.closed() => {}
            () = end => {}
            () = async {
                loop {
                    ticks.tick().await;
                    if self.step().await.is_none() {
                        return;
                    }
                }
            } => {}
            () = closing.cancelled() => {
                // A reader who does not read learns of it from the end of the stream.
                drop(sender.try_send(Err(Status::unavailable("the control plane stops; connect again"))));
            }
        }
    }

    /// One look. None: nobody reads any more.
    async fn step(&mut self) -> Option<()> {
        let found = match self.looks.next(&*self.context.store, clock::now()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "the log cannot be followed now");
                return Some(());
            }
        };
        let sign_of_life = self.looks.is_first() || self.looks.quiet() >= QUIET;
        if found.calls.is_empty() && !found.incomplete && !sign_of_life {
            return Some(());
        }
        self.looks.told();
        let mut incomplete = found.incomplete;
        let mut rest = found.calls.as_slice();
        loop {
            let (now, later) = rest.split_at(rest.len().min(CHUNK));
            let answer = wire::TailCallsResponse {
                calls: now.iter().map(|call| call::write(&self.context, call)).collect(),
                incomplete: std::mem::take(&mut incomplete),
            };
            self.sender.send(Ok(answer)).await.ok()?;
            rest = later;
            if rest.is_empty() {
                return Some(());
            }
        }
    }
}
