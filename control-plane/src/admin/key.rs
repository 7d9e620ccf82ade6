//! Keys: what callers present. A secret is hashed as soon as it is known; only a new one goes back, once.

mod find;
mod own;
mod secret;

pub(super) use secret::{check_suffix, generate};

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::id::{KeyId, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::key::{Key, PreviousSecret};
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::setting::ImportSuffix;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::key_service_server::KeyService;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, NewSpec, Op, Put, Stored, StoredSpec};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::names::Found;
use super::provider::expect_or_any;
use super::refusals::Refusals;
use super::scope::Scope;
use super::status::{self, required};
use super::{activation, labels, names, page, random, reply, resets};
use crate::clock;
use crate::context::Context;
use crate::credentials::Field;

pub(super) struct Keys(pub(super) Context);

#[tonic::async_trait]
impl KeyService for Keys {
    async fn create_key(
        &self,
        request: Request<wire::CreateKeyRequest>,
    ) -> Result<Response<wire::CreateKeyResponse>, Status> {
        let (author, scope) = (Author::of(&request), Scope::of(&request));
        let request = request.into_inner();
        let mut spec = required("spec", request.spec)?;
        own::check_create(scope, &*self.0.store, &mut spec.user_id, request.import.is_some()).await?;
        let owner = scope.user(&*self.0.store, &spec.user_id).await?;
        spec.user_id = owner.id.to_string();
        let made = secret::take(&*self.0.store, request.import, &request.prefix).await?;
        let mut key = convert::key_spec_from_wire(spec, made.hash).map_err(status::invalid_in("spec"))?;
        key.limits = resets::none(&key.limits);
        key.access = activation::none(key.access);
        key.hint = made.hint;
        key.import_suffix = made.import_suffix;
        key.validate().map_err(status::invalid_in("spec"))?;
        let (ms, unique) = random::id_parts()?;
        let reference = ResourceRef::Key(KeyId::from_parts(ms, &unique));
        let put = Put::new(reference, NewSpec::Key(Box::new(key))).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::CreateKeyResponse {
            key: Some(own::shown(scope, self.reply(stored).await?)),
            // The one time that it is shown.
            secret: made
                .generated
                .map(|secret| secret.expose().to_owned())
                .unwrap_or_default(),
            revision,
        }))
    }

    async fn get_key(
        &self,
        request: Request<wire::GetKeyRequest>,
    ) -> Result<Response<wire::GetKeyResponse>, Status> {
        let scope = Scope::of(&request);
        let found = scope.key(&*self.0.store, &request.into_inner().key).await?;
        let key = own::shown(scope, self.reply(found.stored).await?);
        Ok(Response::new(wire::GetKeyResponse { key: Some(key) }))
    }

    async fn list_keys(
        &self,
        request: Request<wire::ListKeysRequest>,
    ) -> Result<Response<wire::ListKeysResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let user = match request.user.as_str() {
            "" => scope.own(),
            name => Some(scope.user(&*self.0.store, name).await?.id),
        };
        let asked = page::asked(request.page);
        let listed = self.0.store.list(&Filter::Keys { user }, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let keys = self.reply_all(listed.resources).await?.into_iter();
        Ok(Response::new(wire::ListKeysResponse {
            keys: keys.map(|key| own::shown(scope, key)).collect(),
            page: Some(next),
        }))
    }

    async fn update_key(
        &self,
        request: Request<wire::UpdateKeyRequest>,
    ) -> Result<Response<wire::UpdateKeyResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let found = names::key(&*self.0.store, &request.key).await?;
        let expect = mask.expect(request.expected_version, found.stored.version)?;
        let current = convert::key_spec_to_wire(&found.value);
        let mut spec = mask.spec("penstock.config.v1.KeySpec", Some(current), request.spec)?;
        self.check_owner(&found, &spec.user_id).await?;
        spec.user_id = found.value.user_id.to_string();
        let written =
            convert::key_spec_from_wire(spec, found.value.hash).map_err(status::invalid_in("spec"))?;
        // Operators write name, access and limits; the secret and what is known of it stay.
        let key = Key {
            name: written.name,
            access: activation::kept(written.access, &found.value.access, clock::now()),
            limits: resets::kept(&written.limits, &found.value.limits),
            ..found.value
        };
        key.validate().map_err(status::invalid_in("spec"))?;
        let put = Put::new(found.stored.reference, NewSpec::Key(Box::new(key))).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::UpdateKeyResponse {
            key: Some(self.reply(stored).await?),
            revision,
        }))
    }

    async fn delete_key(
        &self,
        request: Request<wire::DeleteKeyRequest>,
    ) -> Result<Response<wire::DeleteKeyResponse>, Status> {
        let (author, scope) = (Author::of(&request), Scope::of(&request));
        let request = request.into_inner();
        scope.may_change(&*self.0.store).await?;
        let found = scope.key(&*self.0.store, &request.key).await?;
        let op = Op::delete(found.stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteKeyResponse { revision }))
    }

    async fn rotate_key(
        &self,
        request: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        let (author, scope) = (Author::of(&request), Scope::of(&request));
        let request = request.into_inner();
        scope.may_change(&*self.0.store).await?;
        let found = scope.key(&*self.0.store, &request.key).await?;
        let expect = Expect::Version(found.stored.version);
        let (key, secret) = rotated(found.value, request.overlap_ms)?;
        let put = Put::new(found.stored.reference, NewSpec::Key(Box::new(key))).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        Ok(Response::new(wire::RotateKeyResponse {
            key: Some(own::shown(scope, self.reply(stored).await?)),
            // The one time that it is shown.
            secret: secret.expose().to_owned(),
            revision,
        }))
    }

    async fn find_key(
        &self,
        request: Request<wire::FindKeyRequest>,
    ) -> Result<Response<wire::FindKeyResponse>, Status> {
        let secret = Secret::trimmed(&request.into_inner().secret);
        let now = clock::now();
        let found = find::by_secret(&self.0, &secret, now).await?;
        let owner = names::get(&*self.0.store, &ResourceRef::User(found.key.value.user_id)).await?;
        let owner = owner.and_then(names::as_user).map(|user| user.value);
        let state = found.state(owner.as_ref(), now);
        Ok(Response::new(wire::FindKeyResponse {
            key: Some(self.reply(found.key.stored).await?),
            state,
            previous: found.previous,
        }))
    }

    async fn create_import_suffix(
        &self,
        request: Request<wire::CreateImportSuffixRequest>,
    ) -> Result<Response<wire::CreateImportSuffixResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let suffix = ImportSuffix {
            secret: Secret::new(request.secret),
        };
        secret::check_suffix(&request.name, &suffix).map_err(|error| status::invalid(&error))?;
        let reference = ResourceRef::ImportSuffix(request.name.into());
        let sealed = self
            .0
            .sealer
            .seal(&reference, Field::Suffix, &suffix.secret)
            .map_err(|error| {
                tracing::error!(%error, %reference, "an import suffix cannot be sealed");
                Status::internal(format!("the suffix cannot be sealed: {error}"))
            })?;
        let put = Put::new(reference, NewSpec::ImportSuffix(sealed)).expecting(Expect::Absent);
        let revision = author.commit(&self.0, request.change, put).await?.revision;
        Ok(Response::new(wire::CreateImportSuffixResponse { revision }))
    }
}

