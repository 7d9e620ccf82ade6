//! What was in force is in force again after a restart, and what cannot be trusted is not read.

use std::path::Path;

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::resource::{ProviderSpec, Resource, ResourceRef, SCHEMA, Spec};
use penstock_core::secret::Secret;
use penstock_core::snapshot::{Snapshot, Update, Upsert};
use penstock_core::time::UnixMs;
use penstock_core::user::User;

use super::LastKnownGood;
use crate::config::SealKey;
use crate::snapshot::applied::Applied;

const CREDENTIAL: &str = "sk-credential-that-must-stay-sealed";

fn key() -> SealKey {
    SealKey::new("node token", [7; 32])
}

fn resource(reference: ResourceRef, version: u64, spec: Spec) -> Upsert {
    Upsert::Resource(Resource {
        reference,
        version,
        min_schema: SCHEMA,
        spec,
    })
}

fn user(n: u64, version: u64) -> Upsert {
    let user = User {
        limits: penstock_core::limits::Limits::none(),
        name: format!("user{n}"),
        access: Access::default(),
    };
    resource(
        ResourceRef::User(UserId::from_parts(n, &[1; 10])),
        version,
        Spec::User(user),
    )
}

fn api_key(n: u64, version: u64) -> Upsert {
    let key = Key {
        limits: penstock_core::limits::Limits::none(),
        name: format!("key{n}"),
        user_id: UserId::from_parts(n, &[1; 10]),
        access: Access::default(),
        hint: String::new(),
        hash: KeyHash::of(&format!("psk_secret_of_key_{n}_{version}")),
        import_suffix: None,
        previous: None,
    };
    resource(
        ResourceRef::Key(KeyId::from_parts(n, &[2; 10])),
        version,
        Spec::Key(Box::new(key)),
    )
}

fn provider(n: u64, version: u64) -> Upsert {
    let name = format!("provider{n}");
    let provider = Provider::new(name, ProviderKind::Anthropic, "https://api.example");
    let spec = ProviderSpec {
        provider,
        credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new(
            CREDENTIAL,
        ))),
        proxy_password: Some(Secret::new(CREDENTIAL)),
    };
    let reference = ResourceRef::Provider(ProviderId::from_parts(n, &[3; 10]));
    resource(reference, version, Spec::Provider(Box::new(spec)))
}

/// The same, but only a newer release would understand it.
fn too_new(upsert: Upsert) -> Upsert {
    match upsert {
        Upsert::Resource(resource) => Upsert::Resource(Resource {
            min_schema: SCHEMA + 1,
            ..resource
        }),
        unreadable @ Upsert::Unreadable(_) => unreadable,
    }
}

fn update(full: bool, to_revision: u64, upserts: Vec<Upsert>) -> Update {
    Update {
        epoch: Epoch::from_parts(1, &[9; 10]),
        full,
        from_revision: if full { 0 } else { to_revision - 1 },
        to_revision,
        upserts,
        removals: Vec::new(),
    }
}

fn delta(to_revision: u64, upserts: Vec<Upsert>) -> Update {
    update(false, to_revision, upserts)
}

/// Applies and saves updates, as the stream does.
struct Node {
    file: LastKnownGood,
    snapshot: Snapshot,
}

impl Node {
    fn start(directory: &Path, key: Option<&SealKey>) -> (Self, bool) {
        let mut file = LastKnownGood::new(directory, key);
        let loaded = file.load();
        let found = loaded.is_some();
        let snapshot = loaded.map(|loaded| loaded.snapshot).unwrap_or_default();
        (Self { file, snapshot }, found)
    }

    fn take(&mut self, update: Update) {
        let applied = Applied::new(&self.snapshot, update).unwrap();
        self.file.save(&applied, UnixMs(1_000)).unwrap();
        self.snapshot = applied.snapshot.as_ref().clone();
    }
}

/// A node that has a base and some changes.
fn busy(directory: &Path) -> Node {
    let (mut node, _) = Node::start(directory, Some(&key()));
    node.take(update(
        true,
        1,
        vec![
            provider(1, 1),
            user(1, 1),
            user(2, 1),
            api_key(1, 1),
            api_key(2, 1),
        ],
    ));
    node.take(delta(2, vec![user(3, 1), api_key(1, 2)]));
    let mut gone = delta(3, vec![]);
    gone.removals
        .push(ResourceRef::User(UserId::from_parts(2, &[1; 10])));
    node.take(gone);
    node
}

fn file(directory: &Path) -> std::path::PathBuf {
    directory.join("last-known-good")
}

#[test]
fn g03_a_restart_has_the_same_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let before = busy(directory.path()).snapshot;
    let (after, found) = Node::start(directory.path(), Some(&key()));
    assert!(found);
    assert_eq!(after.snapshot, before);
}

#[test]
fn g03_changes_after_a_restart_are_kept_too() {
    let directory = tempfile::tempdir().unwrap();
    drop(busy(directory.path()));
    let (mut node, _) = Node::start(directory.path(), Some(&key()));
    node.take(delta(4, vec![api_key(4, 1)]));
    let before = node.snapshot;
    assert_eq!(Node::start(directory.path(), Some(&key())).0.snapshot, before);
}

