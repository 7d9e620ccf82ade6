//! Following the log.
//!
//! Records arrive in no order: a long call has an old id when it ends. So each look asks for the calls that *ended* since
//! the last minute and leaves out those that were sent; most looks ask among calls of the last minute by id, which is
//! cheap, and one in ten among those of the last [`LONGEST_MS`], so that long calls come too, some seconds late.
//!
//! *Bounds.* A look takes at most [`MOST`] calls; what is sent is remembered until it is too old to come again, and at most
//! [`REMEMBERED`] of it. A reader who is slow makes the next look late, and never makes anything grow.
//!
//! *Ends.* When the reader leaves, at once; when the control plane stops, with UNAVAILABLE, so that a client knows that it
//! may connect again. A store that is away ends nothing: the next look tries again.

use std::collections::HashMap;
use std::time::Duration;

use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_store::{LogFilter, LoggedCall};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::call;
use crate::clock;
use crate::context::Context;

const EVERY: Duration = Duration::from_secs(1);
/// Records arrive so long after the end of their call, or are not tailed.
const LATE_MS: i64 = 60_000;
/// Calls that began before this are not tailed.
const LONGEST_MS: i64 = 3_600_000;
/// Every so many looks one is for long calls.
const LONG_LOOK: u32 = 10;
/// Looks without news until there is a sign of life.
const QUIET: u32 = 15;
const MOST: u32 = 1_000;
const REMEMBERED: usize = 200_000;
/// Nodes' clocks may run ahead.
const AHEAD_MS: u64 = 300_000;

type Sender = mpsc::Sender<Result<wire::TailCallsResponse, Status>>;

/// See the module.
pub(super) struct Tail {
    context: Context,
    filter: LogFilter,
    sender: Sender,
    /// Calls that ended before are not sent.
    from: UnixMs,
    /// What was sent, with the end of each.
    sent: HashMap<RequestId, i64>,
    looks: u32,
    quiet: u32,
}

impl Tail {
    /// `since_ms` may reach a minute back; 0: from now on.
    pub(super) fn new(
        context: Context,
        filter: LogFilter,
        since_ms: i64,
    ) -> (Self, mpsc::Receiver<Result<wire::TailCallsResponse, Status>>) {
        let (sender, receiver) = mpsc::channel(4);
        let now = clock::now();
        let from = match since_ms {
            0 => now.0,
            since => since.max(now.0.saturating_sub(LATE_MS)),
        };
        let tail = Self {
            context,
            filter,
            sender,
            from: UnixMs(from),
            sent: HashMap::new(),
            looks: 0,
            quiet: 0,
        };
        (tail, receiver)
    }

    pub(super) async fn run(mut self, closing: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.sender.closed() => return,
                () = closing.cancelled() => {
                    // A reader who does not read learns of it from the end of the stream.
                    drop(self.sender.try_send(Err(Status::unavailable("the control plane stops; connect again"))));
                    return;
                }
                _ = ticks.tick() => {}
            }
            let Some(answer) = self.look().await else { continue };
            tokio::select! {
                sent = self.sender.send(Ok(answer)) => if sent.is_err() { return },
                () = closing.cancelled() => return,
            }
        }
    }

    /// What is new; None: nothing that must be said.
    async fn look(&mut self) -> Option<wire::TailCallsResponse> {
        let now = clock::now();
        let long = self.looks % LONG_LOOK == LONG_LOOK - 1;
        self.looks = self.looks.wrapping_add(1);
        let since = UnixMs(now.0.saturating_sub(LATE_MS)).max(self.from);
        let begun = if long { LONGEST_MS } else { LATE_MS };
        self.filter.ended_since = Some(since);
        self.filter.usage.from = UnixMs(since.0.saturating_sub(begun));
        self.filter.usage.to = now.plus_ms(AHEAD_MS);
        let found = self.context.store.search_calls(&self.filter, MOST, None).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "the log cannot be followed now");
                return None;
            }
        };
        let full = u32::try_from(found.len()).is_ok_and(|length| length >= MOST);
        let known = found
            .iter()
            .filter(|call| self.sent.contains_key(&call.id))
            .count();
        self.forget(since);
        let mut news: Vec<_> = found
            .into_iter()
            .filter(|call| !self.sent.contains_key(&call.id))
            .collect();
        news.sort_by_key(ended);
        for call in news.iter().take(REMEMBERED.saturating_sub(self.sent.len())) {
            self.sent.insert(call.id, ended(call));
        }
        // Of a full answer without a call that was sent before, some are missing; how many is not known, but one.
        let left_out = u32::from(full && known == 0 && self.looks > 1);
        self.quiet = if news.is_empty() { self.quiet + 1 } else { 0 };
        if news.is_empty() && self.quiet < QUIET && self.looks > 1 {
            return None;
        }
        self.quiet = 0;
        Some(wire::TailCallsResponse {
            calls: news
                .iter()
                .map(|found| call::write(&self.context, found))
                .collect(),
            left_out,
        })
    }

    /// What ended before cannot come again.
    fn forget(&mut self, since: UnixMs) {
        self.sent.retain(|_, ended| *ended >= since.0);
    }
}

/// By whichever record there is.
fn ended(call: &LoggedCall) -> i64 {
    let of = |at: UnixMs, took: u32| at.0.saturating_add(i64::from(took));
    match (&call.usage, &call.failure) {
        (Some(usage), _) => of(usage.started_at, usage.duration_ms),
        (None, Some(failure)) => of(failure.started_at, failure.duration_ms),
        (None, None) => 0,
    }
}
