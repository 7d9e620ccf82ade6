//! Opening a spool: what a former process left.
//!
//! Segments are read in order. The last one may end in a torn frame, which is cut. Damage before that (a failing disk)
//! is cut too, with an error in the log, since nothing behind it can be trusted. Calls that are still open become
//! `interrupted` records.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use penstock_core::id::{RequestId, SpoolId};
use penstock_proto::telemetry::v1 as wire;
use prost::Message;
use tokio::time::Instant;

use super::SpoolOptions;
use super::acked::Acked;
use super::files::{Files, Place};
use super::frame::{self, Frame, FrameKind};
use super::losses::Losses;
use super::segment::{self, HEADER, Segment};
use super::writer::{Worth, Writer};
use crate::{clock, durable};

/// Calls that were under way, and what their entries say.
type Cut = Vec<(RequestId, Vec<u8>)>;

/// What the segments hold. Of an open call, where its entry lies and what it says.
#[derive(Default)]
struct Found {
    segments: VecDeque<Segment>,
    open: HashMap<RequestId, (Place, Vec<u8>)>,
    next_number: u64,
}

pub(super) fn open(directory: &Path, options: SpoolOptions) -> io::Result<(SpoolId, Writer)> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let acked = Acked::open(&directory.join("acked"))?;
    let mut serials = serials(directory)?;
    let id = spool_id(directory, serials.is_empty())?;
    let mut found = Found {
        next_number: acked.number().saturating_add(1),
        ..Found::default()
    };
    let last = serials.pop();
    for serial in serials {
        found.read(directory, serial, false)?;
    }
    let file = match last {
        Some(serial) => found.read(directory, serial, true)?,
        None => None,
    };
    let (mut writer, cut) = found.into_writer(directory, options, acked, file)?;
    let interrupted = cut.len();
    for (id, content) in cut {
        record_interrupted(&mut writer, id, &content);
    }
    let status = writer.status(Instant::now());
    tracing::info!(
        records = status.records,
        bytes = status.bytes,
        interrupted,
        "usage spool opened"
    );
    Ok((id, writer))
}

/// The call was under way when the former process ended. On a full disk its entry stays open until the next start, for
/// a node that cannot write usage can still serve.
fn record_interrupted(writer: &mut Writer, id: RequestId, entry: &[u8]) {
    let now = Instant::now();
    let written = match wire::UsageRecord::decode(entry) {
        Ok(mut record) => {
            record.outcome = wire::Outcome::Interrupted.into();
            record.estimated = true;
            let frame = Frame::new(FrameKind::Record, id, &record.encode_to_vec());
            let (stored, loss) = writer.append(frame, Worth::Used, now);
            if let Some(loss) = loss {
                loss.say();
            }
            stored.map(drop)
        }
        Err(error) => {
            tracing::error!(request_id = %id, %error, "an open call in the usage spool cannot be read and is lost");
            writer.close(id, now)
        }
    };
    if let Err(error) = written {
        tracing::error!(
            request_id = %id,
            %error,
            "the record of a call that was cut cannot be written now; the next start tries again"
        );
    }
}

/// The spool's id; a new one when there is none, or when there is no segment that could tell where numbering stood.
fn spool_id(directory: &Path, empty: bool) -> io::Result<SpoolId> {
    let path = directory.join("id");
    let text = durable::read_if_there(&path)?.and_then(|bytes| String::from_utf8(bytes).ok());
    let known = text.and_then(|text| text.trim().parse().ok());
    match known {
        Some(id) if !empty => Ok(id),
        Some(_) | None => {
            let id = clock::spool_id();
            durable::write_whole(&path, id.to_string().as_bytes())?;
            Ok(id)
        }
    }
}

fn serials(directory: &Path) -> io::Result<Vec<u64>> {
    let mut serials = Vec::new();
    for entry in fs::read_dir(directory)? {
        serials.extend(segment::serial_of(&entry?.path()));
    }
    serials.sort_unstable();
    Ok(serials)
}

/// A segment that was never begun is nothing; one with a damaged header is kept for whoever wants to look into it.
fn set_aside(path: &Path, length: u64) -> io::Result<()> {
    if length < HEADER {
        return fs::remove_file(path);
    }
    tracing::error!(path = %path.display(), "a segment of the usage spool is damaged and was set aside");
    fs::rename(path, path.with_extension("damaged"))
}

impl Found {
    /// Reads one segment; gives its file back when it is the last one and can grow on.
    fn read(&mut self, directory: &Path, serial: u64, last: bool) -> io::Result<Option<File>> {
        let path = segment::path(directory, serial);
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let bytes = fs::read(&path)?;
        let Some(next) = segment::next_number(&bytes) else {
            set_aside(&path, bytes.len() as u64)?;
            return Ok(None);
        };
        self.next_number = self.next_number.max(next);
        let length = self.frames(serial, &bytes);
        if length < bytes.len() as u64 {
            if !last {
                tracing::error!(path = %path.display(), offset = length, "a segment of the usage spool is damaged; its rest is lost");
            }
            file.set_len(length)?;
        }
        self.segments.push_back(Segment {
            serial,
            last_number: self.next_number.saturating_sub(1),
            length,
        });
        Ok(last.then_some(file))
    }

    /// Takes in the frames; says where the last whole one ends.
    fn frames(&mut self, serial: u64, bytes: &[u8]) -> u64 {
        let mut offset = usize::try_from(HEADER).unwrap_or(usize::MAX);
        while let Ok(frame) = frame::read(bytes.get(offset..).unwrap_or_default()) {
            match frame.kind {
                FrameKind::Open => {
                    let place = Place {
                        serial,
                        offset: offset as u64,
                        length: frame.length,
                    };
                    self.open.insert(frame.id, (place, frame.content.to_vec()));
                }
                FrameKind::Record => {
                    self.open.remove(&frame.id);
                    self.next_number = self.next_number.max(frame.number.saturating_add(1));
                }
                FrameKind::Close => {
                    self.open.remove(&frame.id);
                }
            }
            offset += frame.length;
        }
        offset as u64
    }

    /// The state to go on from, and the calls that were under way.
    fn into_writer(
        mut self,
        directory: &Path,
        options: SpoolOptions,
        acked: Acked,
        file: Option<File>,
    ) -> io::Result<(Writer, Cut)> {
        let file = match file {
            Some(file) => file,
            None => {
                let serial = self.segments.back().map_or(1, |last| last.serial + 1);
                let (created, file) = segment::create(directory, serial, self.next_number)?;
                self.segments.push_back(created);
                file
            }
        };
        let mut open = HashMap::new();
        let mut cut = Cut::new();
        for (id, (place, content)) in self.open {
            open.insert(id, place);
            cut.push((id, content));
        }
        let writer = Writer {
            files: Files {
                directory: directory.to_owned(),
                segments: self.segments,
                file,
                segment_bytes: options.segment_bytes(),
            },
            options,
            open,
            next_number: self.next_number,
            acked,
            losses: Losses::default(),
            failed_at: None,
        };
        Ok((writer, cut))
    }
}
