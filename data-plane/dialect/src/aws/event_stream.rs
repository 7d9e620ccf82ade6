//! `application/vnd.amazon.eventstream`: messages with headers, framed by lengths and checked by CRC32.
//!
//! A message is: total length (u32), length of the headers (u32), CRC32 of these eight bytes, the headers, the payload,
//! CRC32 of everything before. [`Decoder`] takes chunks as they come and gives whole messages, each payload without a
//! copy when its message came in one chunk.
//!
//! Nothing is believed before its CRC was right: a length is acted on only when the prelude's CRC holds, so a broken
//! stream cannot make us wait for, or keep, more than [`MAX_MESSAGE`]. After the first fault there is no way to find the
//! next message, so the decoder stays broken.

mod encode;
mod header;

use bytes::{Buf, Bytes, BytesMut};

pub use encode::{encode, encode_exception};
pub use header::{Header, Value};

/// The longest message, bytes; AWS's own limit.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// The longest headers of one message, bytes; AWS's own limit.
pub const MAX_HEADERS: usize = 128 * 1024;
/// Two lengths and a CRC.
const PRELUDE: usize = 12;
const CRC: usize = 4;

/// Bytes in, messages out.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
    broken: Option<Broken>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// In their order.
    pub headers: Vec<Header>,
    /// As it came.
    pub payload: Bytes,
}

/// What is wrong with a stream; nothing after it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The lengths were changed on the way, or this is no event stream.
    #[error("the prelude of an AWS event has another checksum than it says")]
    PreludeChecksum,
    /// The message was changed on the way.
    #[error("an AWS event has another checksum than it says")]
    MessageChecksum,
    /// Shorter than a message can be, or headers longer than their message.
    #[error("the lengths in an AWS event contradict each other")]
    Lengths,
    /// Over [`MAX_MESSAGE`] or [`MAX_HEADERS`].
    #[error("an AWS event is too long")]
    TooLong,
    /// A type or length in them that does not exist.
    #[error("the headers of an AWS event cannot be read")]
    Headers,
    /// What it carries is no base64.
    #[error("what an AWS event carries cannot be read")]
    Payload,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came. Take the messages out between pushes: what is pushed is kept until then.
    pub fn push(&mut self, chunk: Bytes) {
        if self.broken.is_some() {
            return;
        }
        if self.buffer.is_empty() {
            // Without a copy, when nobody else holds the chunk.
            self.buffer = chunk
                .try_into_mut()
                .unwrap_or_else(|chunk| BytesMut::from(chunk.as_ref()));
        } else {
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// Whether bytes of a message are held whose rest has not come: at the end of a stream, it was cut.
    pub fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn message(&mut self) -> Result<Option<Message>, Broken> {
        let Some(prelude) = self.buffer.first_chunk::<PRELUDE>() else {
            return Ok(None);
        };
        let (total, headers) = lengths(prelude)?;
        if self.buffer.len() < total {
            return Ok(None);
        }
        let mut message = self.buffer.split_to(total).freeze();
        let mut crc = message.split_off(total - CRC);
        if crc32fast::hash(&message) != crc.get_u32() {
            return Err(Broken::MessageChecksum);
        }
        message.advance(PRELUDE);
        let payload = message.split_off(headers);
        Ok(Some(Message {
            headers: header::parse(message)?,
            payload,
        }))
    }
}

/// Ends when more bytes are needed, and after a fault; pushing more makes it go on in the first case.
impl Iterator for Decoder {
    type Item = Result<Message, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken.is_some() {
            return None;
        }
        let next = self.message().transpose();
        if let Some(Err(broken)) = &next {
            self.broken = Some(*broken);
            self.buffer = BytesMut::new();
        }
        next
    }
}

/// Of the whole message and of its headers, after the prelude's CRC was right.
fn lengths(prelude: &[u8; PRELUDE]) -> Result<(usize, usize), Broken> {
    let (lengths, mut crc) = prelude.split_at(PRELUDE - CRC);
    if crc32fast::hash(lengths) != crc.get_u32() {
        return Err(Broken::PreludeChecksum);
    }
    let mut lengths = lengths;
    let mut length = || usize::try_from(lengths.get_u32()).map_err(|_| Broken::TooLong);
    let (total, headers) = (length()?, length()?);
    if total > MAX_MESSAGE || headers > MAX_HEADERS {
        return Err(Broken::TooLong);
    }
    match total.checked_sub(PRELUDE + CRC) {
        Some(content) if headers <= content => Ok((total, headers)),
        Some(_) | None => Err(Broken::Lengths),
    }
}

impl Message {
    /// The text of a header; None when there is none of this name or it is no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == name)?;
        match &header.value {
            Value::Text(text) => Some(text),
            Value::Bool(_)
            | Value::Byte(_)
            | Value::Short(_)
            | Value::Int(_)
            | Value::Long(_)
            | Value::Bytes(_)
            | Value::TimestampMs(_)
            | Value::Uuid(_) => None,
        }
    }

    /// `event`, `exception` or `error`.
    pub fn message_type(&self) -> Option<&str> {
        self.text(":message-type")
    }

    /// As in `chunk`.
    pub fn event_type(&self) -> Option<&str> {
        self.text(":event-type")
    }

    /// As in `throttlingException`; of an `error`, its code.
    pub fn exception_type(&self) -> Option<&str> {
        self.text(":exception-type").or_else(|| self.text(":error-code"))
    }
}

#[cfg(test)]
mod tests;
