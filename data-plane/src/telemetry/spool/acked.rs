//! The last acknowledged number, on disk: 8 bytes and their checksum, written in place.
//!
//! One small write in place is whole for any process that reads later. What a crash of the machine tears fails its
//! checksum and counts as absent; then records are sent again, which changes nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Acked {
    file: File,
    number: u64,
}

impl Acked {
    /// 0 when nothing is known.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let mut bytes = [0; 12];
        let number = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => decode(&bytes).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file, number })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Only rises.
    pub(super) fn raise(&mut self, number: u64) -> io::Result<()> {
        if number <= self.number {
            return Ok(());
        }
        self.number = number;
        self.file.write_all_at(&encode(number), 0)
    }
}

fn encode(number: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    let (first, last) = bytes.split_at_mut(8);
    first.copy_from_slice(&number.to_le_bytes());
    last.copy_from_slice(&crc32fast::hash(&number.to_le_bytes()).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; 12]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    let checksum = u32::from_le_bytes(*rest.first_chunk()?);
    (crc32fast::hash(number) == checksum).then(|| u64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_outlives_the_process_and_only_rises() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("acked");
        let mut acked = Acked::open(&path).unwrap();
        assert_eq!(acked.number(), 0);
        acked.raise(7).unwrap();
        acked.raise(3).unwrap();
        assert_eq!(Acked::open(&path).unwrap().number(), 7);
    }

    #[test]
    fn a_torn_number_counts_as_absent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("acked");
        for bytes in [&b"short"[..], &[1; 12]] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Acked::open(&path).unwrap().number(), 0);
        }
    }
}
