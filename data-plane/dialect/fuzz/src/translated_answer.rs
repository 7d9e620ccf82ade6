//! Answers between dialects: broken with a reason, or an answer that its caller's own reader takes.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_dialect::sse::{Frame, Splitter};
use penstock_dialect::translate::{Answers, between};
use penstock_dialect::usage::{Body, Event, Observer};

use super::translated_request::PAIRS;

const ID: &str = "019abf0e5a007000800000000000abcd";
const REQUEST: &str = r#"{"stream":true,"messages":[{"role":"user","content":"x"}],"max_tokens":9}"#;
const RESPONSES: &str = r#"{"stream":true,"input":"x","tools":[{"type":"custom","name":"free"}]}"#;

/// The first byte says the pair and whether it is a stream; all others are the answer.
pub fn run(data: &[u8]) {
    let Some((choice, answer)) = data.split_first() else {
        return;
    };
    let (caller, provider) = PAIRS[usize::from(choice >> 1) % PAIRS.len()];
    let request = if caller == Dialect::OpenaiResponses {
        RESPONSES
    } else {
        REQUEST
    };
    let Some(translation) = between(caller, provider) else {
        return;
    };
    let request = translation.request(request.as_bytes(), "m");
    let answers = request.expect("a plain request is carried over").answers;
    if choice & 1 == 0 {
        whole(caller, &answers, answer);
    } else {
        stream(caller, &answers, answer);
    }
}

fn whole(caller: Dialect, answers: &Answers, answer: &[u8]) {
    if let Ok(body) = answers.whole(answer, ID) {
        let read = Observer::new(caller).body(&body);
        assert!(!matches!(read, Body::Malformed(_)), "{read:?}");
    }
}

fn stream(caller: Dialect, answers: &Answers, answer: &[u8]) {
    let mut translator = answers.stream(ID);
    let mut observer = Observer::new(caller);
    for frame in frames(answer) {
        let Ok(out) = translator.frame(&frame) else {
            return;
        };
        check(&mut observer, &out);
    }
    if let Ok(out) = translator.finish() {
        check(&mut observer, &out);
    }
}

fn check(observer: &mut Observer, out: &[u8]) {
    for frame in frames(out) {
        let event = observer.stream_frame(&frame);
        assert!(!matches!(event, Event::Malformed), "{frame:?}");
    }
}

fn frames(text: &[u8]) -> Vec<Frame> {
    let mut splitter = Splitter::default();
    splitter.push(Bytes::copy_from_slice(text));
    let mut frames: Vec<Frame> = splitter.by_ref().flatten().collect();
    frames.extend(splitter.finish());
    frames
}
