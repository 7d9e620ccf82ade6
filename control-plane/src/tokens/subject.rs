//! A provider for which tokens are obtained: what the store has of it, unsealed.

use penstock_core::id::ProviderId;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_store::{Error, Stored, StoredProvider, StoredSpec, StoredToken};

use crate::context::Context;
use crate::credentials::{Definition, Field, SealError, TokenSet, UnknownKind, UnsealError};

/// See the module.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) id: ProviderId,
    pub(crate) provider: Provider,
    pub(crate) proxy_password: Option<Secret>,
    pub(crate) definition: Definition,
    /// Of the definition.
    pub(crate) credential_version: u64,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubjectError {
    #[error("there is no such provider")]
    NoProvider,
    #[error("the provider has no credential")]
    NoCredential,
    #[error("the provider's credential cannot be read: {0}")]
    Sealed(#[from] UnsealError),
    #[error(transparent)]
    Unknown(#[from] UnknownKind),
    #[error("a secret cannot be sealed: {0}")]
    Seal(#[from] SealError),
    #[error(transparent)]
    Store(#[from] Error),
}

/// Reads it.
pub(crate) async fn subject(context: &Context, id: ProviderId) -> Result<Subject, SubjectError> {
    let reference = ResourceRef::Provider(id);
    let stored = context.store.get(&reference).await?;
    Subject::of(context, &stored.ok_or(SubjectError::NoProvider)?)
}

impl Subject {
    pub(crate) fn of(context: &Context, stored: &Stored) -> Result<Self, SubjectError> {
        let (ResourceRef::Provider(id), StoredSpec::Provider(spec)) = (&stored.reference, &stored.spec)
        else {
            return Err(SubjectError::NoProvider);
        };
        let credential = spec.credential.as_ref().ok_or(SubjectError::NoCredential)?;
        let sealed = &credential.sealed;
        let text = context
            .sealer
            .unseal(&stored.reference, Field::Credential, sealed)?;
        Ok(Self {
            id: *id,
            provider: spec.provider.clone(),
            proxy_password: proxy_password(context, stored, spec)?,
            definition: Definition::from_text(text)?,
            credential_version: credential.version,
        })
    }

    /// With a definition that the provider may not have yet.
    pub(crate) fn with(
        context: &Context,
        stored: &Stored,
        definition: Definition,
    ) -> Result<Self, SubjectError> {
        let (ResourceRef::Provider(id), StoredSpec::Provider(spec)) = (&stored.reference, &stored.spec)
        else {
            return Err(SubjectError::NoProvider);
        };
        Ok(Self {
            id: *id,
            provider: spec.provider.clone(),
            proxy_password: proxy_password(context, stored, spec)?,
            definition,
            credential_version: 0,
        })
    }

    /// The tokens of a row, if they were obtained with this credential and can be read.
    pub(crate) fn tokens(&self, context: &Context, row: Option<&StoredToken>) -> Option<TokenSet> {
        let row = row.filter(|row| row.credential_version == self.credential_version)?;
        let sealed = &row.token.as_ref()?.sealed;
        let place = ResourceRef::Provider(self.id);
        let text = context.sealer.unseal(&place, Field::Token, sealed);
        let text = text.inspect_err(|error| {
            context.metrics.unsealable.inc();
            tracing::error!(provider = self.provider.name, %error, "its tokens cannot be unsealed");
        });
        TokenSet::from_text(&text.ok()?)
    }
}

fn proxy_password(
    context: &Context,
    stored: &Stored,
    spec: &StoredProvider,
) -> Result<Option<Secret>, UnsealError> {
    let password = spec.proxy_password.as_ref();
    password
        .map(|password| {
            let sealed = &password.sealed;
            context
                .sealer
                .unseal(&stored.reference, Field::ProxyPassword, sealed)
        })
        .transpose()
}
