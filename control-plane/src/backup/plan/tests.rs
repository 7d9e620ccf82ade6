use std::num::NonZeroI64;

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::limits::Limits;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{
    Credential, CredentialChange, Head, NewSpec, Sealed, StoredProvider, StoredSpec, Unreadable,
};
use uuid::Uuid;

use super::*;
use crate::backup::resource::ItemSpec;
use crate::backup::secret::Opened;
use crate::credentials::{Field, MasterKey};

fn sealer() -> Sealer {
    Sealer::new(&MasterKey::from_bytes([1; 32])).ok().unwrap()
}

fn user_ref(n: u8) -> ResourceRef {
    ResourceRef::User(UserId::from_parts(1, &[n; 10]))
}

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        access: Access::default(),
        limits: Limits::none(),
    }
}

fn key(owner: u8, name: &str) -> Key {
    Key {
        name: name.to_owned(),
        user_id: UserId::from_parts(1, &[owner; 10]),
        access: Access::default(),
        limits: Limits::none(),
        hint: String::new(),
        hash: KeyHash::of(name),
        import_suffix: None,
        previous: None,
    }
}

fn provider_ref() -> ResourceRef {
    ResourceRef::Provider(ProviderId::from_parts(1, &[1; 10]))
}

fn seal(secret: &str) -> Sealed {
    sealer()
        .seal(&provider_ref(), Field::Credential, &Secret::new(secret))
        .unwrap()
}

fn stored(reference: ResourceRef, spec: StoredSpec) -> Stored {
    Stored {
        reference,
        version: 3,
        min_schema: 1,
        spec,
        created_at: UnixMs(1),
        updated_at: UnixMs(1),
    }
}

fn provider_row(secret: &str) -> Stored {
    let provider = StoredProvider {
        provider: Provider::new("main", ProviderKind::Anthropic, "https://a.example"),
        credential: Some(Credential {
            sealed: seal(secret),
            version: 2,
        }),
        proxy_password: None,
        token: None,
    };
    stored(provider_ref(), StoredSpec::Provider(Box::new(provider)))
}

fn provider_item(secret: &str) -> Item {
    let opened = Opened {
        sealed: seal(secret),
        plain: Some(Secret::new(secret)),
    };
    item(
        provider_ref(),
        ItemSpec::Provider {
            provider: Box::new(Provider::new(
                "main",
                ProviderKind::Anthropic,
                "https://a.example",
            )),
            credential: Some(opened),
            proxy_password: None,
        },
    )
}

fn user_row(n: u8, name: &str) -> Stored {
    stored(user_ref(n), StoredSpec::User(user(name)))
}

fn item(reference: ResourceRef, spec: ItemSpec) -> Item {
    Item {
        reference,
        created_at: UnixMs(7),
        spec,
    }
}

fn user_item(n: u8, name: &str) -> Item {
    item(user_ref(n), ItemSpec::User(user(name)))
}

fn key_item(n: u8, owner: u8, name: &str) -> Item {
    let reference = ResourceRef::Key(KeyId::from_parts(1, &[n; 10]));
    item(reference, ItemSpec::Key(Box::new(key(owner, name))))
}

fn plan(present: Vec<Stored>, items: Vec<Item>) -> Plan {
    plan_over(present, Vec::new(), items)
}

fn plan_over(resources: Vec<Stored>, unreadable: Vec<Unreadable>, items: Vec<Item>) -> Plan {
    let head = Head {
        epoch: Epoch(Uuid::nil()),
        revision: 9,
    };
    let loaded = Loaded {
        head,
        resources,
        unreadable,
    };
    make(loaded, items, &sealer()).unwrap()
}

#[test]
fn g05_what_is_the_same_is_left_alone() {
    let plan = plan(
        vec![user_row(1, "ann"), provider_row("sk-1")],
        vec![user_item(1, "ann"), provider_item("sk-1")],
    );
    assert!(plan.ops.is_empty());
    assert_eq!(plan.tallies["users"].unchanged, 1);
    assert_eq!(plan.tallies["providers"].unchanged, 1);
}

#[test]
fn g05_what_is_not_in_the_backup_is_deleted_before_names_are_taken() {
    let plan = plan(vec![user_row(1, "ann")], vec![user_item(2, "ann")]);
    let [Op::Delete { reference, expect }, Op::Put(put)] = plan.ops.as_slice() else {
        panic!("{:?}", plan.ops);
    };
    assert_eq!((reference, *expect), (&user_ref(1), Expect::Version(3)));
    assert_eq!((put.expect, put.created_at), (Expect::Absent, NonZeroI64::new(7)));
    let tally = plan.tallies["users"];
    assert_eq!((tally.rows, tally.created, tally.deleted), (1, 1, 1));
}

