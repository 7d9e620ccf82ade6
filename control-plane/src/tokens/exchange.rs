//! One request to a token endpoint, through the provider's proxy, and what came of it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use penstock_core::invalid::Invalid;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_outbound::{Connections, Reach, chain};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::address::{self, Purpose};
use super::fault::{Answered, Fault, Kind};
use super::{Subject, Tokens};
use crate::clock;
use crate::credentials::{Definition, OauthClient};

/// From the request to the last byte of the answer, once there is a connection.
const ANSWER: Duration = Duration::from_secs(15);
/// Of an answer.
const MAX_ANSWER: usize = 256 * 1024;
/// Where an answer says nothing.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);
const LONGEST_LIFETIME: u64 = 10 * 365 * 86_400;

/// What is shown for a token.
#[derive(Clone, Copy)]
pub(crate) enum Grant<'a> {
    Code { code: &'a Secret, verifier: &'a Secret },
    Refresh(&'a Secret),
    Assertion(&'a Secret),
}

/// What was given.
pub(crate) struct Granted {
    pub(crate) access: Secret,
    /// None: the old one stays valid, if there was one.
    pub(crate) refresh: Option<Secret>,
    pub(crate) obtained_at: UnixMs,
    pub(crate) expires_at: UnixMs,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<Zeroizing<String>>,
    refresh_token: Option<Zeroizing<String>>,
    expires_in: Option<serde_json::Value>,
    error: Option<serde_json::Value>,
}

/// The most that [`exchange`] takes.
pub(super) fn longest(subject: &Subject) -> Duration {
    subject.provider.connect_timeout() + ANSWER
}

/// Asks once.
pub(crate) async fn exchange(tokens: &Tokens, subject: &Subject, grant: Grant<'_>) -> Result<Granted, Fault> {
    let proxy = subject.provider.outbound.proxy.as_ref();
    let asked = ask(tokens, subject, grant).await;
    asked.map_err(|fault| fault.through(proxy))
}

async fn ask(tokens: &Tokens, subject: &Subject, grant: Grant<'_>) -> Result<Granted, Fault> {
    let (uri, reach) = endpoint(tokens, subject).map_err(|invalid| address_fault(&invalid))?;
    let request = request(uri, subject, grant);
    let known = grant.secrets(&subject.definition);
    let asked_at = clock::now();
    let answered = send(tokens, subject, reach, request).await?;
    let status = answered.status;
    let Ok(answer) = serde_json::from_slice::<Answer>(&answered.body) else {
        return Err(Fault::answer(&answered, &known));
    };
    match answer.access_token {
        Some(access) if (200..300).contains(&status) && answer.error.is_none() && is_token(&access) => {
            // From when it was asked for: an answer that took long does not make a token live longer.
            let lifetime = lifetime(answer.expires_in.as_ref());
            let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
            let refresh = answer.refresh_token.filter(|token| !token.is_empty());
            Ok(Granted {
                access: Secret::new(access.as_str()),
                refresh: refresh.map(|token| Secret::new(token.as_str())),
                obtained_at: asked_at,
                expires_at: asked_at.plus_ms(lifetime),
            })
        }
        Some(_) | None => Err(Fault::answer(&answered, &known)),
    }
}

/// Whether the token endpoint answers at all; for tests by hand. What it answers.
pub(crate) async fn reach(tokens: &Tokens, subject: &Subject) -> Result<u16, Fault> {
    let proxy = subject.provider.outbound.proxy.as_ref();
    let (uri, reach) = endpoint(tokens, subject).map_err(|invalid| address_fault(&invalid))?;
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::HEAD;
    *request.uri_mut() = uri;
    let sent = send(tokens, subject, reach, request).await;
    sent.map(|answered| answered.status)
        .map_err(|fault| fault.through(proxy))
}

fn endpoint(tokens: &Tokens, subject: &Subject) -> Result<(Uri, Reach), Invalid> {
    match &subject.definition {
        Definition::Oauth(client) => {
            address::check("token_url", &client.token_url, Purpose::TokenUrl, &tokens.trusted)
        }
        Definition::ServiceAccount(account) => address::check(
            "token_uri",
            &account.token_uri,
            Purpose::GoogleTokenUri,
            &tokens.trusted,
        ),
        Definition::ApiKey(_) | Definition::BearerToken(_) | Definition::AwsKeys(_) => Err(Invalid::new(
            "credential",
            "is of a kind for which no tokens are obtained",
        )),
    }
}

fn address_fault(invalid: &Invalid) -> Fault {
    Fault::new(Kind::Misconfigured, "address", invalid.to_string())
}

fn request(uri: Uri, subject: &Subject, grant: Grant<'_>) -> Request<Full<Bytes>> {
    let client = match &subject.definition {
        Definition::Oauth(client) => Some(&**client),
        Definition::ServiceAccount(_)
        | Definition::ApiKey(_)
        | Definition::BearerToken(_)
        | Definition::AwsKeys(_) => None,
    };
    let fields = fields(client, grant);
    let json = client.is_some_and(|client| client.json);
    let (body, content_type) = match json {
        true => (as_json(&fields), "application/json"),
        false => (as_form(&fields), "application/x-www-form-urlencoded"),
    };
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("penstock/", env!("CARGO_PKG_VERSION"))),
    );
    if let Some(basic) = client.and_then(basic) {
        headers.insert(header::AUTHORIZATION, basic);
    }
    request
}

