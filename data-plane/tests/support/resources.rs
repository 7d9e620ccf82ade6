//! Resources and updates as a control plane sends them.

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::resource::{ProviderSpec, Resource, ResourceRef, SCHEMA, Spec};
use penstock_core::secret::Secret;
use penstock_core::user::User;
use penstock_proto::convert::{reference_to_wire, resource_to_wire};
use penstock_proto::sync::v1::Update;

pub(crate) fn epoch() -> Epoch {
    Epoch::from_parts(1, &[9; 10])
}

pub(crate) fn secret(n: u64) -> String {
    format!("psk_secret_of_key_number_{n}")
}

pub(crate) fn user(n: u64) -> Resource {
    resource(
        ResourceRef::User(UserId::from_parts(n, &[1; 10])),
        Spec::User(User {
            limits: penstock_core::limits::Limits::none(),
            name: format!("user{n}"),
            access: Access::default(),
        }),
    )
}

pub(crate) fn key(n: u64) -> Resource {
    let key = Key {
        limits: penstock_core::limits::Limits::none(),
        name: format!("key{n}"),
        user_id: UserId::from_parts(n, &[1; 10]),
        access: Access::default(),
        hint: String::new(),
        hash: KeyHash::of(&secret(n)),
        import_suffix: None,
        previous: None,
    };
    resource(
        ResourceRef::Key(KeyId::from_parts(n, &[2; 10])),
        Spec::Key(Box::new(key)),
    )
}

pub(crate) fn provider(n: u64) -> Resource {
    let name = format!("provider{n}");
    let provider = Provider::new(name, ProviderKind::Anthropic, "http://127.0.0.1:9");
    let spec = ProviderSpec {
        provider,
        credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new(
            "sk-upstream-credential",
        ))),
        proxy_password: None,
    };
    let reference = ResourceRef::Provider(ProviderId::from_parts(n, &[3; 10]));
    resource(reference, Spec::Provider(Box::new(spec)))
}

/// Only a newer release understands it.
pub(crate) fn too_new(resource: Resource, version: u64) -> Resource {
    Resource {
        min_schema: SCHEMA + 1,
        version,
        ..resource
    }
}

pub(crate) fn full(to_revision: u64, resources: Vec<Resource>) -> Update {
    Update {
        epoch: epoch().to_string(),
        full: true,
        from_revision: 0,
        to_revision,
        last: true,
        upserts: resources.iter().map(resource_to_wire).collect(),
        removals: Vec::new(),
    }
}

pub(crate) fn delta(from_revision: u64, resources: Vec<Resource>) -> Update {
    Update {
        full: false,
        from_revision,
        ..full(from_revision + 1, resources)
    }
}

pub(crate) fn removal(from_revision: u64, gone: &Resource) -> Update {
    Update {
        removals: vec![reference_to_wire(&gone.reference)],
        ..delta(from_revision, Vec::new())
    }
}

fn resource(reference: ResourceRef, spec: Spec) -> Resource {
    Resource {
        reference,
        version: 1,
        min_schema: SCHEMA,
        spec,
    }
}
