//! The file: read at start, written after each update.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use penstock_core::resource::ResourceRef;
use penstock_core::snapshot::Snapshot;
use penstock_core::time::UnixMs;

use super::content::{self, Replay};
use super::layout::{self, HEADER};
use super::seal::{Place, Seal};
use crate::config::SealKey;
use crate::durable;
use crate::snapshot::applied::Applied;

/// Changes may take this much before a base is written anew, however small the base is.
const SMALL: u64 = 64 * 1024;

/// See the module.
pub(crate) struct LastKnownGood {
    path: PathBuf,
    seal: Option<Seal>,
    /// None: the next write is a base.
    file: Option<Growing>,
}

/// What the file said.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) snapshot: Snapshot,
    pub(crate) saved_at: UnixMs,
}

/// A file that changes are appended to.
struct Growing {
    file: File,
    id: [u8; 16],
    records: u64,
    length: u64,
    base_length: u64,
}

/// How far a file can be read.
struct Readable {
    records: u64,
    length: u64,
    base_length: u64,
}

impl LastKnownGood {
    /// Without a key nothing is read or written; that is said once, here.
    pub(crate) fn new(directory: &Path, key: Option<&SealKey>) -> Self {
        let seal = key.and_then(|key| Seal::new(key).ok());
        if seal.is_none() {
            tracing::warn!(
                "the last known good configuration is not kept: there is no key to seal it with. Give a node token, a \
                 TLS key or --seal-key-file; until then a restart without the control plane cannot serve"
            );
        }
        Self {
            path: directory.join("last-known-good"),
            seal,
            file: None,
        }
    }

    /// What was in force, if it can be read. Blocks on the disk.
    pub(crate) fn load(&mut self) -> Option<Loaded> {
        let seal = self.seal.clone()?;
        let bytes = match durable::read_if_there(&self.path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the last known good configuration cannot be read");
                return None;
            }
        };
        let loaded = self.read(&seal, &bytes);
        if loaded.is_none() {
            tracing::warn!(
                path = %self.path.display(),
                "the last known good configuration cannot be opened and counts as absent: it was sealed with another \
                 key, or is damaged. It is written anew once the control plane has been reached"
            );
        }
        loaded
    }

    fn read(&mut self, seal: &Seal, bytes: &[u8]) -> Option<Loaded> {
        let id = layout::file_id(bytes)?;
        let mut replay = Replay::default();
        let readable = replay_all(&mut replay, seal, id, bytes);
        let (snapshot, saved_at) = replay.finish()?;
        if readable.length < bytes.len() as u64 {
            tracing::warn!(
                path = %self.path.display(),
                revision = snapshot.revision(),
                "the end of the last known good configuration is torn or damaged; newer changes in it are lost"
            );
        }
        self.file = open_to_grow(&self.path, id, &readable).ok();
        Some(Loaded { snapshot, saved_at })
    }

    /// Keeps an update that is in force. True: it is on disk. Blocks on the disk.
    pub(crate) fn save(&mut self, applied: &Applied, now: UnixMs) -> io::Result<bool> {
        let Some(seal) = self.seal.clone() else {
            return Ok(false);
        };
        match (&applied.touched, self.file.take()) {
            (Some(touched), Some(file)) if !file.is_outgrown() => {
                self.file = Some(file.append(&seal, applied, touched, now)?);
            }
            (_, _) => self.file = Some(write_base(&self.path, &seal, &applied.snapshot, now)?),
        }
        Ok(true)
    }
}

impl Growing {
    fn is_outgrown(&self) -> bool {
        self.length.saturating_sub(self.base_length) > self.base_length.max(SMALL)
    }

    /// Fails with the file gone from use, so that the next write is a base.
    fn append(
        mut self,
        seal: &Seal,
        applied: &Applied,
        touched: &[ResourceRef],
        now: UnixMs,
    ) -> io::Result<Self> {
        let mut group = Vec::new();
        let mut records = self.records;
        content::change(applied, touched, now, |content| {
            group.extend(sealed(seal, self.id, records, content)?);
            records += 1;
            Ok::<_, io::Error>(())
        })?;
        self.file.write_all_at(&group, self.length)?;
        self.file.sync_data()?;
        self.records = records;
        self.length = self.length.saturating_add(group.len() as u64);
        Ok(self)
    }
}

fn write_base(path: &Path, seal: &Seal, snapshot: &Snapshot, now: UnixMs) -> io::Result<Growing> {
    let id: [u8; 16] = rand::random();
    let (file, (records, length)) = durable::replace(path, |file| {
        let mut writer = BufWriter::new(file);
        writer.write_all(&layout::header(id))?;
        let (mut records, mut length) = (0_u64, HEADER as u64);
        content::base(snapshot, now, |content| {
            let record = sealed(seal, id, records, content)?;
            writer.write_all(&record)?;
            records += 1;
            length = length.saturating_add(record.len() as u64);
            Ok::<_, io::Error>(())
        })?;
        writer.flush()?;
        Ok((records, length))
    })?;
    Ok(Growing {
        file,
        id,
        records,
        length,
        base_length: length,
    })
}

fn sealed(seal: &Seal, file: [u8; 16], record: u64, content: &[u8]) -> io::Result<Vec<u8>> {
    let sealed = seal
        .seal(Place { file, record }, content)
        .map_err(|_| io::Error::other("a record could not be sealed"))?;
    layout::framed(&sealed).ok_or_else(|| io::Error::other("a resource is too large to be kept"))
}

/// Replays whole groups from the start; says where the last one ends.
fn replay_all(replay: &mut Replay, seal: &Seal, file: [u8; 16], bytes: &[u8]) -> Readable {
    let mut readable = Readable {
        records: 0,
        length: 0,
        base_length: 0,
    };
    let mut rest = bytes.get(HEADER..).unwrap_or_default();
    for record in 0.. {
        let Some((next, after)) = layout::split(rest) else {
            break;
        };
        let opened = seal.unseal(Place { file, record }, next).ok();
        match opened.and_then(|content| replay.take(&content).ok()) {
            None => break,
            Some(false) => {}
            Some(true) => {
                let length = bytes.len().saturating_sub(after.len()) as u64;
                if readable.records == 0 {
                    readable.base_length = length;
                }
                readable.length = length;
                readable.records = record + 1;
            }
        }
        rest = after;
    }
    readable
}

fn open_to_grow(path: &Path, id: [u8; 16], readable: &Readable) -> io::Result<Growing> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(readable.length)?;
    Ok(Growing {
        file,
        id,
        records: readable.records,
        length: readable.length,
        base_length: readable.base_length,
    })
}
