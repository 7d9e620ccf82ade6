//! How much of its rate limits a provider has left, as its answers say. Makes no provider a candidate or none: it only
//! tells a full bucket from an empty one among equals.

use crate::time::UnixMs;

/// The scarcest of a provider's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// In thousandths of the limit.
    pub fraction_left: u16,
    /// When that limit is whole again.
    pub resets_at: Option<UnixMs>,
}

impl Headroom {
    /// `left` of `limit`. A limit of 0 leaves nothing.
    pub fn of(left: u64, limit: u64, resets_at: Option<UnixMs>) -> Self {
        let mille = u128::from(left)
            .saturating_mul(1000)
            .checked_div(u128::from(limit))
            .unwrap_or(0);
        Self {
            fraction_left: u16::try_from(mille.min(1000)).unwrap_or(1000),
            resets_at,
        }
    }

    /// The one with less left; of equals the one that lasts longer.
    #[must_use]
    pub fn scarcer(self, other: Self) -> Self {
        let rank = |headroom: Self| (headroom.fraction_left, std::cmp::Reverse(headroom.resets_at));
        match rank(other) < rank(self) {
            true => other,
            false => self,
        }
    }
}
