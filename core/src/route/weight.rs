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

/// One of the tier by chance; None: the tier is empty.
pub(super) fn pick<'a, I>(tier: impl Fn() -> I, ask: &Ask<'_>, random: u64) -> Option<&'a Arc<ProviderEntry>>
where
    I: Iterator<Item = &'a Arc<ProviderEntry>>,
{
    let weighted = |entry: &ProviderEntry| u64::from(entry.provider.weight);
    let uniform = |_: &ProviderEntry| 1;
    let room = |entry: &ProviderEntry| u64::from(ask.fleet.room(entry, ask.model).min(AMPLE));
    draw(&tier, |entry| weighted(entry) * room(entry), random)
        .or_else(|| draw(&tier, weighted, random))
        .or_else(|| draw(&tier, |entry| uniform(entry) * room(entry), random))
        .or_else(|| draw(&tier, uniform, random))
}

/// None when all shares are zero.
fn draw<'a, I>(
    tier: &impl Fn() -> I,
    share: impl Fn(&ProviderEntry) -> u64,
    random: u64,
) -> Option<&'a Arc<ProviderEntry>>
where
    I: Iterator<Item = &'a Arc<ProviderEntry>>,
{
    let total: u64 = tier().map(|entry| share(entry)).sum();
    let mut point = scale(random, total);
    for entry in tier() {
        let share = share(entry);
        if point < share {
            return Some(entry);
        }
        point -= share;
    }
    None
}

/// `random` scaled evenly to 0..below.
fn scale(random: u64, below: u64) -> u64 {
    let scaled = (u128::from(random) * u128::from(below)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}
