//! What an operator gives a provider to be called with: one of several kinds, sealed as one text.
//!
//! A vendor's key is sealed as it is, as every release did. The other kinds are JSON behind a space, which no key begins
//! with, so that keys sealed by older releases stay valid and no new kind is taken for a key.
//!
//! Some kinds go to data planes as they are (keys, tokens, keys of AWS). Of the others data planes get nothing but the
//! access token that the control plane obtains.

use penstock_core::credential::{self, AwsKeys, Bearer, Credential};
use penstock_core::invalid::Invalid;
use penstock_core::secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::service_account::{self, ServiceAccount};

/// A provider's credential as it was given.
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
#[derive(Clone, PartialEq, Eq)]
pub enum Definition {
    ApiKey(Secret),
    BearerToken(Secret),
    AwsKeys(AwsKeys),
    ServiceAccount(Box<ServiceAccount>),
    Oauth(Box<OauthClient>),
}

/// A client as it is registered at an authorization server.
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
#[derive(Clone, PartialEq, Eq)]
pub struct OauthClient {
    pub authorize_url: String,
    pub token_url: String,
    pub client_id: String,
    /// None: a public client.
    pub client_secret: Option<Secret>,
    pub scopes: Vec<String>,
    /// To the letter. Empty: none is sent.
    pub redirect_uri: String,
    /// The token endpoint wants JSON instead of a form.
    pub json: bool,
    /// Id and secret go in an `Authorization` header.
    pub basic_auth: bool,
    /// Further parameters of the authorize URL.
    pub parameters: Vec<(String, String)>,
}

/// The sealed text of all kinds but a vendor's key.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Plain {
    BearerToken {
        token: Zeroizing<String>,
    },
    AwsKeys {
        access_key_id: String,
        secret_access_key: Zeroizing<String>,
        session_token: Option<Zeroizing<String>>,
        region: String,
    },
    ServiceAccount {
        json: Zeroizing<String>,
    },
    Oauth {
        authorize_url: String,
        token_url: String,
        client_id: String,
        client_secret: Option<Zeroizing<String>>,
        scopes: Vec<String>,
        redirect_uri: String,
        json: bool,
        basic_auth: bool,
        parameters: Vec<(String, String)>,
    },
}

/// A sealed credential that this release cannot read; a newer one may have written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential is of a kind that this release does not know; set it again")]
pub struct UnknownKind;

const MARK: char = ' ';
/// Of the names and URLs of a client.
const MAX_FIELD: usize = 2048;
const MAX_LIST: usize = 64;

