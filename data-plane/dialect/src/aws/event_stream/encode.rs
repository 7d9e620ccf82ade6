//! Messages as AWS frames them: for callers who speak Bedrock, and for the provider that tests ask.

use bytes::{BufMut, Bytes, BytesMut};

use super::{CRC, PRELUDE};

/// Type of a text in the headers.
const TEXT: u8 = 7;

/// An event, as in `chunk`, with JSON as its payload.
///
/// `event_type` is one of ours, so it is short; what does not fit into a header's length (255 and 65 535 bytes) is cut.
pub fn encode(event_type: &str, payload: &[u8]) -> Bytes {
    let headers = [
        (":event-type", event_type),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    message(&headers, payload)
}

/// An error in a stream that has begun, as in `throttlingException`.
pub fn encode_exception(exception_type: &str, payload: &[u8]) -> Bytes {
    let headers = [
        (":exception-type", exception_type),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    message(&headers, payload)
}

pub(super) fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let fields: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let mut message = BytesMut::with_capacity(PRELUDE + fields + payload.len() + CRC);
    message.put_bytes(0, PRELUDE);
    for (name, value) in headers {
        let name = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
        let value = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
        message.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        message.put_slice(name);
        message.put_u8(TEXT);
        message.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        message.put_slice(value);
    }
    let headers = message.len() - PRELUDE;
    message.put_slice(payload);
    prelude(&mut message, headers);
    let crc = crc32fast::hash(&message);
    message.put_u32(crc);
    message.freeze()
}

/// Fills in what the message begins with, now that its lengths are known.
fn prelude(message: &mut BytesMut, headers: usize) {
    let total = length(message.len() + CRC);
    let Some((first, _)) = message.split_first_chunk_mut::<PRELUDE>() else {
        return;
    };
    let mut fields: &mut [u8] = first;
    fields.put_u32(total);
    fields.put_u32(length(headers));
    let crc = crc32fast::hash(&first[..PRELUDE - CRC]);
    first[PRELUDE - CRC..].copy_from_slice(&crc.to_be_bytes());
}

/// A longer message than a length can say has no reader: see `MAX_MESSAGE`.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
