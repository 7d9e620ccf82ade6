//! The index against a model of the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::id::{Epoch, UserId};
use penstock_core::resource::{Resource, ResourceRef, Spec};
use penstock_core::user::User;
use penstock_store::Head;
use proptest::prelude::*;

use super::read::{ReadChanges, ReadLoaded, ReadResource};
use super::state::State;

/// A user whose one tag is as given.
pub(crate) fn user(id: u64, version: u64, tag: &str) -> Arc<Resource> {
    let access = Access {
        tags: vec![tag.to_owned()],
        ..Access::default()
    };
    Arc::new(Resource {
        reference: ResourceRef::User(UserId::from_parts(id, &[0; 10])),
        version,
        min_schema: 1,
        spec: Spec::User(User {
            limits: penstock_core::limits::Limits::none(),
            name: format!("user-{id}"),
            access,
        }),
    })
}

/// What a node would hold: each resource with its version.
type Held = BTreeMap<ResourceRef, u64>;

/// The store as a list of commits. State n is what all commits up to n make.
#[derive(Default)]
struct Model {
    /// (user, put or removed) of each revision, from 1.
    commits: Vec<Vec<(u64, bool)>>,
}

const EPOCH: Epoch = Epoch(uuid::Uuid::from_u128(7));

fn head(revision: usize) -> Head {
    Head {
        epoch: EPOCH,
        revision: revision as u64,
    }
}

impl Model {
    fn state(&self, revision: usize) -> Held {
        let mut held = Held::new();
        for (n, commit) in self.commits.iter().take(revision).enumerate() {
            for (id, put) in commit {
                let reference = user(*id, 0, "").reference.clone();
                match put {
                    true => held.insert(reference, n as u64 + 1),
                    false => held.remove(&reference),
                };
            }
        }
        held
    }

    /// As [`penstock_store::Store::changes_since`] answers.
    fn changes(&self, from: usize, to: usize) -> ReadChanges {
        let mut last = BTreeMap::new();
        for (n, commit) in self.commits.iter().enumerate().take(to).skip(from) {
            for (id, _) in commit {
                last.insert(*id, n + 1);
            }
        }
        let state = self.state(to);
        let mut changed: Vec<_> = last
            .into_iter()
            .map(|(id, revision)| {
                let reference = user(id, 0, "").reference.clone();
                let read = match state.get(&reference) {
                    Some(version) => ReadResource::Put(user(id, *version, "")),
                    None => ReadResource::Remove(reference),
                };
                (revision as u64, read)
            })
            .collect();
        changed.sort_by_key(|(revision, _)| *revision);
        ReadChanges {
            head: head(to),
            changed,
        }
    }
}

fn held(state: &State) -> Held {
    state
        .resources()
        .map(|resource| (resource.reference.clone(), resource.version))
        .collect()
}

proptest! {
    /// For any n: the state at n, and the delta from n to m, is the state at m. Or the delta is refused, for want of
    /// memory, and then only from below what the capacity covers.
    #[test]
    fn g02_state_and_delta_make_the_later_state(
        commits in prop::collection::vec(prop::collection::vec((0_u64..6, any::<bool>()), 1..4), 1..24),
        loaded_at in 0_usize..24,
        steps in prop::collection::vec(1_usize..5, 0..24),
        capacity in prop::sample::select(vec![3_usize, 100]),
    ) {
        let model = Model { commits };
        let mut at = loaded_at.min(model.commits.len());
        let mut state = State::empty(head(at), capacity);
        state.replace(ReadLoaded {
            head: head(at),
            resources: model.changes(0, at).changed.into_iter().map(|(_, read)| read).collect(),
        });
        let mut floor = at;
        for step in steps {
            let next = (at + step).min(model.commits.len());
            state.apply(model.changes(at, next));
            at = next;
            prop_assert_eq!(held(&state), model.state(at));
            prop_assert_eq!(state.counts().users, model.state(at).len());
            for n in 0..=at {
                let Some(delta) = state.delta(head(n)) else {
                    prop_assert!(n < loaded_at || capacity == 3, "refused from {n}");
                    floor = floor.max(n + 1);
                    continue;
                };
                prop_assert!(n >= floor, "answered from {n} after it was refused from there");
                let mut node = model.state(n);
                for reference in &delta.removals {
                    node.remove(reference);
                }
                for resource in &delta.upserts {
                    node.insert(resource.reference.clone(), resource.version);
                }
                prop_assert_eq!(node, model.state(at), "from {}", n);
                prop_assert_eq!(delta.to, head(at));
            }
        }
    }
}

fn loaded(state: &mut State, revision: usize, resources: Vec<ReadResource>) {
    state.replace(ReadLoaded {
        head: head(revision),
        resources,
    });
}

#[test]
fn a_delta_never_crosses_epochs_and_never_goes_back() {
    let mut state = State::empty(head(5), 100);
    loaded(&mut state, 5, vec![ReadResource::Put(user(1, 5, ""))]);
    let other = Head {
        epoch: Epoch(uuid::Uuid::from_u128(8)),
        revision: 5,
    };
    assert!(state.delta(other).is_none());
    assert!(state.delta(head(6)).is_none());
    assert!(state.delta(head(5)).is_some_and(|delta| delta.upserts.is_empty()));
}

#[test]
fn an_unreadable_resource_keeps_its_last_good_version_over_a_reload() {
    let mut state = State::empty(head(1), 100);
    loaded(
        &mut state,
        1,
        vec![
            ReadResource::Put(user(1, 1, "")),
            ReadResource::Put(user(2, 1, "")),
        ],
    );
    loaded(
        &mut state,
        2,
        vec![ReadResource::Keep(user(1, 0, "").reference.clone())],
    );
    assert_eq!(
        held(&state).into_keys().collect::<Vec<_>>(),
        [user(1, 0, "").reference.clone()]
    );
    assert_eq!(state.counts().users, 1);
}

#[test]
fn a_delta_shares_resources_instead_of_copying_them() {
    let resource = user(1, 2, "");
    let mut state = State::empty(head(1), 100);
    state.apply(ReadChanges {
        head: head(2),
        changed: vec![(2, ReadResource::Put(Arc::clone(&resource)))],
    });
    let delta = state.delta(head(1)).unwrap();
    assert!(Arc::ptr_eq(&delta.upserts[0], &resource));
}
