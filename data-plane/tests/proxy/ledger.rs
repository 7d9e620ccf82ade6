//! Usage records, read from the spool's files as another process would.

use std::collections::BTreeMap;
use std::path::Path;

use penstock_core::usage::UsageRecord;
use penstock_proto::convert::usage_record_from_wire;
use penstock_proto::telemetry::v1::UsageRecord as WireRecord;
use prost::Message;

const SEGMENT_HEADER: usize = 20;
const OPEN: u8 = 1;
const RECORD: u8 = 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// In the order in which they were appended.
    pub(crate) records: Vec<UsageRecord>,
    /// Calls that are under way, by id: what a crash would leave of them.
    pub(crate) open: BTreeMap<String, UsageRecord>,
    /// How many open entries were ever written.
    pub(crate) opened: usize,
}

impl Ledger {
    pub(crate) fn read(directory: &Path) -> Self {
        let mut segments: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
            .collect();
        segments.sort();
        let mut ledger = Self::default();
        for path in segments {
            ledger.read_segment(&std::fs::read(path).unwrap());
        }
        ledger
    }

    /// Frames: length, checksum, kind, number, id, content.
    fn read_segment(&mut self, bytes: &[u8]) {
        let mut rest = bytes.get(SEGMENT_HEADER..).unwrap_or_default();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let Some(body) = after.get(4..4 + length) else {
                return;
            };
            rest = &after[4 + length..];
            let record = || {
                let wire = WireRecord::decode(&body[25..]).unwrap();
                usage_record_from_wire(wire).unwrap()
            };
            match body[0] {
                OPEN => {
                    let record = record();
                    self.open.insert(record.id.to_string(), record);
                    self.opened += 1;
                }
                RECORD => {
                    let record = record();
                    self.open.remove(&record.id.to_string());
                    self.records.push(record);
                }
                _ => {}
            }
        }
    }

    /// The only record.
    pub(crate) fn only(&self) -> &UsageRecord {
        assert_eq!(self.records.len(), 1, "{:?}", self.records);
        &self.records[0]
    }
}
