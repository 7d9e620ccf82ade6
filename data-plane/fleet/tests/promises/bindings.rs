//! Sticky sessions, in the process and in Redis: one suite. Behaviour B4.

use std::time::Duration;

use futures::future::join_all;
use penstock_core::id::{KeyId, ProviderId};
use penstock_core::session::SessionId;
use penstock_fleet::binding::{Bindings, Bound};
use penstock_fleet::local::LocalBindings;
use penstock_fleet::redis::RedisCounters;
use penstock_fleet::{Bind, Keep};

use crate::bench::NOON;
use crate::server::{Linked, Redis};
use crate::world::Clock;

pub(crate) const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

pub(crate) fn session(n: u64) -> SessionId {
    SessionId::of(KeyId::from_parts(1, &[1; 10]), &n.to_string())
}

pub(crate) fn provider(n: u8) -> ProviderId {
    ProviderId::from_parts(1, &[n; 10])
}

/// Served by a provider; the call had found this one.
pub(crate) fn served(n: u64, by: u8, seen: Option<u8>) -> Bind {
    Bind {
        session: session(n),
        provider: provider(by),
        seen: seen.map(provider),
        keep: Keep::default(),
    }
}

/// Bindings of either kind under a clock that the test moves.
pub(crate) struct Kept {
    clock: Clock,
    kind: Kind,
}

enum Kind {
    Local(LocalBindings),
    Redis(RedisCounters),
}

impl Kept {
    pub(crate) fn local() -> Self {
        let clock = Clock::at(NOON);
        let theirs = clock.clone();
        let kind = Kind::Local(LocalBindings::new(move || theirs.now()));
        Self { clock, kind }
    }

    pub(crate) fn redis(counters: RedisCounters) -> Self {
        let clock = Clock::at(NOON);
        counters.set_clock(clock.now());
        let kind = Kind::Redis(counters);
        Self { clock, kind }
    }

    pub(crate) fn step(&self, ms: i64) {
        self.clock.step(ms);
        if let Kind::Redis(counters) = &self.kind {
            counters.set_clock(self.clock.now());
        }
    }

    pub(crate) async fn bind(&self, bind: &Bind) -> Bound {
        match &self.kind {
            Kind::Local(local) => local.bind(bind).await.unwrap(),
            Kind::Redis(redis) => redis.bind(bind).await.unwrap(),
        }
    }

    pub(crate) async fn bound(&self, n: u64) -> Option<Bound> {
        match &self.kind {
            Kind::Local(local) => local.bound(session(n)).await.unwrap(),
            Kind::Redis(redis) => redis.bound(session(n)).await.unwrap(),
        }
    }
}

async fn on_both(story: impl AsyncFn(Kept)) {
    story(Kept::local()).await;
    let server = Redis::start().unwrap();
    let linked = Linked::to(&server).await.unwrap();
    story(Kept::redis(linked.counters("one"))).await;
}

fn bound(by: u8, left: i64) -> Bound {
    Bound {
        provider: provider(by),
        left,
    }
}

#[tokio::test]
async fn b04_a_session_is_bound_for_an_hour_to_whoever_served_it_first() {
    on_both(async |kept| {
        assert_eq!(kept.bound(1).await, None);
        assert_eq!(kept.bind(&served(1, 1, None)).await, bound(1, HOUR));
        kept.step(HOUR - 1);
        assert_eq!(kept.bound(1).await, Some(bound(1, 1)));
        assert_eq!(kept.bound(2).await, None, "another session is another");
        kept.step(1);
        assert_eq!(kept.bound(1).await, None);
        assert_eq!(kept.bind(&served(1, 2, Some(1))).await, bound(2, HOUR));
    })
    .await;
}

#[tokio::test]
async fn b04_a_binding_is_renewed_when_less_than_its_threshold_is_left() {
    on_both(async |kept| {
        kept.bind(&served(1, 1, None)).await;
        kept.step(45 * MINUTE);
        assert_eq!(
            kept.bind(&served(1, 1, Some(1))).await,
            bound(1, 15 * MINUTE),
            "not yet"
        );
        kept.step(1);
        assert_eq!(kept.bind(&served(1, 1, Some(1))).await, bound(1, HOUR));
        let never = Bind {
            keep: Keep {
                renew_below: Duration::ZERO,
                ..Keep::default()
            },
            ..served(1, 1, Some(1))
        };
        kept.step(HOUR - 1);
        assert_eq!(kept.bind(&never).await, bound(1, 1), "0: never renewed");
        kept.step(1);
        assert_eq!(kept.bound(1).await, None);
    })
    .await;
}

#[tokio::test]
async fn b04_a_binding_moves_when_its_provider_fails_over_and_begins_anew() {
    on_both(async |kept| {
        kept.bind(&served(1, 1, None)).await;
        kept.step(30 * MINUTE);
        assert_eq!(kept.bind(&served(1, 2, Some(1))).await, bound(2, HOUR));
        assert_eq!(
            kept.bind(&served(1, 3, Some(1))).await,
            bound(2, HOUR),
            "that call had not seen the move"
        );
        assert_eq!(
            kept.bind(&served(1, 1, Some(2))).await,
            bound(1, HOUR),
            "and back"
        );
    })
    .await;
}

#[tokio::test]
async fn b04_of_first_calls_that_race_one_binds_the_session_for_all() {
    on_both(async |kept| {
        let calls: Vec<_> = (1..=20).map(|by| served(1, by, None)).collect();
        let answers = join_all(calls.iter().map(|call| kept.bind(call))).await;
        let held = kept.bound(1).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == held), "{answers:?}");
    })
    .await;
}
