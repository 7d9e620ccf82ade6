//! Operators' accounts (behaviour G9).

use std::time::Duration;

use penstock_core::api_key::KeyHash;
use penstock_core::id::OperatorId;
use penstock_core::key::PreviousSecret;
use penstock_core::operator::{Operator, Role};
use penstock_core::time::UnixMs;
use penstock_store::{Error, Expect, OperatorPut, OperatorToken};

use crate::bench::{Bench, on_both};
use crate::build::*;

fn id(n: u8) -> OperatorId {
    OperatorId::from_parts(5, &[n; 10])
}

fn operator(name: &str) -> Operator {
    Operator {
        name: name.to_owned(),
        role: Role::User,
        user_id: Some(user_id(1)),
        enabled: true,
        expires_at: Some(UnixMs(NOW.0 + 5)),
    }
}

pub(crate) fn put(n: u8, name: &str, expect: Expect) -> OperatorPut {
    OperatorPut {
        id: id(n),
        operator: operator(name),
        token: OperatorToken {
            hash: KeyHash([n; 32]),
            hint: "pso_abcd****wxyz".to_owned(),
            previous: Some(PreviousSecret {
                hash: KeyHash([100 + n; 32]),
                valid_until: UnixMs(7),
            }),
        },
        expect,
    }
}

async fn g09_an_account_reads_back_whole_and_counts_its_versions(bench: Bench) {
    let made = bench
        .store
        .put_operator(&put(1, "ann", Expect::Absent), NOW)
        .await
        .unwrap();
    assert_eq!((made.version, made.created_at, made.last_used_at), (1, NOW, None));
    assert_eq!(
        (&made.operator, &made.token),
        (&operator("ann"), &put(1, "", Expect::Any).token)
    );
    let read = bench.store.operators().await.unwrap();
    assert_eq!(read.operators, [made]);
    let disabled = Operator {
        enabled: false,
        role: Role::Viewer,
        user_id: None,
        ..operator("anna")
    };
    let change = OperatorPut {
        operator: disabled.clone(),
        ..put(1, "", Expect::Version(1))
    };
    let changed = bench
        .store
        .put_operator(&change, UnixMs(NOW.0 + 1))
        .await
        .unwrap();
    assert_eq!(
        (changed.version, changed.operator, changed.created_at),
        (2, disabled, NOW)
    );
    assert!(bench.store.operator_generation().await.unwrap() > read.generation);
}

async fn g09_of_two_editors_one_is_refused(bench: Bench) {
    bench
        .store
        .put_operator(&put(1, "ann", Expect::Absent), NOW)
        .await
        .unwrap();
    let stale = bench
        .store
        .put_operator(&put(1, "ann", Expect::Version(4)), NOW)
        .await;
    let error = stale.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(error.to_string().contains("operator \"ann\""), "{error}");
    let taken = bench
        .store
        .put_operator(&put(2, "ann", Expect::Absent), NOW)
        .await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })));
    let stale = bench.store.delete_operator(id(1), Expect::Version(2)).await;
    assert!(matches!(stale, Err(Error::Conflict { .. })));
    bench
        .store
        .delete_operator(id(1), Expect::Version(1))
        .await
        .unwrap();
    let gone = bench.store.delete_operator(id(1), Expect::Any).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
    assert!(bench.store.operators().await.unwrap().operators.is_empty());
}

async fn g09_use_is_no_change_and_never_goes_back(bench: Bench) {
    let made = bench
        .store
        .put_operator(&put(1, "ann", Expect::Absent), NOW)
        .await
        .unwrap();
    let before = bench.store.operator_generation().await.unwrap();
    for at in [50, 40] {
        bench
            .store
            .operators_used(&[(id(1), UnixMs(at)), (id(9), UnixMs(at))])
            .await
            .unwrap();
    }
    let after = bench.store.operators().await.unwrap();
    assert_eq!(after.generation, before);
    let read = &after.operators[0];
    assert_eq!(
        (read.last_used_at, read.version),
        (Some(UnixMs(50)), made.version)
    );
}

/// On Postgres at once, on SQLite by the generation that is polled.
async fn g09_another_replica_hears_of_a_change(bench: Bench) {
    let other = bench.another().await;
    let mut news = other.notifications();
    let before = other.operator_generation().await.unwrap();
    bench
        .store
        .put_operator(&put(1, "ann", Expect::Absent), NOW)
        .await
        .unwrap();
    if bench.store.backend() == penstock_store::Backend::Postgres {
        tokio::time::timeout(Duration::from_secs(20), news.changed())
            .await
            .unwrap()
            .unwrap();
    }
    assert!(other.operator_generation().await.unwrap() > before);
    other.close().await;
}

on_both!(
    g09_an_account_reads_back_whole_and_counts_its_versions,
    g09_of_two_editors_one_is_refused,
    g09_use_is_no_change_and_never_goes_back,
    g09_another_replica_hears_of_a_change,
);
