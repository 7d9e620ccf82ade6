//! The headers that a failure log wants, copied out of a request that is about to be dropped.
//!
//! A header's value is a piece of the connection's buffer, which would stay whole for as long as one value does.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Head, few};

const NAMES: [&str; 15] = [
    "user-agent",
    "traceparent",
    "x-trace-id",
    "via",
    "x-business-module",
    "x-stainless-lang",
    "x-stainless-package-version",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "anthropic-version",
    "anthropic-beta",
    "openai-beta",
    "x-app",
    "x-stainless-retry-count",
    "x-stainless-timeout",
];
/// See the module: for each value the place of its name, its length, its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept(Box<[u8]>);

impl Kept {
    /// Copies what matters.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut kept = Vec::with_capacity(256);
        for (at, name) in (0_u8..).zip(NAMES) {
            let Some(value) = headers.get(name).map(HeaderValue::as_bytes) else {
                continue;
            };
            // Longer ones are left out.
            if let Ok(length) = u8::try_from(value.len()) {
                kept.extend_from_slice(&[at, length]);
                kept.extend_from_slice(value);
            }
        }
        Self(kept.into_boxed_slice())
    }

    /// What they say.
    pub fn head(&self) -> Head {
        let mut headers = HeaderMap::new();
        let mut rest = &*self.0;
        while let [at, length, behind @ ..] = rest {
            let (value, next) = behind.split_at(behind.len().min(usize::from(*length)));
            let name = NAMES.get(usize::from(*at)).copied();
            if let (Some(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                headers.insert(HeaderName::from_static(name), value);
            }
            rest = next;
        }
        few(&headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_what_was_kept_says_the_same_as_the_request_did() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("user-agent", "claude-cli/1.0.3 (external, cli)"),
            ("x-trace-id", "abc-1"),
            ("via", "1.1 nginx"),
            ("x-business-module", "checkout"),
            ("anthropic-version", "2023-06-01"),
            ("x-api-key", "psk_secret"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let told = Kept::of(&headers).head();
        assert_eq!(told, few(&headers));
        assert_eq!(told.trace_id.as_deref(), Some("abc-1"));
        assert!(!format!("{:?}", Kept::of(&headers)).contains("psk"));
        headers.insert("user-agent", "x".repeat(300).parse().unwrap());
        assert_eq!(Kept::of(&headers).head().sdk_version, "unknown");
    }
}
