//! What penstock-dialect promises, one file a subject. Goldens are in `snapshots/`, written from the vendors'
//! documented formats.

#![expect(clippy::unwrap_used, reason = "builders and readers of tests may panic")]

mod answers;
mod bound;
mod client;
mod corpus;
mod digest;
mod error_shape;
mod filter;
mod golden;
mod headers;
mod inspection;
mod mask;
mod media;
mod no_panic;
mod rate_limits;
mod rewrite;
mod routes;
mod session;
mod sse;
mod streams;
mod text;
mod transcript;
mod translation;
mod upstream_errors;
mod usage_chunk;
