//! A client as an operator gives it.

use penstock_core::invalid::Invalid;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use tonic::Status;

use crate::admin::status;
use crate::credentials::{Definition, OauthClient};
use crate::tokens::{Purpose, check_address};

/// What was given, else what the provider has. A secret that is left out stays, as long as the rest of the client is the
/// same: it is shown to no other server than the one that it was given for.
pub(super) fn read(
    given: Option<wire::OauthClient>,
    present: Option<&OauthClient>,
    trusted: &[String],
) -> Result<OauthClient, Status> {
    let client = match (given, present) {
        (Some(given), present) => from_wire(given, present),
        (None, Some(present)) => present.clone(),
        (None, None) => {
            let problem = "is missing: the provider has no OAuth client yet";
            return Err(status::invalid(&Invalid::new("client", problem)));
        }
    };
    check(&client, trusted).map_err(|error| status::invalid(&error))?;
    Ok(client)
}

/// Without a check of where its URLs lead.
pub(in crate::admin) fn from_wire(given: wire::OauthClient, present: Option<&OauthClient>) -> OauthClient {
    let same =
        |present: &&OauthClient| present.token_url == given.token_url && present.client_id == given.client_id;
    let kept = present
        .filter(same)
        .and_then(|present| present.client_secret.clone());
    let secret = (!given.client_secret.is_empty()).then(|| Secret::new(given.client_secret));
    OauthClient {
        authorize_url: given.authorize_url,
        token_url: given.token_url,
        client_id: given.client_id,
        client_secret: secret.or(kept),
        scopes: given.scopes,
        redirect_uri: given.redirect_uri,
        json: given.json,
        basic_auth: given.basic_auth,
        parameters: given
            .parameters
            .into_iter()
            .map(|parameter| (parameter.name, parameter.value))
            .collect(),
    }
}

/// What can be wrong with it, and where its URLs lead.
pub(in crate::admin) fn check(client: &OauthClient, trusted: &[String]) -> Result<(), Invalid> {
    Definition::Oauth(Box::new(client.clone())).validate()?;
    check_address(
        "client.authorize_url",
        &client.authorize_url,
        Purpose::AuthorizeUrl,
        trusted,
    )?;
    check_address("client.token_url", &client.token_url, Purpose::TokenUrl, trusted).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::definition_tests::client;

    fn given(token_url: &str) -> wire::OauthClient {
        wire::OauthClient {
            authorize_url: "https://auth.example/authorize".to_owned(),
            token_url: token_url.to_owned(),
            client_id: "penstock".to_owned(),
            ..wire::OauthClient::default()
        }
    }

    #[test]
    fn f01_a_secret_is_shown_to_no_other_server_than_the_one_it_was_given_for() {
        let present = client();
        let same = read(Some(given("https://auth.example/token")), Some(&present), &[])
            .ok()
            .unwrap();
        assert!(same.client_secret == present.client_secret);
        let other = read(Some(given("https://evil.example/token")), Some(&present), &[])
            .ok()
            .unwrap();
        assert!(other.client_secret.is_none());
    }

    #[test]
    fn s02_where_a_token_url_may_lead_is_checked_at_the_beginning() {
        let inside = read(Some(given("https://10.0.0.1/token")), None, &[])
            .err()
            .unwrap();
        assert!(
            inside.message().contains("client.token_url"),
            "{}",
            inside.message()
        );
        assert!(read(None, None, &[]).is_err());
    }
}
