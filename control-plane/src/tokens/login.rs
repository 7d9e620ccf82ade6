//! An operator's login: the URL for the browser, and what comes back from there.
//!
//! PKCE with S256 always. A login is sealed in the store between its two steps, so that any replica can finish it; it is
//! bound to the operator and the provider, lasts ten minutes and is used once, whatever comes of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::OauthLogin;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock;
use crate::context::Context;
use crate::credentials::{Definition, Field, OauthClient, SealError};
use penstock_core::id::ProviderId;

const LIFETIME_MS: u64 = 10 * 60_000;
/// Longer ones are no code.
const MAX_PASTED: usize = 16 * 1024;

/// A login under way.
pub(crate) struct Login {
    state: Secret,
    pub(crate) verifier: Secret,
    pub(crate) client: OauthClient,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Plain {
    state: Zeroizing<String>,
    verifier: Zeroizing<String>,
    client: Zeroizing<String>,
}

/// What an operator pasted.
pub(crate) struct Pasted {
    pub(crate) code: Secret,
    state: Option<Secret>,
}

/// Why a login cannot be begun or finished. The text is for the operator and holds no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    #[error("a login cannot be sealed: {0}")]
    Seal(#[from] SealError),
    #[error(transparent)]
    Store(#[from] penstock_store::Error),
    #[error(
        "you have no login under way for this provider, or it is older than ten minutes, or it was used already; begin \
         again: penstock oauth start"
    )]
    NoLogin,
    #[error("the pasted text is of another login (its state differs); begin again: penstock oauth start")]
    OtherState,
    #[error(
        "there is no code in the pasted text; paste the code, or the whole URL that the browser shows at the end"
    )]
    NoCode,
    #[error("the authorization server refused the login: {0}")]
    Refused(String),
}

impl Login {
    /// A new one, kept for the operator.
    pub(crate) async fn begin(
        context: &Context,
        provider: ProviderId,
        actor: &str,
        client: OauthClient,
    ) -> Result<(Self, UnixMs), LoginError> {
        let login = Self {
            state: random()?,
            verifier: random()?,
            client,
        };
        let place = ResourceRef::Provider(provider);
        let text = login.to_text();
        let sealed = context
            .sealer
            .seal_as(&place, Field::Login, &text, String::new())?;
        let (now, actor) = (clock::now(), actor.to_owned());
        let expires_at = now.plus_ms(LIFETIME_MS);
        let row = OauthLogin {
            provider,
            actor,
            sealed,
            expires_at,
        };
        context.store.put_login(&row, now).await?;
        Ok((login, expires_at))
    }

    /// Takes the operator's login, which is used up by it.
    pub(crate) async fn take(
        context: &Context,
        provider: ProviderId,
        actor: &str,
        pasted: &Pasted,
    ) -> Result<Self, LoginError> {
        let taken = context.store.take_login(provider, actor, clock::now()).await?;
        let sealed = taken.ok_or(LoginError::NoLogin)?.sealed;
        let place = ResourceRef::Provider(provider);
        let text = context.sealer.unseal(&place, Field::Login, &sealed);
        let login = text.ok().and_then(|text| Self::from_text(&text));
        let login = login.ok_or(LoginError::NoLogin)?;
        match &pasted.state {
            Some(state) if *state != login.state => Err(LoginError::OtherState),
            Some(_) | None => Ok(login),
        }
    }

    /// For the browser.
    pub(crate) fn authorize_url(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.client_id);
        if !self.client.redirect_uri.is_empty() {
            query.append_pair("redirect_uri", &self.client.redirect_uri);
        }
        if !self.client.scopes.is_empty() {
            query.append_pair("scope", &self.client.scopes.join(" "));
        }
        // The browser carries it, and brings it back.
        query
            .append_pair("state", self.state.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(&self.client.parameters);
        let has_query = self
            .client
            .authorize_url
            .parse::<Uri>()
            .is_ok_and(|uri| uri.query().is_some());
        let mark = if has_query { "&" } else { "?" };
        [&self.client.authorize_url, mark, &query.finish()].concat()
    }

    fn to_text(&self) -> Secret {
        let hidden = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
        let client = Definition::Oauth(Box::new(self.client.clone()));
        let plain = Plain {
            state: hidden(&self.state),
            verifier: hidden(&self.verifier),
            client: hidden(&client.to_text()),
        };
        Secret::new(Zeroizing::new(serde_json::to_string(&plain).unwrap_or_default()).as_str())
    }

