//! A secret on its way out or in: sealed, or in plain text.
//!
//! Out: a backup with secrets unseals each; a standard one takes the ciphertext. In: both end as what can be stored here
//! and the text itself, so a damaged ciphertext is found before anything is written.

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
    },
    Plain(Zeroizing<String>),
}

/// A secret that can be stored, and what it says.
pub(super) struct Opened {
    pub(super) sealed: Sealed,
    pub(super) plain: Secret,
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
    fn unseal(self, sealer: &Sealer, sealed: &Sealed) -> Result<Secret, UnsealError> {
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
    pub(super) fn of(
        sealer: &Sealer,
        place: Place<'_>,
        sealed: &Sealed,
        kind: BackupKind,
    ) -> Result<Option<Self>, UnsealError> {
        let form = match kind {
            BackupKind::Sanitised => return Ok(None),
            BackupKind::Standard => Form::Sealed {
                ciphertext: STANDARD.encode(&sealed.ciphertext),
                key: sealed.key_id.clone(),
            },
            BackupKind::WithSecrets | BackupKind::Encrypted => {
                let plain = place.unseal(sealer, sealed)?;
                // Into a backup that was asked for with its secrets.
                Form::Plain(Zeroizing::new(plain.expose().to_owned()))
            }
        };
        let hint = sealed.hint.clone();
        Ok(Some(Self { hint, form }))
    }

    pub(super) fn open(self, sealer: &Sealer, place: Place<'_>) -> Result<Opened, SecretError> {
        match self.form {
            Form::Sealed { ciphertext, key } => {
                let ciphertext = STANDARD.decode(ciphertext).map_err(|_| SecretError::Encoding)?;
                let sealed = Sealed {
                    key_id: key,
                    ciphertext,
                    hint: self.hint,
                };
                let plain = place.unseal(sealer, &sealed)?;
                Ok(Opened { sealed, plain })
            }
            Form::Plain(text) => {
                let plain = Secret::new(text.as_str());
                let sealed = place.seal(sealer, &plain, self.hint)?;
                Ok(Opened { sealed, plain })
            }
        }
    }
}
