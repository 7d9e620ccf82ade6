//! Keys.

use penstock_core::api_key::KeyHash;
use penstock_core::invalid::Invalid;
use penstock_core::key::{Key, PreviousSecret};
use penstock_core::time::UnixMs;

use super::access::{access_from_wire, access_to_wire};
use super::limits::{limits_from_wire, limits_to_wire};
use super::{id, non_empty, required};
use crate::config::v1 as wire;

/// Writes what operators see of a key.
pub fn key_spec_to_wire(key: &Key) -> wire::KeySpec {
    wire::KeySpec {
        name: key.name.clone(),
        user_id: key.user_id.to_string(),
        access: Some(access_to_wire(&key.access)),
        hint: key.hint.clone(),
        limits: limits_to_wire(&key.limits),
    }
}

/// Reads what operators write of a key; the secret's hash comes from elsewhere.
pub fn key_spec_from_wire(spec: wire::KeySpec, hash: KeyHash) -> Result<Key, Invalid> {
    Ok(Key {
        name: spec.name,
        user_id: id("user_id", &spec.user_id)?,
        access: access_from_wire(required("access", spec.access)?)?,
        limits: limits_from_wire(spec.limits)?,
        hint: spec.hint,
        hash,
        import_suffix: None,
        previous: None,
    })
}

pub(super) fn key_to_wire(key: &Key) -> wire::Key {
    let previous = |p: PreviousSecret| wire::PreviousSecret {
        hash: p.hash.0.into(),
        valid_until_ms: p.valid_until.0,
    };
    wire::Key {
        spec: Some(key_spec_to_wire(key)),
        hash: key.hash.0.into(),
        import_suffix: key.import_suffix.clone().unwrap_or_default(),
        previous: key.previous.map(previous),
    }
}

pub(super) fn key_from_wire(key: wire::Key) -> Result<Key, Invalid> {
    let hash = KeyHash::try_from(key.hash.as_slice())?;
    let previous = |p: wire::PreviousSecret| {
        let hash = KeyHash::try_from(p.hash.as_slice()).map_err(|e| e.within("previous"))?;
        Ok(PreviousSecret {
            hash,
            valid_until: UnixMs(p.valid_until_ms),
        })
    };
    Ok(Key {
        import_suffix: non_empty(&key.import_suffix),
        previous: key.previous.map(previous).transpose()?,
        ..key_spec_from_wire(required("spec", key.spec)?, hash)?
    })
}
