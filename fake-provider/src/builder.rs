//! Making a fake provider.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::authorization::AuthorizationServer;
use crate::behaviour::Behaviour;
use crate::controls::Controls;
use crate::credential::Credentials;
use crate::fixed::Prebuilt;
use crate::provider::FakeProvider;
use crate::record::Journal;
use crate::respond::App;
use crate::server::{Lifecycle, serve};
use crate::tally::Tally;

const KEPT_REQUESTS: usize = 1024;
/// On one HTTP/2 connection.
const MAX_STREAMS: u32 = 20_000;
const CLAUDE_MODELS: [&str; 3] = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"];
const GPT_MODELS: [&str; 3] = ["gpt-5.6", "gpt-5.5", "gpt-5-mini"];
const GEMINI_MODELS: [&str; 2] = ["gemini-2.5-pro", "gemini-2.5-flash"];

/// Settings of a fake provider. The defaults answer every request well and at once.
#[derive(Debug)]
pub struct Builder {
    default: Behaviour,
    script: Vec<Behaviour>,
    credentials: Credentials,
    claude_models: Vec<String>,
    gpt_models: Vec<String>,
    gemini_models: Vec<String>,
    keep_requests: Option<usize>,
    fixed_answer_bytes: Option<usize>,
    max_body_bytes: usize,
    max_streams: u32,
    grace: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            default: Behaviour::default(),
            script: Vec::new(),
            credentials: Credentials::default(),
            claude_models: CLAUDE_MODELS.map(str::to_owned).to_vec(),
            gpt_models: GPT_MODELS.map(str::to_owned).to_vec(),
            gemini_models: GEMINI_MODELS.map(str::to_owned).to_vec(),
            keep_requests: None,
            fixed_answer_bytes: None,
            max_body_bytes: 64 * 1024 * 1024,
            max_streams: MAX_STREAMS,
            grace: Duration::from_secs(1),
        }
    }
}

impl Builder {
    /// The behaviour of model calls that the script does not cover.
    #[must_use]
    pub fn default_behaviour(mut self, behaviour: Behaviour) -> Self {
        self.default = behaviour;
        self
    }

    /// One entry for each model call, in order of arrival; then the default.
    #[must_use]
    pub fn script(mut self, script: impl IntoIterator<Item = Behaviour>) -> Self {
        self.script.extend(script);
        self
    }

    /// Refuses callers without this secret with the vendor's 401. Called again, it accepts that one too.
    #[must_use]
    pub fn require_credential(mut self, secret: impl Into<String>) -> Self {
        self.credentials.accept(secret.into());
        self
    }

    /// Refuses callers without a token of this server that is valid now.
    #[must_use]
    pub fn accept_tokens_of(mut self, server: &AuthorizationServer) -> Self {
        self.credentials.accept_tokens(server.validity());
        self
    }

    /// The list of `GET /v1/models` for Anthropic's clients. Model calls are answered for any model.
    #[must_use]
    pub fn claude_models<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.claude_models = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The list of `GET /v1/models` for OpenAI's clients. Model calls are answered for any model.
    #[must_use]
    pub fn gpt_models<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.gpt_models = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The list of `GET /v1beta/models`. Model calls are answered for any model.
    #[must_use]
    pub fn gemini_models<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.gemini_models = ids.into_iter().map(Into::into).collect();
        self
    }

    /// How many requests are kept (at most 64 MiB of bodies). Default 1 024; 0 with fixed answers.
    #[must_use]
    pub fn keep_requests(mut self, requests: usize) -> Self {
        self.keep_requests = Some(requests);
        self
    }

    /// Answers with prebuilt bodies of so many bytes, for a bench: the least work that still is HTTP. Streams
    /// are prebuilt too, with the chunks of the default behaviour, and paced as it says.
    #[must_use]
    pub fn fixed_answers(mut self, bytes: usize) -> Self {
        self.fixed_answer_bytes = Some(bytes);
        self
    }

    /// Larger request bodies get the vendor's 413. Default 64 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// At once on one HTTP/2 connection. Default 20 000.
    #[must_use]
    pub fn max_streams(mut self, streams: u32) -> Self {
        self.max_streams = streams;
        self
    }

    /// How long [`FakeProvider::shutdown`] lets answers finish. Default 1 s.
    #[must_use]
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had, or fixed answers cannot be built.
    pub async fn start(self) -> io::Result<FakeProvider> {
        self.start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts at an address.
    ///
    /// # Errors
    /// When the address is taken or not ours, or fixed answers cannot be built.
    pub async fn start_at(self, address: SocketAddr) -> io::Result<FakeProvider> {
        self.start_on(TcpListener::bind(address).await?)
    }

    /// Starts on a listener. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address, or fixed answers cannot be built.
    pub fn start_on(self, listener: TcpListener) -> io::Result<FakeProvider> {
        let address = listener.local_addr()?;
        let first = |models: &[String]| models.first().map_or_else(|| "fake".to_owned(), String::clone);
        let models = [first(&self.claude_models), first(&self.gpt_models)];
        let prebuilt = self
            .fixed_answer_bytes
            .map(|bytes| Prebuilt::new(bytes, [&models[0], &models[1]], &self.default))
            .transpose()?;
        let kept = self
            .keep_requests
            .unwrap_or_else(|| if prebuilt.is_some() { 0 } else { KEPT_REQUESTS });
        let app = Arc::new(App {
            tally: Tally::new(),
            journal: Journal::new(kept),
            controls: Controls::new(self.default, self.script),
            credentials: self.credentials,
            claude_models: self.claude_models,
            gpt_models: self.gpt_models,
            gemini_models: self.gemini_models,
            prebuilt,
            max_body_bytes: self.max_body_bytes,
            max_streams: self.max_streams,
            answered: AtomicU64::new(0),
        });
        let life = Lifecycle::default();
        life.tasks.spawn(serve(listener, Arc::clone(&app), life.clone()));
        Ok(FakeProvider {
            address,
            app,
            life,
            grace: self.grace,
        })
    }
}
