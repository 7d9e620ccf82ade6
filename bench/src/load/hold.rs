//! Many streams held open at once, each on a connection of its own, to their ends.
//!
//! They begin spread over a time, as callers do: then their events come spread too. Readers read as fast as it comes, or
//! stop after the first bytes until they are told to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, is_end};
use super::target::Target;

/// More failed streams than one in so many, and the figures say nothing.
const TOLERATED: u32 = 1000;

/// So many streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) streams: u32,
    pub(crate) ramp: Duration,
    /// Whether readers stop after the first bytes.
    pub(crate) slow: bool,
}

/// Streams under way. All are dropped with it.
#[derive(Debug)]
pub(crate) struct Held {
    plan: Plan,
    counts: Arc<Counts>,
    tasks: JoinSet<Result<()>>,
}

/// What became of them.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) whole: u32,
    pub(crate) failed: u32,
    pub(crate) first_failure: Option<String>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Streams of which something has arrived.
    flowing: AtomicU32,
    ended: AtomicU32,
    events: AtomicU64,
    go_on: CancellationToken,
}

/// Counts events, whose ends may lie across two pieces, and looks for the last one.
#[derive(Debug, Default)]
struct Events {
    tail: Vec<u8>,
}

impl Held {
    pub(crate) fn begin(target: &Arc<Target>, plan: Plan) -> Self {
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        for index in 0..plan.streams {
            let delay = plan.ramp * index / plan.streams.max(1);
            let (target, counts) = (Arc::clone(target), Arc::clone(&counts));
            tasks.spawn(async move {
                sleep(delay).await;
                let read = one(&target, index, &counts, plan.slow).await;
                counts.ended.fetch_add(1, Ordering::Relaxed);
                read
            });
        }
        Self { plan, counts, tasks }
    }

    /// Waits until something of each has arrived.
    ///
    /// # Errors
    /// When that takes so much longer than their beginning, or one has ended before.
    pub(crate) async fn flowing(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + self.plan.ramp + patience;
        loop {
            let flowing = self.counts.flowing.load(Ordering::Relaxed);
            if flowing == self.plan.streams {
                return Ok(());
            }
            if Instant::now() > deadline || self.ended() * TOLERATED > self.plan.streams {
                let (all, ended) = (self.plan.streams, self.ended());
                bail!(
                    "{flowing} of {all} streams flow at once, {ended} have ended: try fewer with --streams"
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Events that have arrived.
    pub(crate) fn events(&self) -> u64 {
        self.counts.events.load(Ordering::Relaxed)
    }

    pub(crate) fn ended(&self) -> u32 {
        self.counts.ended.load(Ordering::Relaxed)
    }

    /// Reads all to their ends.
    ///
    /// # Errors
    /// More than one in a thousand failed.
    pub(crate) async fn end(mut self) -> Result<Served> {
        self.counts.go_on.cancel();
        let mut served = Served {
            whole: 0,
            failed: 0,
            first_failure: None,
        };
        while let Some(ended) = self.tasks.join_next().await {
            match ended.context("a stream's task died")? {
                Ok(()) => served.whole += 1,
                Err(error) => {
                    served.failed += 1;
                    served.first_failure.get_or_insert_with(|| format!("{error:#}"));
                }
            }
        }
        let first = served.first_failure.as_deref().unwrap_or_default();
        ensure!(
            served.failed <= served.whole / TOLERATED,
            "{} of {} streams failed; the first: {first}",
            served.failed,
            self.plan.streams
        );
        Ok(served)
    }
}

async fn one(target: &Target, index: u32, counts: &Counts, slow: bool) -> Result<()> {
    let mut connection = Connection::open(target.address).await?;
    let request = target.request(usize::try_from(index).unwrap_or(0))?;
    let mut answer = connection.stream(request).await?;
    let (mut seen, mut flows) = (Events::default(), false);
    while let Some(frame) = answer.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        counts.events.fetch_add(seen.take(&data), Ordering::Relaxed);
        if !std::mem::replace(&mut flows, true) {
            counts.flowing.fetch_add(1, Ordering::Relaxed);
            if slow {
                counts.go_on.cancelled().await;
            }
        }
    }
    ensure!(is_end(&seen.tail), "a stream without its last event");
    Ok(())
}

impl Events {
    /// How many end in this piece.
    fn take(&mut self, data: &Bytes) -> u64 {
        const KEPT: usize = 80;
        let mut last = self.tail.last().copied();
        let mut ends = 0;
        for byte in data {
            ends += u64::from(*byte == b'\n' && last == Some(b'\n'));
            last = Some(*byte);
        }
        self.tail
            .extend_from_slice(data.get(data.len().saturating_sub(KEPT)..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(KEPT));
        ends
    }
}

#[cfg(test)]
mod tests {
    use penstock_fake_provider::{Behaviour, FakeProvider};

    use super::super::target::Expect;
    use super::*;
    use crate::body;

    fn target(fake: &FakeProvider, words: &str) -> Arc<Target> {
        let body = body::streamed(words).unwrap();
        let keys = ["key".to_owned()];
        Arc::new(Target::messages(fake.address(), &keys, &body, Expect::Stream).unwrap())
    }

    fn plan(slow: bool) -> Plan {
        Plan {
            streams: 20,
            ramp: Duration::from_millis(50),
            slow,
        }
    }

    #[tokio::test]
    async fn streams_flow_together_and_are_read_to_their_ends() {
        let fake = FakeProvider::builder().start().await.unwrap();
        let target = target(&fake, "pace=50 chunks=10");
        let held = Held::begin(&target, plan(false));
        held.flowing(Duration::from_secs(20)).await.unwrap();
        assert_eq!((held.ended(), fake.counts().in_flight), (0, 20));
        let counts = Arc::clone(&held.counts);
        let served = held.end().await.unwrap();
        assert_eq!((served.whole, served.failed), (20, 0));
        assert_eq!(counts.events.load(Ordering::Relaxed), 20 * 16);
        fake.shutdown().await;
    }

    #[tokio::test]
    async fn slow_readers_read_nothing_until_they_are_told_and_then_all() {
        let fake = FakeProvider::builder().start().await.unwrap();
        let target = target(&fake, "chunks=1000 chunk-bytes=8000");
        let held = Held::begin(&target, plan(true));
        held.flowing(Duration::from_secs(20)).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(held.ended(), 0);
        assert!(held.events() < 20_000);
        let counts = Arc::clone(&held.counts);
        assert_eq!(held.end().await.unwrap().whole, 20);
        assert_eq!(counts.events.load(Ordering::Relaxed), 20 * 1_006);
        fake.shutdown().await;
    }

    #[tokio::test]
    async fn streams_that_break_are_counted_and_many_end_the_measurement() {
        let cut = Behaviour::ends(3, penstock_fake_provider::Ending::Cut);
        let fake = FakeProvider::builder()
            .default_behaviour(cut)
            .start()
            .await
            .unwrap();
        let held = Held::begin(&target(&fake, ""), plan(false));
        let error = held.end().await.unwrap_err().to_string();
        assert!(error.contains("20 of 20 streams failed"), "{error}");
        fake.shutdown().await;
    }

    #[test]
    fn events_are_counted_across_pieces() {
        let mut events = Events::default();
        let taken: Vec<u64> = ["a: b\n", "\nc: d\n\ne", ": f\n\n", "", "\n"]
            .iter()
            .map(|piece| events.take(&Bytes::from_static(piece.as_bytes())))
            .collect();
        assert_eq!(taken[..4], [0, 2, 1, 0]);
    }
}
