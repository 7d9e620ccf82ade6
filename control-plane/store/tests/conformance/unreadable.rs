//! One bad row never blocks the others: above all not the revocation of a key.

use penstock_store::{CredentialChange, Current, Error, Filter, Page};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    g02_a_bad_row_is_named_and_the_rest_is_read,
    a_bad_row_can_be_deleted_or_written_over,
);

async fn g02_a_bad_row_is_named_and_the_rest_is_read(bench: Bench) {
    broken_provider_beside_a_key(&bench).await;
    let loaded = bench.store.load().await.unwrap();
    assert_eq!(loaded.resources.len(), 3);
    assert_eq!(loaded.unreadable[0].reference, provider_ref(1));
    assert!(
        loaded.unreadable[0].problem.starts_with("models: "),
        "{:?}",
        loaded.unreadable
    );
    bench
        .store
        .commit(commit().with(delete(key_ref(1))))
        .await
        .unwrap();
    let changes = bench.store.changes_since(0).await.unwrap();
    let bad: Vec<_> = changes
        .changed
        .iter()
        .filter(|c| matches!(c.current, Current::Unreadable(_)))
        .map(|c| c.current.reference().clone())
        .collect();
    assert_eq!(bad, [provider_ref(1)]);
    let removed = changes
        .changed
        .iter()
        .any(|c| matches!(&c.current, Current::Removed(r) if *r == key_ref(1)));
    assert!(removed);
    let listed = bench
        .store
        .list(&Filter::Providers, &Page::first(10))
        .await
        .unwrap();
    assert_eq!((listed.resources.len(), listed.unreadable.len()), (1, 1));
    let error = bench.store.get(&provider_ref(1)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

async fn a_bad_row_can_be_deleted_or_written_over(bench: Bench) {
    broken_provider_beside_a_key(&bench).await;
    let keep = commit().with(put_provider(1, "main", CredentialChange::Keep));
    let error = bench.store.commit(keep).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    let mend = commit().with(put_provider(1, "main", CredentialChange::Clear));
    let mended = bench.store.commit(mend).await.unwrap();
    assert_eq!(mended.applied[0].stored.as_ref().unwrap().version, 2);
    damage(&bench).await;
    bench
        .store
        .commit(commit().with(delete(provider_ref(1))))
        .await
        .unwrap();
    assert_eq!(bench.store.load().await.unwrap().unreadable, []);
}

async fn broken_provider_beside_a_key(bench: &Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, key(1, "laptop")))
        .with(put_provider(1, "main", CredentialChange::Keep))
        .with(put_provider(2, "other", CredentialChange::Keep));
    bench.store.commit(setup).await.unwrap();
    damage(bench).await;
}

/// As a newer release might write it.
async fn damage(bench: &Bench) {
    let statement = "UPDATE providers SET models = '[{\"sounds_like\": \"claude\"}]' WHERE name = 'main'";
    bench.execute(statement.to_owned()).await;
}
