//! Request filters are resources like the others (behaviour G12).

use penstock_core::request_filter::{Action, Find, Part, RequestFilter};
use penstock_core::resource::ResourceRef;
use penstock_store::{Expect, Filter, NewSpec, Page, Put, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

fn reference(name: &str) -> ResourceRef {
    ResourceRef::RequestFilter(name.into())
}

fn filter(name: &str, part: Part, action: Action) -> RequestFilter {
    RequestFilter {
        name: name.to_owned(),
        enabled: true,
        priority: 7,
        provider: Some("main".to_owned()),
        part,
        action,
    }
}

fn put(filter: &RequestFilter) -> Put {
    Put::new(
        reference(&filter.name),
        NewSpec::RequestFilter(Box::new(filter.clone())),
    )
}

async fn g12_a_filter_reads_back_whole_and_changes_by_versions(bench: Bench) {
    let replace = Action::Replace {
        find: Find::Regex("a.c".into()),
        with: "$0".into(),
    };
    let filters = [
        filter("a", Part::Header("x-a".into()), Action::Remove),
        filter(
            "b",
            Part::Body("m.*.c".parse().unwrap()),
            Action::Set("{\"x\":1}".into()),
        ),
        filter("c", Part::Body("**".parse().unwrap()), replace),
    ];
    let all = filters
        .iter()
        .fold(commit(), |commit, filter| commit.with(put(filter)));
    bench.store.commit(all).await.unwrap();
    for filter in &filters {
        let stored = bench.store.get(&reference(&filter.name)).await.unwrap().unwrap();
        assert_eq!(stored.min_schema, 4);
        assert_eq!(stored.spec, StoredSpec::RequestFilter(Box::new(filter.clone())));
    }
    let off = RequestFilter {
        enabled: false,
        ..filters[0].clone()
    };
    let next = put(&off).expecting(Expect::Version(1));
    bench.store.commit(commit().with(next)).await.unwrap();
    let listed = bench
        .store
        .list(&Filter::RequestFilters, &Page::first(9))
        .await
        .unwrap();
    assert_eq!(listed.resources[0].version, 2);
    assert_eq!(listed.resources.len(), 3);
}

on_both!(g12_a_filter_reads_back_whole_and_changes_by_versions);
