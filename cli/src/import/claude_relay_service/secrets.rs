//! The credential of an account, of whatever kind.

use penstock_core::secret::Secret;
use penstock_proto::admin::v1::new_credential::Credential;
use penstock_proto::config::v1::AwsKeys;
use serde_json::Value;

use super::decrypt::{Closed, Decrypter};
use super::dump::Platform;
use crate::failure::Failure;
use crate::import::record::Record;

/// What was found.
pub(super) enum Found {
    Credential(Credential),
    /// It logs in: there is a refresh token, which belongs to the old gateway's client.
    Login,
    Nothing,
}

pub(super) fn of(platform: Platform, account: &Record, decrypter: &Decrypter) -> Result<Found, Failure> {
    let closed = |closed: Closed| Failure::Input(format!("the credential of {} {closed}", account.source));
    let open = |field| {
        let text = account.text(field);
        let opened = text
            .map(|text| decrypter.open(platform.salt(), &text))
            .transpose();
        opened
            .map(|secret| secret.filter(|secret| !secret.is_empty()))
            .map_err(closed)
    };
    Ok(match platform {
        Platform::ClaudeConsole
        | Platform::Ccr
        | Platform::OpenaiResponses
        | Platform::AzureOpenai
        | Platform::GeminiApi => match open("apiKey")? {
            Some(key) => Found::Credential(Credential::ApiKey(text(&key))),
            None => Found::Nothing,
        },
        Platform::Claude => claude(account, open("refreshToken")?, open("accessToken")?),
        Platform::Openai | Platform::Gemini | Platform::Droid => {
            // They are read, so that they are not told as left over.
            account.note_seen(&["accessToken", "refreshToken", "idToken", "geminiOauth", "apiKeys"]);
            Found::Login
        }
        Platform::Bedrock => match account.json("awsCredentials") {
            Some(credentials) => {
                let region = account.text("region").unwrap_or_else(|| "us-east-1".to_owned());
                bedrock(&decrypter.open_object(&credentials).map_err(closed)?, region)
            }
            None => Found::Nothing,
        },
    })
}

/// A setup token has no refresh token and holds for a year.
fn claude(account: &Record, refresh: Option<Secret>, access: Option<Secret>) -> Found {
    account.note_seen(&["claudeAiOauth", "email", "password", "expiresAt", "scopes"]);
    match (refresh, access) {
        (Some(_), _) => Found::Login,
        (None, Some(token)) => Found::Credential(Credential::BearerToken(text(&token))),
        (None, None) => Found::Nothing,
    }
}

fn bedrock(credentials: &Value, region: String) -> Found {
    let text = |field| {
        credentials
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let token = text("bearerToken");
    let keys = AwsKeys {
        access_key_id: text("accessKeyId"),
        secret_access_key: text("secretAccessKey"),
        session_token: text("sessionToken"),
        region,
    };
    match (token.is_empty(), keys.access_key_id.is_empty()) {
        (false, _) => Found::Credential(Credential::BearerToken(token)),
        (true, false) => Found::Credential(Credential::AwsKeys(keys)),
        (true, true) => Found::Nothing,
    }
}

/// To be sealed at the control plane.
fn text(secret: &Secret) -> String {
    secret.expose().to_owned()
}
