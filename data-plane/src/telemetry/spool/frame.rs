//! One entry of a segment: length, checksum, kind, number, call, content.
//!
//! ```text
//! u32 length of what follows the checksum | u32 CRC-32 of it | u8 kind | u64 number | 16 bytes call id | content
//! ```
//! Integers are little-endian. Only records have a number; of others it is 0.

use penstock_core::id::RequestId;
use uuid::Uuid;

/// Larger ones are not read: a length beyond it is damage.
pub(super) const MAX_FRAME: usize = 64 * 1024;

const PREFIX: usize = 8;
const HEAD: usize = 1 + 8 + 16;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// A call is under way.
    Open,
    /// The record of a call.
    Record,
    /// A call ended without a record: it was dropped.
    Close,
}

/// A frame to be written. Its number is given under the lock, just before the write.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) id: RequestId,
    bytes: Vec<u8>,
}

/// A frame as it lies in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read<'a> {
    pub(super) kind: FrameKind,
    pub(super) number: u64,
    pub(super) id: RequestId,
    pub(super) content: &'a [u8],
    /// Of the whole frame, from `bytes`' start.
    pub(super) length: usize,
}

/// Why there is no frame here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFrame {
    /// The bytes end before the frame does.
    Incomplete,
    Damaged,
}

impl FrameKind {
    fn byte(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Record => 2,
            Self::Close => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Open, Self::Record, Self::Close]
            .into_iter()
            .find(|kind| kind.byte() == byte)
    }
}

impl Frame {
    pub(super) fn new(kind: FrameKind, id: RequestId, content: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(PREFIX + HEAD + content.len());
        bytes.extend([0; PREFIX]);
        bytes.push(kind.byte());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(id.0.as_bytes());
        bytes.extend(content);
        Self { id, bytes }
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The finished bytes.
    pub(super) fn seal(&mut self, number: u64) -> &[u8] {
        let body = self.bytes.len().saturating_sub(PREFIX);
        if let Some(place) = self.bytes.get_mut(PREFIX + 1..PREFIX + 9) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32fast::hash(self.bytes.get(PREFIX..).unwrap_or_default());
        let length = u32::try_from(body).unwrap_or(u32::MAX);
        let (first, rest) = self.bytes.split_at_mut(4);
        first.copy_from_slice(&length.to_le_bytes());
        if let Some(place) = rest.first_chunk_mut() {
            *place = checksum.to_le_bytes();
        }
        &self.bytes
    }

    /// Whether it can be read back.
    pub(super) fn fits(&self) -> bool {
        self.bytes.len() <= MAX_FRAME
    }
}

/// The frame at the beginning of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Read<'_>, NoFrame> {
    let (length, rest) = bytes.split_first_chunk().ok_or(NoFrame::Incomplete)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| NoFrame::Damaged)?;
    if !(HEAD..=MAX_FRAME - PREFIX).contains(&length) {
        return Err(NoFrame::Damaged);
    }
    let (checksum, rest) = rest.split_first_chunk().ok_or(NoFrame::Incomplete)?;
    let body = rest.get(..length).ok_or(NoFrame::Incomplete)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return Err(NoFrame::Damaged);
    }
    parts(body).ok_or(NoFrame::Damaged)
}

fn parts(body: &[u8]) -> Option<Read<'_>> {
    let (kind, rest) = body.split_first()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (id, content) = rest.split_first_chunk()?;
    Some(Read {
        kind: FrameKind::from_byte(*kind)?,
        number: u64::from_le_bytes(*number),
        id: RequestId(Uuid::from_bytes(*id)),
        content,
        length: PREFIX + body.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> RequestId {
        RequestId::from_parts(1, &[7; 10])
    }

    #[test]
    fn a_frame_reads_back_as_written() {
        let mut frame = Frame::new(FrameKind::Record, id(), b"content");
        let bytes = [frame.seal(9), b"next"].concat();
        let read = read(&bytes).unwrap();
        assert_eq!(
            (read.kind, read.number, read.id, read.content),
            (FrameKind::Record, 9, id(), &b"content"[..])
        );
        assert_eq!(bytes.get(read.length..), Some(&b"next"[..]));
    }

    #[test]
    fn a_part_of_a_frame_is_incomplete_and_never_another_frame() {
        let mut frame = Frame::new(FrameKind::Open, id(), b"content");
        let bytes = frame.seal(0);
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Err(NoFrame::Incomplete), "cut at {end}");
        }
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let mut frame = Frame::new(FrameKind::Record, id(), b"content");
        let bytes = frame.seal(3).to_vec();
        for at in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert!(read(&damaged).is_err(), "bit {at}");
        }
    }
}
