//! Finding by name and listing in pages.

use penstock_core::price::PriceSource;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_store::{CredentialChange, Error, Filter, Lookup, NewSpec, Page};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    resources_are_found_by_name,
    a_bare_key_name_finds_the_keys_of_all_users,
    listings_are_ordered_by_name_and_come_in_pages,
    keys_of_the_same_name_are_all_listed_once,
    prices_are_filtered_by_text_and_source,
    the_empty_kinds_have_empty_listings,
    a_foreign_page_token_is_refused,
    a_listing_is_cut_to_names_that_begin_so,
);

async fn resources_are_found_by_name(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, key(1, "laptop")))
        .with(put_provider(1, "main", CredentialChange::Keep));
    bench.store.commit(setup).await.unwrap();
    let found = |lookup| {
        let store = bench.store.clone();
        async move {
            let found = store.find(lookup).await.unwrap();
            found
                .into_iter()
                .map(|stored| stored.reference)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(found(Lookup::User { name: "alice" }).await, [user_ref(1)]);
    assert_eq!(found(Lookup::Provider { name: "main" }).await, [provider_ref(1)]);
    let of_user = Lookup::KeyOfUser {
        user: user_id(1),
        name: "laptop",
    };
    assert_eq!(found(of_user).await, [key_ref(1)]);
    assert_eq!(found(Lookup::User { name: "Alice" }).await, []);
    assert_eq!(found(Lookup::User { name: "' OR 1=1 --" }).await, []);
}

async fn a_bare_key_name_finds_the_keys_of_all_users(bench: Bench) {
    two_users_with_laptops(&bench).await;
    let found = bench.store.find(Lookup::Key { name: "laptop" }).await.unwrap();
    let found: Vec<ResourceRef> = found.into_iter().map(|stored| stored.reference).collect();
    assert_eq!(found, [key_ref(1), key_ref(2)]);
}

async fn listings_are_ordered_by_name_and_come_in_pages(bench: Bench) {
    let names = ["b", "B", "a", "c-1", "c.1", "c_1", "7"];
    let mut all = commit();
    all.ops = (1..)
        .zip(names)
        .map(|(n, name)| put_user(n, name).into())
        .collect();
    bench.store.commit(all).await.unwrap();
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    for size in [1, 2, 3, 7, 100] {
        assert_eq!(
            listed(&bench, &Filter::Users, size).await,
            sorted,
            "pages of {size}"
        );
    }
}

async fn keys_of_the_same_name_are_all_listed_once(bench: Bench) {
    two_users_with_laptops(&bench).await;
    let all = Filter::Keys { user: None };
    assert_eq!(listed(&bench, &all, 1).await, ["desk", "laptop", "laptop"]);
    let alices = Filter::Keys {
        user: Some(user_id(1)),
    };
    assert_eq!(listed(&bench, &alices, 1).await, ["desk", "laptop"]);
}

async fn prices_are_filtered_by_text_and_source(bench: Bench) {
    let mut shipped = put_price("gemini/pro", 3);
    if let NewSpec::Price(price) = &mut shipped.spec {
        price.source = PriceSource::Shipped;
    }
    let setup = commit()
        .with(put_price("claude-opus-4-8", 1))
        .with(put_price("100%_sure", 2))
        .with(shipped);
    bench.store.commit(setup).await.unwrap();
    let prices = |contains: Option<&str>, source| Filter::Prices {
        contains: contains.map(ToOwned::to_owned),
        source,
    };
    assert_eq!(listed(&bench, &prices(None, None), 10).await.len(), 3);
    assert_eq!(
        listed(&bench, &prices(Some("opus"), None), 10).await,
        ["claude-opus-4-8"]
    );
    assert_eq!(listed(&bench, &prices(Some("%"), None), 10).await, ["100%_sure"]);
    assert_eq!(listed(&bench, &prices(Some("OPUS"), None), 10).await, [""; 0]);
    let shipped = prices(None, Some(PriceSource::Shipped));
    assert_eq!(listed(&bench, &shipped, 10).await, ["gemini/pro"]);
}

async fn the_empty_kinds_have_empty_listings(bench: Bench) {
    let setting = put_setting(Setting::ExplainRefusals(true));
    bench.store.commit(commit().with(setting)).await.unwrap();
    assert_eq!(listed(&bench, &Filter::Settings, 10).await, ["explain_refusals"]);
    for empty in [Filter::Providers, Filter::ImportSuffixes] {
        assert_eq!(listed(&bench, &empty, 10).await, [""; 0]);
    }
}

async fn a_foreign_page_token_is_refused(bench: Bench) {
    let page = Page {
        after: Some("alice".to_owned()),
        ..Page::first(10)
    };
    let error = bench
        .store
        .list(&Filter::Keys { user: None }, &page)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

async fn a_listing_is_cut_to_names_that_begin_so(bench: Bench) {
    let names = ["alice", "Alice", "al_x", "al%x", "bob", "al"];
    for (name, n) in names.into_iter().zip(1..) {
        bench
            .store
            .commit(commit().with(put_user(n, name)))
            .await
            .unwrap();
    }
    let found = async |prefix: &str, after: Option<&str>| {
        let page = Page {
            size: 10,
            after: after.map(str::to_owned),
            prefix: Some(prefix.to_owned()),
        };
        let listed = bench.store.list(&Filter::Users, &page).await.unwrap();
        listed.resources.into_iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(found("al", None).await, ["al", "al%x", "al_x", "alice"]);
    assert_eq!(found("al", Some("al%x")).await, ["al_x", "alice"]);
    assert_eq!(found("al%", None).await, ["al%x"]);
    assert_eq!(found("c", None).await, [""; 0]);
    assert_eq!(found("", None).await.len(), names.len());
}

async fn two_users_with_laptops(bench: &Bench) {
    let mut bobs = key(2, "laptop");
    bobs.hash = penstock_core::api_key::KeyHash::of("bobs");
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_user(2, "bob"))
        .with(put_key(1, key(1, "laptop")))
        .with(put_key(2, bobs))
        .with(put_key(3, key(1, "desk")));
    bench.store.commit(setup).await.unwrap();
}

/// The names of all pages.
async fn listed(bench: &Bench, filter: &Filter, size: u32) -> Vec<String> {
    let mut names = Vec::new();
    let mut page = Page::first(size);
    loop {
        let listed = bench.store.list(filter, &page).await.unwrap();
        assert!(listed.resources.len() <= size as usize);
        names.extend(listed.resources.into_iter().map(name));
        match listed.next {
            Some(next) => page.after = Some(next),
            None => return names,
        }
    }
}

fn name(stored: penstock_store::Stored) -> String {
    use penstock_store::StoredSpec as Spec;
    match stored.spec {
        Spec::Provider(spec) => spec.provider.name,
        Spec::User(user) => user.name,
        Spec::Key(key) => key.name,
        Spec::Price(_)
        | Spec::Setting(_)
        | Spec::ImportSuffix(_)
        | Spec::ErrorRule(_)
        | Spec::WordRule(_)
        | Spec::RequestFilter(_) => stored.reference.id(),
    }
}
