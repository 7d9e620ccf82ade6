//! The fuzzer's corpus, replayed: what was once found, or led to new code, never fails again.
//!
//! The fuzzer itself needs a nightly compiler and its time: `tests/scripts/fuzz.sh`.

#![expect(unreachable_pub, reason = "the fuzzer's crate exports what is replayed here")]
#![expect(
    clippy::expect_used,
    reason = "what must hold of any bytes may panic where it does not"
)]

#[path = "../../fuzz/src/event_stream.rs"]
mod event_stream;
#[path = "../../fuzz/src/inspection.rs"]
mod inspection;
#[path = "../../fuzz/src/sse.rs"]
mod sse;
#[path = "../../fuzz/src/translated_answer.rs"]
mod translated_answer;
#[path = "../../fuzz/src/translated_request.rs"]
mod translated_request;
#[path = "../../fuzz/src/usage.rs"]
mod usage;

use std::path::Path;

type Target = fn(&[u8]);

#[test]
fn the_kept_corpus_fails_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let targets: [(&str, Target); 6] = [
        ("sse", sse::run),
        ("inspection", inspection::run),
        ("usage", usage::run),
        ("event_stream", event_stream::run),
        ("translated_request", translated_request::run),
        ("translated_answer", translated_answer::run),
    ];
    for (target, run) in targets {
        let mut inputs = 0;
        for entry in std::fs::read_dir(corpus.join(target)).unwrap() {
            run(&std::fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{target} has no corpus");
    }
}