impl Keys {
    async fn reply(&self, stored: Stored) -> Result<wire::Key, Status> {
        let keys = self.reply_all(vec![stored]).await?;
        let lost = || Status::internal("the store answered with a resource of another kind");
        keys.into_iter().next().ok_or_else(lost)
    }

    async fn reply_all(&self, stored: Vec<Stored>) -> Result<Vec<wire::Key>, Status> {
        let refusals = Refusals::read(&*self.0.store).await?;
        let owners = self.owners(&stored).await?;
        let now = clock::now();
        let reply = |stored: Stored| {
            let owner = owner_of(&stored).and_then(|id| owners.get(&id).cloned());
            reply::key(stored, owner.unwrap_or_default(), &refusals, now)
        };
        stored.into_iter().map(reply).collect()
    }

    /// The names of the keys' owners, each asked for once.
    async fn owners(&self, keys: &[Stored]) -> Result<BTreeMap<UserId, String>, Status> {
        let ids: BTreeSet<UserId> = keys.iter().filter_map(owner_of).collect();
        let mut owners = BTreeMap::new();
        for id in ids {
            // A user that was made a moment ago may not be in the index yet.
            let name = match labels::name(&self.0.index, &ResourceRef::User(id)) {
                Some(name) => name,
                None => names::user_name(&*self.0.store, id).await?,
            };
            owners.insert(id, name);
        }
        Ok(owners)
    }

