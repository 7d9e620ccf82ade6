//! The segments on disk, as one growing sequence of bytes that is deleted from its old end.
//!
//! Only the last segment grows, and every write goes to a known place in it. A write that fails leaves the known length
//! as it was, so the next one overwrites what it left; nothing is ever read beyond that length.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::segment::{self, Segment};

#[derive(Debug)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    /// Oldest first; the last one is `file`.
    pub(super) segments: VecDeque<Segment>,
    pub(super) file: File,
    /// A segment of this length gets no more.
    pub(super) segment_bytes: u64,
}

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) serial: u64,
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Files {
    /// Writes one frame at the end. A record's number becomes that of its segment.
    pub(super) fn write(&mut self, frame: &[u8], next_number: u64, number: Option<u64>) -> io::Result<Place> {
        let mut last = self.last(next_number)?;
        self.file.write_all_at(frame, last.length)?;
        let place = Place {
            serial: last.serial,
            offset: last.length,
            length: frame.len(),
        };
        last.length = last.length.saturating_add(frame.len() as u64);
        last.last_number = number.unwrap_or(last.last_number);
        if let Some(back) = self.segments.back_mut() {
            *back = last;
        }
        Ok(place)
    }

    /// The last segment; a new one when the last is long enough.
    fn last(&mut self, next_number: u64) -> io::Result<Segment> {
        let last = self.segments.back().copied();
        if let Some(last) = last.filter(|last| last.length < self.segment_bytes) {
            return Ok(last);
        }
        let serial = last.map_or(1, |last| last.serial.saturating_add(1));
        let (created, file) = segment::create(&self.directory, serial, next_number)?;
        self.file = file;
        self.segments.push_back(created);
        Ok(created)
    }

    /// The bytes of a frame.
    pub(super) fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; place.length];
        File::open(segment::path(&self.directory, place.serial))?.read_exact_at(&mut bytes, place.offset)?;
        Ok(bytes)
    }

    /// The oldest segment, unless it is the last one.
    pub(super) fn oldest(&self) -> Option<Segment> {
        self.segments.front().copied().filter(|_| self.segments.len() > 1)
    }

    /// Deletes the oldest segment.
    pub(super) fn delete(&mut self, serial: u64) -> io::Result<()> {
        if self
            .segments
            .front()
            .is_some_and(|oldest| oldest.serial == serial)
        {
            self.segments.pop_front();
        }
        fs::remove_file(segment::path(&self.directory, serial))
    }

    /// The segment to read from, when `serial` was the last one read and `next` is the number wanted; true: a later
    /// segment follows.
    pub(super) fn readable(&self, serial: Option<u64>, next: u64) -> Option<(Segment, bool)> {
        let known = serial.and_then(|serial| self.segments.iter().position(|s| s.serial >= serial));
        let at = match known {
            Some(at) => at,
            None => self.segments.iter().position(|s| s.last_number >= next)?,
        };
        let segment = self.segments.get(at)?;
        Some((*segment, at + 1 < self.segments.len()))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(directory: &std::path::Path) -> Files {
        let (segment, file) = segment::create(directory, 1, 1).unwrap();
        Files {
            directory: directory.to_owned(),
            segments: VecDeque::from([segment]),
            file,
            segment_bytes: 64,
        }
    }

    #[test]
    fn a_segment_that_is_long_enough_is_followed_by_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path());
        let places: Vec<_> = (1..=4)
            .map(|n| files.write(&[7; 30], n, Some(n)).unwrap())
            .collect();
        assert_eq!(
            places.iter().map(|place| place.serial).collect::<Vec<_>>(),
            [1, 1, 2, 2]
        );
        assert_eq!(files.oldest().unwrap().last_number, 2);
        assert_eq!(files.read(places[2]).unwrap(), [7; 30]);
        assert_eq!(files.bytes(), 2 * segment::HEADER + 120);
    }

    #[test]
    fn the_last_segment_is_never_the_oldest_to_delete() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path());
        assert_eq!(files.oldest(), None);
        for n in 1..=3 {
            files.write(&[7; 60], n, Some(n)).unwrap();
        }
        files.delete(1).unwrap();
        assert_eq!(
            files.readable(Some(1), 1).unwrap().0.serial,
            2,
            "a reader goes on behind the gap"
        );
        assert_eq!(files.readable(None, 99), None);
    }
}
