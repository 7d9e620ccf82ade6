//! From what is stored to what data planes get: credentials unsealed, unreadable rows dealt with.

use std::sync::Arc;

use penstock_core::credential::{Bearer, Credential, Renewal};
use penstock_core::resource::{ImportSuffixSpec, Kind, ProviderSpec, Resource, ResourceRef, Spec};
use penstock_core::setting::ImportSuffix;
use penstock_store::{
    Changes, Credential as SealedCredential, Current, Head, Loaded, Stored, StoredProvider, StoredSpec,
    StoredToken, TokenState, Unreadable,
};

use crate::credentials::{Definition, Field, Sealer, TokenSet};
use crate::metrics::Metrics;

/// What becomes of a resource.
pub(super) enum ReadResource {
    Put(Arc<Resource>),
    Remove(ResourceRef),
    /// Cannot be read; the last good version stays.
    Keep(ResourceRef),
}

pub(super) struct ReadLoaded {
    pub(super) head: Head,
    pub(super) resources: Vec<ReadResource>,
}

pub(super) struct ReadChanges {
    pub(super) head: Head,
    /// With the revision of each one's last change.
    pub(super) changed: Vec<(u64, ReadResource)>,
}

pub(super) fn loaded(loaded: Loaded, sealer: &Sealer, metrics: &Metrics) -> ReadLoaded {
    let readable = loaded
        .resources
        .into_iter()
        .map(|stored| resource(stored, sealer, metrics));
    let unreadable = loaded.unreadable.into_iter().map(unreadable);
    ReadLoaded {
        head: loaded.head,
        resources: readable.chain(unreadable).collect(),
    }
}

pub(super) fn changes(changes: Changes, sealer: &Sealer, metrics: &Metrics) -> ReadChanges {
    let read = |current| match current {
        Current::Put(stored) => resource(stored, sealer, metrics),
        Current::Removed(reference) => ReadResource::Remove(reference),
        Current::Unreadable(row) => unreadable(row),
    };
    let changed = changes
        .changed
        .into_iter()
        .map(|changed| (changed.revision, read(changed.current)));
    ReadChanges {
        head: changes.head,
        changed: changed.collect(),
    }
}

fn resource(stored: Stored, sealer: &Sealer, metrics: &Metrics) -> ReadResource {
    let Stored {
        reference,
        version,
        min_schema,
        spec,
        ..
    } = stored;
    let spec = match spec {
        StoredSpec::Provider(provider) => {
            Spec::Provider(Box::new(provider_spec(*provider, &reference, sealer, metrics)))
        }
        StoredSpec::User(user) => Spec::User(user),
        StoredSpec::Key(key) => Spec::Key(key),
        StoredSpec::Price(price) => Spec::Price(price),
        StoredSpec::Setting(setting) => Spec::Setting(setting),
        StoredSpec::ErrorRule(rule) => Spec::ErrorRule(rule),
        StoredSpec::WordRule(rule) => Spec::WordRule(rule),
        StoredSpec::RequestFilter(rule) => Spec::RequestFilter(rule),
        StoredSpec::ImportSuffix(sealed) => match sealer.unseal(&reference, Field::Suffix, &sealed) {
            Ok(secret) => Spec::ImportSuffix(ImportSuffixSpec(ImportSuffix { secret })),
            Err(error) => {
                metrics.unsealable.inc();
                tracing::error!(resource = %reference, %error, "import suffix cannot be unsealed; keys that need it are refused");
                return ReadResource::Remove(reference);
            }
        },
    };
    ReadResource::Put(Arc::new(Resource {
        reference,
        version,
        // During an upgrade a replica that knows no limits writes a limited row as if it had none.
        min_schema: min_schema.max(spec.required_schema()),
        spec,
    }))
}

fn provider_spec(
    stored: StoredProvider,
    reference: &ResourceRef,
    sealer: &Sealer,
    metrics: &Metrics,
) -> ProviderSpec {
    let StoredProvider {
        provider,
        credential,
        proxy_password,
        token,
    } = stored;
    let unseal = |field: Field, secret: Option<SealedCredential>| {
        let unsealed = sealer.unseal(reference, field, &secret?.sealed);
        if let Err(error) = &unsealed {
            metrics.unsealable.inc();
            tracing::error!(
                provider = provider.name,
                secret = ?field,
                %error,
                "a secret of the provider cannot be unsealed; it gets no calls until the secret is set again"
            );
        }
        unsealed.ok()
    };
    let had_password = proxy_password.is_some();
    let proxy_password = unseal(Field::ProxyPassword, proxy_password);
    // The proxy would refuse each call, so it is no candidate either.
    let usable = proxy_password.is_some() || !had_password;
    let version = credential.as_ref().map_or(0, |credential| credential.version);
    let credential = unseal(Field::Credential, credential).filter(|_| usable);
    let definition = credential.and_then(|text| {
        let definition = Definition::from_text(text);
        let definition = definition
            .inspect_err(|error| tracing::error!(provider = provider.name, %error, "it gets no calls"));
        definition.ok()
    });
    let token = token.filter(|token| token.credential_version == version);
    let credential = definition.and_then(|definition| match definition.is_exchanged() {
        true => bearer(token?, (reference, sealer)),
        false => definition.into_credential(),
    });
    ProviderSpec {
        provider,
        credential,
        proxy_password,
    }
}

