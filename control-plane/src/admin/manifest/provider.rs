//! A provider as it shall be.

use penstock_core::id::ProviderId;
use penstock_core::invalid::Invalid;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::ProviderManifest;
use penstock_store::{
    Credential, CredentialChange, LoggedProvider, LoggedSpec, NewSpec, Stored, StoredProvider, StoredSpec,
};

use super::credential;
use super::plan::Planner;
use super::wanted::Wanted;
use crate::admin::provider::proxy_password;
use crate::admin::{random, resets};
use crate::credentials::Field;

pub(super) fn wanted(
    planner: &mut Planner<'_>,
    present: Option<&Stored>,
    mut provider: Provider,
    given: &ProviderManifest,
) -> Result<Wanted, Invalid> {
    let known = present.and_then(known);
    let reference = match present {
        Some(stored) => stored.reference.clone(),
        None => {
            let (ms, unique) = random::id_parts().map_err(|status| Invalid::new("id", status.message()))?;
            ResourceRef::Provider(ProviderId::from_parts(ms, &unique))
        }
    };
    provider.limits = match known {
        Some(known) => resets::kept(&provider.limits, &known.provider.limits),
        None => resets::none(&provider.limits),
    };
    let credential = credential::change(planner, &reference, known, given.credential.as_ref())?;
    let kept = !credential::is_given(given.credential.as_ref(), &credential);
    if let Some(known) = known.filter(|known| known.credential.is_some() && kept) {
        stays(&provider, &known.provider)?;
    }
    let proxy_password = password(
        planner,
        &reference,
        known,
        &provider,
        given.proxy_password.as_deref(),
    )?;
    let version = present.map_or(1, |stored| stored.version + 1);
    let after = LoggedProvider {
        provider: provider.clone(),
        credential_version: after(
            &credential,
            known.and_then(|known| known.credential.as_ref()),
            version,
        ),
        proxy_password_version: after(
            &proxy_password,
            known.and_then(|known| known.proxy_password.as_ref()),
            version,
        ),
    };
    if after.credential_version.is_none() {
        planner.warnings.push(format!(
            "provider {name:?} has no credential and is not used: declare one (credential: {{api_key: ${{env:NAME}}}}), or give \
             it one (penstock provider update {name} --api-key -, penstock oauth login {name})",
            name = provider.name
        ));
    }
    let spec = NewSpec::Provider {
        provider: Box::new(provider),
        credential,
        proxy_password,
    };
    Ok(Wanted::plain(
        reference,
        spec,
        LoggedSpec::Provider(Box::new(after)),
    ))
}

/// A file that moves a provider must hold its secret: the one that is kept was given for another host.
fn stays(provider: &Provider, before: &Provider) -> Result<(), Invalid> {
    provider.keeps_credential_of(before).map_err(|invalid| {
        let problem = format!(
            "{}; declare the credential with its secret in the file, or move it with `penstock provider update --keep-credential`",
            invalid.problem
        );
        Invalid::new(invalid.field, problem)
    })
}

fn known(stored: &Stored) -> Option<&StoredProvider> {
    let StoredSpec::Provider(known) = &stored.spec else {
        return None;
    };
    Some(known)
}

/// The version that the secret will be of.
fn after(change: &CredentialChange, known: Option<&Credential>, version: u64) -> Option<u64> {
    match change {
        CredentialChange::Keep => known.map(|known| known.version),
        CredentialChange::Set(_) => Some(version),
        CredentialChange::Clear => None,
    }
}

/// The same password again is no change.
fn password(
    planner: &Planner<'_>,
    reference: &ResourceRef,
    known: Option<&StoredProvider>,
    provider: &Provider,
    given: Option<&str>,
) -> Result<CredentialChange, Invalid> {
    let sealer = &planner.context.sealer;
    let was = known.and_then(|known| known.provider.outbound.proxy.as_ref());
    let shall_be = provider.outbound.proxy.as_ref();
    let sealed = known.and_then(|known| known.proxy_password.as_ref());
    if let (Some(given), Some(known)) = (given, sealed)
        && was == shall_be
        && sealer
            .unseal(reference, Field::ProxyPassword, &known.sealed)
            .is_ok_and(|known| known == Secret::new(given))
    {
        return Ok(CredentialChange::Keep);
    }
    let change = proxy_password(sealer, reference, (was, shall_be), given.map(str::to_owned));
    change.map_err(|status| {
        let text = status.message();
        let problem = text.strip_prefix("proxy_password: ").unwrap_or(text);
        Invalid::new("proxy_password", problem)
    })
}
