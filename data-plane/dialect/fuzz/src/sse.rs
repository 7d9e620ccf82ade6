//! Frames: every byte is in one, and how the input was cut into chunks does not show.

use bytes::Bytes;
use penstock_dialect::sse::{Frame, Splitter};

/// The first byte says how long a chunk is; all others are the stream.
pub fn run(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else {
        return;
    };
    let whole = frames(stream, stream.len().max(1));
    let cut = frames(stream, usize::from(*size).max(1));
    assert_eq!(whole, cut, "chunks show");
    let raw: Vec<u8> = whole.iter().flat_map(|frame| frame.raw.to_vec()).collect();
    assert_eq!(raw, stream, "a byte is lost");
    for frame in &whole {
        if let Some(span) = frame.data_span() {
            assert_eq!(frame.data().as_deref(), Some(&frame.raw[span]));
        }
        let _name = frame.event();
    }
}

fn frames(stream: &[u8], size: usize) -> Vec<Frame> {
    let mut splitter = Splitter::default();
    let mut frames = Vec::new();
    for chunk in stream.chunks(size) {
        splitter.push(Bytes::copy_from_slice(chunk));
        frames.extend(splitter.by_ref().flatten());
    }
    frames.extend(splitter.finish());
    frames
}
