//! Credentials of providers. A vendor's key has a field of its own, which nodes of every release know.

use penstock_core::credential::{AwsKeys, Bearer, Credential, Renewal};
use penstock_core::invalid::Invalid;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;

use super::non_empty;
use crate::config::v1 as wire;
use crate::config::v1::provider::OtherCredential as Other;

/// To the node that will present it upstream.
pub(super) fn key_to_wire(credential: Option<&Credential>) -> Option<String> {
    match credential? {
        Credential::ApiKey(key) => Some(key.expose().to_owned()),
        Credential::Bearer(_) | Credential::Aws(_) => None,
    }
}

/// To the node that will present it upstream, or sign with it.
pub(super) fn other_to_wire(credential: Option<&Credential>) -> Option<Other> {
    match credential? {
        Credential::ApiKey(_) => None,
        Credential::Bearer(bearer) => Some(Other::Bearer(wire::BearerToken {
            token: bearer.token.expose().to_owned(),
            renewal: bearer.renewal.map(|renewal| wire::TokenRenewal {
                version: renewal.version,
                expires_at_ms: renewal.expires_at.0,
                stopped: renewal.stopped,
            }),
        })),
        Credential::Aws(keys) => Some(Other::Aws(wire::AwsKeys {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: keys.secret_access_key.expose().to_owned(),
            session_token: keys
                .session_token
                .as_ref()
                .map(|token| token.expose().to_owned())
                .unwrap_or_default(),
            region: keys.region.clone(),
        })),
    }
}

pub(super) fn from_wire(key: Option<String>, other: Option<Other>) -> Result<Option<Credential>, Invalid> {
    Ok(match (key, other) {
        (None, None) => None,
        (Some(key), None) => Some(Credential::ApiKey(Secret::new(key))),
        (None, Some(Other::Bearer(bearer))) => Some(Credential::Bearer(Bearer {
            token: Secret::new(bearer.token),
            renewal: bearer.renewal.map(|renewal| Renewal {
                version: renewal.version,
                expires_at: UnixMs(renewal.expires_at_ms),
                stopped: renewal.stopped,
            }),
        })),
        (None, Some(Other::Aws(keys))) => Some(Credential::Aws(aws_from_wire(keys))),
        (Some(_), Some(_)) => return Err(Invalid::new("credential", "is there twice")),
    })
}

/// Reads keys of AWS; whether they make sense is for their `validate`.
pub fn aws_from_wire(keys: wire::AwsKeys) -> AwsKeys {
    AwsKeys {
        access_key_id: keys.access_key_id,
        secret_access_key: Secret::new(keys.secret_access_key),
        session_token: non_empty(&keys.session_token).map(Secret::new),
        region: keys.region,
    }
}
