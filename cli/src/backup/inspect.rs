//! What a backup says of itself, and whether it is whole. Asks no server.

use penstock_core::backup::{Event, Header, Mark, Reader};

use super::read::Lines;
use crate::failure::Failure;

/// A whole backup.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) header: Header,
    /// By section.
    pub(crate) counts: penstock_core::backup::Counts,
    pub(crate) mark: Mark,
}

/// Reads all of it.
pub(crate) fn inspect(lines: &mut Lines, seen: impl Fn(&Lines)) -> Result<Inspected, Failure> {
    let broken = |broken: penstock_core::backup::Broken| Failure::Input(broken.to_string());
    let (mut reader, mut header, mut end) = (Reader::default(), None, None);
    loop {
        let piece = lines.next_piece().map_err(unpacking)?;
        if piece.is_empty() {
            break;
        }
        seen(lines);
        reader.feed(&piece);
        while let Some(event) = reader.next_event().map_err(broken)? {
            match event {
                Event::Header(found) => header = Some(found),
                Event::End(found) => end = Some(found),
                Event::Row { .. } | Event::Checkpoint(_) => {}
            }
        }
    }
    reader.finish().map_err(broken)?;
    let whole = header.zip(end);
    let (header, end) = whole.ok_or_else(|| Failure::Input("this is no backup of Penstock".into()))?;
    Ok(Inspected {
        header,
        counts: end.counts,
        mark: end.mark,
    })
}

/// What is packed does not come out whole.
pub(crate) fn unpacking(error: std::io::Error) -> Failure {
    Failure::Input(format!(
        "the backup was cut off or damaged: it cannot be unpacked to its end ({error})"
    ))
}
