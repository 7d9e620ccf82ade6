//! A provider's way back: everything but its secrets.

use penstock_core::invalid::Invalid;
use penstock_core::provider::Provider;
use penstock_core::resource::Kind;
use penstock_store::{Change, CredentialChange, LoggedProvider, LoggedSpec, NewSpec};

use super::{Step, keep_resets, put};

pub(super) fn restore(change: &Change, then: LoggedProvider) -> Result<Step, Invalid> {
    let now = match &change.before {
        Some(json) => match LoggedSpec::read(Kind::Provider, json)? {
            LoggedSpec::Provider(now) => Some(*now),
            LoggedSpec::User(_)
            | LoggedSpec::Key(_)
            | LoggedSpec::Price(_)
            | LoggedSpec::Setting(_)
            | LoggedSpec::ImportSuffix
            | LoggedSpec::ErrorRule(_)
            | LoggedSpec::WordRule(_)
            | LoggedSpec::RequestFilter(_) => None,
        },
        None => None,
    };
    let label = &change.label;
    let mut remarks = Vec::new();
    let mut after = then.clone();
    if let Some(now) = &now {
        let (then, now) = (&then.provider.limits, &now.provider.limits);
        after.provider.limits = keep_resets(label, then, now, &mut remarks);
    }
    let credential = match &now {
        // Nothing to decide: it has the credential that it had.
        Some(now) if now.credential_version == then.credential_version => CredentialChange::Keep,
        Some(now) if now.credential_version.is_some() && stays(&now.provider, &then.provider) => {
            remarks.push(format!("{label} keeps its present credential"));
            after.credential_version = now.credential_version;
            CredentialChange::Keep
        }
        Some(_) | None => CredentialChange::Clear,
    };
    if matches!(credential, CredentialChange::Clear) {
        after.credential_version = None;
        if then.credential_version.is_some() || change.before.is_some() {
            after.provider.enabled = false;
            remarks.push(format!(
                "{label} comes back disabled, without its credential: give it one and enable it \
                 (penstock provider update NAME --api-key - --enabled)"
            ));
        }
    }
    let proxy_password = proxy_password(label, now.as_ref(), &mut after, &mut remarks);
    let spec = NewSpec::Provider {
        provider: Box::new(after.provider.clone()),
        credential,
        proxy_password,
    };
    put(spec, &after, remarks)
}

/// A password stays with the proxy that it was given for.
fn proxy_password(
    label: &str,
    now: Option<&LoggedProvider>,
    after: &mut LoggedProvider,
    remarks: &mut Vec<String>,
) -> CredentialChange {
    let asked = after.proxy_password_version;
    after.proxy_password_version = now
        .filter(|now| now.provider.outbound.proxy == after.provider.outbound.proxy)
        .and_then(|now| now.proxy_password_version);
    if after.proxy_password_version.is_some() {
        return CredentialChange::Keep;
    }
    if asked.is_some() {
        after.provider.enabled = false;
        remarks.push(format!(
            "{label} comes back disabled, without its proxy's password: give it one and enable it \
             (penstock provider update NAME --proxy-password - --enabled)"
        ));
    }
    CredentialChange::Clear
}

/// Whether the credential that it has now was given for everybody who would see it.
fn stays(now: &Provider, then: &Provider) -> bool {
    now.kind == then.kind && then.keeps_credential_of(now).is_ok()
}
