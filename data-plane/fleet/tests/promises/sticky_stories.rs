//! Random stories of sticky sessions. Behaviour B4.
//!
//! Of one keeper of bindings, told to a plain model, to the process and to a Redis: all agree on every word. And of two
//! data planes whose Redis loses its data and its connections at any moment: what cannot be foretold there is bound by
//! what must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_fleet::binding::{Bound, FRESH_MS};
use penstock_fleet::{Bind, Keep};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::bindings::{HOUR, Kept, provider, served, session};
use crate::plane::{Ledger, Plane, now, until};
use crate::server::{Linked, Redis};
use crate::world::Clock;

#[derive(Clone, Debug)]
enum Op {
    Bind {
        session: u64,
        by: u8,
        seen: Option<u8>,
        /// Minutes.
        ttl: u64,
        renew_below: u64,
    },
    Step(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let bind = (0..3u64, 1..4u8, proptest::option::of(1..4u8), 1..120u64, 0..90u64);
    prop_oneof![
        3 => bind.prop_map(|(session, by, seen, ttl, renew_below)| Op::Bind { session, by, seen, ttl, renew_below }),
        1 => (0..HOUR).prop_map(Op::Step),
        1 => (0..10i64).prop_map(Op::Step),
    ]
}

/// Whom each session is bound to, and until when.
#[derive(Default)]
struct Model(BTreeMap<u64, (ProviderId, i64)>);

impl Model {
    fn bound(&self, n: u64, now: i64) -> Option<Bound> {
        let (provider, ends) = *self.0.get(&n)?;
        let left = ends - now;
        (left > 0).then_some(Bound { provider, left })
    }

