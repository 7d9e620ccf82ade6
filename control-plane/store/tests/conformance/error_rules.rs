//! Error rules are resources like the others (behaviour G13).

use penstock_core::error_rule::{ErrorField, ErrorPattern, ErrorRule, ErrorText, Replace, ReplaceBody};
use penstock_core::failure::Class;
use penstock_core::provider::ProviderKind;
use penstock_core::resource::ResourceRef;
use penstock_store::{
    Current, Error, Expect, Filter, LoggedSpec, NewSpec, Page, Put, RevisionFilter, StoredSpec,
};

use crate::bench::{Bench, on_both};
use crate::build::*;

fn reference(name: &str) -> ResourceRef {
    ResourceRef::ErrorRule(name.into())
}

fn rule(name: &str) -> ErrorRule {
    ErrorRule {
        name: name.to_owned(),
        enabled: true,
        priority: 7,
        kind: Some(ProviderKind::Openai),
        provider: Some("main".to_owned()),
        status: Some(429),
        pattern: Some(ErrorPattern {
            field: ErrorField::Message,
            text: ErrorText::Regex("quota (is )?gone".to_owned().into()),
        }),
        class: Class::Billing,
        replace: Some(Replace {
            status: Some(503),
            body: Some(ReplaceBody::Json(r#"{"error":"later"}"#.to_owned())),
        }),
    }
}

fn put(rule: &ErrorRule) -> Put {
    Put::new(reference(&rule.name), NewSpec::ErrorRule(Box::new(rule.clone())))
}

async fn g13_a_rule_reads_back_whole(bench: Bench) {
    let bare = ErrorRule {
        kind: None,
        provider: None,
        pattern: None,
        replace: None,
        ..rule("bare")
    };
    let committed = bench
        .store
        .commit(commit().with(put(&rule("full"))).with(put(&bare)))
        .await
        .unwrap();
    assert_eq!(committed.head.revision, 1);
    for rule in [rule("full"), bare] {
        let stored = bench.store.get(&reference(&rule.name)).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.min_schema), (1, 3));
        assert_eq!(stored.spec, StoredSpec::ErrorRule(Box::new(rule)));
    }
    assert_eq!(bench.store.load().await.unwrap().resources.len(), 2);
}

async fn g13_a_rule_changes_by_versions_and_the_history_tells_it(bench: Bench) {
    let first = rule("odd");
    let second = ErrorRule {
        class: Class::Caller,
        ..first.clone()
    };
    bench.store.commit(commit().with(put(&first))).await.unwrap();
    let stale = put(&second).expecting(Expect::Version(4));
    let error = bench.store.commit(commit().with(stale)).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(error.to_string().contains("error rule \"odd\""), "{error}");
    let next = put(&second).expecting(Expect::Version(1));
    bench.store.commit(commit().with(next)).await.unwrap();
    bench
        .store
        .commit(commit().with(delete(reference("odd"))))
        .await
        .unwrap();

    let told = bench
        .store
        .revisions(&RevisionFilter::default(), 3, 9)
        .await
        .unwrap();
    let read = |json: &Option<serde_json::Value>| {
        let kind = reference("odd").kind();
        json.as_ref().map(|json| LoggedSpec::read(kind, json).unwrap())
    };
    let of = |rule: &ErrorRule| Some(LoggedSpec::ErrorRule(Box::new(rule.clone())));
    let states: Vec<_> = told
        .iter()
        .map(|revision| {
            (
                read(&revision.changes[0].before),
                read(&revision.changes[0].after),
            )
        })
        .collect();
    assert_eq!(states[0], (of(&second), None));
    assert_eq!(states[1], (of(&first), of(&second)));
    assert_eq!(states[2], (None, of(&first)));
    let changed = bench.store.changes_since(2).await.unwrap().changed;
    assert!(matches!(&changed[0].current, Current::Removed(gone) if *gone == reference("odd")));
}

async fn g13_rules_are_listed_by_name(bench: Bench) {
    let mut all = commit();
    for name in ["c", "a", "b"] {
        all = all.with(put(&rule(name)));
    }
    bench.store.commit(all).await.unwrap();
    let first = bench
        .store
        .list(&Filter::ErrorRules, &Page::first(2))
        .await
        .unwrap();
    let names = |listed: &penstock_store::Listed| -> Vec<String> {
        listed.resources.iter().map(|r| r.reference.id()).collect()
    };
    assert_eq!(names(&first), ["a", "b"]);
    let rest = Page {
        after: first.next,
        ..Page::first(2)
    };
    let rest = bench.store.list(&Filter::ErrorRules, &rest).await.unwrap();
    assert_eq!((names(&rest), rest.next), (vec!["c".to_owned()], None));
}

async fn g02_a_rule_of_a_newer_release_is_unreadable_alone(bench: Bench) {
    let both = commit().with(put(&rule("good"))).with(put(&rule("newer")));
    bench.store.commit(both).await.unwrap();
    bench
        .execute(
            "UPDATE error_rules SET rule = '{\"class\": \"unheard_of\"}' WHERE name = 'newer'".to_owned(),
        )
        .await;
    let loaded = bench.store.load().await.unwrap();
    assert_eq!(loaded.resources.len(), 1);
    assert_eq!(loaded.unreadable[0].reference, reference("newer"));
}

async fn a_rule_under_another_name_is_refused(bench: Bench) {
    let mut wrong = put(&rule("a"));
    wrong.reference = reference("b");
    let error = bench.store.commit(commit().with(wrong)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

on_both!(
    g13_a_rule_reads_back_whole,
    g13_a_rule_changes_by_versions_and_the_history_tells_it,
    g13_rules_are_listed_by_name,
    g02_a_rule_of_a_newer_release_is_unreadable_alone,
    a_rule_under_another_name_is_refused,
);
