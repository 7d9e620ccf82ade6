//! See `src/translated_answer.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| penstock_dialect_fuzz::translated_answer::run(data));
