//! Out of one installation and into another one, with the master keys that each has.

use std::sync::Arc;

use futures::FutureExt;
use penstock_core::backup::{BackupKind, Header};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::{
    Commit, CredentialChange, Op, OpenOptions, SPEND_DAYS, SPEND_MINUTES, Sealed, Store, StoredSpec, open,
};
use serde_json::json;

use super::*;
use crate::clock;
use crate::context::Context;
use crate::credentials::{Field, MasterKey, Sealer};
use crate::tests::fake_store::FakeStore;
use crate::tests::{commit, context_over, provider_ref, put_provider};

/// Under the first key; the others open.
fn sealer(keys: &[u8]) -> Sealer {
    let keys: Vec<MasterKey> = keys
        .iter()
        .map(|byte| MasterKey::from_bytes([*byte; 32]))
        .collect();
    Sealer::with(&keys[0], &keys[1..]).ok().unwrap()
}

fn key_id(key: u8) -> String {
    sealer(&[key]).key_id().to_owned()
}

/// A provider's credential under a master key.
fn sealed(provider: u8, key: u8) -> Sealed {
    let secret = Secret::new(format!("sk-of-{provider}"));
    let sealed = sealer(&[key]).seal(&provider_ref(provider), Field::Credential, &secret);
    sealed.unwrap()
}

/// With these credentials.
async fn store(credentials: Vec<(u8, Sealed)>) -> Arc<FakeStore> {
    let store = FakeStore::new();
    for (provider, sealed) in credentials {
        commit(&store, put_provider(provider, CredentialChange::Set(sealed))).await;
    }
    store
}

async fn context(store: Arc<dyn Store>, keys: &[u8]) -> Context {
    context_over(store, Arc::new(sealer(keys))).await
}

async fn credential(store: &dyn Store, provider: u8) -> Sealed {
    let stored = store.get(&provider_ref(provider)).await.unwrap().unwrap();
    let StoredSpec::Provider(stored) = stored.spec else {
        panic!("no provider")
    };
    stored.credential.unwrap().sealed
}

fn opens(sealed: &Sealed, provider: u8, keys: &[u8]) -> bool {
    let place = provider_ref(provider);
    let secret = sealer(keys).unseal(&place, Field::Credential, sealed);
    secret.is_ok_and(|secret| secret.matches(&format!("sk-of-{provider}")))
}

/// The lines, and what is said of them.
async fn made(context: &Context, kind: BackupKind, include_usage: bool) -> (Vec<u8>, Vec<String>) {
    let mut export = Export::begin(context, kind, include_usage).await.unwrap();
    let (mut lines, mut remarks) = (Vec::new(), Vec::new());
    while let Some(piece) = export.next_piece().await.unwrap() {
        lines.extend(piece.lines);
        remarks.extend(piece.remarks);
    }
    (lines, remarks)
}

fn header(lines: &[u8]) -> Header {
    let first = lines.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice(first).unwrap()
}

/// Once through the lines.
async fn fed(context: &Context, ticket: &str, lines: &[u8]) -> Result<Restored, RestoreError> {
    let commit = |ops: Vec<Op>| {
        let mut commit = Commit::new("test", "restore", UnixMs(1));
        commit.ops = ops;
        let store = Arc::clone(&context.store);
        async move { Ok(store.commit(commit).await.unwrap()) }.boxed()
    };
    let mut restore = Restore::begin(context, ticket, &commit)?;
    restore.feed(lines).await?;
    restore.finish()
}

/// The remarks of the dry run.
async fn restored(context: &Context, lines: &[u8]) -> Result<Vec<String>, RestoreError> {
    let checked = fed(context, "", lines).await?;
    fed(context, &checked.ticket, lines).await?;
    Ok(checked.remarks)
}

/// One credential that opens, one under a key that is not here, one that was changed in the database.
async fn troubled() -> Arc<FakeStore> {
    let mut changed = sealed(3, 1);
    changed.ciphertext[30] ^= 1;
    store(vec![(1, sealed(1, 1)), (2, sealed(2, 9)), (3, changed)]).await
}

#[tokio::test]
async fn g05_a_secret_that_cannot_be_opened_is_named_when_the_backup_is_made() {
    let old = troubled().await;
    for kind in [BackupKind::Standard, BackupKind::Encrypted] {
        let (_, remarks) = made(&context(old.clone(), &[1]).await, kind, false).await;
        let [other, changed] = remarks.as_slice() else {
            panic!("{remarks:?}")
        };
        assert!(other.contains("the credential of provider \"provider-2\"") && other.contains(&key_id(9)));
        assert!(other.contains("--other-master-key-file"), "{other}");
        assert!(changed.contains("\"provider-3\"") && changed.contains("changed in the database"));
    }
    let (_, remarks) = made(&context(old, &[1]).await, BackupKind::Sanitised, false).await;
    assert!(remarks.is_empty(), "it has no secrets: {remarks:?}");
}

