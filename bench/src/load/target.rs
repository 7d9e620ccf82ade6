//! Where requests go and what they are.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Full;

/// What a good answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One body with a stated length.
    Whole,
    /// Server-sent events to `message_stop`.
    Stream,
}

/// One address, and one request for each key.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) expect: Expect,
    requests: Vec<Request<Full<Bytes>>>,
}

impl Target {
    /// Messages requests as an SDK sends them.
    ///
    /// # Errors
    /// A key that cannot stand in a header.
    pub(crate) fn messages(
        address: SocketAddr,
        keys: &[String],
        body: &Bytes,
        expect: Expect,
    ) -> Result<Self> {
        let request = |key: &String| {
            let mut key = HeaderValue::from_str(key).context("a key that is no header value")?;
            key.set_sensitive(true);
            Request::post("/v1/messages")
                .header(header::HOST, address.to_string())
                .header("x-api-key", key)
                .header("anthropic-version", "2023-06-01")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::ACCEPT, "application/json")
                .header(header::USER_AGENT, "penstock-bench")
                .body(Full::new(body.clone()))
                .context("a request that cannot be built")
        };
        let requests = keys.iter().map(request).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            address,
            expect,
            requests,
        })
    }

    /// The request of one connection; connections take turns with the keys.
    pub(crate) fn request(&self, connection: usize) -> Result<Request<Full<Bytes>>> {
        let index = connection % self.requests.len().max(1);
        self.requests.get(index).cloned().context("a target without keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(keys: &[&str]) -> Result<Target> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        Target::messages(
            ([127, 0, 0, 1], 9).into(),
            &keys,
            &Bytes::from_static(b"{}"),
            Expect::Whole,
        )
    }

    #[test]
    fn connections_take_turns_with_the_keys() {
        let target = target(&["a", "b"]).unwrap();
        let key = |connection| target.request(connection).unwrap().headers()["x-api-key"].clone();
        assert_eq!((key(0), key(1), key(2)), (key(4), key(3), key(0)));
        assert_ne!(key(0), key(1));
    }

    #[test]
    fn a_key_with_a_line_end_is_refused() {
        assert!(target(&["a\nb"]).is_err());
        assert!(target(&[]).unwrap().request(0).is_err());
    }

    #[test]
    fn keys_do_not_show_in_debug_output() {
        let debug = format!("{:?}", target(&["marked-secret"]).unwrap());
        assert!(!debug.contains("marked-secret"));
    }
}
