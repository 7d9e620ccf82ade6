//! Requests: what was read can be acted on, and an edited body asks what it was edited to ask.

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::dialect::Dialect;
use penstock_core::provider::Override;
use penstock_dialect::bound::bound;
use penstock_dialect::edit::{Edits, rewrite};
use penstock_dialect::inspect::inspect;
use penstock_dialect::{mask, session, upstream_error};

/// The first byte says the dialect; all others are the body.
pub fn run(data: &[u8]) {
    let Some((dialect, body)) = data.split_first() else {
        return;
    };
    let dialect = Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()];
    let body = Bytes::copy_from_slice(body);
    upstream_error::UpstreamError::read(&body);
    mask::mask(&body, &["model"]);
    let most = bound(dialect, &body);
    let asked = match inspect(dialect, None, &body) {
        Ok(asked) => asked,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    if let Ok(most) = most {
        assert!(most.input_tokens >= body.len() as u64, "a bound below the bytes");
    }
    session::find(&HeaderMap::new(), &asked);
    session::digest(dialect, &body, &asked);
    let overrides = [edit("metadata", None), edit("top_k", Some("1"))];
    let edits = Edits {
        model: Some("another-model"),
        overrides: &overrides,
        include_usage: true,
        ..Edits::default()
    };
    let Some(edited) = rewrite(&body, &asked, &edits) else {
        return;
    };
    let length = edited.len();
    let edited = edited.into_bytes();
    assert_eq!(edited.len(), length, "another length than was said");
    let again = inspect(dialect, None, &edited).expect("an edited body is as good as it was");
    assert_eq!((again.stream, again.messages), (asked.stream, asked.messages));
    if asked.model_at.is_some() {
        assert_eq!(again.model, "another-model");
    }
}

fn edit(path: &str, value: Option<&str>) -> Override {
    Override {
        path: path.to_owned(),
        value: value.map(str::to_owned),
    }
}
