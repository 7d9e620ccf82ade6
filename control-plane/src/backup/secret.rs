//! A secret on its way out or in: sealed, or in plain text.
//!
//! Out: a backup with secrets unseals each; a standard one takes the ciphertext. What cannot be opened goes along as it is
//! sealed, whatever the kind, and says so. In: both end as what can be stored here and the text itself, so a ciphertext that
//! opened when the backup was made and does not now is found before anything is written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use penstock_core::backup::BackupKind;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_store::Sealed;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::credentials::{Field, SealError, Sealer, UnsealError};

/// What a secret is bound to: it can be read only there.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Resource(&'a ResourceRef, Field),
    /// By its id.
    Webhook(Uuid),
}

/// In a row.
#[derive(Serialize, Deserialize)]
pub(super) struct SecretRow {
    /// To recognise it by; empty when nothing may be shown.
    hint: String,
    #[serde(flatten)]
    form: Form,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// Base64 of the ciphertext, and which master key sealed it.
    Sealed {
        ciphertext: String,
        key: String,
        /// It could not be opened when the backup was made.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unopened: bool,
    },
    Plain(Zeroizing<String>),
}

/// A secret that can be stored, and what it says.
pub(super) struct Opened {
    pub(super) sealed: Sealed,
    /// None: it could not be opened when the backup was made, and cannot be now.
    pub(super) plain: Option<Secret>,
}

/// Why a secret of a backup is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    #[error("is no base64")]
    Encoding,
    #[error("cannot be read: {0}")]
    Unseal(#[from] UnsealError),
    #[error("cannot be sealed: {0}")]
    Seal(#[from] SealError),
}

impl Place<'_> {
    pub(super) fn unseal(self, sealer: &Sealer, sealed: &Sealed) -> Result<Secret, UnsealError> {
        match self {
            Self::Resource(reference, field) => sealer.unseal(reference, field, sealed),
            Self::Webhook(id) => sealer.unseal_webhook(id, sealed),
        }
    }

    fn seal(self, sealer: &Sealer, plain: &Secret, hint: String) -> Result<Sealed, SealError> {
        match self {
            Self::Resource(reference, field) => sealer.seal_as(reference, field, plain, hint),
            // Of those nothing is ever shown.
            Self::Webhook(id) => sealer.seal_webhook(id, plain),
        }
    }
}

impl SecretRow {
    /// None in a sanitised backup.
    pub(super) fn of(sealer: &Sealer, place: Place<'_>, sealed: &Sealed, kind: BackupKind) -> Option<Self> {
        let form = match (kind, place.unseal(sealer, sealed)) {
            (BackupKind::Sanitised, _) => return None,
            (BackupKind::WithSecrets | BackupKind::Encrypted, Ok(plain)) => {
                // Into a backup that was asked for with its secrets.
                Form::Plain(Zeroizing::new(plain.expose().to_owned()))
            }
            (BackupKind::Standard | BackupKind::WithSecrets | BackupKind::Encrypted, opened) => {
                Form::Sealed {
                    ciphertext: STANDARD.encode(&sealed.ciphertext),
                    key: sealed.key_id.clone(),
                    unopened: opened.is_err(),
                }
            }
        };
        let hint = sealed.hint.clone();
        Some(Self { hint, form })
    }

    pub(super) fn open(self, sealer: &Sealer, place: Place<'_>) -> Result<Opened, SecretError> {
        match self.form {
            Form::Sealed {
                ciphertext,
                key,
                unopened,
            } => {
                let ciphertext = STANDARD.decode(ciphertext).map_err(|_| SecretError::Encoding)?;
                let sealed = Sealed {
                    key_id: key,
                    ciphertext,
                    hint: self.hint,
                };
                let plain = match place.unseal(sealer, &sealed) {
                    Ok(plain) => Some(plain),
                    Err(_) if unopened => None,
                    Err(error) => return Err(error.into()),
                };
                Ok(Opened { sealed, plain })
            }
            Form::Plain(text) => {
                let plain = Secret::new(text.as_str());
                let sealed = place.seal(sealer, &plain, self.hint)?;
                Ok(Opened {
                    sealed,
                    plain: Some(plain),
                })
            }
        }
    }
}

impl Opened {
    /// Whether it takes the place of what is there, of which `says` is the text, if it can be opened. What says the same
    /// stays, so that its version stays; and nothing that opens makes way for what nobody can open.
    pub(super) fn replaces(&self, present: &Sealed, says: Option<&Secret>) -> bool {
        match (&self.plain, says) {
            (Some(plain), says) => says != Some(plain),
            (None, Some(_)) => false,
            (None, None) => self.sealed != *present,
        }
    }

    /// For whoever restores it, when it is of no use yet.
    pub(super) fn remark(&self, what: &str) -> Option<String> {
        self.plain.is_none().then(|| {
            format!(
                "{what} could not be opened when the backup was made: it comes back as it was, where there is none that \
                 opens. Give it anew, or start the control planes with its master key too, if that is another one \
                 ({}, --other-master-key-file)",
                self.sealed.key_id
            )
        })
    }
}
