//! When operators are told of something (behaviour G11).
//!
//! A [`Rule`] watches one kind of trouble; a *subject* is what it concerns: a provider, a budget. Each look finds the
//! subjects of which a rule's condition holds. What follows from that is the [`Watch`] of rule and subject:
//!
//! * The condition holds: it **fires**, once, however long it holds.
//! * It no longer holds: **recovery** is told, if firing was.
//! * It holds again within an hour of having been told: nothing is told, not the recovery either. When it still holds
//!   after that time, it is told then.
//!
//! Looks are made of what the store holds, never of one process's memory: whoever looks sees the same.

mod preset;
mod rule;

pub use preset::Preset;
pub use rule::{Rule, Scope};

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// The same cause is not told again within it, milliseconds.
pub const SILENCE_MS: u64 = 3_600_000;

/// What is remembered of one rule and one subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Since when the condition holds. None: it does not.
    pub since: Option<UnixMs>,
    /// That it holds was told.
    pub told: bool,
    /// When it was last told that it holds.
    pub last_told: Option<UnixMs>,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Fired,
    Recovered,
}

impl Watch {
    /// The watch after a look, and what is told because of it.
    #[must_use]
    pub fn look(self, holds: bool, now: UnixMs) -> (Self, Option<Event>) {
        if !holds {
            let ended = Self {
                since: None,
                told: false,
                ..self
            };
            return (ended, self.told.then_some(Event::Recovered));
        }
        let since = Some(self.since.unwrap_or(now));
        let silent = self.last_told.is_some_and(|at| now < at.plus_ms(SILENCE_MS));
        if self.told || silent {
            return (Self { since, ..self }, None);
        }
        let told = Self {
            since,
            told: true,
            last_told: Some(now),
        };
        (told, Some(Event::Fired))
    }

    /// Nothing is lost when it is forgotten.
    pub fn is_over(&self, now: UnixMs) -> bool {
        self.since.is_none() && self.last_told.is_none_or(|at| now >= at.plus_ms(SILENCE_MS))
    }
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Recovered => "recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    /// What is told at looks `(minute, holds)`.
    fn told(looks: &[(i64, bool)]) -> Vec<(i64, Event)> {
        let mut watch = Watch::default();
        let mut told = Vec::new();
        for (minute, holds) in looks {
            let (next, event) = watch.look(*holds, UnixMs(minute * 60_000));
            watch = next;
            told.extend(event.map(|event| (*minute, event)));
        }
        told
    }

    #[test]
    fn g11_a_condition_fires_once_and_its_end_is_told() {
        let looks = [
            (0, false),
            (1, true),
            (2, true),
            (500, true),
            (501, false),
            (502, false),
        ];
        assert_eq!(told(&looks), [(1, Event::Fired), (501, Event::Recovered)]);
    }

    #[test]
    fn g11_the_same_cause_is_silent_for_an_hour() {
        let flapping = [
            (0, true),
            (1, false),
            (2, true),
            (3, false),
            (59, true),
            (59, false),
        ];
        assert_eq!(told(&flapping), [(0, Event::Fired), (1, Event::Recovered)]);
    }

    #[test]
    fn g11_what_still_holds_after_the_silence_is_told_then() {
        let looks = [
            (0, true),
            (1, false),
            (2, true),
            (59, true),
            (60, true),
            (61, true),
            (62, false),
        ];
        let expected = [
            (0, Event::Fired),
            (1, Event::Recovered),
            (60, Event::Fired),
            (62, Event::Recovered),
        ];
        assert_eq!(told(&looks), expected);
    }

    proptest! {
        #[test]
        fn g11_firing_and_recovery_alternate_and_firings_are_an_hour_apart(
            looks in prop::collection::vec((1_i64..2_000_000, any::<bool>()), 0..200)
        ) {
            let (mut watch, mut now, mut last_fired, mut open) = (Watch::default(), 0, None, false);
            for (after, holds) in looks {
                now += after;
                let (next, event) = watch.look(holds, UnixMs(now));
                watch = next;
                match event {
                    Some(Event::Fired) => {
                        prop_assert!(holds && !open);
                        prop_assert!(last_fired.is_none_or(|at| now - at >= HOUR));
                        (last_fired, open) = (Some(now), true);
                    }
                    Some(Event::Recovered) => {
                        prop_assert!(!holds && open);
                        open = false;
                    }
                    None => prop_assert!(holds == watch.since.is_some()),
                }
                // Told trouble that is over is never left standing.
                prop_assert!(holds || !open);
                prop_assert!(!watch.is_over(UnixMs(now)) || !open);
            }
        }
    }
}
