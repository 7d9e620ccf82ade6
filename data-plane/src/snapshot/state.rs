//! How the config stream does: connected or not, since when the node is out of touch, how old the file on disk is.
//!
//! A node is in touch while its stream is open and what the control plane sent is in force. Out of touch, its
//! configuration is as old as the moment it lost touch; one started from the last known good file counts from when
//! that was written.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use penstock_core::time::UnixMs;

use crate::clock;

/// See the module.
#[derive(Debug, Default)]
pub struct SyncState(Mutex<Inner>);

#[derive(Clone, Copy, Debug, Default)]
struct Inner {
    connected: bool,
    in_touch: bool,
    /// The last moment at which the configuration was known to be the newest.
    current_at: Option<UnixMs>,
    saved_at: Option<UnixMs>,
    live_nodes: u32,
}

impl SyncState {
    /// The stream is open.
    pub(crate) fn connected(&self) {
        self.change(|state| state.connected = true);
    }

    /// What the control plane sent is in force.
    pub(crate) fn in_touch(&self) {
        self.change(|state| state.in_touch = true);
    }

    /// The stream has ended.
    pub(crate) fn lost(&self, now: UnixMs) {
        self.change(|state| {
            if state.in_touch {
                state.current_at = Some(now);
            }
            state.connected = false;
            state.in_touch = false;
        });
    }

    /// The last known good file was loaded.
    pub(crate) fn loaded(&self, saved_at: UnixMs) {
        self.change(|state| {
            state.current_at = Some(saved_at);
            state.saved_at = Some(saved_at);
        });
    }

    /// The last known good file was written.
    pub(crate) fn saved(&self, now: UnixMs) {
        self.change(|state| state.saved_at = Some(now));
    }

    /// What the control plane says of the fleet.
    pub(crate) fn set_live_nodes(&self, nodes: u32) {
        self.change(|state| state.live_nodes = nodes);
    }

    pub fn is_connected(&self) -> bool {
        self.read().connected
    }

    /// Nodes with a live stream, this one included; 0 until it is known.
    pub fn live_nodes(&self) -> u32 {
        self.read().live_nodes
    }

    /// Since the node last knew that it was up to date; zero while it is in touch, and before it ever was.
    pub fn age(&self) -> Duration {
        let state = self.read();
        if state.in_touch {
            return Duration::ZERO;
        }
        state.current_at.map_or(Duration::ZERO, since)
    }

    /// Since the last known good file was written; None: there is none.
    pub fn saved_age(&self) -> Option<Duration> {
        self.read().saved_at.map(since)
    }

    fn read(&self) -> Inner {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn since(at: UnixMs) -> Duration {
    let ms = clock::now().0.saturating_sub(at.0);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_in_touch_is_up_to_date_and_ages_from_when_it_lost_touch() {
        let state = SyncState::default();
        assert_eq!((state.age(), state.saved_age()), (Duration::ZERO, None));
        state.loaded(UnixMs(clock::now().0 - 90_000));
        assert!(state.age().as_secs() >= 90);
        state.connected();
        assert!(state.age().as_secs() >= 90, "connected is not yet up to date");
        state.in_touch();
        assert_eq!(state.age(), Duration::ZERO);
        state.lost(UnixMs(clock::now().0 - 5_000));
        assert!((5..90).contains(&state.age().as_secs()));
        assert!(!state.is_connected());
    }
}
