//! How much of a provider's own limits is left, as its answers say.

use serde::{Deserialize, Serialize};

use crate::failure::Headroom;
use crate::time::UnixMs;

/// What the fleet is told: no figures, only when it becomes scarce and when it no longer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Room {
    pub level: Level,
    /// Not believed after that.
    pub until: UnixMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Enough,
    /// Under a fifth.
    Low,
    /// Under a fiftieth.
    Spent,
}

/// What was said without a moment is believed for so long.
const BELIEVED_MS: u64 = 60_000;

impl Room {
    pub fn of(headroom: Headroom, now: UnixMs) -> Self {
        Self {
            level: match headroom.fraction_left {
                0..20 => Level::Spent,
                20..200 => Level::Low,
                _ => Level::Enough,
            },
            until: headroom.resets_at.unwrap_or_else(|| now.plus_ms(BELIEVED_MS)),
        }
    }

    /// What there is to tell. None: the fleet knows as much.
    pub fn news(self, known: Option<Self>, now: UnixMs) -> Option<Self> {
        let known = known
            .filter(|known| now < known.until)
            .map_or(Level::Enough, |known| known.level);
        (self.level != known).then_some(self)
    }

    /// Another node's word, as if it had been an answer's. None: nothing is known.
    pub fn believed(self, now: UnixMs) -> Option<Headroom> {
        let fraction_left = match self.level {
            Level::Enough => return None,
            Level::Low => 100,
            Level::Spent => 0,
        };
        (now < self.until).then_some(Headroom {
            fraction_left,
            resets_at: Some(self.until),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headroom_is_told_when_it_becomes_scarce_and_when_it_no_longer_is() {
        let (now, until) = (UnixMs(1_000), UnixMs(9_000));
        let room = |fraction_left| {
            let resets_at = Some(until);
            Room::of(
                Headroom {
                    fraction_left,
                    resets_at,
                },
                now,
            )
        };
        assert_eq!(room(900).news(None, now), None);
        let low = room(199).news(None, now).unwrap();
        assert_eq!(room(100).news(Some(low), now), None);
        assert_eq!(room(19).news(Some(low), now).unwrap().level, Level::Spent);
        assert_eq!(room(900).news(Some(low), now).unwrap().level, Level::Enough);
        assert_eq!(room(900).news(Some(low), until), None, "it is no longer believed");
        assert_eq!(low.believed(now).unwrap().fraction_left, 100);
        assert_eq!(low.believed(until), None);
    }
}
