//! Segment files: a header, then frames.
//!
//! The header names the format and the number that the next record had when the segment began, so that numbering goes
//! on even when every record before it is gone.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"PSKSPL01";
pub(super) const HEADER: u64 = 20;

/// What is known of a segment without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Segments are read in this order.
    pub(super) serial: u64,
    /// Of the last record in it, or before it.
    pub(super) last_number: u64,
    pub(super) length: u64,
}

/// `spool/0000000000000003.seg`
pub(super) fn path(directory: &Path, serial: u64) -> PathBuf {
    directory.join(format!("{serial:016}.seg"))
}

/// The serial in a segment's file name; None for other files.
pub(super) fn serial_of(path: &Path) -> Option<u64> {
    if path.extension()? != "seg" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// A new, empty segment.
pub(super) fn create(directory: &Path, serial: u64, next_number: u64) -> io::Result<(Segment, File)> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path(directory, serial))?;
    file.write_all_at(&header(next_number), 0)?;
    let segment = Segment {
        serial,
        last_number: next_number.saturating_sub(1),
        length: HEADER,
    };
    Ok((segment, file))
}

/// The next number in a header; None when it is damaged.
pub(super) fn next_number(bytes: &[u8]) -> Option<u64> {
    let header: &[u8; 20] = bytes.first_chunk()?;
    let (magic, rest) = header.split_first_chunk::<8>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let checksum = u32::from_le_bytes(*rest.first_chunk()?);
    (magic == MAGIC && crc32fast::hash(number) == checksum).then(|| u64::from_le_bytes(*number))
}

fn header(next_number: u64) -> Vec<u8> {
    let number = next_number.to_le_bytes();
    let checksum = crc32fast::hash(&number).to_le_bytes();
    [&MAGIC[..], &number, &checksum].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_a_damaged_one_does_not() {
        let bytes = header(42);
        assert_eq!(bytes.len() as u64, HEADER);
        assert_eq!(next_number(&bytes), Some(42));
        assert_eq!(next_number(&bytes[..19]), None);
        assert_eq!(next_number(&[0; 20]), None);
    }

    #[test]
    fn only_segment_files_have_serials() {
        let directory = Path::new("spool");
        assert_eq!(serial_of(&path(directory, 12)), Some(12));
        assert_eq!(serial_of(&directory.join("acked")), None);
        assert_eq!(serial_of(&directory.join("x.seg")), None);
    }
}
