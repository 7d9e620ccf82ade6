//! Percent-encoding: of what is read from a URL (a key in the query, a model in the path), and of a model that goes into
//! one.

use std::borrow::Cow;

/// Decodes `%XX`. None when an escape is broken or the result is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// As one segment of a path, everything but unreserved characters escaped. None for what would be no segment of its own.
pub(crate) fn segment(text: &str) -> Option<String> {
    if matches!(text, "" | "." | "..") {
        return None;
    }
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => {
                encoded.push('%');
                encoded.push(digit(other >> 4));
                encoded.push(digit(other & 15));
            }
        }
    }
    Some(encoded)
}

fn digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_stays_one_segment() {
        let arn = "arn:aws:bedrock:us-east-1::model/a b";
        assert_eq!(
            segment(arn).as_deref(),
            Some("arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Amodel%2Fa%20b")
        );
        assert_eq!(segment("gemini-2.5-pro").as_deref(), Some("gemini-2.5-pro"));
        assert_eq!((segment(".."), segment(".")), (None, None));
    }

    #[test]
    fn escapes_are_decoded_and_broken_ones_refused() {
        assert_eq!(decode("a%2Fb%c3%A9").as_deref(), Some("a/bé"));
        assert_eq!(decode("plain").as_deref(), Some("plain"));
        assert_eq!(decode("%2"), None);
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%ff"), None);
    }
}
