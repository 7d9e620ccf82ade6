use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::UnixMs;

fn header(version: u32) -> Header {
    Header {
        format: FORMAT.to_owned(),
        version,
        product: "0.1.0".to_owned(),
        schema: 4,
        kind: BackupKind::Standard,
        created_at: UnixMs(1),
        master_key: None,
        other_master_keys: Vec::new(),
        include_usage: false,
        counts: Counts::new(),
    }
}

fn written() -> String {
    let mut writer = Writer::default();
    let mut text = writer.header(&header(VERSION)).unwrap();
    text += &writer.row("users", &json!({"id": 1})).unwrap();
    text += &writer.row("users", &json!({"id": 2})).unwrap();
    text += &writer.checkpoint().unwrap();
    text += &writer.row("usage_records", &json!({"id": 3})).unwrap();
    text + &writer.end().unwrap()
}

/// How many rows, or what is wrong.
fn read_in(bytes: &[u8], piece: usize) -> Result<usize, Broken> {
    let (mut reader, mut rows) = (Reader::default(), 0);
    for piece in bytes.chunks(piece) {
        reader.feed(piece);
        while let Some(event) = reader.next_event()? {
            rows += usize::from(matches!(event, Event::Row { .. }));
        }
    }
    reader.finish().map(|()| rows)
}

#[test]
fn g05_what_was_written_reads_back_in_pieces_of_any_size() {
    for piece in [1, 7, 64, 10_000] {
        assert_eq!(read_in(written().as_bytes(), piece), Ok(3));
    }
}

#[test]
fn g05_a_file_that_is_cut_off_anywhere_is_noticed() {
    let text = written();
    for length in 0..text.len() {
        assert!(read_in(&text.as_bytes()[..length], 50).is_err(), "{length}");
    }
}

#[test]
fn g05_what_is_no_backup_or_a_newer_one_is_told_apart() {
    assert_eq!(read_in(b"", 9), Err(Broken::NotABackup));
    assert_eq!(read_in(b"{\"a\":1}\n", 9), Err(Broken::NotABackup));
    let newer = Writer::default().header(&header(VERSION + 1)).unwrap();
    assert_eq!(
        read_in(newer.as_bytes(), 9),
        Err(Broken::Newer { version: VERSION + 1 })
    );
    assert_eq!(
        read_in(format!("{}x", written()).as_bytes(), 99),
        Err(Broken::AfterEnd)
    );
}

#[test]
fn g05_a_line_without_an_end_is_not_read_for_ever() {
    let mut reader = Reader::default();
    reader.feed(&vec![b'x'; MAX_LINE + 1]);
    assert!(reader.next_event().is_err());
}

proptest! {
    #[test]
    fn g05_any_changed_bit_is_noticed(at in 0_usize..600, bit in 0_u32..8) {
        let mut bytes = written().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        // Of the last line's own text only what it says counts: another form of the same says the same.
        prop_assert!(read_in(&bytes, 64).is_err());
    }
}
