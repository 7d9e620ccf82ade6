//! A caller: plain HTTP, nothing added, nothing followed, nothing retried.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::gateway::{CLAUDE, GPT, KEY};

#[derive(Clone)]
pub(crate) struct Client {
    pooled: Pooled<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

/// A request to be sent.
pub(crate) struct Asking {
    client: Client,
    request: http::request::Builder,
    body: Bytes,
}

/// An answer whose body is still to be read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
}

/// A body that was read as far as it went.
#[derive(Debug)]
pub(crate) struct ReadOut {
    pub(crate) text: String,
    /// The end came as HTTP says it should.
    pub(crate) clean: bool,
}

/// A request of Anthropic's that asks for `text`.
pub(crate) fn messages(text: &str, stream: bool) -> Value {
    json!({"model": CLAUDE, "max_tokens": 1000, "stream": stream, "messages": [{"role": "user", "content": text}]})
}

/// A request of OpenAI's that asks for `text`.
pub(crate) fn chat(text: &str, stream: bool) -> Value {
    json!({"model": GPT, "stream": stream, "messages": [{"role": "user", "content": text}]})
}

impl Client {
    pub(crate) fn http1(address: SocketAddr) -> Self {
        Self {
            pooled: Pooled::builder(TokioExecutor::new()).build_http(),
            address,
        }
    }

    pub(crate) fn http2(address: SocketAddr) -> Self {
        Self {
            pooled: Pooled::builder(TokioExecutor::new())
                .http2_only(true)
                .build_http(),
            address,
        }
    }

    /// A request without a key.
    pub(crate) fn request(&self, method: Method, path: &str) -> Asking {
        let uri = format!("http://{}{path}", self.address);
        Asking {
            client: self.clone(),
            request: Request::builder().method(method).uri(uri),
            body: Bytes::new(),
        }
    }

    /// `POST` with the key of the tests as a bearer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Asking {
        self.request(Method::POST, path)
            .header("authorization", &format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn messages(&self, body: &Value) -> Asking {
        self.post("/v1/messages", body)
            .header("anthropic-version", "2023-06-01")
    }

    pub(crate) fn chat(&self, body: &Value) -> Asking {
        self.post("/v1/chat/completions", body)
    }

    pub(crate) fn get(&self, path: &str) -> Asking {
        self.request(Method::GET, path)
            .header("authorization", &format!("Bearer {KEY}"))
    }
}

impl Asking {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let request = self.request.body(Full::new(self.body)).unwrap();
        let response: Response<Incoming> = self.client.pooled.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The next piece of the body; None at its end, clean or not.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        let frame = self.body.frame().await?.ok()?;
        frame.into_data().ok()
    }

    /// Reads until `text` has come.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let piece = self
                .next()
                .await
                .unwrap_or_else(|| panic!("no {text:?} in {read:?}"));
            read.push_str(std::str::from_utf8(&piece).unwrap());
        }
        read
    }

    pub(crate) async fn read(mut self) -> ReadOut {
        let mut bytes = Vec::new();
        loop {
            match self.body.frame().await {
                Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap_or_default()),
                ended => {
                    return ReadOut {
                        text: String::from_utf8(bytes).unwrap(),
                        clean: ended.is_none(),
                    };
                }
            }
        }
    }

    pub(crate) async fn json(self) -> Value {
        let out = self.read().await;
        assert!(out.clean);
        serde_json::from_str(&out.text).unwrap_or_else(|error| panic!("{error}: {:?}", out.text))
    }

    /// The message of an error in either dialect's shape.
    pub(crate) async fn message(self) -> String {
        self.json().await["error"]["message"].as_str().unwrap().to_owned()
    }
}
