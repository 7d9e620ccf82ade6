//! The body of an answer: walks its steps as the connection asks for frames.
//!
//! No task and no channel: a slow caller slows the walk down, a caller who leaves drops it. Time is tokio's,
//! so tests pause it. With a known length hyper writes `content-length`, otherwise the body is chunked; an
//! `Err` frame makes hyper drop the connection (HTTP/2: reset the stream) without finishing the framing.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::sleep;

use crate::step::Step;
use crate::tally::Flight;

/// The fake cut the connection, as it was told.
#[derive(Debug, thiserror::Error)]
#[error("the fake provider cuts the connection here, as it was told")]
pub(crate) struct CutHere;

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Steps being walked.
pub(crate) struct FakeBody {
    steps: VecDeque<Step>,
    flight: Flight,
    waiting: Option<Waiting>,
    length: Option<u64>,
}

impl FakeBody {
    /// A body of unknown length.
    pub(crate) fn streamed(steps: Vec<Step>, flight: Flight) -> Self {
        Self {
            steps: steps.into(),
            flight,
            waiting: None,
            length: None,
        }
    }

    /// A body whose length is stated, whatever the steps send of it.
    pub(crate) fn sized(steps: Vec<Step>, length: usize, flight: Flight) -> Self {
        let length = u64::try_from(length).ok();
        Self {
            steps: steps.into(),
            flight,
            waiting: None,
            length,
        }
    }

    fn walk(&mut self, step: Step) -> Option<Result<Frame<Bytes>, CutHere>> {
        match step {
            Step::Wait(time) => self.wait(time),
            Step::Hold(gate) => self.waiting = Some(Box::pin(gate.passed())),
            Step::Stall => self.waiting = Some(Box::pin(pending())),
            Step::Report(usage) => self.flight.report(usage),
            Step::Complete => self.flight.complete(),
            Step::Fail => self.flight.fail(),
            Step::Send(bytes) => return Some(Ok(Frame::data(bytes))),
            Step::Repeat { every, bytes } => {
                self.steps.push_front(Step::Repeat {
                    every,
                    bytes: bytes.clone(),
                });
                self.wait(every);
                return Some(Ok(Frame::data(bytes)));
            }
            Step::Cut => return Some(Err(CutHere)),
        }
        None
    }

    fn wait(&mut self, time: Duration) {
        self.waiting = Some(Box::pin(sleep(time)));
    }
}

impl Body for FakeBody {
    type Data = Bytes;
    type Error = CutHere;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutHere>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            let Some(step) = self.steps.pop_front() else {
                return Poll::Ready(None);
            };
            if let Some(frame) = self.walk(step) {
                return Poll::Ready(Some(frame));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for FakeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeBody")
            .field("steps_left", &self.steps.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::time::Instant;

    use super::*;
    use crate::tally::Tally;
    use crate::usage::Usage;

    fn body(tally: &Tally, steps: Vec<Step>) -> FakeBody {
        FakeBody::streamed(steps, tally.arrive())
    }

    fn send(text: &'static str) -> Step {
        Step::Send(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_exact_and_in_their_place() {
        let pause = Duration::from_millis(20);
        let mut body = body(&Tally::new(), vec![send("a"), Step::Wait(pause), send("b")]);
        let start = Instant::now();
        body.frame().await.unwrap().unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        body.frame().await.unwrap().unwrap();
        assert_eq!(start.elapsed(), pause);
        assert!(body.frame().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn repeated_bytes_come_at_their_interval_for_ever() {
        let every = Duration::from_secs(1);
        let mut body = body(
            &Tally::new(),
            vec![Step::Repeat {
                every,
                bytes: Bytes::from_static(b"p"),
            }],
        );
        let start = Instant::now();
        for _ in 0..100 {
            body.frame().await.unwrap().unwrap();
        }
        assert_eq!(start.elapsed(), every * 99);
        assert!(!body.is_end_stream());
    }

    #[tokio::test]
    async fn a_whole_answer_is_counted_before_its_last_bytes_are_out() {
        let tally = Tally::new();
        let usage = Usage {
            input: 3,
            ..Usage::default()
        };
        let mut body = body(&tally, vec![Step::Report(usage), Step::Complete, send("all")]);
        body.frame().await.unwrap().unwrap();
        assert_eq!(
            (tally.counts().completed, tally.counts().usage.complete),
            (1, usage)
        );
        drop(body);
        assert_eq!((tally.counts().completed, tally.counts().abandoned), (1, 0));
    }

    #[tokio::test]
    async fn a_body_dropped_before_its_end_is_abandoned_with_what_it_had_reported() {
        let tally = Tally::new();
        let usage = Usage {
            output: 1,
            ..Usage::default()
        };
        let mut body = body(
            &tally,
            vec![Step::Report(usage), send("a"), Step::Complete, send("b")],
        );
        body.frame().await.unwrap().unwrap();
        drop(body);
        let counts = tally.counts();
        assert_eq!(
            (counts.abandoned, counts.in_flight, counts.usage.partial),
            (1, 0, usage)
        );
    }

    #[tokio::test]
    async fn a_cut_is_an_error_of_the_body() {
        let tally = Tally::new();
        let mut body = body(&tally, vec![send("a"), Step::Fail, Step::Cut]);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(tally.counts().failed, 1);
    }
}
