//! The time that counts: opens after the warm-up, and CPU time is read at both of its ends.
//!
//! Connections go on sending until the window is over and then finish what they have begun, so no request is cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::outcome::{Outcome, Tally};
use crate::stand::Watched;

/// How long one measurement lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) warm_up: Duration,
    pub(crate) measure: Duration,
}

/// Shared by the connections of one measurement.
#[derive(Debug, Default)]
pub(crate) struct Window {
    open: AtomicBool,
    over: AtomicBool,
}

impl Window {
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Opens the window after the warm-up, closes it, waits for the connections and adds up.
pub(crate) async fn measure(
    mut connections: JoinSet<Result<Tally>>,
    window: Arc<Window>,
    span: Span,
    watched: Watched<'_>,
) -> Result<Outcome> {
    sleep(span.warm_up).await;
    let before = watched.read()?;
    let begun = Instant::now();
    window.open();
    sleep(span.measure).await;
    window.close();
    let time = begun.elapsed();
    let cpu = watched.read()?.since(before);
    let mut all = Tally::default();
    while let Some(ended) = connections.join_next().await {
        all.add(ended.context("a connection's task died")??);
    }
    all.outcome(time, cpu)
}
