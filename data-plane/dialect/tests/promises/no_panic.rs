//! Bytes of strangers never make anything panic (security 13).

use bytes::Bytes;
use http::{HeaderMap, Method};
use penstock_core::dialect::Dialect;
use penstock_dialect::bound::bound;
use penstock_dialect::credentials::extract;
use penstock_dialect::edit::{Edits, UsageChunkFilter, include_usage, rewrite};
use penstock_dialect::inspect::inspect;
use penstock_dialect::mask::mask;
use penstock_dialect::route::parse;
use penstock_dialect::session;
use penstock_dialect::upstream_error::UpstreamError;
use penstock_dialect::usage::Observer;
use proptest::prelude::*;

use crate::transcript::frames;

/// Bytes that look enough like the real thing to get far.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u00",
        "null",
        "true",
        "1",
        "-",
        "1e",
        " ",
        "\n",
        "\r",
        "\"model\":",
        "\"stream\":true",
        "\"stream_options\":",
        "\"usage\":null",
        "\"choices\":[]",
        "\"metadata\":{\"user_id\":\"{",
        "\"system\":",
        "\"messages\":[{\"role\":\"user\",\"content\":",
        "data: ",
        "event: message_start\n",
        "event: error\n",
        "\"message\":{",
        "\"error\":",
        "\"tools\":[{\"type\":\"web_search_20250305\",",
        "\"max_uses\":",
        "\"source\":{\"type\":",
        "\"image_url\":",
        "\"thinking\":",
        "\"n\":",
        "[DONE]",
        "sk-",
        "Bearer ",
        "@",
        "::",
        "org-",
    ];
    let piece = prop_oneof![
        5 => prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// One of each kind.
fn overrides() -> Vec<penstock_core::provider::Override> {
    let edit = |path: &str, value: Option<&str>| penstock_core::provider::Override {
        path: path.to_owned(),
        value: value.map(str::to_owned),
    };
    vec![edit("usage", Some("1")), edit("metadata", None)]
}

proptest! {
    #[test]
    fn bodies(bytes in bytes()) {
        let body = Bytes::from(bytes);
        for dialect in Dialect::ALL {
            let most = bound(dialect, &body);
            match inspect(dialect, None, &body) {
                Ok(asked) => {
                    if let Ok(most) = most {
                        prop_assert!(most.input_tokens >= body.len() as u64);
                    }
                    session::find(&HeaderMap::new(), &asked);
                    session::digest(dialect, &body, &asked);
                    include_usage(&body, &asked).map(penstock_dialect::edit::Edited::into_bytes);
                    let edits = Edits { model: Some("m"), overrides: &overrides(), include_usage: true, ..Edits::default() };
                    rewrite(&body, &asked, &edits).map(penstock_dialect::edit::Edited::into_bytes);
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn streams_and_answers(bytes in bytes()) {
        for dialect in Dialect::ALL {
            let mut observer = Observer::new(dialect);
            for frame in frames(bytes.clone()) {
                observer.stream_frame(&frame);
                UsageChunkFilter.apply(&frame);
            }
            observer.body(&bytes);
            observer.settled();
        }
        UpstreamError::read(&bytes);
    }

    #[test]
    fn masking_keeps_text_text(bytes in bytes()) {
        let masked = mask(&bytes, &["\"model\":"]);
        if std::str::from_utf8(&bytes).is_ok() {
            prop_assert!(std::str::from_utf8(&masked).is_ok());
        }
    }

    #[test]
    fn paths_and_queries(path in "(/v1|/openai|/claude)?/[a-z/%0-9.]{0,30}", query in "(key=|beta=|&|%|[a-z0-9]){0,12}") {
        let _found = parse(&Method::GET, &path, None, &HeaderMap::new());
        prop_assert!(extract(&HeaderMap::new(), Some(&query)).iter().count() <= 5);
    }
}
