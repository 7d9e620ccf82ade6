//! Which provider serves a call: pure choice over a snapshot's providers.
//!
//! A provider is a candidate when it is enabled, has a credential, speaks the dialect, carries a group that user and
//! key may use, serves the model, and has not been tried in this request. The best (lowest) priority tier with a
//! candidate wins; inside it the weights decide by chance, uniformly when all are zero.
//!
//! Providers arrive sorted by priority, so a choice looks at each once and allocates nothing.

use std::fmt;
use std::sync::Arc;

use crate::access::Access;
use crate::dialect::Dialect;
use crate::id::ProviderId;
use crate::snapshot::ProviderEntry;

/// What is asked of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub dialect: Dialect,
    /// As the client named it.
    pub model: &'a str,
    pub user: &'a Access,
    pub key: &'a Access,
    /// Tried and failed in this request.
    pub tried: &'a [ProviderId],
}

/// What speaks for or against one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Candidate,
    Disabled,
    NoCredential,
    OtherDialect,
    OtherGroup,
    ModelNotServed,
    Tried,
}

/// Nobody can serve the call now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCandidate {
    /// Some enabled provider serves the model in this dialect, only not this caller or not now.
    pub served_elsewhere: bool,
}

/// Picks a provider. `random` is uniform over all of its values.
pub fn choose<'a>(
    providers: &'a [Arc<ProviderEntry>],
    ask: &Ask<'_>,
    random: u64,
) -> Result<&'a Arc<ProviderEntry>, NoCandidate> {
    let candidates = || {
        providers
            .iter()
            .filter(|entry| judge(entry, ask) == Verdict::Candidate)
    };
    let Some(first) = candidates().next() else {
        let served_elsewhere = providers.iter().any(|entry| serves(entry, ask));
        return Err(NoCandidate { served_elsewhere });
    };
    let tier = || candidates().take_while(|entry| entry.provider.priority == first.provider.priority);
    let total: u64 = tier().map(|entry| u64::from(entry.provider.weight)).sum();
    let count = tier().count() as u64;
    let share = |entry: &ProviderEntry| {
        if total == 0 {
            1
        } else {
            u64::from(entry.provider.weight)
        }
    };
    let mut point = scale(random, if total == 0 { count } else { total });
    for entry in tier() {
        let share = share(entry);
        if point < share {
            return Ok(entry);
        }
        point -= share;
    }
    Ok(first)
}

/// Why a provider is or is not a candidate.
pub fn judge(entry: &ProviderEntry, ask: &Ask<'_>) -> Verdict {
    let provider = &entry.provider;
    match () {
        () if !provider.enabled => Verdict::Disabled,
        () if !provider.kind.speaks(ask.dialect) => Verdict::OtherDialect,
        () if !serves_model(entry, ask.model) => Verdict::ModelNotServed,
        () if !in_groups(entry, ask.user) || !in_groups(entry, ask.key) => Verdict::OtherGroup,
        () if entry.credential.is_none() => Verdict::NoCredential,
        () if ask.tried.contains(&entry.id) => Verdict::Tried,
        () => Verdict::Candidate,
    }
}

fn serves(entry: &ProviderEntry, ask: &Ask<'_>) -> bool {
    entry.provider.enabled && entry.provider.kind.speaks(ask.dialect) && serves_model(entry, ask.model)
}

fn serves_model(entry: &ProviderEntry, model: &str) -> bool {
    entry.provider.models.is_empty() || entry.provider.models.iter().any(|pattern| pattern.matches(model))
}

fn in_groups(entry: &ProviderEntry, access: &Access) -> bool {
    access.groups.is_empty()
        || access
            .groups
            .iter()
            .any(|group| entry.provider.groups.contains(group))
}

