//! A stream on its way to the caller, piece by piece as it comes (behaviours C2, C3, C4).
//!
//! *Whole.* The call is settled when the dialect's terminal event is read, before that event is handed on. What the
//! provider sends behind it is relayed too, for a second at most; how the connection ends then does not matter. In a
//! dialect without a last event the answer is also whole when nothing more comes of one that may end.
//!
//! *Broken.* When the provider's stream ends, breaks or stays silent before its terminal event, the caller gets an
//! error event in its dialect (the provider's own, if that was it), and the connection breaks instead of ending, for
//! most clients take a clean end for success. The event gets a moment to be written first. It is held against the
//! provider unless it was not its fault: an error event that is the caller's, a time that ran out while the caller read.
//!
//! *Strict budgets.* What the output may cost is held before it is handed on (see [`super::reserve`]); when there is no
//! room for it the caller gets an error event instead, and is not charged for what was not handed on.
//!
//! *Gone.* A caller that disconnects leaves this: the provider's connection is dropped at once and the call settled. So
//! does its connection when the caller reads nothing for too long (see [`super::answer`]). When the operator wants it,
//! the stream is read on for a while to learn what it used; what is read then goes nowhere.

mod hold;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use penstock_core::error::{CallerError, Code};
use penstock_core::usage::Outcome;
use penstock_dialect::error_shape;
use penstock_dialect::mask::mask_text;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::call::{Call, Chosen};
use super::failed::Reported;
use super::gate::{Opened, Patience};
use super::http_debug;
use super::reserve::Watched;
use super::settle::End;
use super::tap::{Said, Tap};
use crate::clock;
use crate::upstream::ReceiveBody;
use hold::Holding;

/// For the error event to get out before the connection breaks.
pub(super) const FAREWELL: Duration = Duration::from_millis(100);

/// For the end of the provider's connection behind the end of the answer; one that has ended can be used again.
const LINGER: Duration = Duration::from_secs(1);

const TOTAL: &str = "total timeout";

/// The answer was broken off; the connection must not end cleanly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer was broken off")]
pub(super) struct BrokenOff;

/// See the module.
pub(super) struct Relay {
    call: Call,
    tap: Tap,
    /// Read and not yet handed on.
    pieces: VecDeque<Bytes>,
    flow: Flow,
    timer: Pin<Box<Sleep>>,
    patience: Patience,
    /// Since when the provider is waited for; a caller who reads slowly is not the provider's silence.
    quiet_since: Option<Instant>,
    /// The call was settled as whole.
    whole: bool,
    /// What was read last and not acted on: it may have to be paid for first.
    said: Said,
    /// The provider's stream has ended so, behind what was read last.
    ended: Option<&'static str>,
    /// More of a strict budget is being held.
    holding: Option<Holding>,
    /// The caller went away; what is read is read for its usage.
    left: bool,
}

/// Whose fault it is that an answer broke off: only what is the provider's is held against it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Providers,
    Others,
}

enum Flow {
    Open(ReceiveBody),
    /// The error event is on its way; the timer runs until the break.
    Farewell,
    Broken,
    Ended,
}

impl Relay {
    /// Relays a stream whose content has begun.
    pub(super) fn new(call: Call, opened: Opened, patience: Patience) -> Self {
        let now = Instant::now();
        Self {
            call,
            tap: opened.tap,
            pieces: opened.held,
            flow: Flow::Open(opened.body),
            timer: Box::pin(sleep_until(patience.total.min(now + patience.idle))),
            patience,
            quiet_since: None,
            whole: false,
            said: Said {
                terminal: opened.terminal,
                error: opened.error,
                ..Said::default()
            },
            ended: None,
            holding: None,
            left: false,
        }
    }

    /// The caller went away.
    pub(super) fn leave(mut relay: Pin<Box<Self>>) {
        let proxy = Arc::clone(&relay.call.proxy);
        let read_on = Duration::from_millis(relay.call.snapshot.routing().read_on_ms);
        let unfinished = !relay.whole && matches!(relay.flow, Flow::Open(_));
        let (Ok(runtime), true, false) = (Handle::try_current(), unfinished, read_on.is_zero()) else {
            return;
        };
        relay.left = true;
        let reading = async move {
            let to_its_end = poll_fn(|cx| {
                loop {
                    match ready!(relay.as_mut().poll_next(cx)) {
                        Some(Ok(_)) => {}
                        Some(Err(BrokenOff)) | None => return Poll::Ready(()),
                    }
                }
            });
            // Late, it is settled by what was said so far.
            timeout(read_on, to_its_end).await.unwrap_or_default();
        };
        proxy.in_the_background(&runtime, reading);
    }