#[test]
fn g02_what_was_refused_is_refused_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = busy(directory.path());
    node.take(delta(
        4,
        vec![
            too_new(provider(1, 2)),
            too_new(user(1, 2)),
            too_new(api_key(9, 1)),
            user(5, 1),
        ],
    ));
    assert_eq!(node.snapshot.refused().count(), 3);
    let appended = Node::start(directory.path(), Some(&key())).0.snapshot;
    assert_eq!(appended, node.snapshot, "from a change");
    std::fs::remove_file(file(directory.path())).unwrap();
    let (mut fresh, _) = Node::start(directory.path(), Some(&key()));
    fresh.snapshot = node.snapshot.clone();
    fresh.take(delta(5, vec![]));
    let from_base = Node::start(directory.path(), Some(&key())).0.snapshot;
    assert_eq!(from_base, fresh.snapshot, "from a base");
}

#[test]
fn another_key_counts_as_absent_and_is_written_over() {
    let directory = tempfile::tempdir().unwrap();
    drop(busy(directory.path()));
    let other = SealKey::new("node token", [8; 32]);
    let (mut node, found) = Node::start(directory.path(), Some(&other));
    assert!(!found);
    node.take(update(true, 9, vec![user(1, 1)]));
    assert!(Node::start(directory.path(), Some(&other)).1);
}

#[test]
fn without_a_key_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (mut node, _) = Node::start(directory.path(), None);
    node.take(update(true, 1, vec![provider(1, 1)]));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn credentials_are_not_readable_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    drop(busy(directory.path()));
    let bytes = std::fs::read(file(directory.path())).unwrap();
    for plain in [CREDENTIAL, "provider1", "user1"] {
        assert!(
            !bytes.windows(plain.len()).any(|w| w == plain.as_bytes()),
            "{plain}"
        );
    }
}

#[test]
fn g03_a_file_cut_at_any_byte_gives_a_state_that_was_in_force_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = busy(directory.path());
    let mut states = vec![node.snapshot.clone()];
    node.take(delta(4, vec![api_key(4, 1)]));
    states.push(node.snapshot);
    let bytes = std::fs::read(file(directory.path())).unwrap();
    let mut last = 0;
    for cut in 0..=bytes.len() {
        std::fs::write(file(directory.path()), &bytes[..cut]).unwrap();
        let (mut cut_node, found) = Node::start(directory.path(), Some(&key()));
        let revision = cut_node.snapshot.revision();
        assert!(revision >= last, "more of the file never means an older state");
        last = revision;
        if let Some(state) = states.iter().find(|state| found && state.revision() == revision) {
            assert_eq!(cut_node.snapshot, *state);
        }
        if found && cut % 7 == 0 {
            cut_node.take(delta(revision + 1, vec![user(8, 1)]));
            let again = Node::start(directory.path(), Some(&key())).0.snapshot;
            assert_eq!(
                again, cut_node.snapshot,
                "cut at {cut}: a cut file can be appended to"
            );
        }
    }
    assert_eq!(last, 4);
}

#[test]
fn a_record_cannot_be_taken_out_or_moved() {
    let directory = tempfile::tempdir().unwrap();
    drop(busy(directory.path()));
    let bytes = std::fs::read(file(directory.path())).unwrap();
    let (header, mut rest) = bytes.split_at(super::layout::HEADER);
    let mut records = Vec::new();
    while let Some((record, after)) = super::layout::split(rest) {
        records.push(super::layout::framed(record).unwrap());
        rest = after;
    }
    // Base: part and end. Changes: part and end each. The first change's two records are taken out.
    assert_eq!(records.len(), 6);
    let without: Vec<u8> = [header.to_vec()]
        .into_iter()
        .chain([0, 1, 4, 5].map(|i| records[i].clone()))
        .flatten()
        .collect();
    std::fs::write(file(directory.path()), without).unwrap();
    let (node, _) = Node::start(directory.path(), Some(&key()));
    assert_eq!(node.snapshot.revision(), 1, "nothing behind the gap is believed");
}

#[test]
fn changes_that_outgrow_the_base_become_a_new_base() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = busy(directory.path());
    let mut longest = 0;
    for revision in 4..600 {
        node.take(delta(revision, vec![api_key(1, revision)]));
        longest = longest.max(std::fs::metadata(file(directory.path())).unwrap().len());
    }
    assert!(longest < 200_000, "{longest}");
    assert_eq!(
        Node::start(directory.path(), Some(&key())).0.snapshot,
        node.snapshot
    );
}

#[test]
fn a_large_base_is_written_in_parts() {
    let directory = tempfile::tempdir().unwrap();
    let (mut node, _) = Node::start(directory.path(), Some(&key()));
    node.take(update(true, 1, (0..20_000).map(|n| api_key(n, 1)).collect()));
    let (after, found) = Node::start(directory.path(), Some(&key()));
    assert!(found);
    assert_eq!(after.snapshot, node.snapshot);
}
