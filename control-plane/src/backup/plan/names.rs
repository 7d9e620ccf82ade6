//! Keeping names free: where a resource has a name that another one shall get, it moves out of the way first.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::key::Key;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::user::User;
use penstock_store::{CredentialChange, Expect, NewSpec, Op, Put, StoredSpec};

use super::Present;
use crate::backup::resource::{Item, ItemSpec};

/// A name among those that must differ from it.
type Name<'a> = (&'static str, String, &'a str);

/// Adds the moves to the operations. Which resources were moved.
pub(super) fn make_way(ops: &mut Vec<Op>, items: &[Item], present: &Present) -> BTreeSet<ResourceRef> {
    let mut shall_have: BTreeMap<Name<'_>, &ResourceRef> = BTreeMap::new();
    for item in items {
        shall_have.extend(wanted(&item.spec).map(|name| (name, &item.reference)));
    }
    let mut moved = BTreeSet::new();
    for item in items {
        let Some(now) = present.readable.get(&item.reference) else {
            continue;
        };
        let Some((name, elsewhere)) = has(&now.spec, &item.reference) else {
            continue;
        };
        if shall_have
            .get(&name)
            .is_some_and(|other| **other != item.reference)
        {
            let put = Put::new(item.reference.clone(), elsewhere);
            ops.push(put.expecting(Expect::Version(now.version)).into());
            moved.insert(item.reference.clone());
        }
    }
    moved
}

fn wanted(spec: &ItemSpec) -> Option<Name<'_>> {
    match spec {
        ItemSpec::Provider { provider, .. } => Some(("provider", String::new(), &provider.name)),
        ItemSpec::User(user) => Some(("user", String::new(), &user.name)),
        ItemSpec::Key(key) => Some(("key", key.user_id.to_string(), &key.name)),
        ItemSpec::ImportSuffix(_)
        | ItemSpec::Price(_)
        | ItemSpec::Setting(_)
        | ItemSpec::ErrorRule(_)
        | ItemSpec::WordRule(_)
        | ItemSpec::RequestFilter(_) => None,
    }
}

/// The present name, and the resource under one that nobody has.
fn has<'a>(spec: &'a StoredSpec, reference: &ResourceRef) -> Option<(Name<'a>, NewSpec)> {
    let name = format!("moving-{}", reference.id());
    match spec {
        StoredSpec::Provider(stored) => {
            let moved = NewSpec::Provider {
                provider: Box::new(Provider {
                    name,
                    ..stored.provider.clone()
                }),
                credential: CredentialChange::Keep,
                proxy_password: CredentialChange::Keep,
            };
            Some((("provider", String::new(), &stored.provider.name), moved))
        }
        StoredSpec::User(user) => {
            let moved = NewSpec::User(User { name, ..user.clone() });
            Some((("user", String::new(), &user.name), moved))
        }
        StoredSpec::Key(key) => {
            let moved = NewSpec::Key(Box::new(Key {
                name,
                ..(**key).clone()
            }));
            Some((("key", key.user_id.to_string(), &key.name), moved))
        }
        StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => None,
    }
}
