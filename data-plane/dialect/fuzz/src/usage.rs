//! Answers: whatever a provider sends, the ledger can take what was read of it.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_core::usage::TokenUsage;
use penstock_dialect::edit::UsageChunkFilter;
use penstock_dialect::sse::Splitter;
use penstock_dialect::usage::Observer;

/// More tokens of a class are not believed; some classes are sums of two.
const MOST: u64 = 200_000_000;

/// The first byte says the dialect and whether it is a stream; all others are the answer.
pub fn run(data: &[u8]) {
    let Some((choice, answer)) = data.split_first() else {
        return;
    };
    let dialect = Dialect::ALL[usize::from(choice >> 1) % Dialect::ALL.len()];
    let mut observer = Observer::new(dialect);
    if choice & 1 == 0 {
        observer.body(answer);
    } else {
        let mut splitter = Splitter::default();
        splitter.push(Bytes::copy_from_slice(answer));
        let mut frames: Vec<_> = splitter.by_ref().flatten().collect();
        frames.extend(splitter.finish());
        for frame in frames {
            observer.stream_frame(&frame);
            UsageChunkFilter.apply(&frame);
        }
    }
    believable(observer.usage());
    let (usage, estimated) = observer.settled();
    assert!(estimated || usage == *observer.usage());
    assert!(
        observer.estimated_output() <= answer.len() as u64 + 1,
        "more output than bytes"
    );
}

fn believable(usage: &TokenUsage) {
    for tokens in [
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.cache_write_1h,
    ] {
        assert!(tokens <= MOST, "{usage:?}");
    }
    assert!(usage.reasoning <= usage.output, "{usage:?}");
}
