//! Word rules are resources like the others (behaviour G12).

use penstock_core::resource::ResourceRef;
use penstock_core::word_rule::{Matching, WordRule};
use penstock_store::{Error, Filter, NewSpec, Page, Put, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

fn reference(name: &str) -> ResourceRef {
    ResourceRef::WordRule(name.into())
}

fn rule(name: &str) -> WordRule {
    WordRule {
        name: name.to_owned(),
        enabled: true,
        matching: Matching::Regex,
        texts: vec!["a\"b".to_owned(), "ß".to_owned()],
    }
}

fn put(rule: &WordRule) -> Put {
    Put::new(reference(&rule.name), NewSpec::WordRule(Box::new(rule.clone())))
}

async fn g12_a_word_rule_reads_back_whole_and_is_listed(bench: Bench) {
    let both = commit().with(put(&rule("b"))).with(put(&rule("a")));
    bench.store.commit(both).await.unwrap();
    let stored = bench.store.get(&reference("a")).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.min_schema), (1, 4));
    assert_eq!(stored.spec, StoredSpec::WordRule(Box::new(rule("a"))));
    let listed = bench
        .store
        .list(&Filter::WordRules, &Page::first(9))
        .await
        .unwrap();
    let names: Vec<String> = listed.resources.iter().map(|r| r.reference.id()).collect();
    assert_eq!(names, ["a", "b"]);
    bench
        .store
        .commit(commit().with(delete(reference("a"))))
        .await
        .unwrap();
    assert_eq!(bench.store.load().await.unwrap().resources.len(), 1);
}

async fn a_word_rule_under_another_name_is_refused(bench: Bench) {
    let mut wrong = put(&rule("a"));
    wrong.reference = reference("b");
    let error = bench.store.commit(commit().with(wrong)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

on_both!(
    g12_a_word_rule_reads_back_whole_and_is_listed,
    a_word_rule_under_another_name_is_refused,
);
