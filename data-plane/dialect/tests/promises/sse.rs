//! Frames: the same for any chunking, every byte kept (C2).

use bytes::Bytes;
use penstock_dialect::sse::{Frame, FrameTooLong, Splitter};
use proptest::prelude::*;

use crate::transcript::frames;

fn shown(text: &str) -> String {
    let lines: Vec<String> = frames(text.to_owned())
        .iter()
        .map(|frame| {
            let data = frame
                .data()
                .map(|data| String::from_utf8_lossy(&data).into_owned());
            format!("{:?} event {:?} data {data:?}", frame.raw, frame.event())
        })
        .collect();
    lines.join("\n")
}

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Result<Vec<Frame>, FrameTooLong> {
    let mut splitter = Splitter::with_limit(limit);
    let mut frames = Vec::new();
    for chunk in chunks {
        splitter.push(Bytes::copy_from_slice(chunk));
        for frame in splitter.by_ref() {
            frames.push(frame?);
        }
    }
    frames.extend(splitter.finish());
    Ok(frames)
}

#[test]
fn lines_may_end_in_any_of_three_ways() {
    insta::assert_snapshot!(shown(
        "data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\n\n\r\ndata: e\n"
    ));
}

#[test]
fn fields_are_read_as_the_standard_says() {
    insta::assert_snapshot!(shown(
        "\u{feff}event: ping\ndata: {}\n\n: comment\n\ndata:a\ndata:  b\ndata\nid: 1\nevent: x\nevent:y\n\ndatax: 1\nretry: 5\n\n\n"
    ));
}

#[test]
fn a_frame_in_one_chunk_shares_its_memory() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
    let mut splitter = Splitter::default();
    splitter.push(chunk.clone());
    let frames: Vec<Frame> = splitter.by_ref().map(Result::unwrap).collect();
    assert_eq!(frames[1].raw.as_ptr(), chunk[9..].as_ptr());
    assert_eq!(splitter.pending(), 0);
}

#[test]
fn a_crlf_frame_is_whole_and_a_cr_frame_is_not_delayed() {
    let mut splitter = Splitter::default();
    splitter.push(Bytes::from_static(b"data: 1\r\n\r"));
    assert_eq!(splitter.next(), None);
    splitter.push(Bytes::from_static(b"\ndata: 2\r\r"));
    let raws: Vec<Bytes> = splitter.map(|frame| frame.unwrap().raw).collect();
    assert_eq!(raws, ["data: 1\r\n\r\n", "data: 2\r\r"]);
}

#[test]
fn chunks_may_be_pushed_before_the_last_one_was_taken() {
    let mut splitter = Splitter::default();
    splitter.push(Bytes::from_static(b"data: 1\n\nda"));
    splitter.push(Bytes::from_static(b"ta: 2\n\n"));
    assert_eq!(splitter.count(), 2);
}

#[test]
fn an_endless_frame_is_an_error_that_comes_once_and_frees_its_memory() {
    let mut splitter = Splitter::with_limit(16);
    splitter.push(Bytes::from_static(b"data: 1\n\n"));
    assert!(splitter.next().is_some_and(|frame| frame.is_ok()));
    splitter.push(Bytes::from_static(b"data: 3456789012345"));
    assert_eq!(splitter.next(), Some(Err(FrameTooLong { limit: 16 })));
    assert_eq!((splitter.next(), splitter.pending()), (None, 0));
    splitter.push(Bytes::from_static(b"data: 1\n\n"));
    assert_eq!(splitter.next(), None);
    assert_eq!(splitter.finish(), None);
}

fn stream_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"]).prop_map(|s| s.as_bytes().to_vec()),
        3 => prop::sample::select(vec!["data: {\"a\":1}", "data:x", "event: ping", ": c", "data", "\u{feff}"]).prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames_and_loses_no_byte(
        text in stream_text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        limit in prop_oneof![Just(1 << 20), 4..40usize],
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let chunks = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]);
        let whole = split([&text[..]], limit);
        prop_assert_eq!(&split(chunks, limit), &whole);
        if let Ok(frames) = whole {
            let joined: Vec<u8> = frames.iter().flat_map(|frame| frame.raw.to_vec()).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