impl Definition {
    /// As listings name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api-key",
            Self::BearerToken(_) => "bearer-token",
            Self::AwsKeys(_) => "aws-keys",
            Self::ServiceAccount(_) => "service-account",
            Self::Oauth(_) => "oauth",
        }
    }

    /// To recognise it by: no secret, or little of one.
    pub fn hint(&self) -> String {
        let name = match self {
            Self::ApiKey(key) => return key.hint(),
            Self::BearerToken(token) => token.hint(),
            Self::AwsKeys(keys) => format!("{} in {}", keys.access_key_id, keys.region),
            Self::ServiceAccount(account) => account.client_email.clone(),
            Self::Oauth(client) => client.client_id.chars().take(64).collect(),
        };
        format!("{}: {name}", self.kind())
    }

    /// Whether the control plane obtains tokens with it.
    pub fn is_exchanged(&self) -> bool {
        match self {
            Self::ServiceAccount(_) | Self::Oauth(_) => true,
            Self::ApiKey(_) | Self::BearerToken(_) | Self::AwsKeys(_) => false,
        }
    }

    /// What data planes get of it; None when they get a token instead.
    pub fn into_credential(self) -> Option<Credential> {
        match self {
            Self::ApiKey(key) => Some(Credential::ApiKey(key)),
            Self::BearerToken(token) => Some(Credential::Bearer(Bearer { token, renewal: None })),
            Self::AwsKeys(keys) => Some(Credential::Aws(keys)),
            Self::ServiceAccount(_) | Self::Oauth(_) => None,
        }
    }

    /// What can be wrong with it, apart from where its URLs lead. No text quotes a secret.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::ApiKey(secret) | Self::BearerToken(secret) => credential::check("credential", secret),
            Self::AwsKeys(keys) => keys.validate().map_err(|e| e.within("aws_keys")),
            Self::ServiceAccount(_) => Ok(()),
            Self::Oauth(client) => client.validate().map_err(|e| e.within("client")),
        }
    }

    /// To be sealed.
    pub fn to_text(&self) -> Secret {
        let hidden = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
        let plain = match self {
            Self::ApiKey(key) => return key.clone(),
            Self::BearerToken(token) => Plain::BearerToken { token: hidden(token) },
            Self::AwsKeys(keys) => Plain::AwsKeys {
                access_key_id: keys.access_key_id.clone(),
                secret_access_key: hidden(&keys.secret_access_key),
                session_token: keys.session_token.as_ref().map(hidden),
                region: keys.region.clone(),
            },
            Self::ServiceAccount(account) => Plain::ServiceAccount {
                json: hidden(&account.file),
            },
            Self::Oauth(client) => Plain::Oauth {
                authorize_url: client.authorize_url.clone(),
                token_url: client.token_url.clone(),
                client_id: client.client_id.clone(),
                client_secret: client.client_secret.as_ref().map(hidden),
                scopes: client.scopes.clone(),
                redirect_uri: client.redirect_uri.clone(),
                json: client.json,
                basic_auth: client.basic_auth,
                parameters: client.parameters.clone(),
            },
        };
        // Plain strings in a plain form.
        let json = Zeroizing::new(serde_json::to_string(&plain).unwrap_or_default());
        Secret::new([MARK.to_string().as_str(), &json].concat())
    }

    /// What was sealed.
    pub fn from_text(text: Secret) -> Result<Self, UnknownKind> {
        // Read where it belongs.
        let Some(json) = text.expose().strip_prefix(MARK) else {
            return Ok(Self::ApiKey(text));
        };
        let plain: Plain = serde_json::from_str(json).map_err(|_| UnknownKind)?;
        let shown = |secret: Zeroizing<String>| Secret::new(secret.as_str());
        Ok(match plain {
            Plain::BearerToken { token } => Self::BearerToken(shown(token)),
            Plain::AwsKeys {
                access_key_id,
                secret_access_key,
                session_token,
                region,
            } => Self::AwsKeys(AwsKeys {
                access_key_id,
                secret_access_key: shown(secret_access_key),
                session_token: session_token.map(shown),
                region,
            }),
            Plain::ServiceAccount { json } => {
                let account = service_account::read(&shown(json)).map_err(|_| UnknownKind)?;
                Self::ServiceAccount(Box::new(account))
            }
            Plain::Oauth {
                authorize_url,
                token_url,
                client_id,
                client_secret,
                scopes,
                redirect_uri,
                json,
                basic_auth,
                parameters,
            } => Self::Oauth(Box::new(OauthClient {
                authorize_url,
                token_url,
                client_id,
                client_secret: client_secret.map(shown),
                scopes,
                redirect_uri,
                json,
                basic_auth,
                parameters,
            })),
        })
    }
}

impl OauthClient {
    fn validate(&self) -> Result<(), Invalid> {
        let fields = [
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
        ];
        for (field, text) in fields {
            if text.len() > MAX_FIELD || text.chars().any(|c| c.is_control() || c == ' ') {
                return Err(Invalid::new(
                    field,
                    "is too long, or has spaces or control characters",
                ));
            }
        }
        if self.client_id.is_empty() {
            return Err(Invalid::new("client_id", "must not be empty"));
        }
        if self.scopes.len() > MAX_LIST || self.parameters.len() > MAX_LIST {
            return Err(Invalid::new(
                "scopes",
                format!("has more than {MAX_LIST} entries"),
            ));
        }
        let ours = |name: &str| {
            ["response_type", "client_id", "redirect_uri", "scope", "state"].contains(&name)
                || name.starts_with("code_challenge")
        };
        match self
            .parameters
            .iter()
            .find(|(name, _)| name.is_empty() || ours(name))
        {
            Some((name, _)) => {
                let problem = format!("{name:?} is set by Penstock and cannot be a parameter");
                Err(Invalid::new("parameters", problem))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
