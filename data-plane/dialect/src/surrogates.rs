//! Halves of surrogate pairs in JSON: `\ud83d` without its `\ude00`. JavaScript writes them when it cuts a text in the middle
//! of a character, and no parser of Unicode text takes them. Here they are U+FFFD; escapes are as long as before.
//!
//! A provider may cut its text so between two events of a stream: [`Joiner`] puts the halves together.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// Of `\uXXXX`, bytes.
const ESCAPE: usize = 6;
const REPLACEMENT: &[u8] = br"\ufffd";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// For the events of one stream.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    /// A half that stood at the end of a text.
    high: Option<Vec<u8>>,
}

/// The JSON without halves.
pub(crate) fn mend(json: &[u8]) -> Cow<'_, [u8]> {
    mended(json, None)
}

impl Joiner {
    /// The JSON of one event without halves. One at the end of a text waits for the text that begins with the other, and is
    /// nothing when none comes.
    pub(crate) fn mend<'a>(&mut self, json: &'a [u8]) -> Cow<'a, [u8]> {
        mended(json, Some(&mut self.high))
    }
}

fn mended<'a>(json: &'a [u8], mut waits: Option<&mut Option<Vec<u8>>>) -> Cow<'a, [u8]> {
    if memmem::find(json, br"\ud").is_none() && memmem::find(json, br"\uD").is_none() {
        return Cow::Borrowed(json);
    }
    let (mut out, mut copied, mut from) = (Vec::new(), 0, 0);
    while let Some(found) = memchr(b'\\', json.get(from..).unwrap_or_default()) {
        let at = from + found;
        let end = at + ESCAPE;
        let rest = json.get(at..).unwrap_or_default();
        let Some(half) = half(rest) else {
            from = at + 2;
            continue;
        };
        let next = rest.get(ESCAPE..).and_then(self::half);
        if half == Half::High && next == Some(Half::Low) {
            from = end + ESCAPE;
            continue;
        }
        out.extend_from_slice(json.get(copied..at).unwrap_or_default());
        let escape = rest.get(..ESCAPE).unwrap_or_default();
        let begins = at.checked_sub(1).and_then(|before| json.get(before)) == Some(&b'"');
        match (half, &mut waits) {
            (Half::Low, Some(high)) if begins && high.is_some() => {
                out.extend(high.take().into_iter().flatten());
                out.extend_from_slice(escape);
            }
            (Half::High, Some(high)) if json.get(end) == Some(&b'"') => **high = Some(escape.to_vec()),
            (Half::High | Half::Low, _) => out.extend_from_slice(REPLACEMENT),
        }
        (copied, from) = (end, end);
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.extend_from_slice(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// What an escape is half of.
fn half(escape: &[u8]) -> Option<Half> {
    let digits = escape.strip_prefix(br"\u")?.get(..4)?;
    match digits {
        [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => Some(Half::High),
        [b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', ..] => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &[u8]) -> String {
        serde_json::from_slice(json).unwrap()
    }

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        assert_eq!(
            text(&mend(br#""a\ud83db\uDE00 \ud83d\ude00 \\ud83d""#)),
            "a\u{fffd}b\u{fffd} 😀 \\ud83d"
        );
        assert!(matches!(mend(br#""\ud83d\ude00 \udead""#), Cow::Owned(_)));
        assert!(matches!(mend(br#""\ud83d\ude00""#), Cow::Borrowed(_)));
    }

    #[test]
    fn halves_in_two_events_are_put_together() {
        let mut joiner = Joiner::default();
        assert_eq!(text(&joiner.mend(br#""a\ud83d""#)), "a");
        assert_eq!(text(&joiner.mend(br#""nothing""#)), "nothing");
        assert_eq!(text(&joiner.mend(br#""\ude00b""#)), "😀b");
        assert_eq!(text(&joiner.mend(br#""\ude00b""#)), "\u{fffd}b");
    }
}
