//! Takes out of a provider's error text what the caller must not see: credentials, e-mail addresses, internal
//! addresses and organisation ids. Nothing else changes, since agents match on the wording.
//!
//! The text is cut into words at every byte that cannot be part of such a thing, and each word is judged by itself,
//! so the time is linear and the text may be JSON, HTML or neither. JSON escapes separate words. A caller's text may
//! only grow by a few bytes a word.
//!
//! Doubt masks: a word with a known credential prefix goes even if it may be a placeholder.

mod word;

use std::borrow::Cow;

use memchr::memmem;

use word::Verdict;

/// How far before an id the word that makes it an organisation's may stand, bytes.
const CONTEXT: usize = 32;

/// Masks an error body. `known` are secrets in use for the attempt, taken out wherever they stand; those under 8
/// bytes are not looked for.
pub fn mask<'a>(body: &'a [u8], known: &[&str]) -> Cow<'a, [u8]> {
    let mut text = Cow::Borrowed(body);
    for secret in known.iter().filter(|secret| secret.len() >= 8) {
        text = without(text, secret.as_bytes());
    }
    match words(&text) {
        Some(masked) => Cow::Owned(masked),
        None => text,
    }
}

fn without<'a>(text: Cow<'a, [u8]>, secret: &[u8]) -> Cow<'a, [u8]> {
    if memmem::find(&text, secret).is_none() {
        return text;
    }
    let mut masked = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memmem::find_iter(&text, secret) {
        masked.extend_from_slice(text.get(from..at).unwrap_or_default());
        masked.extend_from_slice(word::CREDENTIAL);
        from = at + secret.len();
    }
    masked.extend_from_slice(text.get(from..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Length of a JSON escape whose backslash stands before `rest`. Text that is no JSON may have anything there.
fn escape_length(rest: &[u8]) -> usize {
    match rest {
        [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
        [byte, ..] if byte.is_ascii() => 2,
        _ => 1,
    }
}

/// None when nothing was masked.
fn words(text: &[u8]) -> Option<Vec<u8>> {
    let mut masked = Vec::new();
    let (mut at, mut kept) = (0, 0);
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
        match word::judge(word, before, after_scheme) {
            Verdict::Keep => {}
            Verdict::Mask { with, length } => {
                masked.extend_from_slice(text.get(kept..at).unwrap_or_default());
                masked.extend_from_slice(with);
                kept = at + length;
            }
        }
        after_scheme = word.eq_ignore_ascii_case(b"bearer") || word.eq_ignore_ascii_case(b"basic");
        at += length;
    }
    if kept == 0 {
        return None;
    }
    masked.extend_from_slice(text.get(kept..).unwrap_or_default());
    Some(masked)
}
