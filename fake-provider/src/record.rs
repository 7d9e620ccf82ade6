//! What arrived, kept for the tests to look at.
//!
//! Bounded twice: by number and by the bytes of the bodies. The oldest go first. `Debug` shows no header
//! values, because they carry credentials.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Version, request};
use serde_json::Value;

/// Bodies kept in all, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// One request as it arrived.
#[derive(Clone)]
pub struct RecordedRequest {
    pub method: Method,
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The last requests, oldest first.
#[derive(Debug)]
pub(crate) struct Journal {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<RecordedRequest>,
    body_bytes: usize,
}

impl RecordedRequest {
    /// The first value of a header, when it is readable text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the body is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("version", &self.version)
            .field("header_names", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Keeps the last `capacity` requests; 0 keeps none and costs nothing.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn push(&self, head: &request::Parts, body: &Bytes) {
        if self.capacity == 0 {
            return;
        }
        let request = RecordedRequest {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            version: head.version,
            headers: head.headers.clone(),
            body: body.clone(),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.body_bytes += body.len();
        kept.requests.push_back(request);
        while kept.requests.len() > self.capacity || kept.body_bytes > MAX_BODY_BYTES {
            let Some(oldest) = kept.requests.pop_front() else {
                break;
            };
            kept.body_bytes -= oldest.body.len();
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.requests.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str) -> request::Parts {
        let request = http::Request::builder()
            .uri(path)
            .header("x-api-key", "secret")
            .body(())
            .unwrap();
        request.into_parts().0
    }

    #[test]
    fn the_oldest_requests_are_forgotten_first() {
        let journal = Journal::new(2);
        for path in ["/a", "/b", "/c"] {
            journal.push(&head(path), &Bytes::new());
        }
        let paths: Vec<_> = journal.all().into_iter().map(|request| request.path).collect();
        assert_eq!(paths, ["/b", "/c"]);
    }

    #[test]
    fn bodies_are_bounded_by_their_bytes() {
        let journal = Journal::new(100);
        let body = Bytes::from(vec![b'x'; MAX_BODY_BYTES / 2]);
        for path in ["/a", "/b", "/c"] {
            journal.push(&head(path), &body);
        }
        assert_eq!(journal.all().len(), 2);
    }

    #[test]
    fn debug_shows_no_header_values() {
        let journal = Journal::new(1);
        journal.push(&head("/a?key=secret"), &Bytes::new());
        assert!(!format!("{:?}", journal.all()).contains("secret"));
    }
}
