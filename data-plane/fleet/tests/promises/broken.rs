//! Counters of one account that scripts cannot work with are the trouble of that account alone. Behaviour D5.

use std::time::Duration;

use penstock_core::id::UserId;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_fleet::RedisState;
use penstock_fleet::account::Account;

use crate::conformance::total;
use crate::plane::{Held, Ledger, Plane, held};
use crate::server::Redis;
use crate::world::account;

#[tokio::test]
async fn d05_an_account_with_broken_counters_is_degraded_alone_and_holds_up_no_return() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_millis(200));
    plane.joined().await;
    let limits = || Limits {
        concurrent_requests: 2,
        ..total(1000)
    };
    let broken = held(limits(), Degraded::Local, 1);
    let well = Held {
        account: Account::User(UserId::from_parts(1, &[77; 10])),
        ..held(limits(), Degraded::Local, 1)
    };
    let counters = format!("penstock:1:{{{}}}:m", account());
    server.run(&["SET", &counters, "no hash"]).await.unwrap();
    for _ in 0..5 {
        let call = plane.admit(&broken, 10).await.unwrap();
        plane.settle(&broken, &call, 10);
    }
    let _open = plane.admit(&broken, 10).await.unwrap();
    assert_eq!(plane.fleet.state(), RedisState::Connected);
    let call = plane.admit(&well, 10).await.unwrap();
    server.signal("STOP").unwrap();
    plane.admit(&well, 10).await.unwrap();
    assert_eq!(plane.fleet.state(), RedisState::Disconnected);
    server.signal("CONT").unwrap();
    plane.joined().await;
    plane.settle(&well, &call, 10);
    plane.comes_to(&well, Dimension::UsdTotal, (10, 10)).await;
}
