//! Sealing records, each bound to its file and its place in it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::SealKey;

pub(super) const NONCE: usize = 24;
const TAG: usize = 16;

/// A record that is not what was written at this place under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsealable;

#[derive(Clone)]
pub(super) struct Seal(XChaCha20Poly1305);

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Random, of the file.
    pub(super) file: [u8; 16],
    /// From 0.
    pub(super) record: u64,
}

impl Seal {
    pub(super) fn new(key: &SealKey) -> Result<Self, Unsealable> {
        let mut derived = Zeroizing::new([0; 32]);
        let info = [b"penstock last known good 1 ", key.source.as_bytes()];
        Hkdf::<Sha256>::new(None, &key.bytes)
            .expand_multi_info(&info, &mut *derived)
            .map_err(|_| Unsealable)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&*derived).map_err(|_| Unsealable)?;
        Ok(Self(cipher))
    }

    /// Nonce and ciphertext.
    pub(super) fn seal(&self, place: Place, content: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let nonce: [u8; NONCE] = rand::random();
        let aad = place.authenticated();
        let payload = Payload {
            msg: content,
            aad: &aad,
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Unsealable)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(super) fn unseal(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable)?;
        if ciphertext.len() < TAG {
            return Err(Unsealable);
        }
        let aad = place.authenticated();
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        let opened = self
            .0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| Unsealable)?;
        Ok(Zeroizing::new(opened))
    }
}

impl Place {
    fn authenticated(self) -> Vec<u8> {
        [&super::layout::MAGIC[..], &self.file, &self.record.to_le_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(source: &'static str, bytes: &[u8]) -> Seal {
        Seal::new(&SealKey::new(source, bytes)).ok().unwrap()
    }

    const PLACE: Place = Place {
        file: [3; 16],
        record: 7,
    };

    #[test]
    fn what_was_sealed_opens_at_its_place_only() {
        let seal = seal("file", &[1; 32]);
        let sealed = seal.seal(PLACE, b"secret").unwrap();
        assert_eq!(seal.unseal(PLACE, &sealed).unwrap().as_slice(), b"secret");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        let elsewhere = [
            Place { record: 8, ..PLACE },
            Place {
                file: [4; 16],
                ..PLACE
            },
        ];
        for place in elsewhere {
            assert_eq!(seal.unseal(place, &sealed), Err(Unsealable));
        }
    }

    #[test]
    fn another_key_or_the_same_bytes_from_another_source_do_not_open_it() {
        let sealed = seal("file", &[1; 32]).seal(PLACE, b"secret").unwrap();
        for other in [seal("file", &[2; 32]), seal("node token", &[1; 32])] {
            assert_eq!(other.unseal(PLACE, &sealed), Err(Unsealable));
        }
    }

    #[test]
    fn a_changed_or_short_record_does_not_open() {
        let seal = seal("file", &[1; 32]);
        let mut sealed = seal.seal(PLACE, b"secret").unwrap();
        assert_eq!(seal.unseal(PLACE, &sealed[..30]), Err(Unsealable));
        sealed[NONCE] ^= 1;
        assert_eq!(seal.unseal(PLACE, &sealed), Err(Unsealable));
    }
}
