//! Shares inside a tier: the weights, less for who has little room left.
//!
//! Providers say with their answers how much of their rate limits is left. While more than a fifth is left the weight
//! counts in full; below that it shrinks in proportion, to nothing. So traffic leaves a provider before it answers 429,
//! and one with room is always preferred to one without. When nobody in the tier has any, the weights alone decide: what
//! is known of limits may be old, and the provider's 429 is the truth.

use std::sync::Arc;

use super::Ask;
use crate::snapshot::ProviderEntry;

/// All of a limit, in thousandths.
pub const FULL: u32 = 1_000;
/// Above this much left the weight counts in full.
const AMPLE: u32 = 200;

/// An entry's share, with this room.
type Share = fn(&ProviderEntry, u64) -> u64;

/// How shares are counted, in this order, until one of the tier gets any: what is called for falls away piece by piece.
const WAYS: [Share; 4] = [
    |entry, room| u64::from(entry.provider.weight) * room,
    |entry, _| u64::from(entry.provider.weight),
    |_, room| room,
    |_, _| 1,
];

/// One of the tier by chance; None: the tier is empty.
pub(super) fn pick<'a, I>(tier: impl Fn() -> I, ask: &Ask<'_>, random: u64) -> Option<&'a Arc<ProviderEntry>>
where
    I: Iterator<Item = &'a Arc<ProviderEntry>>,
{
    let (share, total) = way(&tier, ask)?;
    let mut point = scale(random, total);
    for entry in tier() {
        let share = share(entry, room(entry, ask));
        if point < share {
            return Some(entry);
        }
        point -= share;
    }
    None
}

/// What part of all calls goes to each of the tier, in millionths, in the tier's order. The last one gets the remainder
/// of the division.
pub(super) fn shares<'a, I>(tier: impl Fn() -> I, ask: &Ask<'_>) -> Vec<u32>
where
    I: Iterator<Item = &'a Arc<ProviderEntry>>,
{
    let Some((share, total)) = way(&tier, ask) else {
        return Vec::new();
    };
    let mut before = 0;
    let mut point = 0;
    let part = |entry: &'a Arc<ProviderEntry>| {
        point += share(entry, room(entry, ask));
        let until = u128::from(point) * 1_000_000 / u128::from(total);
        let until = u32::try_from(until).unwrap_or(u32::MAX);
        let part = until - before;
        before = until;
        part
    };
    tier().map(part).collect()
}

/// The way by which shares are counted, and their sum.
fn way<'a, I>(tier: &impl Fn() -> I, ask: &Ask<'_>) -> Option<(Share, u64)>
where
    I: Iterator<Item = &'a Arc<ProviderEntry>>,
{
    WAYS.into_iter().find_map(|share| {
        let total = tier().map(|entry| share(entry, room(entry, ask))).sum();
        (total > 0).then_some((share, total))
    })
}

fn room(entry: &ProviderEntry, ask: &Ask<'_>) -> u64 {
    u64::from(ask.fleet.room(entry, ask.model).min(AMPLE))
}

/// `random` scaled evenly to 0..below.
fn scale(random: u64, below: u64) -> u64 {
    let scaled = (u128::from(random) * u128::from(below)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}
