//! What a reader of the log has not seen yet.
//!
//! Records arrive in no order: a long call has an old id when it ends. So each look asks for the calls that *ended* lately
//! and leaves out those that were told before. Most looks ask for what ended since [`SOON_MS`] before the last one, among
//! calls of the last minute by id, which is cheap; one in [`LONG_EVERY_MS`] goes [`LATE_MS`] before the last one of its kind, among
//! those of the last [`LONGEST_MS`], so that long calls and late records come too, some seconds late. The first look goes back
//! to where the reader wants to begin.
//!
//! *Bounds.* A look takes [`MOST`] calls. Are there more, the next one begins where this one did and finds the rest, as long
//! as that is at most [`BACK_MS`] ago. What falls out of that, because the reader was too slow or more calls end than can be
//! told, is missing, and the look says so. What was told is remembered until it is too old to come again.

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
/// Looks but the first go back so far at most.
const BACK_MS: i64 = 600_000;
/// How far back a reader may begin.
const DAY_MS: i64 = 86_400_000;
/// So often one is for long calls.
const LONG_EVERY_MS: i64 = 10_000;
const PAGE: u32 = 1_000;
/// Pages of one look, most of whose calls were told before.
const PAGES: u32 = 50;
const MOST: usize = 5_000;
/// Nodes' clocks may run ahead.
const AHEAD_MS: u64 = 300_000;

/// See the module.
pub(super) struct Looks {
    filter: LogFilter,
    /// Calls that ended before are not told.
    from: UnixMs,
    /// None: nothing yet.
    seen: Option<Seen>,
    /// What was told, with the end of each.
    told: HashMap<RequestId, i64>,
    made: u32,
}

/// Up to where all was told that had arrived.
#[derive(Clone, Copy)]
struct Seen {
    short: UnixMs,
    /// Also of long calls.
    long: UnixMs,
}

/// What a look found.
pub(super) struct Found {
    /// In the order of their ends.
    pub(super) calls: Vec<LoggedCall>,
    /// Others are missing and will not come.
    pub(super) incomplete: bool,
}

/// Which calls a look is for.
struct Span {
    since: UnixMs,
    is_long: bool,
    /// It should have gone back further.
    cut: bool,
}

impl Looks {
    pub(super) fn new(filter: LogFilter, since: Option<UnixMs>, now: UnixMs) -> Self {
        let earliest = UnixMs(now.0.saturating_sub(DAY_MS));
        Self {
            filter,
            from: since.map_or(now, |since| since.clamp(earliest, now)),
            seen: None,
            told: HashMap::new(),
            made: 0,
        }
    }

    /// Whether the last look was the first.
    pub(super) fn is_first(&self) -> bool {
        self.made == 1
    }

    /// After a look that failed the next one goes back as far.
    pub(super) async fn next(&mut self, store: &dyn Store, now: UnixMs) -> Result<Found, Error> {
        let span = self.span(now);
        self.filter.ended_since = Some(span.since);
        self.filter.usage.from =
            UnixMs(
                span.since
                    .0
                    .saturating_sub(if span.is_long { LONGEST_MS } else { LATE_MS }),
            );
        self.filter.usage.to = now.plus_ms(AHEAD_MS);
        let (mut calls, all) = self.news(store).await?;
        self.made = self.made.saturating_add(1);
        let goes_on = !all && span.since.0 >= now.0.saturating_sub(BACK_MS);
        if !goes_on {
            let long = self.seen.filter(|_| !span.is_long).map_or(now, |seen| seen.long);
            self.seen = Some(Seen { short: now, long });
        }
        let long = self.seen.map_or(span.since, |seen| seen.long);
        let too_old = span.since.0.min(long.0.saturating_sub(LATE_MS));
        self.told.retain(|_, ended| *ended >= too_old);
        calls.sort_by_key(end_of);
        self.told.extend(calls.iter().map(|call| (call.id, end_of(call))));
        Ok(Found {
            calls,
            incomplete: span.cut || !(all || goes_on),
        })
    }

    fn span(&self, now: UnixMs) -> Span {
        let Some(seen) = self.seen else {
            return Span {
                since: self.from,
                is_long: true,
                cut: false,
            };
        };
        let is_long = now.0.saturating_sub(seen.long.0) >= LONG_EVERY_MS;
        let (seen, back_ms) = match is_long {
            true => (seen.long, LATE_MS),
            false => (seen.short, SOON_MS),
        };
        let wanted = seen.0.min(now.0).saturating_sub(back_ms);
        let earliest = now.0.saturating_sub(BACK_MS);
        Span {
            since: UnixMs(wanted.max(earliest)).max(self.from),
            is_long,
            cut: wanted < earliest,
        }
    }

    /// What was not told before, and whether that is all.
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
        Ok((news, before.is_none()))
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
