//! Access tokens that the control plane obtained. Without them each provider that logs in would need a new login after a
//! restore.
//!
//! A provider that still has a token of the same credential keeps it: the one of the backup is older, and its refresh
//! token may be used up. Under a lease, as every writer of tokens.

use penstock_core::backup::BackupKind;
use penstock_core::id::ProviderId;
use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_store::{Error, SealedToken, Store, StoredProvider, StoredSpec, TokenPut, TokenWritten};
use serde::{Deserialize, Serialize};

use super::secret::{Opened, Place, SecretRow};
use crate::clock;
use crate::credentials::{Field, Sealer};

/// Long enough for one write.
const LEASE_MS: u64 = 30_000;

/// One line.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenRow {
    provider: ProviderId,
    obtained_at: UnixMs,
    expires_at: UnixMs,
    token: SecretRow,
}

/// A token of a backup that could be read.
pub(super) struct TokenItem {
    provider: ProviderId,
    obtained_at: UnixMs,
    expires_at: UnixMs,
    opened: Opened,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    Written,
    /// There is one of the same credential.
    Kept,
    /// Somebody else is obtaining one just now, or the provider has gone.
    Left,
}

impl TokenRow {
    /// None: there is no token that is worth anything, or none may be told.
    pub(super) fn of(
        sealer: &Sealer,
        id: ProviderId,
        stored: &StoredProvider,
        kind: BackupKind,
    ) -> Option<Self> {
        let token = worth_taking(stored)?;
        let place = ResourceRef::Provider(id);
        let row = SecretRow::of(sealer, Place::Resource(&place, Field::Token), &token.sealed, kind)?;
        Some(Self {
            provider: id,
            obtained_at: token.obtained_at,
            expires_at: token.expires_at,
            token: row,
        })
    }

    pub(super) fn read(self, sealer: &Sealer) -> Result<TokenItem, Invalid> {
        let place = ResourceRef::Provider(self.provider);
        let opened = self.token.open(sealer, Place::Resource(&place, Field::Token));
        let bad = |error| Invalid::new(format!("the access token of {place}"), format!("{error}"));
        Ok(TokenItem {
            provider: self.provider,
            obtained_at: self.obtained_at,
            expires_at: self.expires_at,
            opened: opened.map_err(bad)?,
        })
    }
}

/// Of the credential that the provider has now.
pub(super) fn worth_taking(stored: &StoredProvider) -> Option<&SealedToken> {
    let (known, credential) = (stored.token.as_ref()?, stored.credential.as_ref()?);
    let token = known.token.as_ref();
    token.filter(|_| known.credential_version == credential.version)
}

impl TokenItem {
    pub(super) fn provider(&self) -> ProviderId {
        self.provider
    }

    /// When nobody could open it.
    pub(super) fn remark(&self) -> Option<String> {
        let what = format!("the access token of {}", ResourceRef::Provider(self.provider));
        self.opened.remark(&what)
    }

    pub(super) async fn write(self, store: &dyn Store, owner: &str) -> Result<Brought, Error> {
        let stored = store.get(&ResourceRef::Provider(self.provider)).await?;
        let Some(StoredSpec::Provider(provider)) = stored.map(|stored| stored.spec) else {
            return Ok(Brought::Left);
        };
        let Some(credential) = provider.credential else {
            return Ok(Brought::Left);
        };
        let now = clock::now();
        let taken = store
            .take_token_lease(self.provider, owner, now, now.plus_ms(LEASE_MS))
            .await?;
        let Some(fence) = taken else {
            return Ok(Brought::Left);
        };
        let provider = self.provider;
        let written = self.write_under(store, credential.version, fence).await;
        store.set_token_lease(provider, fence, UnixMs(0)).await?;
        written
    }

    async fn write_under(
        self,
        store: &dyn Store,
        credential_version: u64,
        fence: u64,
    ) -> Result<Brought, Error> {
        let known = store.token(self.provider).await?;
        let same = |version| version == credential_version;
        if known
            .as_ref()
            .is_some_and(|known| known.token.is_some() && same(known.credential_version))
        {
            return Ok(Brought::Kept);
        }
        let put = TokenPut {
            provider: self.provider,
            replaces: known.map_or(0, |known| known.version),
            credential_version,
            fence,
            token: SealedToken {
                sealed: self.opened.sealed,
                obtained_at: self.obtained_at,
                expires_at: self.expires_at,
            },
        };
        Ok(match store.put_token(&put, clock::now()).await? {
            TokenWritten::Written(_) => Brought::Written,
            TokenWritten::Overtaken | TokenWritten::NoProvider => Brought::Left,
        })
    }
}
