//! What a reader of the log has not seen yet.
//!
//! Records arrive in no order: a long call has an old id when it ends. So each look asks for the calls that *ended* lately
//! and leaves out those that were told before. Most looks ask for the last seconds, among calls of the last minute by id,
//! which is cheap; one in [`LONG_LOOK`] asks for the last minute, among those of the last [`LONGEST_MS`], so that long calls
//! and late records come too, some seconds late. The first look goes back to where the reader wants to begin.
//!
//! *Bounds.* A look reads the newest [`PAGES`] pages, one at a time, and takes [`MOST`] calls; when there are more it says so, and
//! the next look may find the rest. What was told is remembered until it is too old to come again, and at most [`REMEMBERED`] of it.

use std::collections::HashMap;

use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_store::{Error, LogFilter, LoggedCall, Store};

/// Records arrive so long after the end of their call, or are not followed.
const LATE_MS: i64 = 60_000;
/// Most records have come so long after the end of their call.
const SOON_MS: i64 = 5_000;
/// Calls that began before this are not followed.
const LONGEST_MS: i64 = 3_600_000;
/// How far back a reader may begin.
const DAY_MS: i64 = 86_400_000;
/// Every so many looks one is for long calls.
const LONG_LOOK: u32 = 10;
const PAGE: u32 = 1_000;
const PAGES: u32 = 50;
const MOST: usize = 5_000;
const REMEMBERED: usize = 200_000;
/// Nodes' clocks may run ahead.
const AHEAD_MS: u64 = 300_000;

/// See the module.
pub(super) struct Looks {
    filter: LogFilter,
    /// Calls that ended before are not told.
    from: UnixMs,
    /// What was told, with the end of each.
    told: HashMap<RequestId, i64>,
    made: u32,
    /// Since something was said.
    quiet: u32,
}

/// What a look found.
pub(super) struct Found {
    /// In the order of their ends.
    pub(super) calls: Vec<LoggedCall>,
    /// There were more than a look takes.
    pub(super) incomplete: bool,
}

impl Looks {
    pub(super) fn new(filter: LogFilter, since: Option<UnixMs>, now: UnixMs) -> Self {
        let earliest = UnixMs(now.0.saturating_sub(DAY_MS));
        Self {
            filter,
            from: since.map_or(now, |since| since.max(earliest)),
            told: HashMap::new(),
            made: 0,
            quiet: 0,
        }
    }

    /// Whether the last look was the first.
    pub(super) fn is_first(&self) -> bool {
        self.made == 1
    }

    /// Looks since something was said to the reader.
    pub(super) fn quiet(&self) -> u32 {
        self.quiet
    }

    pub(super) fn told(&mut self) {
        self.quiet = 0;
    }

    /// A look that fails is made again.
    pub(super) async fn next(&mut self, store: &dyn Store, now: UnixMs) -> Result<Found, Error> {
        let (ended, begun) = match self.made {
            0 => (DAY_MS, LONGEST_MS),
            made if made % LONG_LOOK == 0 => (LATE_MS, LONGEST_MS),
            _ => (SOON_MS, LATE_MS),
        };
        let since = UnixMs(now.0.saturating_sub(ended)).max(self.from);
        self.filter.ended_since = Some(since);
        self.filter.usage.from = UnixMs(since.0.saturating_sub(begun));
        self.filter.usage.to = now.plus_ms(AHEAD_MS);
        let (mut calls, incomplete) = self.news(store).await?;
        self.made = self.made.saturating_add(1);
        self.quiet = self.quiet.saturating_add(1);
        let too_old = now.0.saturating_sub(LATE_MS);
        self.told.retain(|_, ended| *ended >= too_old);
        calls.sort_by_key(end_of);
        for call in calls
            .iter()
            .rev()
            .take(REMEMBERED.saturating_sub(self.told.len()))
        {
            self.told.insert(call.id, end_of(call));
        }
        Ok(Found { calls, incomplete })
    }

    /// What was not told before, and whether there is more.
    async fn news(&self, store: &dyn Store) -> Result<(Vec<LoggedCall>, bool), Error> {
        let (mut news, mut before) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = store.search_calls(&self.filter, PAGE, before).await?;
            let fresh = page.calls.into_iter();
            news.extend(fresh.filter(|call| !self.told.contains_key(&call.id)));
            before = page.older;
            if before.is_none() || news.len() >= MOST {
                break;
            }
        }
        Ok((news, before.is_some()))
    }
}

/// By whichever record there is.
fn end_of(call: &LoggedCall) -> i64 {
    let of = |at: UnixMs, took: u32| at.0.saturating_add(i64::from(took));
    match (&call.usage, &call.failure) {
        (Some(usage), _) => of(usage.started_at, usage.duration_ms),
        (None, Some(failure)) => of(failure.started_at, failure.duration_ms),
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests;
