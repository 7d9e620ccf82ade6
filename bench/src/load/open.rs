//! The open loop: requests are due at a fixed rate, whatever the answers do.
//!
//! A request that could not go out when it was due, because the answer before it was late, counts from when it was due
//! (no coordinated omission). One that went out late because the load generator's own timer fired late (its grain is a
//! millisecond) counts from when it went out: that is not the system's doing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::closed::Caller;
use super::outcome::{Outcome, Tally};
use super::target::Target;
use super::window::{Span, Window, measure};
use crate::stand::Watched;

/// So much load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) per_second: u32,
    /// They take turns; with more of them, fewer requests wait for the one before.
    pub(crate) connections: u32,
    pub(crate) span: Span,
}

/// When one connection's requests are due.
#[derive(Clone, Copy, Debug)]
struct Timetable {
    next: Instant,
    every: Duration,
}

/// # Errors
/// More than one request in a thousand failed, or none was answered in the window.
pub(crate) async fn run(target: &Arc<Target>, rate: Rate, watched: Watched<'_>) -> Result<Outcome> {
    let window = Arc::new(Window::default());
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for index in 0..rate.connections {
        let timetable = Timetable::of(index, rate, begun);
        let caller = Caller::new(target, index);
        connections.spawn(one(caller, Arc::clone(&window), timetable));
    }
    measure(connections, window, rate.span, watched).await
}

async fn one(mut caller: Caller, window: Arc<Window>, mut timetable: Timetable) -> Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let due = timetable.wait().await;
        if window.is_over() {
            return Ok(tally);
        }
        let counts = window.is_open();
        match caller.call(due).await {
            Ok(timing) => {
                tally.answered += 1;
                tally.timings.extend(counts.then_some(timing));
            }
            Err(error) => caller.recover(&mut tally, &error).await,
        }
    }
}

impl Timetable {
    fn of(connection: u32, rate: Rate, begun: Instant) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        Self {
            next: begun + interval * connection,
            every: interval * rate.connections,
        }
    }

    /// Waits for the next request's turn; from when it counts.
    async fn wait(&mut self) -> Instant {
        let due = self.next;
        self.next += self.every;
        if Instant::now() >= due {
            return due;
        }
        sleep_until(due).await;
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32, connections: u32) -> Rate {
        let span = Span {
            warm_up: Duration::ZERO,
            measure: Duration::from_secs(1),
        };
        Rate {
            per_second,
            connections,
            span,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_share_the_rate_evenly() {
        let begun = Instant::now();
        let mut due = Vec::new();
        for connection in 0..4 {
            let mut timetable = Timetable::of(connection, rate(1000, 4), begun);
            due.extend([timetable.next, timetable.next + timetable.every]);
            timetable.wait().await;
        }
        due.sort();
        let expected: Vec<Instant> = (0..8).map(|ms| begun + Duration::from_millis(ms)).collect();
        assert_eq!(due, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_held_up_by_the_answer_before_counts_from_when_it_was_due() {
        let begun = Instant::now();
        let mut timetable = Timetable::of(0, rate(100, 1), begun);
        timetable.wait().await;
        tokio::time::advance(Duration::from_millis(35)).await;
        assert_eq!(timetable.wait().await, begun + Duration::from_millis(10));
        assert_eq!(timetable.wait().await, begun + Duration::from_millis(20));
        assert_eq!(timetable.wait().await, begun + Duration::from_millis(30));
        assert_eq!(timetable.wait().await, begun + Duration::from_millis(40));
    }
}
