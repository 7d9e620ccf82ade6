//! The audit log (behaviour G10).

use penstock_core::id::AuditId;
use penstock_core::time::UnixMs;
use penstock_store::{AuditEnd, AuditEntry, AuditFilter, Retained};

use crate::bench::{Bench, on_both};

pub(crate) fn entry(n: u8, actor: &str, action: &str) -> AuditEntry {
    AuditEntry {
        id: AuditId::from_parts(n.into(), &[0; 10]),
        at: UnixMs(n.into()),
        actor: actor.to_owned(),
        role: "operator".to_owned(),
        action: action.to_owned(),
        peer: "192.0.2.1".to_owned(),
        end: AuditEnd::default(),
    }
}

fn end(outcome: &str, target: &str) -> AuditEnd {
    AuditEnd {
        outcome: outcome.to_owned(),
        target: target.to_owned(),
        revision: Some(3),
        reason: "because".to_owned(),
    }
}

async fn g10_an_entry_is_there_before_its_end_and_gets_it(bench: Bench) {
    let begun = entry(1, "ann", "UserService/CreateUser");
    bench.store.begin_audit(&begun).await.unwrap();
    let all = AuditFilter::default();
    assert_eq!(
        bench.store.audit_entries(&all, 10, None).await.unwrap(),
        std::slice::from_ref(&begun)
    );
    let end = end("ok", "user \"alice\"");
    bench.store.end_audit(begun.id, &end).await.unwrap();
    let ended = AuditEntry { end, ..begun };
    assert_eq!(bench.store.audit_entries(&all, 10, None).await.unwrap(), [ended]);
}

async fn g10_entries_are_found_by_each_of_their_parts(bench: Bench) {
    for (n, actor, action, outcome, target) in [
        (1, "ann", "UserService/CreateUser", "ok", "user \"alice\""),
        (2, "bob", "KeyService/CreateKey", "permission_denied", ""),
        (3, "ann", "KeyService/DeleteKey", "ok", "key \"alice/laptop\""),
    ] {
        let end = end(outcome, target);
        bench
            .store
            .begin_audit(&AuditEntry {
                end,
                ..entry(n, actor, action)
            })
            .await
            .unwrap();
    }
    let some = |text: &str| Some(text.to_owned());
    let filters = [
        (AuditFilter::default(), vec![3, 2, 1]),
        (
            AuditFilter {
                actor: some("ann"),
                ..AuditFilter::default()
            },
            vec![3, 1],
        ),
        (
            AuditFilter {
                action: some("KeyService"),
                ..AuditFilter::default()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                action: some("CreateKey"),
                ..AuditFilter::default()
            },
            vec![2],
        ),
        (
            AuditFilter {
                target: some("alice"),
                ..AuditFilter::default()
            },
            vec![3, 1],
        ),
        (
            AuditFilter {
                outcome: some("permission_denied"),
                ..AuditFilter::default()
            },
            vec![2],
        ),
        (
            AuditFilter {
                from: Some(UnixMs(2)),
                to: Some(UnixMs(3)),
                ..AuditFilter::default()
            },
            vec![2],
        ),
    ];
    for (filter, expected) in filters {
        let found = bench.store.audit_entries(&filter, 10, None).await.unwrap();
        let found: Vec<i64> = found.iter().map(|entry| entry.at.0).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let first = bench
        .store
        .audit_entries(&AuditFilter::default(), 2, None)
        .await
        .unwrap();
    let rest = bench
        .store
        .audit_entries(&AuditFilter::default(), 2, Some(first[1].id))
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len(), rest[0].at), (2, 1, UnixMs(1)));
}

async fn g10_old_entries_are_forgotten(bench: Bench) {
    for n in 1..=3 {
        bench.store.begin_audit(&entry(n, "ann", "x")).await.unwrap();
    }
    let cleaned = bench.store.clean(Retained::AuditLog, UnixMs(3), UnixMs(9)).await;
    assert_eq!(cleaned.unwrap().rows, 2);
    let left = bench
        .store
        .audit_entries(&AuditFilter::default(), 10, None)
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}

on_both!(
    g10_an_entry_is_there_before_its_end_and_gets_it,
    g10_entries_are_found_by_each_of_their_parts,
    g10_old_entries_are_forgotten,
);
