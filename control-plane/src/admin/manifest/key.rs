//! A key as it shall be.
//!
//! Its secret is set when it is created. Later the same secret is no change; another one is a problem unless the caller
//! says that it shall take its place: the key may have been rotated since the file was written, and a secret that was
//! rotated away must not come back by itself.

use std::collections::BTreeMap;

use penstock_core::api_key::{self, KeyHash};
use penstock_core::id::{KeyId, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::KeyManifest;
use penstock_store::{LoggedKey, LoggedSpec, NewSpec, Stored, StoredSpec};

use super::plan::Planner;
use super::present::Present;
use super::wanted::Wanted;
use crate::admin::key::generate;
use crate::admin::{activation, random, resets};
use crate::clock;
use crate::credentials::Field;

const ANOTHER: &str = "is not the secret of this key: it was rotated, or the file names a new one. Leave it out to keep the \
                       present one, or give --replace-key-secrets: then the present one stops working at once";
const FORMER: &str = "is the secret from before the key's last rotation, and does not come back: give the present one, or \
                      leave it out to keep it";
const NONE: &str = "is missing: a new key needs secret: ${env:NAME}, or sha256, or generate: true";

/// What is known of a secret that was given.
struct Given {
    hash: KeyHash,
    hint: String,
    import_suffix: Option<String>,
    text: Option<Secret>,
}

pub(super) fn wanted(
    planner: &Planner<'_>,
    present: Option<&Stored>,
    wanted: Key,
    given: &KeyManifest,
) -> Result<Wanted, Invalid> {
    let user_id = owner(planner, &given.user)?;
    let secret = read(planner, given)?;
    match present.map(|stored| (&stored.reference, &stored.spec)) {
        Some((reference, StoredSpec::Key(known))) => {
            let key = Key {
                name: wanted.name,
                access: activation::kept(wanted.access, &known.access, clock::now()),
                limits: resets::kept(&wanted.limits, &known.limits),
                ..(**known).clone()
            };
            existing(planner, reference.clone(), key, secret)
        }
        _ => {
            let key = Key {
                user_id,
                access: activation::none(wanted.access),
                limits: resets::none(&wanted.limits),
                ..wanted
            };
            new(key, given, secret)
        }
    }
}

/// Whose secrets exist, those from before a rotation too.
pub(super) fn secrets(present: &Present) -> BTreeMap<KeyHash, String> {
    let mut secrets = BTreeMap::new();
    for (name, stored) in present.of_kind(Kind::Key) {
        if let StoredSpec::Key(key) = &stored.spec {
            secrets.insert(key.hash, name.to_owned());
            secrets.extend(key.previous.map(|previous| (previous.hash, name.to_owned())));
        }
    }
    secrets
}

/// A secret is one key's.
pub(super) fn take(planner: &mut Planner<'_>, name: &str, wanted: &Wanted) -> Result<(), Invalid> {
    let NewSpec::Key(key) = &wanted.spec else {
        return Ok(());
    };
    match planner.secrets.insert(key.hash, name.to_owned()) {
        Some(owner) if owner != name => {
            let problem =
                format!("belongs to another key already, {owner}: give each key a secret of its own");
            Err(Invalid::new("secret", problem))
        }
        Some(_) | None => Ok(()),
    }
}

fn owner(planner: &Planner<'_>, name: &str) -> Result<UserId, Invalid> {
    if name.is_empty() {
        return Err(Invalid::new("user", "is missing: say whose key it is"));
    }
    let missing = || format!("there is no user {name:?}: declare it beside the key, or create it first");
    let found = planner.users.get(name).copied();
    found.ok_or_else(|| Invalid::new("user", missing()))
}

fn existing(
    planner: &Planner<'_>,
    reference: ResourceRef,
    key: Key,
    secret: Option<Given>,
) -> Result<Wanted, Invalid> {
    let Some(secret) = secret.filter(|secret| !is_present(planner, &key, secret)) else {
        return Ok(put(reference, key, false, None));
    };
    let field = if secret.text.is_some() { "secret" } else { "sha256" };
    if key.previous.is_some_and(|previous| previous.hash == secret.hash) {
        return Err(Invalid::new(field, FORMER));
    }
    if !planner.replace_key_secrets {
        return Err(Invalid::new(field, ANOTHER));
    }
    let key = Key {
        hash: secret.hash,
        hint: secret.hint,
        import_suffix: secret.import_suffix,
        previous: None,
        ..key
    };
    Ok(put(reference, key, true, None))
}

fn new(key: Key, given: &KeyManifest, secret: Option<Given>) -> Result<Wanted, Invalid> {
    let secret = match secret {
        Some(secret) => secret,
        None if given.generate => {
            let (text, hash) =
                generate(&given.prefix).map_err(|status| Invalid::new("prefix", status.message()))?;
            Given {
                hash,
                hint: api_key::hint(&text),
                import_suffix: None,
                text: Some(text),
            }
        }
        None => return Err(Invalid::new("secret", NONE)),
    };
    let generated = secret.text.filter(|_| given.generate);
    let key = Key {
        hash: secret.hash,
        hint: secret.hint,
        import_suffix: secret.import_suffix,
        ..key
    };
    let (ms, unique) = random::id_parts().map_err(|status| Invalid::new("id", status.message()))?;
    let reference = ResourceRef::Key(KeyId::from_parts(ms, &unique));
    Ok(put(reference, key, true, generated))
}

fn put(reference: ResourceRef, key: Key, new_secret: bool, generated: Option<Secret>) -> Wanted {
    let after = LoggedSpec::Key(Box::new(LoggedKey::from(&key)));
    Wanted {
        new_secret,
        generated,
        ..Wanted::plain(reference, NewSpec::Key(Box::new(key)), after)
    }
}

/// The secret that was given, in whichever form.
fn read(planner: &Planner<'_>, given: &KeyManifest) -> Result<Option<Given>, Invalid> {
    let suffix = (!given.import_suffix.is_empty()).then(|| given.import_suffix.clone());
    match (&given.secret, &given.sha256) {
        (None, None) if suffix.is_some() => Err(Invalid::new("import_suffix", "is for sha256 only")),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Invalid::new(
            "sha256",
            "is given beside secret: leave one of the two out",
        )),
        (_, _) if given.generate => Err(Invalid::new(
            "generate",
            "is given beside a secret: leave one of the two out",
        )),
        (Some(_), None) if suffix.is_some() => Err(Invalid::new("import_suffix", "is for sha256 only")),
        (Some(text), None) => {
            let secret = Secret::new(text.clone());
            api_key::check_import("secret", &secret)?;
            Ok(Some(Given {
                // To hash it.
                hash: KeyHash::of(secret.expose()),
                hint: api_key::hint(&secret),
                import_suffix: None,
                text: Some(secret),
            }))
        }
        (None, Some(hex)) => {
            check_suffix(planner, suffix.as_deref())?;
            Ok(Some(Given {
                hash: hash(hex)?,
                hint: String::new(),
                import_suffix: suffix,
                text: None,
            }))
        }
    }
}

