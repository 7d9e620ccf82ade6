//! An OAuth 2.0 authorization server that rotates refresh tokens, notices their reuse, and misbehaves on command.
//!
//! Authorization code with PKCE (S256), refresh with rotation, and Google's JWT bearer grant. It counts what must never
//! happen: two refreshes of one login at once, and a refresh token that is used twice. A used refresh token revokes the
//! whole login, as RFC 9700 says.
//!
//! `GET /authorize` logs in at once and redirects; `POST /token` takes a form or JSON. Other requests get 404. A fake
//! provider that was built with [`Builder::accept_tokens_of`](crate::Builder::accept_tokens_of) accepts its access tokens
//! for as long as they are valid.

mod answer;
mod state;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::server::Lifecycle;
use answer::Answer;
use state::State;

pub use state::TokenCounts;

const MAX_BODY: usize = 64 * 1024;

/// The id of its one client.
pub const CLIENT_ID: &str = "penstock-test";
/// And its secret.
pub const CLIENT_SECRET: &str = "client-secret-of-the-test-0123456789";

/// A running authorization server. Dropping it ends it.
#[derive(Debug)]
pub struct AuthorizationServer {
    address: SocketAddr,
    state: Arc<State>,
    life: Lifecycle,
}

/// Whether a token that it gave out is valid now.
#[derive(Clone, Debug)]
pub(crate) struct Validity(Arc<State>);

impl AuthorizationServer {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (state, life) = (Arc::<State>::default(), Lifecycle::default());
        let (serving, lives) = (Arc::clone(&state), life.clone());
        life.tasks.spawn(async move {
            let kill = lives.kill.clone();
            kill.run_until_cancelled(serve(listener, serving, lives)).await;
        });
        Ok(Self { address, state, life })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where browsers log in.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("http://{}/authorize", self.address)
    }

    /// Where codes and refresh tokens are exchanged.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// How long access tokens are valid from now on. Default an hour.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.with(|it| it.lifetime = lifetime);
    }

    /// How long the token endpoint takes to answer from now on, after it has done what was asked.
    pub fn set_delay(&self, delay: Duration) {
        self.state.with(|it| it.delay = delay);
    }

    /// The next requests to the token endpoint get this status and do nothing.
    pub fn fail_next(&self, times: usize, status: u16) {
        self.state
            .with(|it| it.failures.extend(std::iter::repeat_n(status, times)));
    }

    /// The next request is done and its answer is never sent: the connection ends instead.
    pub fn swallow_next_answer(&self) {
        self.state.with(|it| it.swallow = true);
    }

    /// No access token that was given out is valid any more; refresh tokens are.
    pub fn expire_access_tokens(&self) {
        self.state.with(state::Inner::expire);
    }

    /// Nothing that was given out is valid any more.
    pub fn revoke_all(&self) {
        self.state.with(state::Inner::revoke);
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> TokenCounts {
        self.state.with(|it| it.counts)
    }

    /// Every secret that it gave out, to be looked for where none may be.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.state.with(|it| it.given.clone())
    }

    pub(crate) fn validity(&self) -> Validity {
        Validity(Arc::clone(&self.state))
    }
}

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        self.life.kill.cancel();
    }
}

impl Validity {
    pub(crate) fn of(&self, access_token: &[u8]) -> bool {
        self.0.with(|it| it.is_valid(access_token))
    }
}

async fn serve(listener: TcpListener, state: Arc<State>, life: Lifecycle) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, lives) = (Arc::clone(&state), life.clone());
        life.tasks.spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&state), request));
            let builder = auto::Builder::new(lives.clone());
            let serving = builder.serve_connection(TokioIo::new(stream), service);
            if let Some(Err(error)) = lives.kill.run_until_cancelled(serving).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

/// An error ends the connection without an answer.
async fn respond(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let answer = match (head.method, head.uri.path()) {
        (Method::GET, "/authorize") => state.with(|it| it.authorize(head.uri.query().unwrap_or_default())),
        (Method::POST, "/token") => {
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map_err(io::Error::other)?.to_bytes();
            token(&state, &head.headers, &body).await?
        }
        (_, "/token") => Answer::error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request"),
        _ => Answer::error(StatusCode::NOT_FOUND, "not_found"),
    };
    Ok(render(answer).unwrap_or_default())
}

async fn token(state: &State, headers: &http::HeaderMap, body: &[u8]) -> Result<Answer, io::Error> {
    let fields = answer::fields(headers, body);
    let (asked, delay, swallow) = state.with(|it| {
        let swallow = std::mem::take(&mut it.swallow);
        (it.token(&fields), it.delay, swallow)
    });
    // Done already; the answer takes its time, and others may come meanwhile.
    tokio::time::sleep(delay).await;
    state.with(|it| it.ended(&asked));
    match swallow {
        true => Err(io::Error::other("the answer was swallowed")),
        false => Ok(asked.answer),
    }
}

fn render(answer: Answer) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if let Some(location) = answer.location.and_then(|to| to.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
