//! A credential on its way in: one of several kinds, checked, and sealed before anything else happens to it.

use penstock_core::invalid::Invalid;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::NewCredential;
use penstock_proto::admin::v1::new_credential::Credential as Wire;
use penstock_proto::convert;
use penstock_store::CredentialChange;
use tonic::Status;

use crate::admin::status;
use crate::context::Context;
use crate::credentials::{Definition, Field, read_service_account};
use crate::tokens::{Purpose, check_address};

/// What was given, in the field of older releases or in the newer one. None: the present one stays.
pub(in crate::admin) fn read(
    key: Option<String>,
    new: Option<NewCredential>,
) -> Result<Option<Definition>, Status> {
    let new = new.and_then(|new| new.credential);
    let given = match (key, new) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let problem = "is given twice: as credential and as new_credential";
            return Err(status::invalid(&Invalid::new("credential", problem)));
        }
        (Some(key), None) | (None, Some(Wire::ApiKey(key))) => Definition::ApiKey(Secret::new(key)),
        (None, Some(Wire::BearerToken(token))) => Definition::BearerToken(Secret::new(token)),
        (None, Some(Wire::AwsKeys(keys))) => Definition::AwsKeys(convert::aws_from_wire(keys)),
        (None, Some(Wire::ServiceAccountJson(file))) => {
            read_account("new_credential", file).map_err(|error| status::invalid(&error))?
        }
    };
    given.validate().map_err(|error| status::invalid(&error))?;
    Ok(Some(given))
}

/// Refuses a change that would show the present credential to somebody for whom it was not given.
pub(super) fn stays(provider: &Provider, before: &Provider) -> Result<(), Status> {
    provider.keeps_credential_of(before).map_err(|invalid| {
        let problem = format!("{}; {KEEP}", invalid.problem);
        status::invalid(&Invalid::new(invalid.field, problem).within("spec"))
    })
}

const KEEP: &str = "give a credential with the change (--api-key -, for example), or say that the present one may go there \
                    (--keep-credential)";

/// A key file, of the message field `outer`.
pub(in crate::admin) fn read_account(outer: &str, file: String) -> Result<Definition, Invalid> {
    let field = format!("{outer}.service_account_json");
    let account =
        read_service_account(&Secret::new(file)).map_err(|bad| Invalid::new(field, bad.to_string()))?;
    Ok(Definition::ServiceAccount(Box::new(account)))
}

/// Seals it. Where its tokens are obtained is checked first.
pub(in crate::admin) fn seal(
    context: &Context,
    reference: &ResourceRef,
    given: Option<Definition>,
) -> Result<CredentialChange, Status> {
    let Some(definition) = given else {
        return Ok(CredentialChange::Keep);
    };
    if let Definition::ServiceAccount(account) = &definition {
        let field = "new_credential.service_account_json.token_uri";
        let trusted = context.tokens.trusted();
        check_address(field, &account.token_uri, Purpose::GoogleTokenUri, trusted)
            .map_err(|error| status::invalid(&error))?;
    }
    set(context, reference, &definition)
}

/// Seals a checked one.
pub(in crate::admin) fn set(
    context: &Context,
    reference: &ResourceRef,
    definition: &Definition,
) -> Result<CredentialChange, Status> {
    let (text, hint) = (definition.to_text(), definition.hint());
    let sealed = context.sealer.seal_as(reference, Field::Credential, &text, hint);
    let sealed = sealed.map_err(|error| {
        tracing::error!(%error, %reference, "a credential cannot be sealed");
        Status::internal(format!("the credential cannot be sealed: {error}"))
    })?;
    Ok(CredentialChange::Set(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(key: Option<&str>, new: Option<Wire>) -> String {
        let new = new.map(|credential| NewCredential {
            credential: Some(credential),
        });
        let read = read(key.map(str::to_owned), new);
        read.err().unwrap().message().to_owned()
    }

    #[test]
    fn f01_a_refused_credential_is_not_quoted() {
        for text in [
            problem(Some("sk hidden"), None),
            problem(None, Some(Wire::BearerToken("hidden\n".into()))),
            problem(None, Some(Wire::ServiceAccountJson("{\"hidden\":1}".into()))),
            problem(Some("sk-hidden"), Some(Wire::ApiKey("sk-hidden".into()))),
        ] {
            assert!(!text.contains("hidden"), "{text}");
        }
    }

    #[test]
    fn f02_each_kind_is_read() {
        assert!(read(None, None).ok().unwrap().is_none());
        let token = Some(NewCredential {
            credential: Some(Wire::BearerToken("bedrock-api-key".into())),
        });
        assert_eq!(read(None, token).ok().unwrap().unwrap().kind(), "bearer-token");
        assert_eq!(
            read(Some("sk".into()), None).ok().unwrap().unwrap().kind(),
            "api-key"
        );
    }
}
