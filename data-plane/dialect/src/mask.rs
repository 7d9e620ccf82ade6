//! Takes out of a provider's error text what the caller must not see: credentials, e-mail addresses, internal
//! addresses and organisation ids. Nothing else changes, since agents match on the wording.
//!
//! The text is cut into words at every byte that cannot be part of such a thing, and each word is judged by itself,
//! so the time is linear and the text may be JSON, HTML or neither. JSON escapes separate words. A caller's text may
//! only grow by a few bytes a word.
//!
//! Whoever reads the text unescapes it, so it is judged again as they will see it: `\/` and `\u0061` hide nothing.
//!
//! Doubt masks: a word with a known credential prefix goes even if it may be a placeholder.

mod unescape;
mod word;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use unescape::Unescaped;
use word::Verdict;

/// How far before an id the word that makes it an organisation's may stand, bytes.
const CONTEXT: usize = 32;
/// Of JSON in strings of JSON: what an error body quotes may be one that was quoted.
const MAX_DEPTH: usize = 3;

/// What is masked, and with what.
type Spot = (Range<usize>, &'static [u8]);

/// Masks an error body. `known` are secrets in use for the attempt, taken out wherever they stand; those under 8
/// bytes are not looked for.
pub fn mask<'a>(body: &'a [u8], known: &[&str]) -> Cow<'a, [u8]> {
    at_each_depth(body, known, words)
}

/// [`mask`] for what is text already.
pub fn mask_text(text: String, known: &[&str]) -> String {
    owned(mask(text.as_bytes(), known)).unwrap_or(text)
}

/// Takes out the known secrets alone: for texts of ours, whose addresses and names operators need.
pub fn mask_known(text: String, known: &[&str]) -> String {
    owned(at_each_depth(text.as_bytes(), known, |_| Vec::new())).unwrap_or(text)
}

/// Known secrets, and what else is found.
fn at_each_depth<'a>(body: &'a [u8], known: &[&str], find: impl Fn(&[u8]) -> Vec<Spot>) -> Cow<'a, [u8]> {
    let mut text = Cow::Borrowed(body);
    for depth in 0..=MAX_DEPTH {
        if depth > 0 && !text.contains(&b'\\') {
            break;
        }
        for secret in known.iter().filter(|secret| secret.len() >= 8) {
            text = masked(text, depth, |text| places(text, secret.as_bytes()));
        }
        text = masked(text, depth, &find);
    }
    text
}

/// None: nothing was masked.
fn owned(masked: Cow<'_, [u8]>) -> Option<String> {
    match masked {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(String::from_utf8_lossy(&masked).into_owned()),
    }
}

/// Masks what is found in the text when it is unescaped so often.
fn masked<'a>(text: Cow<'a, [u8]>, depth: usize, find: impl Fn(&[u8]) -> Vec<Spot>) -> Cow<'a, [u8]> {
    let spots = match depth {
        0 => find(&text),
        _ => match Unescaped::of(&text, depth) {
            None => Vec::new(),
            Some(read) => {
                let raw = |(place, with): Spot| Some((read.raw(&place)?, with));
                find(&read.text).into_iter().filter_map(raw).collect()
            }
        },
    };
    if spots.is_empty() {
        return text;
    }
    let mut masked = Vec::with_capacity(text.len());
    let mut kept = 0;
    for (place, with) in spots {
        masked.extend_from_slice(text.get(kept..place.start).unwrap_or_default());
        masked.extend_from_slice(with);
        kept = place.end;
    }
    masked.extend_from_slice(text.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

fn places(text: &[u8], secret: &[u8]) -> Vec<Spot> {
    // Headers and ids, as a rule: a searcher costs more than they do.
    if memmem::find(text, secret).is_none() {
        return Vec::new();
    }
    let found = memmem::find_iter(text, secret);
    found
        .map(|at| (at..at + secret.len(), word::CREDENTIAL))
        .collect()
}

/// Length of a JSON escape whose backslash stands before `rest`. Text that is no JSON may have anything there.
fn escape_length(rest: &[u8]) -> usize {
    match rest {
        [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
        [byte, ..] if byte.is_ascii() => 2,
        _ => 1,
    }
}

/// The words to be masked.
fn words(text: &[u8]) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut at = 0;
    let mut after_scheme = false;
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' {
            at += escape_length(text.get(at + 1..).unwrap_or_default());
            continue;
        }
        let length = word::length(text.get(at..).unwrap_or_default(), after_scheme);
        if length == 0 {
            // `Bearer`, one space, the token.
            after_scheme &= byte == b' ';
            at += 1;
            continue;
        }
        let word = text.get(at..at + length).unwrap_or_default();
        let before = text.get(at.saturating_sub(CONTEXT)..at).unwrap_or_default();
        if let Verdict::Mask { with, length } = word::judge(word, before, after_scheme) {
            spots.push((at..at + length, with));
        }
        after_scheme = word.eq_ignore_ascii_case(b"bearer") || word.eq_ignore_ascii_case(b"basic");
        at += length;
    }
    spots
}
