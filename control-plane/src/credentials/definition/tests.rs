//! Definitions as the database has them.

use super::*;

pub(crate) fn client() -> OauthClient {
    OauthClient {
        authorize_url: "https://auth.example/authorize".to_owned(),
        token_url: "https://auth.example/token".to_owned(),
        client_id: "penstock".to_owned(),
        client_secret: Some(Secret::new("client-secret-0001")),
        scopes: vec!["models".to_owned(), "offline_access".to_owned()],
        redirect_uri: "http://localhost:1/callback".to_owned(),
        json: false,
        basic_auth: false,
        parameters: Vec::new(),
    }
}

fn aws() -> AwsKeys {
    AwsKeys {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI"),
        session_token: Some(Secret::new("token")),
        region: "eu-west-1".to_owned(),
    }
}

#[test]
fn f02_every_kind_comes_back_as_it_was_sealed() {
    let all = [
        Definition::ApiKey(Secret::new("sk-ant-api03-abcdefghijklmnop")),
        Definition::BearerToken(Secret::new("bedrock-api-key-abcdefghijk")),
        Definition::AwsKeys(aws()),
        Definition::Oauth(Box::new(client())),
        Definition::ServiceAccount(Box::new(
            service_account::read(&service_account::tests::file(
                "https://oauth2.googleapis.com/token",
            ))
            .ok()
            .unwrap(),
        )),
    ];
    for definition in all {
        let again = Definition::from_text(definition.to_text()).ok().unwrap();
        assert!(again == definition, "{}", definition.kind());
    }
}

#[test]
fn f02_a_key_sealed_by_an_older_release_is_a_key() {
    let read = Definition::from_text(Secret::new("{\"kind\":\"oauth\"}"))
        .ok()
        .unwrap();
    assert_eq!(read.kind(), "api-key");
    assert!(Definition::from_text(Secret::new(" {\"kind\":\"from-the-future\"}")).is_err());
}

#[test]
fn f01_hints_tell_the_kind_and_no_secret() {
    assert_eq!(
        Definition::AwsKeys(aws()).hint(),
        "aws-keys: AKIAIOSFODNN7EXAMPLE in eu-west-1"
    );
    assert_eq!(Definition::Oauth(Box::new(client())).hint(), "oauth: penstock");
    let token = Definition::BearerToken(Secret::new("bedrock-api-key-abcdefghijk"));
    assert_eq!(token.hint(), "bearer-token: bedrock-****hijk");
}

#[test]
fn f03_what_penstock_sets_itself_is_no_parameter() {
    let mut client = client();
    client.parameters = vec![("audience".to_owned(), "x".to_owned())];
    assert!(Definition::Oauth(Box::new(client.clone())).validate().is_ok());
    client.parameters = vec![("code_challenge_method".to_owned(), "plain".to_owned())];
    let problem = Definition::Oauth(Box::new(client)).validate().unwrap_err();
    assert_eq!(problem.field, "client.parameters");
}
