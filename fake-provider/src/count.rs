//! How many tokens an answer reports.
//!
//! A quarter of the bytes, rounded up. A request that mentions `cache_control` is counted as half cache read and a
//! quarter cache write (at `"ttl":"1h"` if it says so); one to OpenAI or Gemini of 1 024 tokens or more as half cached,
//! in steps of 128.

use memchr::memmem;

use crate::dialect::Dialect;
use crate::usage::Usage;

/// Tokens of so many bytes.
pub(crate) fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

/// What a request of these bytes uses, without an answer.
pub(crate) fn cached(dialect: Dialect, body: &[u8]) -> Usage {
    let all = tokens(body.len()).max(1);
    let mut usage = Usage {
        input: all,
        ..Usage::default()
    };
    match dialect {
        Dialect::Anthropic if memmem::find(body, b"cache_control").is_some() => {
            usage.cache_read = all / 2;
            let written = all / 4;
            let hour = [&br#""ttl":"1h""#[..], br#""ttl": "1h""#];
            if hour.iter().any(|ttl| memmem::find(body, ttl).is_some()) {
                usage.cache_write_1h = written;
            } else {
                usage.cache_write_5m = written;
            }
            usage.input = all - usage.cache_read - written;
        }
        Dialect::Chat | Dialect::Responses | Dialect::Gemini if all >= 1024 => {
            usage.cache_read = all / 2 / 128 * 128;
            usage.input = all - usage.cache_read;
        }
        Dialect::Anthropic | Dialect::Chat | Dialect::Responses | Dialect::Embeddings | Dialect::Gemini => {}
    }
    usage
}

/// What the dialect can state of it: Gemini has no cache writes, embeddings have a prompt alone.
pub(crate) fn stated(dialect: Dialect, usage: Usage) -> Usage {
    let written = usage.cache_write_5m + usage.cache_write_1h;
    match dialect {
        Dialect::Anthropic | Dialect::Chat | Dialect::Responses => usage,
        Dialect::Gemini => Usage {
            input: usage.input + written,
            cache_write_5m: 0,
            cache_write_1h: 0,
            reasoning: usage.reasoning.min(usage.output),
            ..usage
        },
        Dialect::Embeddings => Usage {
            input: usage.input + usage.cache_read + written,
            ..Usage::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_classes_are_disjoint_and_add_up() {
        let body = r#"{"system":[{"cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[]}"#;
        let usage = cached(Dialect::Anthropic, body.as_bytes());
        let all = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h;
        assert_eq!(all, tokens(body.len()));
        assert!(usage.cache_read > 0 && usage.cache_write_1h > 0 && usage.cache_write_5m == 0);
    }
}
