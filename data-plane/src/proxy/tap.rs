//! Reads a stream on its way and says what may be relayed of it.
//!
//! Whole events are relayed as they arrive, bytes unchanged; a part of an event waits for its rest. Events that lie in
//! one chunk are relayed as one piece of it. What changes bytes is [`Reshape`]'s: an error event of the provider is
//! masked, and some callers get other events than the provider sent.

use std::collections::VecDeque;

use bytes::Bytes;
use penstock_dialect::framing::Unframer;
use penstock_dialect::sse::{Frame, Splitter};
use penstock_dialect::usage::{Event, Observer};

use super::failed::Reported;
use super::reshape::{Reshape, Unreadable};

/// See the module.
#[derive(Debug)]
pub(super) struct Tap {
    /// Of a provider that frames its events.
    unframer: Option<Box<Unframer>>,
    splitter: Splitter,
    reshape: Reshape,
    /// Events that carried data.
    events: u64,
}

/// What the events of one chunk said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Content began or went on.
    pub(super) content: bool,
    /// The answer is whole.
    pub(super) terminal: bool,
    /// The provider reported an error; events behind it are dropped.
    pub(super) error: Option<Box<Reported>>,
    /// Data that is no event of the dialect.
    pub(super) malformed: bool,
}

impl Tap {
    /// `framed`: the provider's events come in Bedrock's frames.
    pub(super) fn new(reshape: Reshape, framed: bool) -> Self {
        Self {
            unframer: framed.then(Box::default),
            splitter: Splitter::default(),
            reshape,
            events: 0,
        }
    }

    /// Events with data so far.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Bytes of an event whose rest is awaited.
    pub(super) fn pending(&self) -> usize {
        self.splitter.pending()
    }

    /// Reads a chunk; what may be relayed is appended to `pass`. `secret` is masked in errors.
    pub(super) fn take(
        &mut self,
        chunk: Bytes,
        observer: &mut Observer,
        secret: &str,
        pass: &mut VecDeque<Bytes>,
    ) -> Result<Said, Unreadable> {
        let chunk = match &mut self.unframer {
            Some(unframer) => unframer.push(chunk)?,
            None => chunk,
        };
        let mut said = Said::default();
        let held = self.splitter.pending();
        self.splitter.push(chunk.clone());
        let plain = self.reshape.is_plain();
        // The run of events that lie in this chunk and pass unchanged: where it begins and ends.
        let (mut from, mut to) = (0, 0);
        let mut joined = held > 0;
        while let Some(frame) = self.splitter.next() {
            let frame = frame?;
            self.read(&frame, observer, &mut said);
            if said.error.is_some() {
                push(pass, chunk.slice(from..to));
                self.error(&frame, &said, secret, pass)?;
                return Ok(said);
            }
            if !plain {
                self.reshape.event(frame, pass)?;
            } else if std::mem::take(&mut joined) {
                to = frame.raw.len().saturating_sub(held);
                from = to;
                pass.push_back(frame.raw);
            } else {
                to += frame.raw.len();
            }
        }
        push(pass, chunk.slice(from..to));
        if said.terminal {
            self.reshape.end(pass)?;
        }
        Ok(said)
    }

    /// Reads what is left when the stream has ended: a last event without its blank line, and the end itself, where that
    /// is all that says that the answer is whole.
    pub(super) fn finish(
        &mut self,
        observer: &mut Observer,
        secret: &str,
        pass: &mut VecDeque<Bytes>,
    ) -> Result<Said, Unreadable> {
        let mut said = Said::default();
        if let Some(unframer) = &self.unframer {
            unframer.finish()?;
        }
        if let Some(frame) = std::mem::take(&mut self.splitter).finish() {
            self.read(&frame, observer, &mut said);
            if said.error.is_some() {
                self.error(&frame, &said, secret, pass)?;
                return Ok(said);
            }
            if said.content || said.terminal {
                self.reshape.event(frame, pass)?;
            }
        }
        said.terminal |= observer.may_end();
        if said.terminal {
            self.reshape.end(pass)?;
        }
        Ok(said)
    }

    /// Behind the last event of a whole answer.
    pub(super) fn close(&mut self, pass: &mut VecDeque<Bytes>) {
        self.reshape.close(pass);
    }