fn hash(hex: &str) -> Result<KeyHash, Invalid> {
    let bytes = hex::decode(hex.trim()).map_err(|_| Invalid::new("sha256", "is not hexadecimal"))?;
    KeyHash::try_from(bytes.as_slice()).map_err(|error| Invalid::new("sha256", error.problem))
}

fn check_suffix(planner: &Planner<'_>, name: Option<&str>) -> Result<(), Invalid> {
    let Some(name) = name else {
        return Ok(());
    };
    if planner.suffixes.contains(name) || planner.present.get(Kind::ImportSuffix, name).is_some() {
        return Ok(());
    }
    let problem =
        format!("there is no import suffix {name:?}: declare it, or create it (penstock key import-suffix)");
    Err(Invalid::new("import_suffix", problem))
}

/// Whether the key has this secret already.
fn is_present(planner: &Planner<'_>, key: &Key, given: &Given) -> bool {
    match (&key.import_suffix, &given.import_suffix, &given.text) {
        (None, None, _) => key.hash == given.hash,
        // Replaced by its plain hash at first use; what it was made of cannot be told any more.
        (None, Some(_), _) => true,
        (Some(known), Some(named), _) => known == named && key.hash == given.hash,
        (Some(known), None, Some(text)) => {
            let reference = ResourceRef::ImportSuffix(known.as_str().into());
            let stored = planner.present.get(Kind::ImportSuffix, known);
            let Some(StoredSpec::ImportSuffix(sealed)) = stored.map(|stored| &stored.spec) else {
                return false;
            };
            let suffix = planner.context.sealer.unseal(&reference, Field::Suffix, sealed);
            suffix.is_ok_and(|suffix| key.hash == KeyHash::of_suffixed(text.expose(), suffix.expose()))
        }
        (Some(_), None, None) => false,
    }
}
