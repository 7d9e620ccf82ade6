//! A provider's credential as it is declared beside the one that it has.
//!
//! A secret that is left out stays, as long as the rest names the same account: then it is shown to nobody else than
//! before. Without one to keep, a new provider goes without a credential (and is warned of), while for one that has
//! another credential it is a problem: it would lose what it works with.

use penstock_core::credential::AwsKeys;
use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::CredentialManifest;
use penstock_proto::admin::v1::credential_manifest::Credential as Wire;
use penstock_proto::admin::v1::{OauthClient as WireClient, OauthParameter};
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_store::{CredentialChange, StoredProvider};

use super::plan::Planner;
use crate::admin::oauth::{check_client, client_from_wire};
use crate::admin::provider::{read_account, set_credential};
use crate::context::Context;
use crate::credentials::{Definition, Field, OauthClient};
use crate::tokens::{Purpose, check_address};

/// What becomes of the credential.
pub(super) fn change(
    planner: &Planner<'_>,
    reference: &ResourceRef,
    known: Option<&StoredProvider>,
    given: Option<&CredentialManifest>,
) -> Result<CredentialChange, Invalid> {
    let Some(given) = given.and_then(|given| given.credential.as_ref()) else {
        return Ok(CredentialChange::Keep);
    };
    let context = planner.context;
    let present = known.and_then(|known| present(context, reference, known));
    let has_one = known.is_some_and(|known| known.credential.is_some());
    let Some(wanted) = read(context, given, present.as_ref(), has_one)? else {
        return Ok(CredentialChange::Keep);
    };
    if present.as_ref() == Some(&wanted) {
        return Ok(CredentialChange::Keep);
    }
    set_credential(context, reference, &wanted).map_err(|status| Invalid::new("credential", status.message()))
}

/// Whether what goes to the provider's host is from the file, and not something kept that was given for another host.
/// Tokens that an OAuth client obtained are kept with it.
pub(super) fn is_given(given: Option<&CredentialManifest>, change: &CredentialChange) -> bool {
    match given.and_then(|given| given.credential.as_ref()) {
        None => false,
        Some(Wire::ApiKey(_) | Wire::BearerToken(_) | Wire::ServiceAccountJson(_)) => true,
        Some(Wire::AwsKeys(keys)) => !keys.secret_access_key.is_empty(),
        Some(Wire::OauthClient(_)) => matches!(change, CredentialChange::Set(_)),
    }
}

/// What it has, if that can be read.
pub(super) fn present(
    context: &Context,
    reference: &ResourceRef,
    known: &StoredProvider,
) -> Option<Definition> {
    let sealed = &known.credential.as_ref()?.sealed;
    let text = context.sealer.unseal(reference, Field::Credential, sealed).ok()?;
    Definition::from_text(text).ok()
}

/// What is declared, completed by what it has. None: a secret is missing, and there is none to keep.
fn read(
    context: &Context,
    given: &Wire,
    present: Option<&Definition>,
    has_one: bool,
) -> Result<Option<Definition>, Invalid> {
    let wanted = match given {
        Wire::ApiKey(key) => Definition::ApiKey(Secret::new(key.clone())),
        Wire::BearerToken(token) => Definition::BearerToken(Secret::new(token.clone())),
        Wire::AwsKeys(keys) => match aws(keys, present) {
            Some(keys) => Definition::AwsKeys(keys),
            None if has_one => {
                let problem = "is missing: the provider has another credential, so there is none to keep";
                return Err(Invalid::new("credential.aws_keys.secret_access_key", problem));
            }
            None => return Ok(None),
        },
        Wire::ServiceAccountJson(file) => read_account("credential", file.clone())?,
        Wire::OauthClient(client) => Definition::Oauth(Box::new(oauth(context, client, present)?)),
    };
    let field = match given {
        Wire::ApiKey(_) => "credential.api_key",
        Wire::BearerToken(_) => "credential.bearer_token",
        Wire::AwsKeys(_) => "credential.aws_keys",
        Wire::ServiceAccountJson(_) => "credential.service_account_json",
        Wire::OauthClient(_) => "credential.oauth_client",
    };
    wanted
        .validate()
        .map_err(|invalid| Invalid::new(field, invalid.problem))?;
    if let Definition::ServiceAccount(account) = &wanted {
        let trusted = context.tokens.trusted();
        let field = "credential.service_account_json.token_uri";
        check_address(field, &account.token_uri, Purpose::GoogleTokenUri, trusted)?;
    }
    Ok(Some(wanted))
}

fn aws(given: &config::AwsKeys, present: Option<&Definition>) -> Option<AwsKeys> {
    if !given.secret_access_key.is_empty() {
        return Some(convert::aws_from_wire(given.clone()));
    }
    match present {
        Some(Definition::AwsKeys(known)) if known.access_key_id == given.access_key_id => Some(AwsKeys {
            region: given.region.clone(),
            ..known.clone()
        }),
        _ => None,
    }
}

fn oauth(
    context: &Context,
    given: &WireClient,
    present: Option<&Definition>,
) -> Result<OauthClient, Invalid> {
    let known = match present {
        Some(Definition::Oauth(known)) => Some(&**known),
        _ => None,
    };
    let client = client_from_wire(given.clone(), known);
    check_client(&client, context.tokens.trusted()).map_err(|invalid| {
        let field = invalid.field.replacen("client", "credential.oauth_client", 1);
        Invalid::new(field, invalid.problem)
    })?;
    Ok(client)
}

/// What of a credential may be shown; None: nothing.
pub(super) fn shown(definition: Definition) -> Option<CredentialManifest> {
    let credential = match definition {
        Definition::ApiKey(_) | Definition::BearerToken(_) | Definition::ServiceAccount(_) => return None,
        Definition::AwsKeys(keys) => Wire::AwsKeys(config::AwsKeys {
            access_key_id: keys.access_key_id,
            secret_access_key: String::new(),
            session_token: String::new(),
            region: keys.region,
        }),
        Definition::Oauth(client) => Wire::OauthClient(WireClient {
            authorize_url: client.authorize_url,
            token_url: client.token_url,
            client_id: client.client_id,
            client_secret: String::new(),
            scopes: client.scopes,
            redirect_uri: client.redirect_uri,
            json: client.json,
            basic_auth: client.basic_auth,
            parameters: client
                .parameters
                .into_iter()
                .map(|(name, value)| OauthParameter { name, value })
                .collect(),
        }),
    };
    Some(CredentialManifest {
        credential: Some(credential),
    })
}
