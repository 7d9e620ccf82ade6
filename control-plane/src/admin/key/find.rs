//! Whose key is this? The way that a data plane goes: the plain hash first, on a miss the import suffixes.
//!
//! Other than a data plane it also finds a former secret whose overlap is over, and says so: that is what somebody who
//! asks wants to know.

use penstock_core::access::{self, Denied};
use penstock_core::api_key::{KeyHash, MAX_BYTES};
use penstock_core::id::KeyId;
use penstock_core::key::Key;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{Filter, Lookup, Page, Sealed, StoredSpec};
use tonic::Status;

use crate::admin::names::{self, Found};
use crate::admin::status;
use crate::context::Context;
use crate::credentials::Field;

/// A key and how the secret belongs to it.
pub(super) struct FoundKey {
    pub(super) key: Found<KeyId, Key>,
    /// The secret is the one before the last rotation.
    pub(super) previous: bool,
    /// It no longer works, or it is not what the key's own hash was made of.
    over: bool,
}

/// The key of a secret.
pub(super) async fn by_secret(context: &Context, secret: &Secret, now: UnixMs) -> Result<FoundKey, Status> {
    // To hash it.
    let text = secret.expose();
    if !text.is_empty() && text.len() <= MAX_BYTES {
        if let Some(found) = by_hash(context, KeyHash::of(text), None, now).await? {
            return Ok(found);
        }
        for (name, suffix) in suffixes(context).await? {
            let hash = KeyHash::of_suffixed(text, suffix.expose());
            if let Some(found) = by_hash(context, hash, Some(&name), now).await? {
                return Ok(found);
            }
        }
    }
    Err(Status::not_found("no key has this secret"))
}

async fn by_hash(
    context: &Context,
    hash: KeyHash,
    suffix: Option<&str>,
    now: UnixMs,
) -> Result<Option<FoundKey>, Status> {
    let found = context
        .store
        .find(Lookup::KeyHash(hash))
        .await
        .map_err(status::from_store)?;
    let key = found.into_iter().next().and_then(names::as_key);
    Ok(key.and_then(|key| judge(key, hash, suffix, now)))
}

fn judge(key: Found<KeyId, Key>, hash: KeyHash, suffix: Option<&str>, now: UnixMs) -> Option<FoundKey> {
    if key.value.hash == hash && key.value.import_suffix.as_deref() == suffix {
        return Some(FoundKey {
            key,
            previous: false,
            over: false,
        });
    }
    let former = key
        .value
        .previous
        .filter(|former| former.hash == hash && suffix.is_none())?;
    Some(FoundKey {
        key,
        previous: true,
        over: now >= former.valid_until,
    })
}

async fn suffixes(context: &Context) -> Result<Vec<(String, Secret)>, Status> {
    let page = Page::first(Page::MAX);
    let listed = context
        .store
        .list(&Filter::ImportSuffixes, &page)
        .await
        .map_err(status::from_store)?;
    let open = |(reference, sealed): (ResourceRef, Sealed)| {
        let opened = context.sealer.unseal(&reference, Field::Suffix, &sealed);
        if let Err(error) = &opened {
            tracing::error!(%error, %reference, "an import suffix cannot be read");
        }
        Some((reference.id(), opened.ok()?))
    };
    let sealed = listed
        .resources
        .into_iter()
        .filter_map(|stored| match stored.spec {
            StoredSpec::ImportSuffix(sealed) => Some((stored.reference, sealed)),
            StoredSpec::Provider(_)
            | StoredSpec::User(_)
            | StoredSpec::Key(_)
            | StoredSpec::Price(_)
            | StoredSpec::Setting(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => None,
        });
    Ok(sealed.filter_map(open).collect())
}

impl FoundKey {
    /// `valid`, or what a caller would be told.
    pub(super) fn state(&self, owner: Option<&User>, now: UnixMs) -> String {
        let verdict = match owner {
            _ if self.over => Err(Denied::UnknownKey),
            None => Err(Denied::UserDisabled),
            Some(user) => access::check(&user.access, &self.key.value.access, now),
        };
        verdict.map_or_else(|denied| denied.to_string(), |()| "valid".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::access::Access;
    use penstock_core::id::UserId;
    use penstock_core::key::PreviousSecret;
    use penstock_store::Stored;

    use super::*;

    const NOW: UnixMs = UnixMs(1_000);

    fn key() -> Found<KeyId, Key> {
        let id = KeyId::from_parts(1, &[1; 10]);
        let value = Key {
            limits: penstock_core::limits::Limits::none(),
            name: "laptop".into(),
            user_id: UserId::from_parts(1, &[1; 10]),
            access: Access::default(),
            hint: String::new(),
            hash: KeyHash::of("new"),
            import_suffix: None,
            previous: Some(PreviousSecret {
                hash: KeyHash::of("old"),
                valid_until: UnixMs(1_001),
            }),
        };
        let stored = Stored {
            reference: ResourceRef::Key(id),
            version: 1,
            min_schema: 1,
            spec: StoredSpec::Key(Box::new(value.clone())),
            created_at: UnixMs(1),
            updated_at: UnixMs(1),
        };
        Found { id, value, stored }
    }

    fn owner(enabled: bool) -> User {
        User {
            limits: penstock_core::limits::Limits::none(),
            name: "alice".into(),
            access: Access {
                enabled,
                ..Access::default()
            },
        }
    }

    fn state(secret: &str, now: UnixMs, owner: Option<&User>) -> Option<(String, bool)> {
        let found = judge(key(), KeyHash::of(secret), None, now)?;
        Some((found.state(owner, now), found.previous))
    }

    #[test]
    fn a03_a_secret_is_found_with_its_state() {
        let fine = owner(true);
        assert_eq!(state("new", NOW, Some(&fine)), Some(("valid".into(), false)));
        assert_eq!(state("old", NOW, Some(&fine)), Some(("valid".into(), true)));
        assert_eq!(
            state("new", NOW, Some(&owner(false))),
            Some(("User is disabled".into(), false))
        );
        assert_eq!(state("other", NOW, Some(&fine)), None);
    }

    #[test]
    fn a03_a_former_secret_is_named_also_when_its_overlap_is_over() {
        let fine = owner(true);
        assert_eq!(
            state("old", UnixMs(1_001), Some(&fine)),
            Some(("Invalid API key".into(), true))
        );
    }

    #[test]
    fn a_suffixed_hash_is_no_plain_one() {
        assert!(judge(key(), KeyHash::of("new"), Some("relay"), NOW).is_none());
    }
}
