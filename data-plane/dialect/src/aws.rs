//! What is particular to AWS: signed requests, and answers framed as event streams.

pub mod event_stream;
pub mod sigv4;
