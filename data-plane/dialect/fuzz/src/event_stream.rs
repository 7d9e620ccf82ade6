//! AWS's frames: chunks do not show, what is encoded comes out, and what is held is bounded.

use bytes::Bytes;
use penstock_dialect::aws::event_stream::{Broken, Decoder, Message, encode};
use penstock_dialect::framing::{Framer, Unframer};
use penstock_dialect::route::Framing;

/// The first byte says how long a chunk is and how long the headers are. The rest is a stream as it is, and also the
/// headers and the payload of a message with right checksums, for no fuzzer finds those.
pub fn run(data: &[u8]) {
    let Some((size, rest)) = data.split_first() else {
        return;
    };
    let size = usize::from(*size).max(1);
    let (headers, payload) = rest.split_at(size.min(rest.len()));
    for stream in [rest.to_vec(), message(headers, payload)] {
        let whole = decoded(&stream, stream.len().max(1));
        assert_eq!(whole, decoded(&stream, size), "chunks show");
        let mut unframer = Unframer::default();
        let events = unframer.push(Bytes::from(stream));
        // The events can be framed again for a caller who speaks Bedrock.
        if let (Ok(events), Some(mut framer)) = (events, Framer::new(Framing::Bedrock)) {
            let framed = framer.push(events).expect("our own events are not too long");
            let (_, broken) = decoded(&framed, size);
            assert_eq!(broken, None, "our own frames can be read");
        }
    }
    let encoded = encode("chunk", payload);
    let (messages, broken) = decoded(&encoded, size);
    assert_eq!(broken, None);
    assert_eq!(messages[0].payload, payload);
}

fn decoded(stream: &[u8], size: usize) -> (Vec<Message>, Option<Broken>) {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for chunk in stream.chunks(size) {
        decoder.push(Bytes::copy_from_slice(chunk));
        for message in &mut decoder {
            match message {
                Ok(message) => messages.push(message),
                Err(broken) => return (messages, Some(broken)),
            }
        }
    }
    (messages, None)
}

/// A message with these bytes as its headers.
fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut message = Vec::new();
    message.extend(length(12 + headers.len() + payload.len() + 4));
    message.extend(length(headers.len()));
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}
