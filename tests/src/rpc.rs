//! gRPC by hand: one call of any RPC, with any token, to see who is let in.

use anyhow::{Context, Result};

/// A client that speaks HTTP/2 from the start, as gRPC does without TLS.
#[derive(Clone, Debug)]
pub struct Rpc {
    http: reqwest::Client,
    server: String,
}

/// How a call began.
#[derive(Debug)]
pub struct Answered {
    /// The gRPC status that came instead of an answer. None: the service answers.
    pub refused: Option<u32>,
    pub message: String,
    answer: reqwest::Response,
}

impl Answered {
    /// All that is said: of a stream that does not end, never.
    pub async fn body(self) -> Result<Vec<u8>> {
        Ok(self.answer.bytes().await?.to_vec())
    }
}

impl Rpc {
    /// To the gRPC port of a control plane.
    pub fn new(server: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .http2_prior_knowledge()
            .timeout(std::time::Duration::from_secs(60))
            .build()?;
        Ok(Self {
            http,
            server: server.to_owned(),
        })
    }

    /// Calls `package.Service/Method` with one message.
    pub async fn call(&self, rpc: &str, token: Option<&str>, message: &[u8]) -> Result<Answered> {
        let length = u32::try_from(message.len())?.to_be_bytes();
        let frame = [&[0], &length[..], message].concat();
        let mut request = self
            .http
            .post(format!("{}/{rpc}", self.server))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(frame);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.with_context(|| rpc.to_owned())?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap_or_default().to_owned())
        };
        let refused = header("grpc-status").map(|code| code.parse()).transpose()?;
        let message = header("grpc-message").unwrap_or_default();
        Ok(Answered {
            refused,
            message,
            answer: response,
        })
    }
}