#[tokio::test]
async fn g05_a_secret_that_could_not_be_opened_keeps_nothing_else_from_coming_back() {
    let old = troubled().await;
    for kind in [BackupKind::Standard, BackupKind::Encrypted] {
        let (lines, _) = made(&context(old.clone(), &[1]).await, kind, false).await;
        let new = FakeStore::new();
        let remarks = restored(&context(new.clone(), &[1]).await, &lines).await.unwrap();
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[0].contains("provider-2") && remarks[1].contains("provider-3"));
        assert!(opens(&credential(&*new, 1).await, 1, &[1]));
        for provider in [2, 3] {
            let (was, is) = (
                credential(&*old, provider).await,
                credential(&*new, provider).await,
            );
            assert_eq!(was, is, "as it was");
        }
        assert!(
            opens(&credential(&*new, 2).await, 2, &[1, 9]),
            "once its key is given"
        );
    }
}

#[tokio::test]
async fn g05_what_nobody_could_open_takes_the_place_of_nothing_that_opens() {
    let (lines, _) = made(
        &context(troubled().await, &[1]).await,
        BackupKind::Standard,
        false,
    )
    .await;
    let mended = store(vec![(2, sealed(2, 1)), (3, sealed(3, 1))]).await;
    restored(&context(mended.clone(), &[1]).await, &lines)
        .await
        .unwrap();
    for provider in [1, 2, 3] {
        let credential = credential(&*mended, provider).await;
        assert!(opens(&credential, provider, &[1]), "{provider}");
    }
}

#[tokio::test]
async fn g05_a_backup_from_amid_a_rotation_says_first_which_master_keys_it_needs() {
    let rotating = store(vec![(1, sealed(1, 1)), (2, sealed(2, 2))]).await;
    let (lines, remarks) = made(&context(rotating, &[2, 1]).await, BackupKind::Standard, false).await;
    assert!(remarks.is_empty(), "{remarks:?}");
    let header = header(&lines);
    assert_eq!(header.master_key, Some(key_id(2)));
    assert_eq!(header.other_master_keys, [key_id(1)]);

    let refused = restored(&context(FakeStore::new(), &[2]).await, &lines).await;
    let refused = refused.err().unwrap().to_string();
    assert!(
        refused.contains(&format!("another master key ({})", key_id(1))),
        "{refused}"
    );
    let new = FakeStore::new();
    restored(&context(new.clone(), &[2, 1]).await, &lines)
        .await
        .unwrap();
    for provider in [1, 2] {
        assert!(opens(&credential(&*new, provider).await, provider, &[2, 1]));
    }
}

#[tokio::test]
async fn g05_a_backup_made_under_a_master_key_that_is_only_one_of_the_others_now_restores() {
    let old = store(vec![(1, sealed(1, 1))]).await;
    let (lines, _) = made(&context(old, &[1]).await, BackupKind::Standard, false).await;
    assert!(header(&lines).other_master_keys.is_empty());
    let new = FakeStore::new();
    let remarks = restored(&context(new.clone(), &[2, 1]).await, &lines)
        .await
        .unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    assert!(opens(&credential(&*new, 1).await, 1, &[2, 1]));
    let refused = restored(&context(FakeStore::new(), &[2]).await, &lines).await;
    assert!(matches!(
        refused,
        Err(RestoreError::Unfit(Unfit::OtherKey { .. }))
    ));
}

#[tokio::test]
async fn g05_a_ledger_too_large_to_be_counted_is_no_reason_for_having_no_backup() {
    let old = store(vec![(1, sealed(1, 1))]).await;
    let context = context(old, &[1]).await;
    assert!(context.store.about_rows("usage_records", 1).await.is_err());
    let (lines, _) = made(&context, BackupKind::Standard, true).await;
    restored(&context, &lines).await.unwrap();
}

#[tokio::test]
async fn g05_spend_that_came_late_is_added_to_its_day_before_the_backup_is_made() {
    const DAY_MS: i64 = 86_400_000;
    let folder = tempfile::tempdir().unwrap();
    let sqlite = async |name: &str| {
        let url = format!("sqlite:{}", folder.path().join(name).display());
        open(&OpenOptions::new(&url)).await.unwrap()
    };
    let (old, new) = (sqlite("old.db").await, sqlite("new.db").await);
    let day = clock::now().0 / DAY_MS * DAY_MS - 50 * DAY_MS;
    let row = |when: &str, at: i64, cost: i64| {
        let row =
            json!({"subject_kind": "key", "subject_id": uuid::Uuid::nil(), when: at, "cost_nanousd": cost});
        row.as_object().unwrap().clone()
    };
    old.restore_rows(&SPEND_DAYS, &[row("day", day, 5)])
        .await
        .unwrap();
    let late = row("minute", day + 60_000, 2);
    old.restore_rows(&SPEND_MINUTES, &[late]).await.unwrap();

    let (lines, _) = made(&context(old, &[1]).await, BackupKind::Standard, true).await;
    restored(&context(new.clone(), &[1]).await, &lines).await.unwrap();
    let days = new.archive_rows(&SPEND_DAYS, None, 9).await.unwrap();
    assert_eq!(days, [row("day", day, 7)]);
}
