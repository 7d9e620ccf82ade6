//! Reads a stream or a body as a data plane would and writes down what was understood.

use std::fmt::Write as _;

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_dialect::sse::{Frame, Splitter};
use penstock_dialect::usage::{Event, Observer};

/// The frames of a text, the unfinished last one included.
pub(crate) fn frames(text: impl Into<Bytes>) -> Vec<Frame> {
    let mut splitter = Splitter::default();
    splitter.push(text.into());
    let mut frames: Vec<Frame> = splitter.by_ref().map(Result::unwrap).collect();
    frames.extend(splitter.finish());
    frames
}

pub(crate) fn observe(dialect: Dialect, text: &str) -> (Vec<Event>, Observer) {
    let mut observer = Observer::new(dialect);
    let events = frames(text.to_owned())
        .iter()
        .map(|frame| observer.stream_frame(frame))
        .collect();
    (events, observer)
}

/// One line an event, then what is known at the end.
pub(crate) fn stream(dialect: Dialect, text: &str) -> String {
    let mut observer = Observer::new(dialect);
    let mut written = String::new();
    for frame in frames(text.to_owned()) {
        let event = observer.stream_frame(&frame);
        writeln!(written, "{:22} {event:?}", frame.event().unwrap_or("-")).unwrap();
    }
    written + &known(&observer)
}

pub(crate) fn body(dialect: Dialect, text: &str) -> String {
    let mut observer = Observer::new(dialect);
    let body = observer.body(text.as_bytes());
    format!("{body:?}\n{}", known(&observer))
}

fn known(observer: &Observer) -> String {
    let (settled, estimated) = observer.settled();
    format!(
        "model {:?}, id {:?}, output bytes {}\nreported {}, final {}, estimated {estimated}\n{}",
        observer.model(),
        observer.response_id(),
        observer.output_bytes(),
        observer.has_usage(),
        observer.has_final_output(),
        serde_json::to_string_pretty(&settled).unwrap(),
    )
}
