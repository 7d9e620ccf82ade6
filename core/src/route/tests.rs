use super::*;
use crate::dialect::Dialect;
use crate::health::SetAside;
use crate::provider::{Provider, tests::provider};
use crate::secret::Secret;
use proptest::prelude::*;

pub(super) fn entry(n: u8, change: impl FnOnce(&mut Provider)) -> Arc<ProviderEntry> {
    let mut provider = provider(&format!("p{n}"));
    change(&mut provider);
    let id = ProviderId::from_parts(u64::from(n), &[n; 10]);
    Arc::new(ProviderEntry {
        id,
        version: 1,
        provider,
        credential: Some(crate::credential::Credential::ApiKey(Secret::new("sk"))),
        proxy_password: None,
    })
}

pub(super) fn ask<'a>(user: &'a Access, tried: &'a [ProviderId]) -> Ask<'a> {
    Ask {
        request: Request::answer(Dialect::Anthropic),
        model: "claude-opus-4-8",
        user,
        key: user,
        tried,
        now: UnixMs(1_700_000_000_000),
        fleet: &AllWell,
        bound: Bound::default(),
    }
}

/// The choice, with everybody judged for it.
pub(super) fn choose<'a>(
    providers: &'a [Arc<ProviderEntry>],
    ask: &Ask<'_>,
    random: u64,
) -> Result<&'a Arc<ProviderEntry>, NoCandidate> {
    super::choose(providers, &verdicts(providers, ask), ask, random)
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