/// The access token alone; what it was obtained with stays here. None: there is none yet.
fn bearer(row: StoredToken, (reference, sealer): (&ResourceRef, &Sealer)) -> Option<Credential> {
    let token = row.token?;
    let text = sealer.unseal(reference, Field::Token, &token.sealed);
    let text = text.inspect_err(|error| {
        tracing::error!(resource = %reference, %error, "its access token cannot be unsealed; it gets no calls");
    });
    let tokens = TokenSet::from_text(&text.ok()?)?;
    Some(Credential::Bearer(Bearer {
        token: tokens.access,
        renewal: Some(Renewal {
            version: row.version,
            expires_at: token.expires_at,
            stopped: row.state != TokenState::Ready,
        }),
    }))
}

fn unreadable(row: Unreadable) -> ReadResource {
    let Unreadable { reference, problem } = row;
    match reference.kind() {
        Kind::User | Kind::Key => {
            tracing::error!(resource = %reference, problem, "row cannot be read; it is treated as deleted");
            ReadResource::Remove(reference)
        }
        Kind::Provider
        | Kind::Price
        | Kind::Setting
        | Kind::ImportSuffix
        | Kind::ErrorRule
        | Kind::WordRule
        | Kind::RequestFilter => {
            tracing::error!(resource = %reference, problem, "row cannot be read; its last good version stays");
            ReadResource::Keep(reference)
        }
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::access::Access;
    use penstock_core::id::{Epoch, KeyId, ProviderId, UserId};
    use penstock_core::limits::Limits;
    use penstock_core::time::UnixMs;
    use penstock_core::user::User;

    use super::*;

    fn kept(reference: ResourceRef) -> bool {
        let row = Unreadable {
            reference,
            problem: "damaged".to_owned(),
        };
        matches!(unreadable(row), ReadResource::Keep(_))
    }

    #[test]
    fn g02_an_unreadable_key_is_denied_and_an_unreadable_provider_keeps_its_last_version() {
        assert!(!kept(ResourceRef::Key(KeyId::from_parts(1, &[1; 10]))));
        assert!(kept(ResourceRef::Provider(ProviderId::from_parts(1, &[1; 10]))));
        assert!(kept(ResourceRef::Price("x".into())));
    }

    fn sealer() -> Sealer {
        Sealer::new(&crate::credentials::MasterKey::from_bytes([1; 32]))
            .ok()
            .unwrap()
    }

    #[test]
    fn g02_a_limited_user_is_for_nodes_that_know_limits_whoever_wrote_the_row() {
        let limits = Limits {
            rpm: 1,
            ..Limits::default()
        };
        let stored = Stored {
            reference: ResourceRef::User(UserId::from_parts(1, &[1; 10])),
            version: 1,
            min_schema: 1,
            spec: StoredSpec::User(User {
                name: "alice".into(),
                access: Access::default(),
                limits: limits.shared(),
            }),
            created_at: UnixMs(1),
            updated_at: UnixMs(1),
        };
        let ReadResource::Put(read) = resource(stored, &sealer(), &Metrics::default()) else {
            panic!("a user")
        };
        assert_eq!(read.min_schema, 2);
    }

    #[test]
    fn one_bad_row_does_not_hide_the_others() {
        let sealer = sealer();
        let key = ResourceRef::Key(KeyId::from_parts(1, &[1; 10]));
        let changed = [
            Current::Unreadable(Unreadable {
                reference: ResourceRef::Price("x".into()),
                problem: "damaged".to_owned(),
            }),
            Current::Removed(key.clone()),
        ];
        let read = changes(
            Changes {
                head: Head {
                    epoch: Epoch::from_parts(1, &[1; 10]),
                    revision: 2,
                },
                changed: changed
                    .into_iter()
                    .map(|current| penstock_store::Changed { revision: 2, current })
                    .collect(),
            },
            &sealer,
            &Metrics::default(),
        );
        assert!(matches!(&read.changed[1], (2, ReadResource::Remove(removed)) if *removed == key));
    }
}
