//! What a stream of a strict budget may cost is held before it is handed on (see [`super::super::reserve`]).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Relay;

/// On its way into the budget.
pub(super) struct Holding {
    answer: Pin<Box<dyn Future<Output = bool> + Send>>,
    /// Output that is held when it is there, tokens.
    held: u64,
}

impl Relay {
    /// Of a strict budget: holds what the output read so far may cost, before it is handed on. False: there is no room.
    pub(super) fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if let Some(holding) = &mut self.holding {
                let room = ready!(holding.answer.as_mut().poll(cx));
                let held = holding.held;
                self.holding = None;
                let output = self.call.observer.output_bytes();
                match (room, self.watched()) {
                    (true, Some(watched)) => watched.held = held,
                    // There may be room for it without a lead.
                    (false, Some(watched)) if held > output => {
                        let cost = watched.up_to(output);
                        let answer = self.call.hold(cost);
                        self.holding = Some(Holding { answer, held: output });
                        continue;
                    }
                    (_, _) => return Poll::Ready(room),
                }
            }
            let output = self.call.observer.output_bytes();
            let Some((cost, held)) = self.watched().and_then(|watched| watched.more(output)) else {
                return Poll::Ready(true);
            };
            let answer = self.call.hold(cost);
            self.holding = Some(Holding { answer, held });
        }
    }
}
