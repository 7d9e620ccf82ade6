//! Seals and unseals secrets of resources.
//!
//! Layout of a ciphertext: 24 bytes of random nonce, then the encrypted text with its tag. Associated data are the
//! kind, the id and the field, each behind its length, so that no two places look alike.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_store::{Sealed, SealedPlace};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::master_key::MasterKey;

const NONCE: usize = 24;

/// Which secret of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A provider's credential.
    Credential,
    /// Of the user at a provider's proxy.
    ProxyPassword,
    /// An import suffix's secret.
    Suffix,
    /// What was obtained with a provider's credential.
    Token,
    /// A login under way.
    Login,
    /// URL and secret of a webhook.
    Webhook,
    /// Which backup was checked.
    Ticket,
}

/// Seals under one master key, and opens what was sealed under it or under another that it was given.
#[expect(missing_debug_implementations, reason = "holds a key")]
pub struct Sealer {
    present: Keyed,
    /// Of a rotation under way: they open, and seal nothing.
    others: Vec<Keyed>,
}

/// A master key, ready for use.
struct Keyed {
    cipher: XChaCha20Poly1305,
    key_id: String,
}

/// Why a secret cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the system has no random numbers")]
    Random(#[source] getrandom::Error),
    #[error("the secret is too long to be sealed")]
    TooLong,
    #[error("no key can be derived from the master key")]
    Key,
}

/// Why a sealed secret cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    #[error("it is sealed under another master key ({sealed_with}) than the one given ({given})")]
    OtherKey { sealed_with: String, given: String },
    #[error("it was changed in the database, or belongs to another resource")]
    Tampered,
}

/// Why a value stays under its old key.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Field {
    fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::ProxyPassword => "proxy_password",
            Self::Suffix => "suffix",
            Self::Token => "token",
            Self::Login => "login",
            Self::Webhook => "webhook",
            Self::Ticket => "ticket",
        }
    }
}

impl Keyed {
    /// Derives its key from the master key.
    fn of(master: &MasterKey) -> Result<Self, SealError> {
        let key = master.derive("penstock sealing v1").ok_or(SealError::Key)?;
        let id = master.derive("penstock key id v1").ok_or(SealError::Key)?;
        let digest = Sha256::digest(*id);
        Ok(Self {
            cipher: XChaCha20Poly1305::new((&*key).into()),
            key_id: hex::encode(digest.get(..8).unwrap_or_default()),
        })
    }
}

impl Sealer {
    /// Derives its key from the master key.
    pub fn new(master: &MasterKey) -> Result<Self, SealError> {
        Self::with(master, &[])
    }

    /// The same, and opens also what is sealed under the others.
    pub fn with(master: &MasterKey, others: &[MasterKey]) -> Result<Self, SealError> {
        let others = others.iter().map(Keyed::of);
        Ok(Self {
            present: Keyed::of(master)?,
            others: others.collect::<Result<_, _>>()?,
        })
    }

    /// Names the master key without telling it.
    pub fn key_id(&self) -> &str {
        &self.present.key_id
    }

    /// Whether values under this key can be opened.
    pub fn knows(&self, key_id: &str) -> bool {
        self.key(key_id).is_some()
    }

    /// How many keys there are beside the present one.
    pub fn others(&self) -> usize {
        self.others.len()
    }

    fn key(&self, key_id: &str) -> Option<&Keyed> {
        let mut all = std::iter::once(&self.present).chain(&self.others);
        all.find(|key| key.key_id == key_id)
    }

    /// Seals a secret for one place. The hint is what listings show.
    pub fn seal(&self, place: &ResourceRef, field: Field, secret: &Secret) -> Result<Sealed, SealError> {
        let data = associated_data(place.kind().as_str(), &place.id(), field.as_str());
        // To encrypt it.
        self.encrypt(secret.expose().as_bytes(), &data, secret.hint())
    }

    /// As [`Sealer::seal`], with a hint of the caller's choice.
    pub fn seal_as(
        &self,
        place: &ResourceRef,
        field: Field,
        secret: &Secret,
        hint: String,
    ) -> Result<Sealed, SealError> {
        let data = associated_data(place.kind().as_str(), &place.id(), field.as_str());
        // To encrypt it.
        self.encrypt(secret.expose().as_bytes(), &data, hint)
    }

