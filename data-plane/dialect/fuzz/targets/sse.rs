//! See `src/sse.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_dialect_fuzz::sse::run(data));