    /// A key stays with its user: an update may leave the owner out or name the present one.
    async fn check_owner(&self, key: &Found<KeyId, Key>, owner: &str) -> Result<(), Status> {
        if owner.is_empty() || names::user(&*self.0.store, owner).await?.id == key.value.user_id {
            return Ok(());
        }
        let problem = "cannot change: a key stays with its user; make a new key for the other one";
        Err(status::invalid(&Invalid::new("spec.user_id", problem)))
    }
}

fn owner_of(stored: &Stored) -> Option<UserId> {
    match &stored.spec {
        StoredSpec::Key(key) => Some(key.user_id),
        StoredSpec::Provider(_)
        | StoredSpec::User(_)
        | StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => None,
    }
}

/// The key with a new secret, and the secret. The old one goes on working for the overlap.
fn rotated(key: Key, overlap_ms: u64) -> Result<(Key, Secret), Status> {
    if overlap_ms > 0 && key.import_suffix.is_some() {
        return Err(Status::failed_precondition(
            "the key was imported with a suffix and not used since, so its old secret cannot overlap with the new one; \
             rotate without overlap, or after its first use",
        ));
    }
    let (secret, hash) = secret::generate("")?;
    let previous = (overlap_ms > 0).then(|| PreviousSecret {
        hash: key.hash,
        valid_until: clock::now().plus_ms(overlap_ms),
    });
    let key = Key {
        hint: penstock_core::api_key::hint(&secret),
        hash,
        import_suffix: None,
        previous,
        ..key
    };
    Ok((key, secret))
}

#[cfg(test)]
mod tests {
    use penstock_core::access::Access;
    use penstock_core::api_key::KeyHash;

    use super::*;

    fn key(import_suffix: Option<&str>) -> Key {
        Key {
            limits: penstock_core::limits::Limits::none(),
            name: "laptop".into(),
            user_id: UserId::from_parts(1, &[1; 10]),
            access: Access::default(),
            hint: String::new(),
            hash: KeyHash::of("old"),
            import_suffix: import_suffix.map(str::to_owned),
            previous: None,
        }
    }

    #[test]
    fn a03_a_rotation_keeps_the_old_secret_for_the_overlap_only() {
        let (after, secret) = rotated(key(None), 60_000).unwrap();
        assert_eq!(after.hash, KeyHash::of(secret.expose()));
        assert_eq!(after.previous.unwrap().hash, KeyHash::of("old"));
        assert!(after.previous.unwrap().valid_until > clock::now());
        assert!(after.hint.starts_with("psk_"));
        assert!(rotated(key(None), 0).unwrap().0.previous.is_none());
    }

    #[test]
    fn a03_a_suffixed_key_is_rotated_at_once_or_not_at_all() {
        let refused = rotated(key(Some("relay")), 60_000).err().unwrap();
        assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
        let (after, _) = rotated(key(Some("relay")), 0).unwrap();
        assert_eq!(after.import_suffix, None);
    }
}
