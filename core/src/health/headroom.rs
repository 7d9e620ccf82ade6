//! How much of a provider's own limits is left, as its answers say.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// Of the limit with the least left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Headroom {
    /// Thousandths.
    pub left: u16,
    /// When it is full again. Not believed longer than that.
    pub resets_at: UnixMs,
}

/// What the fleet is told: only that it is low, and when it no longer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    Enough,
    /// Under a fifth.
    Low,
    /// Under a fiftieth.
    Spent,
}

impl Headroom {
    pub fn room(self, now: UnixMs) -> Room {
        match self.left {
            _ if self.resets_at <= now => Room::Enough,
            0..20 => Room::Spent,
            20..200 => Room::Low,
            _ => Room::Enough,
        }
    }
}
