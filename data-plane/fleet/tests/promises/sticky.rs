//! Sticky sessions through the fleet: several data planes, and a Redis that goes and comes. Behaviour B4.

use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_fleet::binding::FRESH_MS;
use penstock_fleet::{Bind, Keep};

use crate::bindings::{HOUR, provider, served, session};
use crate::plane::{Ledger, Plane, now, until};
use crate::server::{Redis, free_port};
use crate::world::Clock;

async fn bound(plane: &Plane, n: u64) -> Option<ProviderId> {
    Some(plane.fleet.binding(session(n)).await?.provider)
}

/// Waits until Redis has it.
async fn told(server: &Redis, n: u64, by: u8) {
    let key = format!("penstock:1:{{s{}}}:b", session(n));
    let wanted = provider(by).0.simple().to_string();
    until(async || {
        let held: Option<String> = server.ask(&["GET", &key]).await.unwrap();
        held.is_some_and(|held| held.starts_with(&wanted))
    })
    .await;
}

async fn commands(server: &Redis) -> u64 {
    let info: String = server.ask(&["INFO", "commandstats"]).await.unwrap();
    let calls = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    calls.unwrap().split(',').next().unwrap().parse().unwrap()
}

/// A data plane whose clock the test moves.
async fn plane_with(server: &Redis, name: u8, clock: &Clock) -> Plane {
    let theirs = clock.clone();
    let plane = Plane::with_clock(&server.url, name, &Ledger::new(), move || theirs.now());
    plane.joined().await;
    plane
}

#[tokio::test]
async fn b04_a_session_sticks_across_data_planes_and_a_move_is_seen_within_seconds() {
    let server = Redis::start().unwrap();
    let clock = Clock::at(now().0);
    let [one, two] = [
        plane_with(&server, 1, &clock).await,
        plane_with(&server, 2, &clock).await,
    ];
    one.fleet.bind(served(1, 1, None));
    assert_eq!(bound(&one, 1).await, Some(provider(1)), "here at once");
    told(&server, 1, 1).await;
    assert_eq!(bound(&two, 1).await, Some(provider(1)));
    two.fleet.bind(served(1, 2, Some(1)));
    told(&server, 1, 2).await;
    let before = commands(&server).await;
    for _ in 0..50 {
        assert_eq!(bound(&two, 1).await, Some(provider(2)));
        assert_eq!(bound(&one, 1).await, Some(provider(1)), "remembered");
    }
    assert_eq!(commands(&server).await, before, "no trip to Redis");
    clock.step(FRESH_MS);
    assert_eq!(bound(&one, 1).await, Some(provider(2)));
    let figures = one.fleet.sessions_in_memory();
    assert_eq!((figures.hits, figures.misses, figures.entries), (51, 1, 1));
}

#[tokio::test]
async fn b04_of_two_data_planes_that_race_both_go_on_with_the_one_that_was_first() {
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let [one, two] = [1, 2].map(|n| Plane::at(&server.url, n, &ledger));
    for plane in [&one, &two] {
        plane.joined().await;
    }
    for n in 0..50 {
        one.fleet.bind(served(n, 1, None));
        two.fleet.bind(served(n, 2, None));
    }
    for n in 0..50 {
        until(async || {
            let (one, two) = (bound(&one, n).await, bound(&two, n).await);
            one.is_some() && one == two
        })
        .await;
    }
}

#[tokio::test]
async fn b04_without_redis_a_session_sticks_to_what_its_data_plane_remembers() {
    let url = format!("redis://127.0.0.1:{}", free_port().unwrap());
    for plane in [Plane::at(&url, 1, &Ledger::new()), Plane::alone(&Ledger::new())] {
        assert_eq!(bound(&plane, 1).await, None);
        plane.fleet.bind(served(1, 1, None));
        assert_eq!(bound(&plane, 1).await, Some(provider(1)));
        plane.fleet.bind(served(1, 2, Some(1)));
        let binding = plane.fleet.binding(session(1)).await.unwrap();
        assert_eq!(binding.provider, provider(2));
        let left = binding.expires_at.0 - now().0;
        assert!(left > HOUR - 60_000 && left <= HOUR, "{left}");
        let short = Bind {
            keep: Keep {
                ttl: Duration::from_millis(1),
                ..Keep::default()
            },
            ..served(2, 1, None)
        };
        plane.fleet.bind(short);
        until(async || bound(&plane, 2).await.is_none()).await;
        assert_eq!(plane.fleet.dropped_notes(), 0);
    }
}

#[tokio::test]
async fn b04_a_redis_that_hangs_costs_a_call_its_timeout_once_and_never_an_error() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_millis(50));
    plane.joined().await;
    plane.fleet.bind(served(1, 1, None));
    told(&server, 1, 1).await;
    server.signal("STOP").unwrap();
    let since = tokio::time::Instant::now();
    for n in 1..1000 {
        let known = (n == 1).then(|| provider(1));
        assert_eq!(bound(&plane, n).await, known);
    }
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    plane.fleet.bind(served(1, 2, Some(1)));
    plane.fleet.bind(served(3, 3, None));
    server.signal("CONT").unwrap();
    plane.joined().await;
    // Redis has the last word, and what it does not have it is told by the next call that succeeds.
    until(async || bound(&plane, 1).await == Some(provider(1))).await;
    assert_eq!(bound(&plane, 3).await, Some(provider(3)));
    plane.fleet.bind(served(3, 3, Some(3)));
    told(&server, 3, 3).await;
}

#[tokio::test]
async fn b04_a_redis_that_lost_everything_is_told_again() {
    let server = Redis::start().unwrap();
    let clock = Clock::at(now().0);
    let plane = plane_with(&server, 1, &clock).await;
    plane.fleet.bind(served(1, 1, None));
    told(&server, 1, 1).await;
    server.run(&["FLUSHALL"]).await.unwrap();
    clock.step(FRESH_MS);
    assert_eq!(bound(&plane, 1).await, Some(provider(1)));
    plane.fleet.bind(served(1, 1, Some(1)));
    told(&server, 1, 1).await;
}

#[tokio::test]
async fn b04_a_session_that_is_bound_costs_redis_nothing_when_its_calls_succeed() {
    let server = Redis::start().unwrap();
    let clock = Clock::at(now().0);
    let plane = plane_with(&server, 1, &clock).await;
    plane.fleet.bind(served(1, 1, None));
    told(&server, 1, 1).await;
    until(async || {
        clock.step(FRESH_MS);
        let before = commands(&server).await;
        assert_eq!(bound(&plane, 1).await, Some(provider(1)));
        commands(&server).await == before + 1
    })
    .await;
    let before = commands(&server).await;
    for _ in 0..100 {
        plane.fleet.bind(served(1, 1, Some(1)));
    }
    // A note that went behind these would be told after them.
    plane.fleet.bind(served(2, 1, None));
    told(&server, 2, 1).await;
    assert_eq!(commands(&server).await, before + 1);
}

#[tokio::test]
async fn b04_what_is_remembered_is_bounded() {
    let plane = Plane::alone(&Ledger::new());
    for n in 0..300_000 {
        plane.fleet.bind(served(n, 1, None));
    }
    let figures = plane.fleet.sessions_in_memory();
    assert!(figures.entries <= figures.capacity, "{figures:?}");
    assert!(figures.evictions > 0, "{figures:?}");
    assert_eq!(bound(&plane, 299_999).await, Some(provider(1)));
}
