//! A token endpoint that answers what a test wants, when it wants it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use penstock_core::id::ProviderId;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::{CredentialChange, SealedToken, Store, TokenPut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::fake_store::FakeStore;
use crate::clock;
use crate::context::Context;
use crate::credentials::{Definition, Field, OauthClient, TokenSet, definition_tests};

/// See the module. It waits for [`TokenEndpoint::go`] before each answer.
pub(crate) struct TokenEndpoint {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<String>>,
    gate: Semaphore,
}

impl TokenEndpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answers: Mutex::default(),
            asked: Mutex::default(),
            gate: Semaphore::new(0),
        });
        let serving = Arc::clone(&shared);
        let (tasks, connections) = (TaskTracker::new(), TaskTracker::new());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { port, shared }
    }

    /// What it answers next, and at once.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        let answer = (status, body.to_owned());
        self.shared.answers.lock().unwrap().push_back(answer);
        self.go();
    }

    /// One more answer may go.
    pub(crate) fn go(&self) {
        self.shared.gate.add_permits(1);
    }

    /// The bodies of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    fn client(&self) -> OauthClient {
        OauthClient {
            token_url: self.url(),
            ..definition_tests::client()
        }
    }

    /// Provider `n`, whose tokens come from here, with a token of this end.
    pub(crate) async fn provider(
        &self,
        (context, store): (&Context, &FakeStore),
        n: u8,
        refresh: Option<&str>,
        expires_at: UnixMs,
    ) -> ProviderId {
        let place = super::provider_ref(n);
        let ResourceRef::Provider(id) = place else {
            panic!("a provider")
        };
        let client = Definition::Oauth(Box::new(self.client()));
        let sealed = |field, text: &Secret| {
            let sealed = context.sealer.seal_as(&place, field, text, String::new());
            sealed.unwrap()
        };
        let credential = CredentialChange::Set(sealed(Field::Credential, &client.to_text()));
        super::commit(store, super::put_provider(n, credential)).await;
        let tokens = TokenSet {
            access: Secret::new("access-1"),
            refresh: refresh.map(Secret::new),
        };
        let subject = crate::tokens::subject(context, id).await.unwrap();
        let put = TokenPut {
            provider: id,
            replaces: 0,
            credential_version: subject.credential_version,
            fence: 0,
            token: SealedToken {
                sealed: sealed(Field::Token, &tokens.to_text()),
                obtained_at: UnixMs(0),
                expires_at,
            },
        };
        store.put_token(&put, clock::now()).await.unwrap();
        id
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    let body = loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                break body.to_owned();
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => read.extend_from_slice(&buffer[..n]),
        }
    };
    shared.asked.lock().unwrap().push(body);
    shared.gate.acquire().await.unwrap().forget();
    let answer = shared.answers.lock().unwrap().pop_front();
    let (status, body) = answer.unwrap_or((500, String::new()));
    let kind = if body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap_or_default();
}