    /// Reads a secret back. Fails when it was sealed elsewhere, for another place or under another key.
    pub fn unseal(&self, place: &ResourceRef, field: Field, sealed: &Sealed) -> Result<Secret, UnsealError> {
        let data = associated_data(place.kind().as_str(), &place.id(), field.as_str());
        let plain = self.decrypt(sealed, &data)?;
        let text = std::str::from_utf8(&plain).map_err(|_| UnsealError::Tampered)?;
        Ok(Secret::new(text))
    }

    /// Seals what of a webhook is secret. It is no resource, so its place is its id.
    pub fn seal_webhook(&self, id: Uuid, secret: &Secret) -> Result<Sealed, SealError> {
        let data = associated_data("webhook", &id.to_string(), Field::Webhook.as_str());
        self.encrypt(secret.expose().as_bytes(), &data, String::new())
    }

    /// Reads it back.
    pub fn unseal_webhook(&self, id: Uuid, sealed: &Sealed) -> Result<Secret, UnsealError> {
        let data = associated_data("webhook", &id.to_string(), Field::Webhook.as_str());
        let plain = self.decrypt(sealed, &data)?;
        let text = std::str::from_utf8(&plain).map_err(|_| UnsealError::Tampered)?;
        Ok(Secret::new(text))
    }

    /// Seals the same again under the present key.
    pub fn reseal(&self, place: &SealedPlace, sealed: &Sealed) -> Result<Sealed, ResealError> {
        let data = data_of(place);
        let plain = self.decrypt(sealed, &data)?;
        Ok(self.encrypt(&plain, &data, sealed.hint.clone())?)
    }

    /// A known text, kept in the store: whoever can open it has the right master key.
    pub fn make_check(&self) -> Result<Sealed, SealError> {
        self.encrypt(CHECK, CHECK, String::new())
    }

    /// Whether this is the key that made the check.
    pub fn opens_check(&self, check: &Sealed) -> bool {
        self.decrypt(check, CHECK)
            .is_ok_and(|plain| plain.as_slice() == CHECK)
    }

    fn encrypt(&self, plain: &[u8], data: &[u8], hint: String) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(SealError::Random)?;
        let payload = Payload {
            msg: plain,
            aad: data,
        };
        let encrypted = self
            .present
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::TooLong)?;
        let ciphertext = [nonce.as_slice(), &encrypted].concat();
        Ok(Sealed {
            key_id: self.present.key_id.clone(),
            ciphertext,
            hint,
        })
    }

    fn decrypt(&self, sealed: &Sealed, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let key = self.key(&sealed.key_id).ok_or_else(|| UnsealError::OtherKey {
            sealed_with: sealed.key_id.clone(),
            given: self.present.key_id.clone(),
        })?;
        let (nonce, encrypted) = sealed
            .ciphertext
            .split_first_chunk::<NONCE>()
            .ok_or(UnsealError::Tampered)?;
        let payload = Payload {
            msg: encrypted,
            aad: data,
        };
        let plain = key.cipher.decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| UnsealError::Tampered)
    }
}

/// What a value of this place is bound to.
fn data_of(place: &SealedPlace) -> Vec<u8> {
    let (reference, field) = match place {
        SealedPlace::Credential(id) => (ResourceRef::Provider(*id), Field::Credential),
        SealedPlace::ProxyPassword(id) => (ResourceRef::Provider(*id), Field::ProxyPassword),
        SealedPlace::Token(id) => (ResourceRef::Provider(*id), Field::Token),
        SealedPlace::Login(id, _) => (ResourceRef::Provider(*id), Field::Login),
        SealedPlace::Suffix(name) => (ResourceRef::ImportSuffix(name.as_str().into()), Field::Suffix),
        SealedPlace::Webhook(id) => {
            return associated_data("webhook", &id.to_string(), Field::Webhook.as_str());
        }
    };
    associated_data(reference.kind().as_str(), &reference.id(), field.as_str())
}

const CHECK: &[u8] = b"penstock master key check v1";