    fn bind(&mut self, n: u64, bind: &Bind, now: i64) -> Bound {
        let minutes = |span: Duration| i64::try_from(span.as_millis()).unwrap();
        let held = self.bound(n, now);
        let writes = match held {
            None => true,
            Some(held) if held.provider == bind.provider => held.left < minutes(bind.keep.renew_below),
            Some(held) => bind.seen == Some(held.provider),
        };
        if writes {
            self.0.insert(n, (bind.provider, now + minutes(bind.keep.ttl)));
        }
        self.bound(n, now).unwrap()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn tell<S: Strategy>(cases: u32, stories: &S, story: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let told = TestRunner::new(config).run(stories, |value| {
        story(value);
        Ok(())
    });
    told.unwrap();
}

async fn told_to(kept: &Kept, ops: &[Op]) {
    let (mut model, mut now) = (Model::default(), 0);
    for op in ops {
        match *op {
            Op::Step(ms) => {
                now += ms;
                kept.step(ms);
            }
            Op::Bind {
                session,
                by,
                seen,
                ttl,
                renew_below,
            } => {
                let keep = Keep {
                    ttl: Duration::from_secs(ttl * 60),
                    renew_below: Duration::from_secs(renew_below * 60),
                };
                let bind = Bind {
                    keep,
                    ..served(session, by, seen)
                };
                assert_eq!(kept.bind(&bind).await, model.bind(session, &bind, now), "{op:?}");
            }
        }
        for n in 0..3 {
            assert_eq!(kept.bound(n).await, model.bound(n, now), "after {op:?}");
        }
    }
}

#[test]
fn b04_bindings_agree_with_the_model_in_process_and_in_redis() {
    let runtime = runtime();
    let server = Redis::start().unwrap();
    let linked = runtime.block_on(Linked::to(&server)).unwrap();
    tell(300, &vec(op(), 1..40), |ops| {
        runtime.block_on(async {
            told_to(&Kept::local(), &ops).await;
            server.run(&["FLUSHALL"]).await.unwrap();
            told_to(&Kept::redis(linked.counters("one")), &ops).await;
        });
    });
}

/// What happens to two data planes and their Redis.
#[derive(Clone, Debug)]
enum Event {
    /// A call of a session, which its provider serves unless it is down.
    Call {
        plane: usize,
        session: u64,
        down: Option<u8>,
    },
    Step(i64),
    /// Redis loses its data.
    Flush,
    /// Redis loses its connections.
    Cut,
    /// The rest goes on for a moment.
    Pause,
}

fn event() -> impl Strategy<Value = Event> {
    let call = (0..2usize, 0..3u64, proptest::option::weighted(0.2, 1..4u8));
    prop_oneof![
        12 => call.prop_map(|(plane, session, down)| Event::Call { plane, session, down }),
        4 => prop_oneof![0..FRESH_MS, FRESH_MS..2 * FRESH_MS, 0..HOUR].prop_map(Event::Step),
        1 => Just(Event::Flush),
        1 => Just(Event::Cut),
        2 => Just(Event::Pause),
    ]
}

/// Two data planes, and who has served each session so far.
struct Fleet {
    clock: Clock,
    planes: [Plane; 2],
    served: BTreeMap<u64, BTreeSet<ProviderId>>,
}

impl Fleet {
    async fn start(server: &Redis) -> Self {
        let clock = Clock::at(now().0);
        let ledger = Ledger::new();
        let planes = [1, 2].map(|name| {
            let theirs = clock.clone();
            Plane::with_clock(&server.url, name, &ledger, move || theirs.now())
        });
        for plane in &planes {
            plane.joined().await;
        }
        Self {
            clock,
            planes,
            served: BTreeMap::new(),
        }
    }

    async fn call(&mut self, plane: usize, n: u64, down: Option<u8>) {
        let fleet = &self.planes[plane].fleet;
        let down = down.map(provider);
        let seen = fleet.binding(session(n)).await.map(|binding| binding.provider);
        let served = self.served.entry(n).or_default();
        assert!(
            seen.is_none_or(|seen| served.contains(&seen)),
            "bound to {seen:?}"
        );
        let candidates = [1, 2, 3].map(provider);
        let up = candidates.into_iter().find(|candidate| Some(*candidate) != down);
        let by = seen.filter(|seen| Some(*seen) != down).or(up).unwrap();
        served.insert(by);
        let keep = Keep::default();
        fleet.bind(Bind {
            session: session(n),
            provider: by,
            seen,
            keep,
        });
        assert!(
            fleet.binding(session(n)).await.is_some(),
            "a session that was served is bound"
        );
    }

    /// Once everything is told, both say the same.
    async fn agree(&self) {
        for plane in &self.planes {
            plane.joined().await;
        }
        for n in 0..3 {
            until(async || {
                // What each remembered is not believed any more.
                self.clock.step(FRESH_MS);
                let [one, two] = [0, 1].map(|plane: usize| self.planes[plane].fleet.binding(session(n)));
                let (one, two) = (one.await, two.await);
                // One of them may remember what Redis has lost; the next call tells it.
                if let (Some(binding), None) | (None, Some(binding)) = (one, two) {
                    let plane = usize::from(one.is_none());
                    let provider = binding.provider;
                    self.planes[plane].fleet.bind(Bind {
                        seen: Some(provider),
                        provider,
                        session: session(n),
                        keep: Keep::default(),
                    });
                }
                one.map(|binding| binding.provider) == two.map(|binding| binding.provider)
            })
            .await;
        }
    }
}

#[test]
fn b04_whatever_becomes_of_redis_sessions_stay_bound_and_data_planes_agree_in_the_end() {
    let runtime = runtime();
    let server = Redis::start().unwrap();
    tell(8, &vec(event(), 1..60), |events| {
        runtime.block_on(async {
            server.answers().await;
            server.run(&["FLUSHALL"]).await.unwrap();
            let mut fleet = Fleet::start(&server).await;
            for event in &events {
                match *event {
                    Event::Call { plane, session, down } => fleet.call(plane, session, down).await,
                    Event::Step(ms) => fleet.clock.step(ms),
                    Event::Flush => drop(server.run(&["FLUSHALL"]).await.unwrap()),
                    Event::Cut => drop(server.run(&["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap()),
                    Event::Pause => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
            fleet.agree().await;
        });
    });
}