    /// The next piece; None at the end of a whole answer.
    pub(super) fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            if !ready!(self.poll_hold(cx)) {
                self.out_of_budget();
            }
            let said = std::mem::take(&mut self.said);
            self.heard(said);
            if let Some(how) = self.ended.take() {
                self.end(how, Fault::Providers);
            }
            if let Some(piece) = self.pieces.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            // A caller who reads slowly keeps the provider ready at all times; the whole call ends all the same.
            let overdue = matches!(self.flow, Flow::Open(_)) && Instant::now() >= self.patience.total;
            let fault = self.fault_of_total();
            match &mut self.flow {
                Flow::Open(_) if overdue => self.time_is_up(TOTAL, fault),
                Flow::Open(body) => match Pin::new(body).poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => self.take(frame.into_data().unwrap_or_default()),
                    Poll::Ready(Some(Err(error))) => {
                        self.end(&format!("broken by the provider: {error}"), Fault::Providers);
                    }
                    Poll::Ready(None) => self.finish(),
                    Poll::Pending => ready!(self.poll_timer(cx)),
                },
                Flow::Farewell => {
                    ready!(self.timer.as_mut().poll(cx));
                    self.flow = Flow::Broken;
                }
                Flow::Broken => {
                    self.flow = Flow::Ended;
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
                Flow::Ended => return Poll::Ready(None),
            }
        }
    }

    fn take(&mut self, chunk: Bytes) {
        self.quiet_since = None;
        http_debug::show(&self.call, "piece of the provider's stream", &chunk);
        let secret = self.call.chosen.as_ref().map_or("", Chosen::secret);
        let observer = &mut self.call.observer;
        match self.tap.take(chunk, observer, secret, &mut self.pieces) {
            Ok(said) => self.said = said,
            Err(error) => self.end(&error.to_string(), Fault::Providers),
        }
        self.call.failure.events = self.tap.events();
    }

    /// Acts on what the events said, which are among the pieces already.
    fn heard(&mut self, said: Said) {
        if said.terminal && !self.whole {
            self.whole = true;
            self.patience.total = self.patience.total.min(Instant::now() + LINGER);
            let total = self.patience.total;
            self.timer.as_mut().reset(total);
            match self.left {
                true => self.call.settle_left(),
                false => self.call.settle(&End::succeeded()),
            }
        }
        if let Some(error) = said.error.filter(|_| !self.whole) {
            let kind = error.words.kind.as_deref().unwrap_or("error");
            let fault = self.fault(&error);
            let how = format!("error event of the provider: {kind}");
            let how = mask_text(how, &[self.call.secret()]);
            self.interrupt(&how, fault);
        }
    }

    /// The provider's only where it was waited for, and for as long as it may take.
    fn fault_of_total(&self) -> Fault {
        match self.quiet_since.is_some() && !self.patience.cut_short {
            true => Fault::Providers,
            false => Fault::Others,
        }
    }

    /// Whose fault an error event is, by what it would have meant before the first content.
    fn fault(&self, error: &Reported) -> Fault {
        let chosen = self.call.chosen.as_ref();
        let finding = chosen.map(|chosen| error.finding(&self.call, chosen, clock::now()));
        match finding.is_some_and(|finding| finding.class.tries_next()) {
            true => Fault::Providers,
            false => Fault::Others,
        }
    }

    /// The provider's stream has ended properly, as far as HTTP goes.
    fn finish(&mut self) {
        let secret = self.call.chosen.as_ref().map_or("", Chosen::secret);
        let observer = &mut self.call.observer;
        match self.tap.finish(observer, secret, &mut self.pieces) {
            Ok(said) => self.said = said,
            Err(error) => return self.end(&error.to_string(), Fault::Providers),
        }
        self.ended = Some("closed by the provider without the end of the answer");
    }

    fn watched(&mut self) -> Option<&mut Watched> {
        self.call.admission.as_mut()?.watched.as_mut()
    }

    /// What was read last is neither handed on nor charged.
    fn out_of_budget(&mut self) {
        if let Some(watched) = self.watched() {
            watched.withheld = true;
        }
        let message = "Quota exceeded: the budget has no room for more of this answer.";
        let error = CallerError::new(Code::QuotaExceeded, message);
        let event = error_shape::event(self.call.dialect, &error, self.call.arrival.id);
        self.pieces.clear();
        let event = self.tap.own(event);
        self.pieces.push_back(event);
        self.said = Said::default();
        self.ended = None;
        self.cut(Some(Code::QuotaExceeded), "a strict budget is used up");
    }

    /// The provider is waited for no longer.
    fn time_is_up(&mut self, how: &str, fault: Fault) {
        match !self.whole && self.call.observer.may_end() {
            true => self.finish(),
            false => self.end(how, fault),
        }
    }

    /// Nothing more comes from the provider.
    fn end(&mut self, how: &str, fault: Fault) {
        if self.whole {
            if matches!(self.flow, Flow::Open(_)) {
                self.tap.close(&mut self.pieces);
            }
            self.flow = Flow::Ended;
        } else if matches!(self.flow, Flow::Open(_)) {
            let message = "The provider's answer broke off.";
            let error = CallerError::new(Code::UpstreamError, message);
            let event = error_shape::event(self.call.dialect, &error, self.call.arrival.id);
            let event = self.tap.own(event);
            self.pieces.push_back(event);
            self.interrupt(how, fault);
        }
    }

    fn interrupt(&mut self, how: &str, fault: Fault) {
        if fault == Fault::Providers {
            self.call.broke();
        }
        self.cut(None, how);
    }

    fn cut(&mut self, code: Option<Code>, how: &str) {
        if self.left {
            self.call.settle_left();
            self.flow = Flow::Ended;
            return;
        }
        let events = self.tap.events();
        self.call.settle(&End {
            outcome: Outcome::Interrupted,
            status: 200,
            code,
            error: Some(format!("stream_interrupted after {events} events: {how}").into()),
        });
        self.flow = Flow::Farewell;
        self.timer = Box::pin(sleep(FAREWELL));
    }

    /// The timer is set once and looked at when it fires, not moved with every byte.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let quiet_since = *self.quiet_since.get_or_insert_with(Instant::now);
        let due = self.patience.total.min(quiet_since + self.patience.idle);
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            if now < due {
                self.timer.as_mut().reset(due);
                continue;
            }
            match now >= self.patience.total {
                true => self.time_is_up(TOTAL, self.fault_of_total()),
                false => self.time_is_up("idle timeout", Fault::Providers),
            }
            return Poll::Ready(());
        }
    }
}
