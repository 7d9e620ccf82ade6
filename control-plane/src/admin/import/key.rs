//! Keys of another gateway: known by their secrets, so that callers need no change.
//!
//! A key that came with a suffixed hash gets its plain hash at first use, and then its old hash finds nothing. It is
//! found by its name with its user then.

use penstock_core::api_key::{self, KeyHash};
use penstock_core::id::KeyId;
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_proto::convert;
use penstock_store::{Expect, NewSpec, Put};
use tonic::Status;

use super::known::Known;
use super::{Outcome, Refused, compared};
use crate::admin::status::{self, required};
use crate::admin::{activation, random, resets};
use crate::clock;

/// What is kept of a secret.
struct Given {
    hash: KeyHash,
    hint: String,
    suffix: Option<String>,
}

pub(super) fn take(request: wire::CreateKeyRequest, known: &mut Known) -> Result<Outcome, Refused> {
    let mut spec = required("spec", request.spec)?;
    let missing = || Status::not_found(format!("its user {:?} does not exist", spec.user_id));
    let owner = known.user(&spec.user_id).ok_or_else(missing)?;
    spec.user_id = owner.to_string();
    let given = given(request.import, known)?;
    let mut key = convert::key_spec_from_wire(spec, given.hash).map_err(status::invalid_in("spec"))?;
    key.limits = resets::none(&key.limits);
    key.access = activation::none(key.access);
    key.hint = given.hint;
    key.import_suffix = given.suffix;
    key.validate().map_err(status::invalid_in("spec"))?;
    if let Some(present) = known.keys.get(&key.hash) {
        return Ok(same(&key, present));
    }
    if let Some(hash) = known.key_names.get(&(owner, key.name.clone())) {
        let present = known.keys.get(hash);
        // It was used meanwhile.
        return match present.filter(|present| key.import_suffix.is_some() && present.import_suffix.is_none())
        {
            Some(present) => Ok(same(&key, present)),
            None => Err(Status::already_exists("the user has another key of this name")),
        };
    }
    let (ms, unique) = random::id_parts()?;
    let reference = ResourceRef::Key(KeyId::from_parts(ms, &unique));
    known.add_key(key.clone());
    let put = Put::new(reference, NewSpec::Key(Box::new(key))).expecting(Expect::Absent);
    Ok(Outcome::Created(Box::new(put.into())))
}

fn given(import: Option<Import>, known: &Known) -> Result<Given, Refused> {
    let read = |field, bytes: &[u8]| {
        let bad = |invalid: Invalid| status::invalid(&Invalid::new(field, invalid.problem));
        KeyHash::try_from(bytes).map_err(bad)
    };
    match import {
        None => Err(status::invalid(&Invalid::new(
            "import",
            "is missing: its secret or the hash of it",
        ))),
        Some(Import::Secret(text)) => {
            let secret = Secret::new(text);
            api_key::check_import("secret", &secret).map_err(|invalid| status::invalid(&invalid))?;
            Ok(Given {
                // To hash it.
                hash: KeyHash::of(secret.expose()),
                hint: api_key::hint(&secret),
                suffix: None,
            })
        }
        Some(Import::Sha256(hash)) => Ok(Given {
            hash: read("sha256", &hash)?,
            hint: String::new(),
            suffix: None,
        }),
        Some(Import::Suffixed(suffixed)) => {
            let suffix = suffixed.import_suffix;
            if !known.suffixes.contains_key(&suffix) {
                return Err(Status::not_found(format!(
                    "its import suffix {suffix:?} does not exist"
                )));
            }
            Ok(Given {
                hash: read("suffixed.sha256", &suffixed.sha256)?,
                hint: String::new(),
                suffix: Some(suffix),
            })
        }
    }
}

/// What happened to the key since then is no difference.
fn same(imported: &Key, present: &Key) -> Outcome {
    let access = activation::kept(imported.access.clone(), &present.access, clock::now());
    let limits = resets::kept(&imported.limits, &present.limits);
    compared(&[
        ("user", imported.user_id == present.user_id),
        ("name", imported.name == present.name),
        ("access", access == present.access),
        ("limits", limits == present.limits),
    ])
}
