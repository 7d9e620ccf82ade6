//! What must hold of any bytes, one function a target. The fuzzer looks for bytes of which it does not hold; the
//! promises of `penstock-dialect` replay the kept corpus (`tests/promises/corpus.rs`).
//!
//! The first byte of most inputs chooses a dialect or a pair, so that one corpus serves all.

pub mod event_stream;
pub mod inspection;
pub mod sse;
pub mod translated_answer;
pub mod translated_request;
pub mod usage;
