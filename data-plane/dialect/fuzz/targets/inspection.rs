//! See `src/inspection.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_dialect_fuzz::inspection::run(data));