    fn from_text(text: &Secret) -> Option<Self> {
        let plain: Plain = serde_json::from_str(text.expose()).ok()?;
        let client = match Definition::from_text(Secret::new(plain.client.as_str())).ok()? {
            Definition::Oauth(client) => *client,
            Definition::ApiKey(_)
            | Definition::BearerToken(_)
            | Definition::AwsKeys(_)
            | Definition::ServiceAccount(_) => return None,
        };
        Some(Self {
            state: Secret::new(plain.state.as_str()),
            verifier: Secret::new(plain.verifier.as_str()),
            client,
        })
    }
}

impl Pasted {
    /// Reads a code, `code#state`, a query or a whole URL, with whatever space is around and in it.
    pub(crate) fn read(text: &Secret) -> Result<Self, LoginError> {
        // Read where it belongs. Terminals wrap long lines.
        let text: Zeroizing<String> = Zeroizing::new(text.expose().split_whitespace().collect());
        let text = text.trim_matches(['"', '\'', '<', '>']);
        if text.is_empty() || text.len() > MAX_PASTED {
            return Err(LoginError::NoCode);
        }
        let is_url = text.contains("://");
        let is_query = is_url || text.starts_with('?') || text.contains("code=") || text.contains("error=");
        if !is_query {
            let (code, state) = text.split_once('#').unwrap_or((text, ""));
            return Self::of(code, state);
        }
        let (mut code, mut state, mut error) = (String::new(), String::new(), String::new());
        let behind_url = match is_url {
            true => text
                .split_once('?')
                .or_else(|| text.split_once('#'))
                .map_or("", |(_, rest)| rest),
            false => text.trim_start_matches('?'),
        };
        for (name, value) in form_urlencoded::parse(behind_url.replace(['#', '?'], "&").as_bytes()) {
            match &*name {
                "code" => code = value.into_owned(),
                "state" => state = value.into_owned(),
                "error" => error = value.into_owned(),
                _ => {}
            }
        }
        if !error.is_empty() {
            let shown = error.chars().filter(|c| c.is_ascii_graphic()).take(100);
            return Err(LoginError::Refused(shown.collect()));
        }
        Self::of(&code, &state)
    }

    fn of(code: &str, state: &str) -> Result<Self, LoginError> {
        if code.is_empty() {
            return Err(LoginError::NoCode);
        }
        Ok(Self {
            code: Secret::new(code),
            state: (!state.is_empty()).then(|| Secret::new(state)),
        })
    }
}

/// 32 random bytes as text of 43 characters: a verifier, or a state.
fn random() -> Result<Secret, LoginError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(LoginError::Random)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::definition_tests::client;

    fn read(text: &str) -> (String, Option<String>) {
        let pasted = Pasted::read(&Secret::new(text)).ok().unwrap();
        let state = pasted.state.map(|state| state.expose().to_owned());
        (pasted.code.expose().to_owned(), state)
    }

    #[test]
    fn f03_a_code_is_taken_in_every_form_in_which_it_is_pasted() {
        let both = ("c/1".to_owned(), Some("s+2".to_owned()));
        assert_eq!(read("  c/1 \n"), ("c/1".to_owned(), None));
        assert_eq!(read("c/1#s+2\n"), both);
        for url in [
            "http://localhost:1455/callback?code=c%2F1&state=s%2B2",
            " https://a.example/cb?x=1&state=s%2B2&code=c%2F1#_=_ ",
            "https://a.example/cb#code=c%2F1&state=s%2B2",
            "'http://localhost/cb?code=c%2F1&st\nate=s%2B2'",
            "?code=c%2F1&state=s%2B2",
            "code=c%2F1&state=s%2B2",
        ] {
            assert_eq!(read(url), both, "{url}");
        }
    }

    #[test]
    fn f03_what_holds_no_code_says_why() {
        let problem = |text: &str| Pasted::read(&Secret::new(text)).err().unwrap().to_string();
        assert!(problem("  ").contains("no code"));
        assert!(problem("https://a.example/cb?state=x").contains("no code"));
        assert!(problem("https://a.example/cb?error=access_denied&state=x").contains("access_denied"));
    }

    #[test]
    fn f03_the_url_for_the_browser_carries_the_challenge_and_never_the_verifier() {
        let login = Login {
            state: Secret::new("the-state"),
            // RFC 7636, appendix B.
            verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            client: client(),
        };
        let url = login.authorize_url();
        assert_eq!(
            url,
            "https://auth.example/authorize?response_type=code&client_id=penstock\
             &redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcallback&scope=models+offline_access&state=the-state\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        );
        let again = Login::from_text(&login.to_text()).unwrap();
        assert!(again.client == login.client && again.verifier == login.verifier);
    }

    #[test]
    fn f03_verifiers_and_states_are_long_and_differ() {
        let (a, b) = (random().ok().unwrap(), random().ok().unwrap());
        assert!(a != b);
        assert_eq!(a.expose().len(), 43);
    }
}
