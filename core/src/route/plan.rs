//! The choice without chance: every provider with its verdict and its share of such calls (behaviour B12).
//!
//! It is made of the same parts as [`super::choose`], so that a dry run cannot tell another story.

use std::sync::Arc;

use super::{Ask, Verdict, bound, judge, weight};
use crate::id::ProviderId;
use crate::snapshot::ProviderEntry;

/// One provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    pub entry: &'a Arc<ProviderEntry>,
    pub verdict: Verdict,
    /// What part of such calls goes there first, in millionths.
    pub share: u32,
}

/// All providers, in the order in which they are looked at. `passed`: what else speaks against some of them.
pub fn plan<'a>(
    providers: &'a [Arc<ProviderEntry>],
    ask: &Ask<'_>,
    passed: &[(ProviderId, Verdict)],
) -> Vec<Judged<'a>> {
    let verdict = |entry: &ProviderEntry| {
        let verdict = judge(entry, ask);
        let other = passed.iter().find(|(id, _)| *id == entry.id);
        let other = other.filter(|_| verdict == Verdict::Candidate);
        other.map_or(verdict, |(_, other)| *other)
    };
    let mut judged: Vec<_> = providers
        .iter()
        .map(|entry| Judged {
            entry,
            verdict: verdict(entry),
            share: 0,
        })
        .collect();
    share_out(&mut judged, ask);
    judged
}

fn share_out(judged: &mut [Judged<'_>], ask: &Ask<'_>) {
    let candidates: Vec<_> = judged
        .iter()
        .filter(|judged| judged.verdict == Verdict::Candidate)
        .map(|judged| judged.entry)
        .collect();
    let Some(first) = candidates.first() else {
        return;
    };
    if let Some(bound) = bound(candidates.iter().copied(), first, ask.bound) {
        for judged in judged.iter_mut().filter(|judged| judged.entry.id == bound.id) {
            judged.share = 1_000_000;
        }
        return;
    }
    let priority = first.provider.priority;
    let tier = || {
        let same = |entry: &&Arc<ProviderEntry>| entry.provider.priority == priority;
        candidates.iter().copied().filter(same)
    };
    let shares = weight::shares(tier, ask);
    let of_tier = judged
        .iter_mut()
        .filter(|judged| judged.verdict == Verdict::Candidate && judged.entry.provider.priority == priority);
    for (judged, share) in of_tier.zip(shares) {
        judged.share = share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::limits::Dimension;
    use crate::route::Bound;
    use crate::route::tests::{ask, choose, entry};

    fn three() -> [Arc<ProviderEntry>; 3] {
        [
            entry(1, |p| (p.priority, p.weight) = (0, 1)),
            entry(2, |p| (p.priority, p.weight) = (0, 2)),
            entry(3, |p| p.priority = 1),
        ]
    }

    fn shares(judged: &[Judged<'_>]) -> Vec<u32> {
        judged.iter().map(|judged| judged.share).collect()
    }

    #[test]
    fn b12_shares_are_those_of_the_choice() {
        let providers = three();
        let anyone = Access::default();
        let ask = ask(&anyone, &[]);
        let planned = plan(&providers, &ask, &[]);
        assert_eq!(shares(&planned), [333_333, 666_667, 0]);
        let mut counted = [0; 3];
        let step = u64::MAX / 999;
        for i in 0..999 {
            let chosen = choose(&providers, &ask, step * i + step / 2).unwrap();
            counted[providers.iter().position(|entry| entry.id == chosen.id).unwrap()] += 1;
        }
        assert_eq!(counted, [333, 666, 0]);
    }

    #[test]
    fn b12_who_is_passed_over_gets_nothing_and_says_why() {
        let providers = three();
        let anyone = Access::default();
        let full = Verdict::Full(Dimension::Rpm);
        let passed = [(providers[0].id, full), (providers[1].id, Verdict::Unpriced)];
        let planned = plan(&providers, &ask(&anyone, &[]), &passed);
        assert_eq!(shares(&planned), [0, 0, 1_000_000]);
        assert_eq!(
            (planned[0].verdict, planned[1].verdict),
            (full, Verdict::Unpriced)
        );
    }

    #[test]
    fn b12_a_bound_session_goes_to_its_provider() {
        let providers = three();
        let anyone = Access::default();
        let bound = Bound {
            provider: Some(providers[2].id),
            return_to_better_tier: false,
        };
        let sticky = Ask {
            bound,
            ..ask(&anyone, &[])
        };
        assert_eq!(shares(&plan(&providers, &sticky, &[])), [0, 0, 1_000_000]);
    }
}
