//! The text of a string that is no Unicode: what cannot be read becomes U+FFFD, the rest stays readable.
//!
//! Providers read such strings that way or refuse them, so whoever looks for something in a text must see it too.

/// Of a string between its quotes, as it was written; its escapes are known ones.
pub(super) fn decode(inner: &[u8]) -> String {
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (char, length) = escape(rest);
        text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        rest = rest.get(length..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    String::from_utf8_lossy(&text).into_owned()
}

/// What an escape stands for, and its length.
fn escape(rest: &[u8]) -> (char, usize) {
    let char = match rest.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(rest),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (char, 2)
}

fn unicode(rest: &[u8]) -> (char, usize) {
    let Some(first) = unit(rest) else {
        return (char::REPLACEMENT_CHARACTER, 6);
    };
    if let Some(char) = char::from_u32(first) {
        return (char, 6);
    }
    let second = rest.get(6..).and_then(unit);
    let units = [first, second.unwrap_or_default()].map(|unit| u16::try_from(unit).unwrap_or_default());
    match char::decode_utf16(units).next() {
        Some(Ok(char)) => (char, 12),
        Some(Err(_)) | None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// The number in `\uXXXX`.
fn unit(rest: &[u8]) -> Option<u32> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_unicode_is_replaced_and_the_rest_stays() {
        assert_eq!(decode(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(decode(br"a\ud83db\n"), "a\u{fffd}b\n");
        assert_eq!(decode(br"\ude00\ud83d\u0041"), "\u{fffd}\u{fffd}A");
        assert_eq!(decode(br"\ud83d\ude00\/\\"), "😀/\\");
    }

    proptest! {
        #[test]
        fn text_that_is_unicode_is_read_as_serde_json_reads_it(text in "\\PC*", escaped in any::<bool>()) {
            let mut json = serde_json::Value::from(text.as_str()).to_string();
            if escaped {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                json = format!("\"{}\"", units.collect::<String>());
            }
            let inner = &json.as_bytes()[1..json.len() - 1];
            prop_assert_eq!(decode(inner), text);
        }
    }
}
