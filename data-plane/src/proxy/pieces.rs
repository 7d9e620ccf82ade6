//! A body that comes in pieces and is wanted whole. One that comes in one piece is not copied.

use bytes::{Bytes, BytesMut};

/// The most that is allocated on the word of an announced length, bytes.
const TRUSTED: usize = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Bytes,
    more: BytesMut,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.more.len()
    }

    /// Appends a piece. `expected` is how long the whole is said to become.
    pub(super) fn add(&mut self, piece: Bytes, expected: usize) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        let length = self.len() + piece.len();
        if !self.first.is_empty() {
            self.more.reserve(expected.min(TRUSTED).max(length));
            self.more.extend_from_slice(&std::mem::take(&mut self.first));
        }
        if self.more.capacity() < length {
            self.more.reserve(expected.max(length) - self.more.len());
        }
        self.more.extend_from_slice(&piece);
    }

    pub(super) fn finish(self) -> Bytes {
        match self.more.is_empty() {
            true => self.first,
            false => self.more.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![1, 2, 3]);
        let mut pieces = Pieces::default();
        pieces.add(piece.clone(), 3);
        assert_eq!(pieces.finish().as_ptr(), piece.as_ptr());
    }

    proptest! {
        #[test]
        fn pieces_come_out_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..9), expected in 0_usize..400) {
            let mut pieces = Pieces::default();
            for part in &parts {
                pieces.add(part.clone().into(), expected);
            }
            prop_assert_eq!(pieces.len(), parts.iter().map(Vec::len).sum::<usize>());
            prop_assert_eq!(pieces.finish(), parts.concat());
        }
    }
}
