//! The first use of an imported key: its suffixed hash is replaced by the plain one (behaviour A3).

use penstock_core::api_key::KeyHash;
use penstock_core::id::KeyId;
use penstock_core::key::Key;
use penstock_core::resource::ResourceRef;
use penstock_proto::telemetry::v1::KeyUpgrade;
use penstock_store::{Commit, Error, Expect, NewSpec, Put, StoredSpec};

use crate::access::SYSTEM;
use crate::clock;
use crate::context::Context;

/// Commits the upgrade if the key is still as the node saw it. Best effort: the next use reports it again.
pub(super) async fn apply(context: &Context, node: &str, upgrade: KeyUpgrade) {
    let Some((id, hash)) = read(&upgrade) else {
        tracing::warn!(node, "a key upgrade is malformed");
        return;
    };
    match commit(context, id, upgrade.key_version, hash).await {
        Ok(true) => {
            context.metrics.key_upgrades.inc();
            tracing::info!(node, key_id = %id, "an imported key was used for the first time; its plain hash is kept now");
        }
        // Another node was first, or an operator changed the key.
        Ok(false) | Err(Error::Conflict { .. } | Error::NotFound { .. }) => {}
        Err(
            error @ (Error::NameTaken { .. }
            | Error::SecretTaken { .. }
            | Error::InUse { .. }
            | Error::Invalid(_)
            | Error::Corrupt { .. }
            | Error::Unavailable { .. }),
        ) => tracing::warn!(node, key_id = %id, %error, "an imported key keeps its suffixed hash for now"),
    }
}

fn read(upgrade: &KeyUpgrade) -> Option<(KeyId, KeyHash)> {
    let hash = KeyHash::try_from(upgrade.hash.as_slice()).ok()?;
    Some((upgrade.key_id.parse().ok()?, hash))
}

async fn commit(context: &Context, id: KeyId, version: u64, hash: KeyHash) -> Result<bool, Error> {
    let reference = ResourceRef::Key(id);
    let Some(stored) = context.store.get(&reference).await? else {
        return Ok(false);
    };
    let StoredSpec::Key(key) = stored.spec else {
        return Ok(false);
    };
    if stored.version != version || key.import_suffix.is_none() {
        return Ok(false);
    }
    let key = Key {
        hash,
        import_suffix: None,
        ..*key
    };
    let put = Put {
        min_schema: stored.min_schema,
        ..Put::new(reference, NewSpec::Key(Box::new(key)))
    };
    let commit = Commit::new(SYSTEM, "first use of an imported key", clock::now());
    context
        .store
        .commit(commit.with(put.expecting(Expect::Version(version))))
        .await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;
    use crate::tests::fake_store::FakeStore;

    fn upgrade(key_version: u64) -> KeyUpgrade {
        KeyUpgrade {
            key_id: tests::key_ref(1).id(),
            key_version,
            hash: vec![7; 32],
        }
    }

    async fn stored(context: &Context) -> (u64, Key) {
        let stored = context.store.get(&tests::key_ref(1)).await.unwrap().unwrap();
        let StoredSpec::Key(key) = stored.spec else {
            panic!("{:?}", stored.spec);
        };
        (stored.version, *key)
    }

    #[tokio::test]
    async fn a03_the_first_use_replaces_the_suffixed_hash_once() {
        let store = FakeStore::new();
        tests::commit(&store, tests::put_imported_key(1)).await;
        let context = tests::context(&store).await;
        for node in ["a", "b"] {
            apply(&context, node, upgrade(1)).await;
        }
        let (version, key) = stored(&context).await;
        assert_eq!(
            (version, key.hash, key.import_suffix),
            (2, KeyHash([7; 32]), None)
        );
        assert_eq!(context.metrics.key_upgrades.get(), 1);
    }

    #[tokio::test]
    async fn a03_a_key_that_changed_meanwhile_is_left_alone() {
        let store = FakeStore::new();
        tests::commit(&store, tests::put_imported_key(1)).await;
        tests::commit(&store, tests::put_imported_key(1)).await;
        let context = tests::context(&store).await;
        apply(&context, "a", upgrade(1)).await;
        assert_eq!(stored(&context).await.1.hash, KeyHash([1; 32]));
    }

    #[test]
    fn a03_an_upgrade_needs_an_id_and_a_whole_hash() {
        let good = KeyUpgrade {
            key_id: KeyId::from_parts(1, &[1; 10]).to_string(),
            key_version: 1,
            hash: vec![7; 32],
        };
        assert_eq!(read(&good).unwrap().1, KeyHash([7; 32]));
        assert!(
            read(&KeyUpgrade {
                hash: vec![7; 31],
                ..good.clone()
            })
            .is_none()
        );
        assert!(
            read(&KeyUpgrade {
                key_id: "x".to_owned(),
                ..good
            })
            .is_none()
        );
    }
}