fn associated_data(kind: &str, id: &str, field: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(24 + kind.len() + id.len() + field.len());
    for part in [kind, id, field] {
        data.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use penstock_core::id::ProviderId;
    use proptest::prelude::*;

    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&MasterKey::from_bytes([byte; 32])).ok().unwrap()
    }

    fn place(byte: u8) -> ResourceRef {
        ResourceRef::Provider(ProviderId::from_parts(1, &[byte; 10]))
    }

    fn sealed() -> Sealed {
        sealer(1)
            .seal(
                &place(1),
                Field::Credential,
                &Secret::new("sk-ant-marked-credential-0001"),
            )
            .unwrap()
    }

    #[test]
    fn f01_a_secret_comes_back_only_in_its_place() {
        let unseal = |place: &ResourceRef, field| sealer(1).unseal(place, field, &sealed());
        assert!(
            unseal(&place(1), Field::Credential)
                .ok()
                .unwrap()
                .matches("sk-ant-marked-credential-0001")
        );
        assert_eq!(
            unseal(&place(2), Field::Credential).err(),
            Some(UnsealError::Tampered)
        );
        assert_eq!(
            unseal(&place(1), Field::Suffix).err(),
            Some(UnsealError::Tampered)
        );
    }

    #[test]
    fn f01_what_is_stored_does_not_contain_the_secret() {
        let sealed = sealed();
        let needle = b"marked";
        assert!(
            !sealed
                .ciphertext
                .windows(needle.len())
                .any(|window| window == needle)
        );
        assert_eq!(sealed.hint, "sk-ant-m****0001");
    }

    #[test]
    fn a_wrong_master_key_is_told_apart_from_a_damaged_row() {
        let other = sealer(2)
            .unseal(&place(1), Field::Credential, &sealed())
            .err()
            .unwrap();
        assert!(matches!(other, UnsealError::OtherKey { .. }));
        let mut damaged = sealed();
        damaged.ciphertext.truncate(30);
        assert_eq!(
            sealer(1).unseal(&place(1), Field::Credential, &damaged).err(),
            Some(UnsealError::Tampered)
        );
    }

    #[test]
    fn the_check_opens_under_its_own_key_only() {
        let check = sealer(1).make_check().unwrap();
        assert!(sealer(1).opens_check(&check));
        assert!(!sealer(2).opens_check(&check));
        assert!(!sealer(1).opens_check(&sealed()));
    }

    #[test]
    fn g06_with_both_keys_a_value_moves_from_one_to_the_other() {
        let id = ProviderId::from_parts(1, &[1; 10]);
        let keys = [1, 2].map(|byte| MasterKey::from_bytes([byte; 32]));
        let both = Sealer::with(&keys[1], &keys[..1]).ok().unwrap();
        let moved = both.reseal(&SealedPlace::Credential(id), &sealed()).unwrap();
        assert_eq!(
            (moved.key_id.as_str(), moved.hint),
            (sealer(2).key_id(), sealed().hint)
        );
        let sealed_anew = Sealed {
            hint: String::new(),
            ..moved
        };
        let opened = sealer(2)
            .unseal(&place(1), Field::Credential, &sealed_anew)
            .ok()
            .unwrap();
        assert!(opened.matches("sk-ant-marked-credential-0001"));
        assert!(both.reseal(&SealedPlace::Token(id), &sealed()).is_err());
        assert!(both.knows(sealer(1).key_id()) && !sealer(2).knows(sealer(1).key_id()));
    }

    #[test]
    fn two_sealings_of_one_secret_differ() {
        assert_ne!(sealed().ciphertext, sealed().ciphertext);
        assert_eq!(sealed().key_id, sealer(1).key_id());
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(position in 0_usize..24 + 29 + 16, bit in 0_u32..8) {
            let mut sealed = sealed();
            sealed.ciphertext[position] ^= 1 << bit;
            prop_assert!(sealer(1).unseal(&place(1), Field::Credential, &sealed).is_err());
        }

        #[test]
        fn no_two_places_have_the_same_associated_data(a in "[a-z]{0,4}", b in "[a-z]{0,4}", c in "[a-z]{0,4}", d in "[a-z]{0,4}") {
            let same = associated_data(&a, &b, "x") == associated_data(&c, &d, "x");
            prop_assert_eq!(same, (a, b) == (c, d));
        }
    }
}