    /// An event of ours, as the caller reads it.
    pub(super) fn own(&mut self, event: Bytes) -> Bytes {
        self.reshape.own(event)
    }

    fn error(
        &mut self,
        frame: &Frame,
        said: &Said,
        secret: &str,
        pass: &mut VecDeque<Bytes>,
    ) -> Result<(), Unreadable> {
        let words = said
            .error
            .as_ref()
            .and_then(|error| error.words.message.as_deref());
        self.reshape.error(frame, words, secret, pass)
    }

    fn read(&mut self, frame: &Frame, observer: &mut Observer, said: &mut Said) {
        let event = observer.stream_frame(frame);
        self.events += u64::from(event != Event::KeepAlive);
        match event {
            Event::KeepAlive | Event::Neutral => {}
            Event::Content => said.content = true,
            Event::Terminal => said.terminal = true,
            Event::Error(words) => {
                let data = frame.data().unwrap_or_default();
                said.error = Some(Box::new(Reported::new(words, &data)));
            }
            Event::Malformed => said.malformed = true,
        }
    }
}

fn push(pass: &mut VecDeque<Bytes>, piece: Bytes) {
    if !piece.is_empty() {
        pass.push_back(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::dialect::Dialect;
    use proptest::prelude::*;

    const STREAM: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n\
        event: content_block_start\ndata: {\"type\":\"content_block_start\"}\n\n\
        event: ping\ndata: {\"type\":\"ping\"}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    fn plain() -> Tap {
        Tap::new(Reshape::plain(Dialect::Anthropic), false)
    }

    /// Feeds the stream in chunks of these lengths.
    fn feed(stream: &str, lengths: &[usize]) -> (Vec<u8>, Vec<Said>) {
        let mut tap = plain();
        let mut observer = Observer::new(Dialect::Anthropic);
        let mut pass = VecDeque::new();
        let mut said = Vec::new();
        let mut rest = Bytes::copy_from_slice(stream.as_bytes());
        let mut lengths = lengths.iter().copied().cycle();
        while !rest.is_empty() {
            let chunk = rest.split_to(lengths.next().unwrap().min(rest.len()));
            said.push(
                tap.take(chunk, &mut observer, "secret-of-the-provider", &mut pass)
                    .unwrap(),
            );
        }
        said.push(
            tap.finish(&mut observer, "secret-of-the-provider", &mut pass)
                .unwrap(),
        );
        (pass.into_iter().flatten().collect(), said)
    }

    #[test]
    fn c02_events_in_one_chunk_pass_as_one_piece_of_it() {
        let mut tap = plain();
        let mut observer = Observer::new(Dialect::Anthropic);
        let mut pass = VecDeque::new();
        let chunk = Bytes::from_static(STREAM.as_bytes());
        let said = tap.take(chunk.clone(), &mut observer, "", &mut pass).unwrap();
        assert!(said.content && said.terminal);
        assert_eq!(pass.len(), 1);
        assert_eq!(pass[0].as_ptr(), chunk.as_ptr());
        assert_eq!(tap.events(), 3);
    }

    #[test]
    fn s10_an_error_of_the_provider_is_masked_and_ends_the_stream() {
        let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
                     \"message\":\"secret-of-the-provider\"}}\n\n";
        for length in [7, 50, 10_000] {
            let (passed, said) = feed(&[STREAM, error, STREAM].concat(), &[length]);
            let passed = String::from_utf8(passed).unwrap();
            assert!(
                passed.contains("overloaded_error") && !passed.contains("secret-of"),
                "{passed}"
            );
            let told = said.iter().find_map(|said| said.error.as_ref()).unwrap();
            assert_eq!(told.words.kind.as_deref(), Some("overloaded_error"));
        }
    }

    #[test]
    fn a_last_event_without_its_blank_line_counts() {
        let (passed, said) = feed(STREAM.trim_end(), &[64]);
        assert_eq!(passed, STREAM.trim_end().as_bytes());
        assert!(said.last().unwrap().terminal);
    }

    proptest! {
        #[test]
        fn c02_bytes_are_unchanged_however_they_are_cut(lengths in prop::collection::vec(1_usize..90, 1..20)) {
            let (passed, said) = feed(STREAM, &lengths);
            prop_assert_eq!(passed, STREAM.as_bytes());
            prop_assert_eq!(said.iter().filter(|said| said.terminal).count(), 1);
        }
    }
}
