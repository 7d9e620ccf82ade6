//! Which strings of a request are data and no text: images, files, signatures, encrypted reasoning.
//!
//! Nobody looks for words in data, and nothing is replaced in it, so what counts as data is narrow: it must stand where
//! vendors put it, be long, and look like base64. What is wrongly taken for text is looked at, no more.
//!
//! - Under the names of signatures and encrypted reasoning.
//! - Under `data`, where a member beside it says so: `"type":"base64"`, a media type that is no text, a format of sound.
//! - A `data:` URL under the name of a URL or a file; what stands in front of its comma is text all the same.

use crate::json::{Token, Tokens};

/// Names of members that hold nothing but data.
const SEALED: [&[u8]; 6] = [
    b"file_data",
    b"b64_json",
    b"signature",
    b"encrypted_content",
    b"thoughtSignature",
    b"thought_signature",
];
/// Values of `type` beside `data`.
const TYPES: [&[u8]; 4] = [b"base64", b"redacted_thinking", b"image", b"audio"];
/// Values of `format` beside `data`.
const SOUNDS: [&[u8]; 9] = [
    b"wav", b"mp3", b"flac", b"opus", b"pcm16", b"aac", b"ogg", b"m4a", b"webm",
];
/// Media types that are no text; so are all of images, sound and films, but for SVG.
const BINARY: [&[u8]; 3] = [
    b"application/pdf",
    b"application/octet-stream",
    b"application/zip",
];
/// Shorter data is looked at as text, characters of base64.
const LEAST: usize = 64;
/// What stands in front of a `data:` URL's comma is at most so long, bytes.
const HEAD: usize = 128;
const BASE64: &[u8] = b";base64,";

/// What of a string is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    All,
    Nothing,
    /// So many bytes at its beginning, as it was written. They have no escape but `\/`.
    Head(usize),
}

/// What is text of a string as it was written, under this name. `beside`: whether what stands beside it says that it is
/// data ([`says_data`]); asked only where that decides.
pub(crate) fn text_of(name: Option<&[u8]>, raw: &[u8], beside: impl FnOnce() -> bool) -> Share {
    let Some(name) = name else { return Share::All };
    if holds_urls(name)
        && let Some(head) = head_of_url(raw)
        && is_data(raw.get(head..).unwrap_or_default())
    {
        return Share::Head(head);
    }
    let named = SEALED.contains(&name) || name == b"data";
    match named && is_data(raw) && (name != b"data" || beside()) {
        true => Share::Nothing,
        false => Share::All,
    }
}

/// Whether an object, given from its brace on, says that its `data` is data. Reads until it says so, and no further than
/// to the first member that is no scalar: no object of media has one in front.
pub(crate) fn says_data(object: &[u8]) -> bool {
    let mut tokens = Tokens::of(object);
    let (mut begun, mut name) = (false, None);
    while let Ok(Some(token)) = tokens.next() {
        match token {
            Token::Object if !begun => begun = true,
            Token::Object | Token::Array | Token::Close => return false,
            Token::Key(key) => name = key.name(),
            Token::Scalar(value) => {
                let Some(value) = value.short_text(HEAD) else {
                    continue;
                };
                if is_word_for_data(name.as_deref().unwrap_or_default(), value.as_bytes()) {
                    return true;
                }
            }
        }
    }
    false
}

fn is_word_for_data(name: &[u8], value: &[u8]) -> bool {
    match name {
        b"type" => TYPES.contains(&value),
        b"format" => SOUNDS.contains(&value),
        b"media_type" | b"mimeType" | b"mime_type" => {
            let kinds: [&[u8]; 3] = [b"image/", b"audio/", b"video/"];
            let media = kinds.iter().any(|kind| value.starts_with(kind));
            BINARY.contains(&value) || (media && !value.starts_with(b"image/svg"))
        }
        _ => false,
    }
}

fn holds_urls(name: &[u8]) -> bool {
    let ends: [&[u8]; 5] = [b"url", b"Url", b"uri", b"Uri", b"URL"];
    matches!(name, b"data" | b"file_data" | b"image") || ends.iter().any(|end| name.ends_with(end))
}

/// The length of what stands in front of a `data:` URL's base64, as it was written.
fn head_of_url(raw: &[u8]) -> Option<usize> {
    let front = raw.get(..raw.len().min(HEAD))?;
    let at = memchr::memmem::find(front, BASE64)?;
    let told = front.get(..at)?.strip_prefix(b"data:")?;
    let mut parts = told.split(|byte| *byte == b';');
    let (kind, subtype) = split(parts.next()?, b'/')?;
    // JSON may have the slash as `\/`.
    let kind = kind.strip_suffix(b"\\").unwrap_or(kind);
    let parameters =
        parts.all(|part| split(part, b'=').is_some_and(|(name, value)| is_word(name) && is_word(value)));
    (is_word(kind) && is_word(subtype) && parameters).then_some(at + BASE64.len())
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = memchr::memchr(at, text)?;
    Some((text.get(..found)?, text.get(found + 1..)?))
}

/// As names of media types are.
fn is_word(text: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(byte);
    !text.is_empty() && text.iter().all(letter)
}

/// Long, and base64 as it comes of bytes: some of every sort of letter.
fn is_data(raw: &[u8]) -> bool {
    let has = |sort: fn(&u8) -> bool| raw.iter().any(sort);
    raw.len() >= LEAST
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && is_base64(raw)
}

/// Letters of base64 and nothing else; the one escape is `\/`.
fn is_base64(raw: &[u8]) -> bool {
    let padding = raw.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let mut letters = raw.iter().take(raw.len() - padding);
    while let Some(letter) = letters.next() {
        let fits = match letter {
            b'\\' => letters.next() == Some(&b'/'),
            b'+' | b'/' | b'-' | b'_' => true,
            letter => letter.is_ascii_alphanumeric(),
        };
        if !fits {
            return false;
        }
    }
    true
}