/// What the fleet says of each provider by name: its standing, and what is left of its limits.
struct Told(Vec<(&'static str, Standing, u32)>);

impl Conditions for Told {
    fn standing(&self, provider: &ProviderEntry, _: &str) -> Standing {
        let told = self.0.iter().find(|(name, ..)| *name == provider.provider.name);
        told.map_or(Standing::Ready, |(_, standing, _)| *standing)
    }

    fn room(&self, provider: &ProviderEntry, _: &str) -> u32 {
        let told = self.0.iter().find(|(name, ..)| *name == provider.provider.name);
        told.map_or(1_000, |(.., room)| *room)
    }
}

fn chosen(providers: &[Arc<ProviderEntry>], ask: &Ask<'_>) -> Vec<String> {
    let steps = 1_000_u64;
    let names = (0..steps).map(|step| {
        let chosen = choose(providers, ask, step * (u64::MAX / steps)).unwrap();
        chosen.provider.name.clone()
    });
    names.collect()
}

fn share(names: &[String], of: &str) -> usize {
    names.iter().filter(|name| *name == of).count()
}

const LATER: UnixMs = UnixMs(1_700_000_060_000);
const MUCH_LATER: UnixMs = UnixMs(1_700_000_600_000);

#[test]
fn b02_what_is_open_cooling_or_set_aside_is_passed_over() {
    let providers = [entry(1, |_| ()), entry(2, |p| p.priority = 9)];
    let anyone = Access::default();
    for standing in [
        Standing::Open { until: Some(LATER) },
        Standing::Cooling { until: LATER },
        Standing::SetAside {
            why: SetAside::Credential,
            until: None,
        },
    ] {
        let told = Told(vec![("p1", standing, 1_000)]);
        let ask = Ask {
            fleet: &told,
            ..ask(&anyone, &[])
        };
        assert_eq!(choose(&providers, &ask, 0).unwrap().provider.name, "p2");
    }
    let told = Told(vec![("p1", Standing::HalfOpen, 1_000)]);
    let ask = Ask {
        fleet: &told,
        ..ask(&anyone, &[])
    };
    assert_eq!(choose(&providers, &ask, 0).unwrap().provider.name, "p1");
}

#[test]
fn b03_without_a_candidate_it_is_known_when_one_is_back_and_whether_breakers_alone_are_why() {
    let providers = [entry(1, |_| ()), entry(2, |_| ())];
    let anyone = Access::default();
    let open = |until| Standing::Open { until: Some(until) };
    let told = Told(vec![("p1", open(MUCH_LATER), 1_000), ("p2", open(LATER), 1_000)]);
    let all_open = Ask {
        fleet: &told,
        ..ask(&anyone, &[])
    };
    let none = choose(&providers, &all_open, 0).unwrap_err();
    assert_eq!(
        (none.breakers_alone, none.soonest, none.served_elsewhere),
        (true, Some(LATER), true)
    );
    let told = Told(vec![
        ("p1", open(MUCH_LATER), 1_000),
        ("p2", Standing::Cooling { until: LATER }, 1_000),
    ]);
    let mixed = Ask {
        fleet: &told,
        ..ask(&anyone, &[])
    };
    let none = choose(&providers, &mixed, 0).unwrap_err();
    assert_eq!((none.breakers_alone, none.soonest), (false, Some(LATER)));
    assert_eq!(
        judge(&providers[1], &mixed).to_string(),
        format!("is cooling down until {LATER}")
    );
}

#[test]
fn b04_a_session_stays_where_it_is_bound_and_returns_to_a_better_tier_only_if_asked() {
    let providers = [entry(1, |_| ()), entry(2, |_| ()), entry(3, |p| p.priority = 9)];
    let anyone = Access::default();
    let bound_to = |n: usize, return_to_better_tier| Ask {
        bound: Bound {
            provider: Some(providers[n].id),
            return_to_better_tier,
        },
        ..ask(&anyone, &[])
    };
    assert_eq!(share(&chosen(&providers, &bound_to(1, true)), "p2"), 1_000);
    assert_eq!(share(&chosen(&providers, &bound_to(2, false)), "p3"), 1_000);
    assert_eq!(share(&chosen(&providers, &bound_to(2, true)), "p3"), 0);
    // Bound to one that is tried already: anybody else.
    let tried = [providers[1].id];
    let moved = Ask {
        tried: &tried,
        ..bound_to(1, false)
    };
    assert_eq!(share(&chosen(&providers, &moved), "p1"), 1_000);
}

#[test]
fn b02_who_has_little_room_gets_less_and_who_has_none_nothing_while_another_has_some() {
    let providers = [entry(1, |_| ()), entry(2, |_| ())];
    let anyone = Access::default();
    for (room, expected) in [(1_000, 500), (200, 500), (100, 333), (0, 0)] {
        let told = Told(vec![("p1", Standing::Ready, room)]);
        let ask = Ask {
            fleet: &told,
            ..ask(&anyone, &[])
        };
        let got = share(&chosen(&providers, &ask), "p1");
        assert!(got.abs_diff(expected) <= 2, "{room}: {got}");
    }
    let told = Told(vec![("p1", Standing::Ready, 0), ("p2", Standing::Ready, 0)]);
    let ask = Ask {
        fleet: &told,
        ..ask(&anyone, &[])
    };
    assert!(share(&chosen(&providers, &ask), "p1").abs_diff(500) <= 2);
}

#[test]
fn b03_a_half_open_breaker_whose_trial_is_under_way_is_a_breaker() {
    struct HalfOpen;
    impl Conditions for HalfOpen {
        fn standing(&self, _: &ProviderEntry, _: &str) -> Standing {
            Standing::HalfOpen
        }

        fn room(&self, _: &ProviderEntry, _: &str) -> u32 {
            weight::FULL
        }
    }
    let providers = [entry(1, |_| {})];
    let (anyone, tried) = (Access::default(), [providers[0].id]);
    let asked = Ask {
        fleet: &HalfOpen,
        ..ask(&anyone, &tried)
    };
    assert!(choose(&providers, &asked, 0).unwrap_err().breakers_alone);
    assert!(
        !choose(&providers, &ask(&anyone, &tried), 0)
            .unwrap_err()
            .breakers_alone
    );
}
