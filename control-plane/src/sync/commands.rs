//! Commands on one node's stream: which of them wait for an answer.
//!
//! A command that nobody waits for any more is not sent, and its answer is dropped. When the stream ends, all that wait
//! learn it at once.

use std::collections::HashMap;

use penstock_proto::sync::v1::{Command, CommandResult};
use prost::Message;
use tokio::sync::oneshot;

use crate::nodes::Order;

/// Commands under way on one stream.
const MAX_PENDING: usize = 32;
/// A longer answer is a mistake, and dropped.
const MAX_ANSWER: usize = 64 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pending {
    answers: HashMap<String, oneshot::Sender<Vec<u8>>>,
    given: u64,
}

impl Pending {
    /// The command to be sent, named for this stream. None: there is nothing to send.
    pub(super) fn give(&mut self, order: Order) -> Option<Command> {
        self.answers.retain(|_, waiting| !waiting.is_closed());
        if order.answer.is_closed() || self.answers.len() >= MAX_PENDING {
            return None;
        }
        let command = Command::decode(order.request.as_slice());
        let mut command = command
            .inspect_err(|error| tracing::error!(%error, "a command cannot be read; another release made it"))
            .ok()?;
        self.given += 1;
        command.id = self.given.to_string();
        self.answers.insert(command.id.clone(), order.answer);
        Some(command)
    }

    /// Hands an answer to who waits for it.
    pub(super) fn settle(&mut self, result: &CommandResult) {
        let Some(waiting) = self.answers.remove(&result.id) else {
            return;
        };
        if result.encoded_len() <= MAX_ANSWER {
            // Who asked may have given up.
            drop(waiting.send(result.encode_to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> (Order, oneshot::Receiver<Vec<u8>>) {
        let (answer, answered) = oneshot::channel();
        let request = Command::default().encode_to_vec();
        (Order { request, answer }, answered)
    }

    fn result(id: &str, error: &str) -> CommandResult {
        CommandResult {
            id: id.to_owned(),
            error: error.to_owned(),
            result: None,
        }
    }

    #[test]
    fn answers_find_their_commands_in_any_order() {
        let mut pending = Pending::default();
        let ((first, mut of_first), (second, mut of_second)) = (order(), order());
        let ids = [first, second].map(|order| pending.give(order).unwrap().id);
        assert_ne!(ids[0], ids[1]);
        pending.settle(&result("unknown", ""));
        pending.settle(&result(&ids[1], "second"));
        pending.settle(&result(&ids[0], "first"));
        pending.settle(&result(&ids[0], "again"));
        for (answered, text) in [(&mut of_first, "first"), (&mut of_second, "second")] {
            let bytes = answered.try_recv().unwrap();
            assert_eq!(CommandResult::decode(bytes.as_slice()).unwrap().error, text);
        }
    }

    #[test]
    fn a_command_that_nobody_waits_for_is_not_sent() {
        let mut pending = Pending::default();
        let (late, answered) = order();
        drop(answered);
        assert!(pending.give(late).is_none());
    }

    #[test]
    fn unanswered_commands_are_bounded_and_those_given_up_make_room() {
        let mut pending = Pending::default();
        let mut waiting: Vec<_> = (0..MAX_PENDING)
            .map(|_| {
                let (order, answered) = order();
                pending.give(order).unwrap();
                answered
            })
            .collect();
        let (refused, mut answered) = order();
        assert!(pending.give(refused).is_none());
        assert!(answered.try_recv().is_err());
        waiting.pop();
        let (taken, _answered) = order();
        assert!(pending.give(taken).is_some());
    }

    #[test]
    fn an_endless_answer_is_dropped() {
        let mut pending = Pending::default();
        let (order, mut answered) = order();
        let id = pending.give(order).unwrap().id;
        pending.settle(&result(&id, &"x".repeat(MAX_ANSWER)));
        assert!(answered.try_recv().is_err());
    }
}
