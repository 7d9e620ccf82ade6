//! How a stream of events is framed where that is not server-sent events.
//!
//! Inside, every stream is one of server-sent events: [`Unframer`] makes them of a provider's frames as they come,
//! and [`Framer`] makes the caller's frames of them as they go.
//!
//! - **Bedrock** puts each of Anthropic's events, in base64, into a message of its own. What goes wrong is a message of
//!   type `exception`, which here is Anthropic's error event.
//! - **Gemini without `alt=sse`** is one JSON array. It is closed only at the end of a whole answer, so that one that
//!   broke off cannot be taken for whole.

mod bedrock;

use bytes::{BufMut, Bytes, BytesMut};

use crate::route::Framing;
use crate::sse::{Frame, FrameTooLong, Splitter};

pub use bedrock::Unframer;

/// The content type of Bedrock's streams.
pub const BEDROCK_CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Server-sent events in, the caller's frames out.
#[derive(Debug)]
pub struct Framer {
    form: Form,
    splitter: Splitter,
}

#[derive(Debug)]
enum Form {
    Bedrock,
    JsonArray {
        /// An element was written.
        begun: bool,
    },
}

impl Framer {
    /// None: the caller reads server-sent events.
    pub fn new(framing: Framing) -> Option<Self> {
        let form = match framing {
            Framing::Sse => return None,
            Framing::JsonArray => Form::JsonArray { begun: false },
            Framing::Bedrock => Form::Bedrock,
        };
        Some(Self {
            form,
            splitter: Splitter::default(),
        })
    }

    /// Whole events, or parts of them that the next ones complete.
    pub fn push(&mut self, events: Bytes) -> Result<Bytes, FrameTooLong> {
        self.splitter.push(events);
        let mut out = BytesMut::new();
        for frame in self.splitter.by_ref() {
            self.form.write(&frame?, &mut out);
        }
        Ok(out.freeze())
    }

    /// What ends a whole answer.
    pub fn finish(&mut self) -> Bytes {
        match self.form {
            Form::Bedrock => Bytes::new(),
            Form::JsonArray { begun: true } => Bytes::from_static(b"]"),
            Form::JsonArray { begun: false } => Bytes::from_static(b"[]"),
        }
    }
}

impl Form {
    fn write(&mut self, frame: &Frame, out: &mut BytesMut) {
        let Some(data) = frame.data().filter(|data| !data.trim_ascii().is_empty()) else {
            return;
        };
        match self {
            Self::Bedrock => out.put(bedrock::framed(frame.event(), &data)),
            Self::JsonArray { begun } => {
                let before: &[u8] = if std::mem::replace(begun, true) {
                    b",\r\n"
                } else {
                    b"["
                };
                out.put(before);
                out.put(&*data);
            }
        }
    }
}

/// The content type of a stream that is framed so.
pub fn content_type(framing: Framing) -> &'static str {
    match framing {
        Framing::Sse => "text/event-stream",
        Framing::JsonArray => "application/json",
        Framing::Bedrock => BEDROCK_CONTENT_TYPE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: &str = "event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\n\n\
                          event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    #[test]
    fn events_come_out_of_bedrocks_frames_as_they_went_in() {
        let mut framer = Framer::new(Framing::Bedrock).unwrap();
        let framed = framer.push(Bytes::from_static(EVENTS.as_bytes())).unwrap();
        for size in [1, 7, 1000] {
            let mut unframer = Unframer::default();
            let mut events = Vec::new();
            for chunk in framed.chunks(size) {
                events.extend_from_slice(&unframer.push(Bytes::copy_from_slice(chunk)).unwrap());
            }
            let events = String::from_utf8(events).unwrap();
            assert_eq!(events, EVENTS.replace("event: ping\n\n", ""));
        }
    }

    #[test]
    fn c03_an_error_is_an_exception_in_bedrocks_frames_and_comes_out_as_an_error_event() {
        let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Busy\"}}\n\n";
        let mut framer = Framer::new(Framing::Bedrock).unwrap();
        let framed = framer.push(Bytes::from_static(error.as_bytes())).unwrap();
        let events = Unframer::default().push(framed).unwrap();
        let events = std::str::from_utf8(&events).unwrap();
        assert!(events.starts_with("event: error\n"), "{events}");
        assert!(
            events.contains("overloaded_error") && events.contains("Busy"),
            "{events}"
        );
    }

    #[test]
    fn escaped_slashes_in_bedrocks_base64_are_read_and_what_is_no_base64_breaks() {
        let chunk = |bytes: &str| {
            crate::aws::event_stream::encode("chunk", format!("{{\"bytes\":\"{bytes}\"}}").as_bytes())
        };
        // `{"a":"???"}` has a slash.
        let events = Unframer::default().push(chunk("eyJhIjoiPz8\\/In0=")).unwrap();
        assert_eq!(events, "event: message\ndata: {\"a\":\"???\"}\n\n");
        let good = chunk("eyJhIjoxfQ==");
        let both = [&good[..], &chunk("%%%")].concat();
        let mut unframer = Unframer::default();
        let events = unframer.push(both.into()).unwrap();
        assert_eq!(
            events, "event: message\ndata: {\"a\":1}\n\n",
            "what was whole is handed out"
        );
        assert!(unframer.finish().is_err() && unframer.push(good).is_err());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(Unframer::default().push(Bytes::from_static(&[b'x'; 64])).is_err());
    }

    #[test]
    fn a_json_array_is_closed_at_the_end_of_a_whole_answer() {
        let mut framer = Framer::new(Framing::JsonArray).unwrap();
        let mut out = framer
            .push(Bytes::from_static(b"data: {\"a\":1}\r\n\r\ndata: {\"a\""))
            .unwrap()
            .to_vec();
        out.extend_from_slice(&framer.push(Bytes::from_static(b":2}\r\n\r\n")).unwrap());
        assert_eq!(out, b"[{\"a\":1},\r\n{\"a\":2}");
        assert_eq!(framer.finish(), "]");
        assert_eq!(Framer::new(Framing::JsonArray).unwrap().finish(), "[]");
        assert!(Framer::new(Framing::Sse).is_none());
    }
}