/// `random` scaled evenly to 0..below.
fn scale(random: u64, below: u64) -> u64 {
    let scaled = (u128::from(random) * u128::from(below)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Disabled => "disabled",
            Self::NoCredential => "has no credential",
            Self::OtherDialect => "speaks another dialect",
            Self::OtherGroup => "is in none of the caller's groups",
            Self::ModelNotServed => "does not serve the model",
            Self::Tried => "was tried already",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Provider, tests::provider};
    use crate::secret::Secret;
    use proptest::prelude::*;

    fn entry(n: u8, change: impl FnOnce(&mut Provider)) -> Arc<ProviderEntry> {
        let mut provider = provider(&format!("p{n}"));
        change(&mut provider);
        let id = ProviderId::from_parts(u64::from(n), &[n; 10]);
        Arc::new(ProviderEntry {
            id,
            version: 1,
            provider,
            credential: Some(Secret::new("sk")),
            proxy_password: None,
        })
    }

    fn ask<'a>(user: &'a Access, tried: &'a [ProviderId]) -> Ask<'a> {
        Ask {
            dialect: Dialect::Anthropic,
            model: "claude-opus-4-8",
            user,
            key: user,
            tried,
        }
    }

    #[test]
    fn b02_the_best_priority_tier_wins() {
        let providers = [entry(1, |p| p.priority = 0), entry(2, |p| p.priority = 1)];
        let anyone = Access::default();
        for random in [0, u64::MAX / 2, u64::MAX] {
            assert_eq!(
                choose(&providers, &ask(&anyone, &[]), random)
                    .unwrap()
                    .provider
                    .name,
                "p1"
            );
        }
        let tried = [providers[0].id];
        assert_eq!(
            choose(&providers, &ask(&anyone, &tried), 0)
                .unwrap()
                .provider
                .name,
            "p2"
        );
    }

    #[test]
    fn b02_all_weights_zero_is_uniform() {
        let providers = [entry(1, |p| p.weight = 0), entry(2, |p| p.weight = 0)];
        let anyone = Access::default();
        assert_eq!(
            choose(&providers, &ask(&anyone, &[]), 0).unwrap().provider.name,
            "p1"
        );
        assert_eq!(
            choose(&providers, &ask(&anyone, &[]), u64::MAX)
                .unwrap()
                .provider
                .name,
            "p2"
        );
    }

    #[test]
    fn b02_groups_of_user_and_key_both_narrow() {
        let providers = [
            entry(1, |p| p.groups = vec!["a".into()]),
            entry(2, |p| p.groups = vec!["a".into(), "b".into()]),
        ];
        let group = |name: &str| Access {
            groups: vec![name.to_owned()],
            ..Access::default()
        };
        let (user, key) = (group("a"), group("b"));
        let ask = Ask {
            key: &key,
            ..ask(&user, &[])
        };
        assert_eq!(judge(&providers[0], &ask), Verdict::OtherGroup);
        assert_eq!(choose(&providers, &ask, 0).unwrap().provider.name, "p2");
    }

    #[test]
    fn b03_without_a_candidate_it_is_known_whether_the_model_is_served_at_all() {
        let anyone = Access::default();
        let closed = [entry(1, |p| p.groups = vec!["vip".into()])];
        let outsider = Access {
            groups: vec!["other".into()],
            ..Access::default()
        };
        assert!(
            choose(&closed, &ask(&outsider, &[]), 0)
                .unwrap_err()
                .served_elsewhere
        );
        let disabled = [entry(1, |p| p.enabled = false)];
        assert!(
            !choose(&disabled, &ask(&anyone, &[]), 0)
                .unwrap_err()
                .served_elsewhere
        );
    }

    #[test]
    fn a_provider_without_a_credential_is_no_candidate() {
        let bare = ProviderEntry {
            credential: None,
            ..entry(1, |_| ()).as_ref().clone()
        };
        assert_eq!(judge(&bare, &ask(&Access::default(), &[])), Verdict::NoCredential);
    }

    proptest! {
        #[test]
        fn b02_weights_share_the_traffic(weights in prop::collection::vec(0_u32..5, 1..6)) {
            let providers: Vec<_> = (0_u8..).zip(&weights).map(|(n, w)| entry(n, |p| p.weight = *w)).collect();
            let anyone = Access::default();
            let total: u32 = weights.iter().sum();
            let steps = u64::from(if total == 0 { u32::try_from(weights.len()).unwrap() } else { total });
            let mut hits = vec![0; weights.len()];
            for step in 0..steps {
                let random = u64::try_from((u128::from(step) << 64) / u128::from(steps)).unwrap() + 1;
                let chosen = choose(&providers, &ask(&anyone, &[]), random).unwrap();
                let index = providers.iter().position(|p| p.id == chosen.id).unwrap();
                hits[index] += 1;
            }
            let expected = if total == 0 { vec![1; weights.len()] } else { weights };
            prop_assert_eq!(hits, expected);
        }
    }
}
