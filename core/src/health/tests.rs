//! One node and its provider, with the clock in hand.

use super::*;
use crate::failure::{self, Class, Finding, Scope};
use crate::id::KeyId;
use crate::time::UnixMs;

mod asides;
mod breaker;
mod merge;
mod plain;

const START: UnixMs = UnixMs(1_800_000_000_000);
const MODEL: &str = "claude-opus-4-8";
const MINUTE: u64 = 60_000;

/// A node's view of one provider.
struct Node {
    name: &'static str,
    state: State,
    local: Local,
    settings: BreakerSettings,
    now: UnixMs,
}

fn key(n: u8) -> KeyId {
    KeyId::from_parts(1, &[n; 10])
}

fn finding(class: Class) -> Finding {
    Finding::of_class(class)
}

impl Node {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            state: State::default(),
            local: Local::default(),
            settings: BreakerSettings::default(),
            now: START,
        }
    }

    fn after(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    fn saw(&mut self, who: u8, model: &str, finding: Option<&Finding>) -> Vec<Change> {
        let sent = Sent {
            at: self.now,
            trial: true,
        };
        self.saw_of(sent, who, model, finding)
    }

    fn saw_of(&mut self, sent: Sent, who: u8, model: &str, finding: Option<&Finding>) -> Vec<Change> {
        let seen = Seen {
            model,
            known_model: true,
            key: key(who),
            sent: sent.at,
            settings: &self.settings,
            by: self.name,
            now: self.now,
        };
        let next = match finding {
            Some(finding) => self.local.failed(&self.state, &seen, finding),
            None => self.local.succeeded(&self.state, &seen, sent),
        };
        let Some(next) = next else { return Vec::new() };
        let changes = change::changes(&self.state, &next, self.now);
        self.state = next;
        changes
    }

    fn fails(&mut self, who: u8, class: Class) -> Vec<Change> {
        self.saw(who, MODEL, Some(&finding(class)))
    }

    fn succeeds(&mut self, who: u8) -> Vec<Change> {
        self.saw(who, MODEL, None)
    }

    fn standing(&self) -> Standing {
        self.standing_of(MODEL)
    }

    fn standing_of(&self, model: &str) -> Standing {
        self.state.standing(model, &self.settings, self.now)
    }
}