fn many(n: usize) -> Vec<Item> {
    let of = |n: usize| ResourceRef::User(UserId::from_parts(u64::try_from(n).unwrap(), &[0; 10]));
    let items = (0..n).map(|n| item(of(n), ItemSpec::User(user(&format!("user-{n}")))));
    items.collect()
}

fn sizes(plan: Plan) -> Vec<usize> {
    plan.commits().iter().map(Vec::len).collect()
}

#[test]
fn g05_more_than_a_commit_holds_comes_back_into_a_new_installation_in_several() {
    assert_eq!(sizes(plan(Vec::new(), Vec::new())), [0]);
    assert_eq!(sizes(plan(Vec::new(), many(MAX_OPS))), [MAX_OPS]);
    assert_eq!(sizes(plan(Vec::new(), many(MAX_OPS + 1))), [MAX_OPS, 1]);
    // What is there goes first, with the first of what comes.
    let over = plan(vec![user_row(1, "ann")], many(2 * MAX_OPS));
    assert!(matches!(over.ops.first(), Some(Op::Delete { .. })));
    assert_eq!(sizes(over), [MAX_OPS, MAX_OPS, 1]);
}

#[test]
fn g05_what_is_there_is_not_changed_in_several_commits() {
    let mut items = many(MAX_OPS);
    items.push(provider_item("sk-2"));
    let loaded = |resources| Loaded {
        head: Head {
            epoch: Epoch(Uuid::nil()),
            revision: 9,
        },
        resources,
        unreadable: Vec::new(),
    };
    let refused = make(loaded(vec![provider_row("sk-1")]), items, &sealer()).unwrap_err();
    assert!(refused.problem.contains("new installation"), "{refused}");
}

#[test]
fn g05_two_that_swap_their_names_do_not_stand_in_each_others_way() {
    let plan = plan(
        vec![user_row(1, "ann"), user_row(2, "bob")],
        vec![user_item(1, "bob"), user_item(2, "ann")],
    );
    let names: Vec<String> = plan.ops.iter().map(name_of).collect();
    assert!(
        names[0].starts_with("moving-") && names[1].starts_with("moving-"),
        "{names:?}"
    );
    assert_eq!(names[2..], ["bob", "ann"]);
    assert_eq!(plan.tallies["users"].updated, 2);
}

fn name_of(op: &Op) -> String {
    let Op::Put(put) = op else { panic!("a deletion") };
    let NewSpec::User(user) = &put.spec else {
        panic!("{put:?}")
    };
    user.name.clone()
}

#[test]
fn g05_owners_come_before_what_they_own_whatever_the_order_of_the_file() {
    let plan = plan(Vec::new(), vec![key_item(1, 1, "laptop"), user_item(1, "ann")]);
    let kinds: Vec<Kind> = plan.ops.iter().map(|op| op.reference().kind()).collect();
    assert_eq!(kinds, [Kind::User, Kind::Key]);
}

#[test]
fn g05_another_secret_is_set_and_a_missing_one_cleared() {
    let credential = |plan: &Plan| {
        let Some(Op::Put(put)) = plan.ops.first() else {
            panic!("a deletion")
        };
        let NewSpec::Provider { credential, .. } = &put.spec else {
            panic!("{put:?}")
        };
        credential.clone()
    };
    let other = plan(vec![provider_row("sk-1")], vec![provider_item("sk-2")]);
    assert!(matches!(credential(&other), CredentialChange::Set(_)));
    let mut without = provider_item("sk-1");
    if let ItemSpec::Provider { credential, .. } = &mut without.spec {
        *credential = None;
    }
    let cleared = plan(vec![provider_row("sk-1")], vec![without]);
    assert!(matches!(credential(&cleared), CredentialChange::Clear));
}

#[test]
fn g05_a_row_that_cannot_be_read_is_written_over_or_deleted() {
    let damaged = |n| Unreadable {
        reference: user_ref(n),
        problem: "damaged".to_owned(),
    };
    let plan = plan_over(
        Vec::new(),
        vec![damaged(1), damaged(2)],
        vec![user_item(1, "ann")],
    );
    assert_eq!(plan.ops.len(), 2);
    assert_eq!(plan.tallies["users"].updated, 1);
    assert_eq!(plan.tallies["users"].deleted, 1);
}
