//! Starts that fail say why and what to do; starts that succeed bring the shipped prices.

use penstock_control_plane::store::{Commit, Expect, NewSpec, Put, StoredSpec};
use penstock_core::price::{Price, PriceSource};
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;

use crate::plane::{Plane, Start, dir, store};

#[tokio::test]
async fn g15_another_master_key_is_refused() {
    let dir = dir();
    Plane::start(&dir).await.stop().await;
    std::fs::write(dir.path().join("other.key"), "ab".repeat(32)).unwrap();
    let fault = Start::in_dir(dir.path())
        .with("--master-key-file", dir.path().join("other.key"))
        .fault()
        .await;
    assert!(fault.contains("master key"), "{fault}");
    assert!(!fault.contains("abab"), "{fault}");
}

#[tokio::test]
async fn g15_a_database_that_cannot_be_reached_is_said_without_its_password() {
    let dir = dir();
    let url = "postgres://penstock:marked-secret@127.0.0.1:1/penstock";
    let fault = Start::in_dir(dir.path())
        .with("--database-url", url)
        .fault()
        .await;
    assert!(fault.contains("Database connection failed"), "{fault}");
    assert!(!fault.contains("marked-secret"), "{fault}");
}

#[tokio::test]
async fn g15_a_weak_admin_token_is_refused() {
    let dir = dir();
    std::fs::write(dir.path().join("weak.token"), "changeme").unwrap();
    let config = Start::in_dir(dir.path()).without_admin_token();
    let fault = config
        .with("--admin-token-file", dir.path().join("weak.token"))
        .fault()
        .await;
    assert!(
        fault.contains("admin token") && fault.contains("openssl rand -hex 32"),
        "{fault}"
    );
}

#[tokio::test]
async fn e04_prices_are_seeded_once_and_a_manual_price_survives() {
    let dir = dir();
    Plane::start(&dir).await.stop().await;
    let store = store(&dir).await;
    let seeded = store.head().await.unwrap().revision;
    let reference = ResourceRef::Price("claude-opus-4-8".into());
    let shipped = store.get(&reference).await.unwrap().unwrap();
    let StoredSpec::Price(price) = shipped.spec else {
        panic!("{:?}", shipped.spec);
    };
    let manual = Price {
        source: PriceSource::Manual,
        ..*price
    };
    let put = Put::new(reference.clone(), NewSpec::Price(Box::new(manual.clone())));
    let commit = Commit::new("test", "", UnixMs(1)).with(put.expecting(Expect::Version(1)));
    store.commit(commit).await.unwrap();

    Plane::start(&dir).await.stop().await;
    assert_eq!(
        store.head().await.unwrap().revision,
        seeded + 1,
        "nothing was seeded again"
    );
    let kept = store.get(&reference).await.unwrap().unwrap();
    assert_eq!(kept.spec, StoredSpec::Price(Box::new(manual)));
}
