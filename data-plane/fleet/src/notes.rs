//! What is told to Redis behind the callers' backs and may be lost: bindings of sessions, trials that ended.
//!
//! The queue is bounded. What does not fit is dropped and counted: a session then asks anew, a trial's lease runs out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use tokio::sync::mpsc;

use crate::binding::Bind;
use crate::fleet::{Fleet, Shared};
use crate::trial::TrialName;

/// Notes that wait.
const QUEUE: usize = 8_192;
/// Calls to Redis under way at once.
const AT_ONCE: usize = 32;

#[derive(Debug)]
pub(crate) enum Note {
    /// With its number in this node's memory.
    Bind(Bind, u64),
    EndTrial(TrialName, u64),
}

/// See the module.
pub(crate) struct Notes {
    queue: mpsc::Sender<Note>,
    queued: Mutex<Option<mpsc::Receiver<Note>>>,
    dropped: AtomicU64,
}

impl Notes {
    pub(crate) fn new() -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        Self {
            queue,
            queued: Mutex::new(Some(queued)),
            dropped: AtomicU64::new(0),
        }
    }

    /// False: it is dropped.
    pub(crate) fn send(&self, note: Note) -> bool {
        let sent = self.queue.try_send(note).is_ok();
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }
}

impl Fleet {
    /// Bindings and ends of trials that were not told to Redis, because too many waited.
    pub fn dropped_notes(&self) -> u64 {
        self.notes.dropped.load(Ordering::Relaxed)
    }

    /// Tells the notes, as they come.
    pub(crate) async fn tell_notes(&self, shared: &Shared) {
        let queued = self
            .notes
            .queued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queued) = queued else { return };
        let notes = futures::stream::poll_fn(move |cx| queued.poll_recv(cx));
        notes
            .for_each_concurrent(AT_ONCE, |note| async move {
                match note {
                    Note::Bind(bind, number) => self.tell_binding(shared, &bind, number).await,
                    Note::EndTrial(name, number) => self.tell_end(shared, &name, number).await,
                }
            })
            .await;
    }
}
