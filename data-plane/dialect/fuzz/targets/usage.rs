//! See `src/usage.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_dialect_fuzz::usage::run(data));
