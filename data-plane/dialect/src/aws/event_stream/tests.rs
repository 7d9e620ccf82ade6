//! Against the test vectors that AWS's SDKs share, and against ourselves.

use proptest::prelude::*;

use super::*;

const EMPTY: &str = "00000010 00000000 05c248eb 7d98c8ff";
const INT32: &str =
    "0000002b 0000000e 348bec7b 08 6576656e742d6964 04 0000a00c 7b27666f6f273a27626172277d d3890285";
const NO_HEADERS: &str = "0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936";
const ONE_TEXT: &str = "0000003d 00000020 07fd8396 0c 636f6e74656e742d74797065 07 0010
    6170706c69636174696f6e2f6a736f6e 7b27666f6f273a27626172277d 8d9c08b1";
const PAYLOAD: &[u8] = b"{'foo':'bar'}";

fn bytes(vector: &str) -> Vec<u8> {
    hex::decode(vector.split_whitespace().collect::<String>()).unwrap()
}

fn decode(vector: &str) -> Result<Message, Broken> {
    let mut decoder = Decoder::new();
    decoder.push(bytes(vector).into());
    let message = decoder.next().expect("a whole message")?;
    assert!(!decoder.is_within_message());
    assert!(decoder.next().is_none());
    Ok(message)
}

#[test]
fn published_messages_are_read() {
    let empty = decode(EMPTY).unwrap();
    assert_eq!((empty.headers.len(), empty.payload.len()), (0, 0));
    let int = decode(INT32).unwrap();
    let header = Header {
        name: "event-id".to_owned(),
        value: Value::Int(0xa00c),
    };
    assert_eq!((int.headers, int.payload.as_ref()), (vec![header], PAYLOAD));
    assert_eq!(decode(NO_HEADERS).unwrap().payload.as_ref(), PAYLOAD);
    let text = decode(ONE_TEXT).unwrap();
    assert_eq!(text.text("content-type"), Some("application/json"));
    assert_eq!(text.payload.as_ref(), PAYLOAD);
}

#[test]
fn published_corrupted_messages_are_refused() {
    let broken = |vector: &str, from: &str, to: &str| {
        assert!(vector.contains(from));
        decode(&vector.replacen(from, to, 1)).unwrap_err()
    };
    assert_eq!(broken(ONE_TEXT, "6e742d", "6e742b"), Broken::MessageChecksum);
    assert_eq!(broken(ONE_TEXT, "00000020", "00000120"), Broken::PreludeChecksum);
    assert_eq!(
        broken(NO_HEADERS, "0000001d", "0100001d"),
        Broken::PreludeChecksum
    );
    assert_eq!(broken(NO_HEADERS, "277d c3", "278d c3"), Broken::MessageChecksum);
}

#[test]
fn a_message_is_written_as_published() {
    let message = encode::message(&[("content-type", "application/json")], PAYLOAD);
    assert_eq!(message, bytes(ONE_TEXT));
    assert_eq!(encode::message(&[], PAYLOAD), bytes(NO_HEADERS));
    assert_eq!(encode::message(&[], b""), bytes(EMPTY));
}

#[test]
fn events_and_exceptions_say_what_they_are() {
    let mut decoder = Decoder::new();
    decoder.push(encode("chunk", b"{}"));
    decoder.push(encode_exception("throttlingException", b"{\"message\":\"slow\"}"));
    let event = decoder.next().unwrap().unwrap();
    assert_eq!(
        (event.message_type(), event.event_type()),
        (Some("event"), Some("chunk"))
    );
    let exception = decoder.next().unwrap().unwrap();
    assert_eq!(exception.message_type(), Some("exception"));
    assert_eq!(exception.exception_type(), Some("throttlingException"));
    assert_eq!(exception.event_type(), None);
}

/// A message with these lengths and right checksums, whatever the lengths are.
fn with_lengths(total: u32, headers: u32, rest: &[u8]) -> Bytes {
    let mut message = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(rest);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.into()
}

fn fault(message: Bytes) -> Option<Broken> {
    let mut decoder = Decoder::new();
    decoder.push(message);
    decoder.next().and_then(Result::err)
}

#[test]
fn lengths_are_bounded_before_anything_is_kept_for_them() {
    assert_eq!(fault(with_lengths(0xffff_ffff, 0, b"")), Some(Broken::TooLong));
    assert_eq!(fault(with_lengths(200_000, 140_000, b"")), Some(Broken::TooLong));
    assert_eq!(fault(with_lengths(15, 0, b"")), Some(Broken::Lengths));
    assert_eq!(fault(with_lengths(16, 1, b"")), Some(Broken::Lengths));
    let longest = u32::try_from(MAX_MESSAGE).unwrap();
    assert_eq!(
        fault(with_lengths(longest, 0, b"")),
        None,
        "it waits for the rest"
    );
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    for headers in [
        &[0u8][..],
        &[1, b'a'],
        &[1, b'a', 10],
        &[1, b'a', 7, 0, 9, b'x'],
        &[1, b'a', 4, 0, 0],
        &[1, 0xff, 0],
        &[0, 0],
        &[1, b'a', 7, 0, 1, 0xff],
    ] {
        let length = u32::try_from(headers.len()).unwrap();
        let message = with_lengths(16 + length, length, headers);
        assert_eq!(fault(message), Some(Broken::Headers), "{headers:?}");
    }
}

#[test]
fn every_type_of_header_is_read() {
    let headers = [
        &b"\x01a\x00\x01b\x01\x01c\x02\xff\x01d\x03\xff\xfe\x01e\x05"[..],
        &(-3i64).to_be_bytes(),
        b"\x01f\x06\x00\x02hi\x01g\x08",
        &7i64.to_be_bytes(),
        b"\x01h\x09",
        &[9; 16],
    ]
    .concat();
    let length = u32::try_from(headers.len()).unwrap();
    let mut decoder = Decoder::new();
    decoder.push(with_lengths(16 + length, length, &headers));
    let values: Vec<_> = decoder
        .next()
        .unwrap()
        .unwrap()
        .headers
        .into_iter()
        .map(|header| header.value)
        .collect();
    let expected = [
        Value::Bool(true),
        Value::Bool(false),
        Value::Byte(-1),
        Value::Short(-2),
        Value::Long(-3),
        Value::Bytes(Bytes::from_static(b"hi")),
        Value::TimestampMs(7),
        Value::Uuid([9; 16]),
    ];
    assert_eq!(values, expected);
}

#[test]
fn after_a_fault_nothing_is_read_or_kept() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(b"event: ping\n\ndata"));
    assert_eq!(decoder.next(), Some(Err(Broken::PreludeChecksum)));
    decoder.push(encode("chunk", b"{}"));
    assert_eq!(decoder.next(), None);
    assert!(!decoder.is_within_message());
}

proptest! {
    #[test]
    fn chunks_may_be_cut_anywhere(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        cuts in prop::collection::vec(1usize..64, 1..40),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| encode("chunk", payload)).collect();
        let (mut decoder, mut read, mut rest, mut cuts) = (Decoder::new(), Vec::new(), &stream[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            decoder.push(Bytes::copy_from_slice(chunk));
            read.extend(decoder.by_ref().map(|message| message.unwrap().payload.to_vec()));
            rest = behind;
        }
        prop_assert_eq!(read, payloads);
        prop_assert!(!decoder.is_within_message());
    }

    #[test]
    fn strangers_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut decoder = Decoder::new();
        decoder.push(bytes.into());
        prop_assert!(decoder.by_ref().count() <= 25);
    }
}