/// Names and values, in the order in which they are sent. Secrets among them are shown to whom they are for.
fn fields<'a>(client: Option<&'a OauthClient>, grant: Grant<'a>) -> Vec<(&'static str, &'a str)> {
    let mut fields = match grant {
        Grant::Code { code, verifier } => vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("code_verifier", verifier.expose()),
        ],
        Grant::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())],
        Grant::Assertion(assertion) => vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose()),
        ],
    };
    let Some(client) = client else {
        return fields;
    };
    if matches!(grant, Grant::Code { .. }) && !client.redirect_uri.is_empty() {
        fields.push(("redirect_uri", &client.redirect_uri));
    }
    if !client.basic_auth {
        fields.push(("client_id", &client.client_id));
        if let Some(secret) = &client.client_secret {
            fields.push(("client_secret", secret.expose()));
        }
    }
    fields
}

fn as_form(fields: &[(&'static str, &str)]) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish().into()
}

fn as_json(fields: &[(&'static str, &str)]) -> Bytes {
    let members = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()));
    serde_json::Value::Object(members.collect()).to_string().into()
}

/// Both parts are form-encoded first, as RFC 6749 says.
fn basic(client: &OauthClient) -> Option<HeaderValue> {
    if !client.basic_auth {
        return None;
    }
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let secret = client.client_secret.as_ref().map_or("", Secret::expose);
    let pair = Zeroizing::new([encode(&client.client_id), encode(secret)].join(":"));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(&*pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn send(
    tokens: &Tokens,
    subject: &Subject,
    reach: Reach,
    request: Request<Full<Bytes>>,
) -> Result<Answered, Fault> {
    let connections = Connections::of(&subject.provider, subject.proxy_password.as_ref(), reach);
    let client = tokens.clients.make(&connections);
    let client = client
        .map(|pools| pools.open())
        .map_err(|bad| Fault::new(Kind::Misconfigured, "connect", bad.to_string()))?;
    let answering = async {
        let response = client.request(request).await.map_err(|error| {
            // Without a connection nothing was said to anybody.
            match error.is_connect() {
                true => Fault::new(Kind::Later, "connect", chain(&error)),
                false => Fault::new(Kind::Unknown, "answer", chain(&error)),
            }
        })?;
        read(response).await
    };
    match tokio::time::timeout(longest(subject), answering).await {
        Ok(answered) => answered,
        Err(_) => {
            let text = format!("no answer within {} s", longest(subject).as_secs());
            Err(Fault::new(Kind::Unknown, "answer", text))
        }
    }
}

async fn read(response: Response<Incoming>) -> Result<Answered, Fault> {
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = match Limited::new(response.into_body(), MAX_ANSWER).collect().await {
        Ok(body) => body.to_bytes(),
        // That it failed is known all the same.
        Err(_) if !(200..300).contains(&status) => Bytes::new(),
        Err(error) => {
            let text = format!("the answer broke off: {error}");
            return Err(Fault::new(Kind::Unknown, "answer", text));
        }
    };
    Ok(Answered {
        status,
        content_type,
        body,
    })
}

/// A number, as some servers say it in quotes.
fn lifetime(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = match expires_in {
        Some(serde_json::Value::Number(number)) => number
            .as_u64()
            .or_else(|| number.to_string().split('.').next()?.parse().ok()),
        Some(serde_json::Value::String(text)) => text.trim().parse().ok(),
        Some(_) | None => None,
    };
    seconds.map_or(DEFAULT_LIFETIME, |seconds| {
        Duration::from_secs(seconds.clamp(1, LONGEST_LIFETIME))
    })
}

/// It must fit into a header.
fn is_token(text: &str) -> bool {
    penstock_core::credential::check("access_token", &Secret::new(text)).is_ok()
}

impl<'a> Grant<'a> {
    /// What no error may repeat.
    fn secrets(self, definition: &'a Definition) -> Vec<&'a Secret> {
        let mut secrets = match self {
            Self::Code { code, verifier } => vec![code, verifier],
            Self::Refresh(token) => vec![token],
            Self::Assertion(assertion) => vec![assertion],
        };
        if let Definition::Oauth(client) = definition {
            secrets.extend(client.client_secret.as_ref());
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::definition_tests::client;

    fn form(client: &OauthClient, grant: Grant<'_>) -> String {
        String::from_utf8(as_form(&fields(Some(client), grant)).to_vec()).unwrap()
    }

    #[test]
    fn f03_a_refresh_and_a_code_are_asked_as_the_standard_says() {
        let (token, verifier) = (Secret::new("rt 1&"), Secret::new("verifier"));
        assert_eq!(
            form(&client(), Grant::Refresh(&token)),
            "grant_type=refresh_token&refresh_token=rt+1%26&client_id=penstock&client_secret=client-secret-0001"
        );
        let code = Grant::Code {
            code: &token,
            verifier: &verifier,
        };
        assert!(form(&client(), code).contains("&redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcallback&"));
        let basic_auth = OauthClient {
            basic_auth: true,
            ..client()
        };
        assert!(!form(&basic_auth, code).contains("client_"));
        assert_eq!(
            basic(&basic_auth).unwrap(),
            "Basic cGVuc3RvY2s6Y2xpZW50LXNlY3JldC0wMDAx"
        );
    }

    #[test]
    fn f03_a_lifetime_that_is_not_said_is_an_hour() {
        let of = |json: &str| lifetime(serde_json::from_str(json).ok().as_ref()).as_secs();
        assert_eq!(
            (of("3599"), of("\"60\""), of("0"), of("12.5"), of("null")),
            (3599, 60, 1, 12, 3600)
        );
        assert_eq!(lifetime(None), DEFAULT_LIFETIME);
    }
}
