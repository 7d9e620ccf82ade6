//! Counting requests from arrival to end, and waiting for a count.
//!
//! Every request owns a [`Flight`]. It ends in exactly one of three ways: completed, failed on purpose (a cut,
//! an error event, a reset) or abandoned (the caller went away first, or shutdown ended it). The numbers move
//! just before the bytes that let the caller know are written, so a caller who has read an answer to its end
//! finds it counted.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use crate::usage::{Usage, UsageTotals};

/// How many requests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests whose head arrived, of any path; a request for these counts too.
    pub arrived: u64,
    /// Arrived and not ended.
    pub in_flight: u64,
    /// The highest `in_flight` so far.
    pub peak_in_flight: u64,
    /// Answered whole, error answers included.
    pub completed: u64,
    /// Broken off by the fake, as it was told.
    pub failed: u64,
    /// The caller went away before the end.
    pub abandoned: u64,
    /// What the answers reported.
    pub usage: UsageTotals,
}

/// The shared counts.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    counts: Arc<watch::Sender<Counts>>,
}

/// One request between arrival and end.
#[derive(Debug)]
pub(crate) struct Flight {
    tally: Tally,
    reported: Option<Usage>,
    ended: bool,
}

enum End {
    Completed,
    Failed,
    Abandoned,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            counts: Arc::new(watch::Sender::new(Counts::default())),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Counts> {
        self.counts.subscribe()
    }

    pub(crate) fn arrive(&self) -> Flight {
        self.counts.send_modify(|counts| {
            counts.arrived += 1;
            counts.in_flight += 1;
            counts.peak_in_flight = counts.peak_in_flight.max(counts.in_flight);
        });
        Flight {
            tally: self.clone(),
            reported: None,
            ended: false,
        }
    }
}

impl Flight {
    /// Remembers usage that is about to be sent; a later report replaces it.
    pub(crate) fn report(&mut self, usage: Usage) {
        self.reported = Some(usage);
    }

    /// The answer is whole.
    pub(crate) fn complete(&mut self) {
        self.end(&End::Completed);
    }

    /// The answer is broken off on purpose.
    pub(crate) fn fail(&mut self) {
        self.end(&End::Failed);
    }

    fn end(&mut self, how: &End) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let reported = self.reported.take();
        self.tally.counts.send_modify(|counts| {
            counts.in_flight -= 1;
            match how {
                End::Completed => counts.completed += 1,
                End::Failed => counts.failed += 1,
                End::Abandoned => counts.abandoned += 1,
            }
            match (reported, how) {
                (Some(usage), End::Completed) => counts.usage.add_complete(&usage),
                (Some(usage), End::Failed | End::Abandoned) => counts.usage.add_partial(&usage),
                (None, _) => {}
            }
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end(&End::Abandoned);
    }
}
