//! What Redis loses, wholly or in part, is noticed and made again: nothing of what was spent is forgotten (D6,
//! property 9).

use penstock_core::id::RequestId;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_fleet::counters::{Noted, Usage, Verdict};

use crate::bench::{Bench, Kind, Limited, NOON, user};
use crate::conformance::total;
use crate::server::{Linked, Redis};
use crate::world::{Clock, call, mark, request};

const HOUR: i64 = 3_600_000;

/// One account with everything that can be in its counters.
struct Story {
    bench: Bench,
    server: Redis,
    _linked: Linked,
    open: (RequestId, i64),
    settled: Vec<(RequestId, i64)>,
}

fn limited() -> Limited {
    let mut limited = user(Limits {
        rpm: 1000,
        tpm: 100_000,
        usd_5h: NanoUsd(1000),
        usd_daily: NanoUsd(1000),
        concurrent_requests: 10,
        concurrent_sessions: 10,
        ..total(1000)
    })
    .money(10);
    limited.key = Limits {
        concurrent_sessions: 10,
        ..total(1000)
    };
    limited.session = Some("one");
    limited
}

impl Story {
    /// 40 are in the ledger, 20 are settled and not yet there, 10 are held.
    async fn start() -> Self {
        let server = Redis::start().unwrap();
        let linked = Linked::to(&server).await.unwrap();
        let bench = Bench::new(Clock::at(NOON), Kind::Redis(linked.counters("one")));
        let mut story = Self {
            bench,
            server,
            _linked: linked,
            open: (request(0, 0), 0),
            settled: Vec::new(),
        };
        story.tell().await;
        story
    }

    async fn tell(&mut self) {
        self.settled.clear();
        self.bench.spends.replace(vec![(NOON - 5000, 40)]);
        self.bench.marks.replace(vec![mark(4)]);
        for number in [5, 6] {
            let (id, admitted) = self.bench.admit(&limited()).await.unwrap();
            self.bench.settle(id, admitted.at.0, &limited(), number).await;
            self.settled.push((id, admitted.at.0));
        }
        let (id, admitted) = self.bench.admit(&limited()).await.unwrap();
        self.open = (id, admitted.at.0);
    }

    async fn money(&self) -> Vec<Usage> {
        let mut usages = self.bench.read(&limited()).await.unwrap();
        usages.retain(|usage| usage.dimension.is_money() || usage.dimension == Dimension::ConcurrentRequests);
        usages
    }

    /// Says again all that the ledger does not have.
    async fn say_again(&self) {
        let (id, at) = self.open;
        self.bench.adopt(id, at, &limited()).await;
        for ((id, at), number) in self.settled.iter().zip([5, 6]) {
            self.bench.settle(*id, *at, &limited(), number).await;
        }
    }

    async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.server.ask(&["KEYS", "penstock:*"]).await.unwrap();
        keys.retain(|key| !key.ends_with(":probe"));
        keys.sort();
        keys
    }
}

#[tokio::test]
async fn d06_after_a_flush_the_ledger_and_what_is_said_again_make_the_same_sums() {
    let story = Story::start().await;
    let before = story.money().await;
    for _ in 0..3 {
        story.server.run(&["FLUSHALL"]).await.unwrap();
        assert_eq!(story.bench.read(&limited()).await, None);
        let subjects = limited().subjects(NOON);
        let verdict = story
            .bench
            .ask(call(story.bench.id(), subjects.clone()), None)
            .await;
        assert_eq!(
            verdict,
            Verdict::Unknown(subjects.iter().map(|s| s.name).collect())
        );
        let (id, at) = story.open;
        assert_eq!(story.bench.adopt(id, at, &limited()).await, Noted::Gone);
        story.bench.seed(subjects.iter()).await;
        story.say_again().await;
        story.say_again().await;
        assert_eq!(story.money().await, before);
    }
}

#[tokio::test]
async fn d06_each_lost_key_alone_is_noticed_and_made_again() {
    let mut story = Story::start().await;
    let before = story.money().await;
    let keys = story.keys().await;
    let suffixes: Vec<_> = keys.iter().map(|key| key.split("}:").nth(1).unwrap()).collect();
    assert_eq!(suffixes.len(), 6, "{suffixes:?}");
    for key in &keys {
        story.server.run(&["FLUSHALL"]).await.unwrap();
        story.tell().await;
        assert_eq!(story.money().await, before);
        story.server.run(&["DEL", key]).await.unwrap();
        story.bench.step(1);
        // As a data plane does it: renews, says again when told to, and calls come.
        story.bench.renew().await;
        story.say_again().await;
        let (id, admitted) = story.bench.admit(&limited()).await.unwrap();
        story.say_again().await;
        story
            .bench
            .settle(id, admitted.at.0, &limited().money(0), 0)
            .await;
        assert_eq!(story.money().await, before, "{key}");
        assert_eq!(story.keys().await, keys, "{key}");
    }
}

#[tokio::test]
async fn d06_what_has_come_to_its_end_in_redis_is_no_loss() {
    let story = Story::start().await;
    let (bench, server) = (&story.bench, &story.server);
    let without_session = || Limited {
        session: None,
        ..limited()
    };
    bench.step(40 * HOUR);
    for _ in 0..30 {
        bench.step(HOUR);
        bench.spend(&without_session()).await;
    }
    let before = story.money().await;
    for key in story.keys().await {
        // As their times to live would have it.
        let of_the_first_hour = key.ends_with(&format!(":d:{}", NOON / HOUR));
        if of_the_first_hour || key.contains(":s:") {
            server.run(&["DEL", &key]).await.unwrap();
        }
    }
    let late = request(NOON, 77);
    assert!(matches!(
        bench.settle(late, NOON, &limited(), 0).await,
        Noted::At(_)
    ));
    assert_eq!(story.money().await, before);
    let asked = call(bench.id(), limited().subjects(bench.now()));
    let verdict = bench.ask(asked, limited().session()).await;
    assert!(matches!(verdict, Verdict::Admitted(_)), "{verdict:?}");
    let counters = format!("penstock:1:{{{}}}:m", crate::world::account());
    let hours: String = server.ask(&["HGET", &counters, "D"]).await.unwrap();
    assert!(hours.split(';').count() < 32, "{hours}");
}

#[tokio::test]
async fn property_9_every_key_has_an_end_and_lies_in_the_accounts_hash_tag() {
    let story = Story::start().await;
    let two = user(total(100)).money(1);
    story.bench.step(7 * 3_600_000);
    story.bench.spend(&Limited { version: 2, ..two }).await;
    let keys: Vec<String> = story.server.ask(&["KEYS", "*"]).await.unwrap();
    let tag = format!("penstock:1:{{{}}}:", crate::world::account());
    for key in &keys {
        let left: i64 = story.server.ask(&["PTTL", key]).await.unwrap();
        assert!(left > 0 && left <= 36 * 3_600_000, "{key} {left}");
        assert!(key.starts_with(&tag) || key.ends_with(":probe"), "{key}");
    }
    assert!(keys.len() > 7, "{keys:?}");
}
