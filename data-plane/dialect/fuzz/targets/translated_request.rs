//! See `src/translated_request.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_dialect_fuzz::translated_request::run(data));
