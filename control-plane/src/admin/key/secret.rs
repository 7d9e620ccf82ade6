//! Where a new key's secret comes from: made here, or taken over in one of three forms.

use penstock_core::api_key::{self, DEFAULT_PREFIX, KeyHash};
use penstock_core::invalid::Invalid;
use penstock_core::name;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::setting::ImportSuffix;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_store::Store;
use tonic::Status;

use crate::admin::{names, random, status};

/// No relay's constant is longer.
const MAX_SUFFIX: usize = 4 * 1024;

/// What is kept of a secret, and the secret itself when it is new.
pub(super) struct Taken {
    pub(super) hash: KeyHash,
    pub(super) hint: String,
    pub(super) import_suffix: Option<String>,
    pub(super) generated: Option<Secret>,
}

/// Generates a secret, or takes over the given one.
pub(super) async fn take(store: &dyn Store, import: Option<Import>, prefix: &str) -> Result<Taken, Status> {
    if import.is_some() && !prefix.is_empty() {
        let problem = "is for generated keys only; leave it out of an import";
        return Err(status::invalid(&Invalid::new("prefix", problem)));
    }
    match import {
        None => {
            let (secret, hash) = generate(prefix)?;
            Ok(Taken {
                hash,
                hint: api_key::hint(&secret),
                import_suffix: None,
                generated: Some(secret),
            })
        }
        Some(Import::Secret(text)) => taken_over(&Secret::new(text)).map_err(|error| status::invalid(&error)),
        Some(Import::Sha256(hash)) => hashed("sha256", &hash, None),
        Some(Import::Suffixed(suffixed)) => {
            let suffix = suffixed.import_suffix;
            let known = names::get(store, &ResourceRef::ImportSuffix(suffix.as_str().into())).await?;
            if known.is_none() {
                return Err(Status::not_found(format!(
                    "import suffix {suffix:?} does not exist; create it first (penstock key import-suffix)"
                )));
            }
            hashed("suffixed.sha256", &suffixed.sha256, Some(suffix))
        }
    }
}

/// A new secret behind the prefix (empty: the default one), and its hash.
pub(in crate::admin) fn generate(prefix: &str) -> Result<(Secret, KeyHash), Status> {
    let prefix = if prefix.is_empty() { DEFAULT_PREFIX } else { prefix };
    api_key::check_prefix("prefix", prefix).map_err(|error| status::invalid(&error))?;
    let secret = api_key::generate(prefix, &random::bytes()?);
    // To hash it.
    let hash = KeyHash::of(secret.expose());
    Ok((secret, hash))
}

/// Checks a suffix and its name.
pub(in crate::admin) fn check_suffix(name: &str, suffix: &ImportSuffix) -> Result<(), Invalid> {
    name::check("name", name)?;
    // Only measured.
    match suffix.secret.expose().len() {
        0 => Err(Invalid::new("secret", "must not be empty")),
        1..=MAX_SUFFIX => Ok(()),
        _ => Err(Invalid::new(
            "secret",
            format!("is longer than {MAX_SUFFIX} bytes"),
        )),
    }
}

fn taken_over(secret: &Secret) -> Result<Taken, Invalid> {
    api_key::check_import("secret", secret)?;
    Ok(Taken {
        // To hash it.
        hash: KeyHash::of(secret.expose()),
        hint: api_key::hint(secret),
        import_suffix: None,
        generated: None,
    })
}

fn hashed(field: &str, bytes: &[u8], import_suffix: Option<String>) -> Result<Taken, Status> {
    let hash =
        KeyHash::try_from(bytes).map_err(|error| status::invalid(&Invalid::new(field, error.problem)))?;
    Ok(Taken {
        hash,
        hint: String::new(),
        import_suffix,
        generated: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_generated_keys_differ_and_carry_the_prefix() {
        let (one, hash) = generate("").unwrap();
        let (two, _) = generate("acme_").unwrap();
        assert!(one.expose().starts_with("psk_") && two.expose().starts_with("acme_"));
        assert_eq!(hash, KeyHash::of(one.expose()));
        assert_ne!(one.expose(), generate("").unwrap().0.expose());
        assert!(generate("a b").is_err());
    }

    #[test]
    fn a03_a_key_is_taken_over_by_its_plaintext_from_twenty_characters_on() {
        let taken = taken_over(&Secret::new("cr_0123456789abcdefghijk")).unwrap();
        assert_eq!(taken.hash, KeyHash::of("cr_0123456789abcdefghijk"));
        assert_eq!(taken.hint, "cr_01234****hijk");
        assert!(taken.generated.is_none());
        assert!(taken_over(&Secret::new("too-short")).is_err());
    }

    #[test]
    fn a03_a_hash_of_another_length_is_refused_by_its_field() {
        let error = hashed("suffixed.sha256", &[1; 20], None).err().unwrap();
        assert_eq!(error.message(), "suffixed.sha256: has 20 bytes instead of 32");
    }

    #[test]
    fn a_suffix_needs_a_name_and_a_secret() {
        let suffix = |text: &str| ImportSuffix {
            secret: Secret::new(text),
        };
        assert!(check_suffix("relay", &suffix("pepper")).is_ok());
        assert!(check_suffix("re lay", &suffix("pepper")).is_err());
        assert!(check_suffix("relay", &suffix("")).is_err());
    }
}
