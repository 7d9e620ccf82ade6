//! One resource of a backup over what is there.
//!
//! A secret that says what the present one says is kept, so that its version stays: an access token that was obtained
//! with it stays worth something. One that nobody could open when the backup was made comes back as it was, but not over one
//! that opens.

use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_store::{
    Credential, CredentialChange, Expect, NewSpec, Put, Stored, StoredProvider, StoredSpec,
};

use crate::backup::resource::{Item, ItemSpec};
use crate::backup::secret::Opened;
use crate::credentials::{Field, Sealer};

/// None: it is the same already.
pub(super) fn over(
    item: Item,
    now: Option<&Stored>,
    expect: Expect,
    sealer: &Sealer,
) -> Result<Option<Put>, Invalid> {
    let Item {
        reference,
        created_at,
        spec,
    } = item;
    let spec = match (spec, now.map(|now| &now.spec)) {
        (
            ItemSpec::Provider {
                provider,
                credential,
                proxy_password,
            },
            now,
        ) => {
            let now = match now {
                Some(StoredSpec::Provider(now)) => Some(&**now),
                Some(_) | None => None,
            };
            provider_over(&reference, (provider, credential, proxy_password), now, sealer)
        }
        (ItemSpec::ImportSuffix(opened), Some(StoredSpec::ImportSuffix(now))) => {
            let present = sealer.unseal(&reference, Field::Suffix, now);
            let replaces = opened.replaces(now, present.ok().as_ref());
            replaces.then_some(NewSpec::ImportSuffix(opened.sealed))
        }
        (ItemSpec::ImportSuffix(opened), _) => Some(NewSpec::ImportSuffix(opened.sealed)),
        (ItemSpec::Key(key), Some(StoredSpec::Key(now))) if now.user_id != key.user_id => {
            let problem = "belongs to another user here: delete it first";
            return Err(Invalid::new(reference.to_string(), problem));
        }
        (spec, now) => plain_over(spec, now),
    };
    Ok(spec.map(|spec| Put::new(reference, spec).expecting(expect).made_at(created_at)))
}

fn plain_over(spec: ItemSpec, now: Option<&StoredSpec>) -> Option<NewSpec> {
    let (stored, new) = match spec {
        ItemSpec::User(user) => (StoredSpec::User(user.clone()), NewSpec::User(user)),
        ItemSpec::Key(key) => (StoredSpec::Key(key.clone()), NewSpec::Key(key)),
        ItemSpec::Price(price) => (StoredSpec::Price(price.clone()), NewSpec::Price(price)),
        ItemSpec::Setting(setting) => (StoredSpec::Setting(setting.clone()), NewSpec::Setting(setting)),
        ItemSpec::ErrorRule(rule) => (StoredSpec::ErrorRule(rule.clone()), NewSpec::ErrorRule(rule)),
        ItemSpec::WordRule(rule) => (StoredSpec::WordRule(rule.clone()), NewSpec::WordRule(rule)),
        ItemSpec::RequestFilter(filter) => (
            StoredSpec::RequestFilter(filter.clone()),
            NewSpec::RequestFilter(filter),
        ),
        // Come another way.
        ItemSpec::Provider { .. } | ItemSpec::ImportSuffix(_) => return None,
    };
    (now != Some(&stored)).then_some(new)
}

fn provider_over(
    place: &ResourceRef,
    (provider, credential, password): (
        Box<penstock_core::provider::Provider>,
        Option<Opened>,
        Option<Opened>,
    ),
    now: Option<&StoredProvider>,
    sealer: &Sealer,
) -> Option<NewSpec> {
    let change = |wanted: Option<Opened>, field, present: Option<&Credential>| {
        let Some(present) = present.map(|present| &present.sealed) else {
            return wanted.map_or(CredentialChange::Keep, |wanted| {
                CredentialChange::Set(wanted.sealed)
            });
        };
        let says = sealer.unseal(place, field, present).ok();
        match wanted {
            Some(wanted) if wanted.replaces(present, says.as_ref()) => CredentialChange::Set(wanted.sealed),
            Some(_) => CredentialChange::Keep,
            None => CredentialChange::Clear,
        }
    };
    let present = now.and_then(|now| now.credential.as_ref());
    let credential = change(credential, Field::Credential, present);
    let present = now.and_then(|now| now.proxy_password.as_ref());
    let proxy_password = change(password, Field::ProxyPassword, present);
    let keeps = |change: &CredentialChange| matches!(change, CredentialChange::Keep);
    let same =
        now.is_some_and(|now| now.provider == *provider) && keeps(&credential) && keeps(&proxy_password);
    // Over a damaged row nothing can be kept.
    let or_clear = |change| match (change, now) {
        (CredentialChange::Keep, None) => CredentialChange::Clear,
        (change, _) => change,
    };
    (!same).then(|| NewSpec::Provider {
        provider,
        credential: or_clear(credential),
        proxy_password: or_clear(proxy_password),
    })
}
