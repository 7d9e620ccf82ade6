//! Text as it may stand inside a JSON string.

use std::fmt::{self, Write};

/// Escapes what is written through it. Quotes are the caller's.
pub(crate) struct Escaped<'a, W>(pub(crate) &'a mut W);

impl<W: Write> Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(needs_escape) {
            let (plain, from) = rest.split_at(at);
            self.0.write_str(plain)?;
            // What needs an escape is ASCII, so the character is one byte.
            let mut chars = from.chars();
            if let Some(special) = chars.next() {
                self.escape(special)?;
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

impl<W: Write> Escaped<'_, W> {
    fn escape(&mut self, special: char) -> fmt::Result {
        match special {
            '"' => self.0.write_str("\\\""),
            '\\' => self.0.write_str("\\\\"),
            '\n' => self.0.write_str("\\n"),
            '\r' => self.0.write_str("\\r"),
            '\t' => self.0.write_str("\\t"),
            control => write!(self.0, "\\u{:04x}", u32::from(control)),
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_text_a_json_reader_gives_it_back() {
        let every: String = (0..0x300)
            .filter_map(char::from_u32)
            .chain("🦀\u{2028}".chars())
            .collect();
        for text in ["", "plain", "\"", "a\\b\nc", &every] {
            let mut json = String::from("\"");
            Escaped(&mut json).write_str(text).unwrap();
            json.push('"');
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.contains('\n'));
        }
    }
}
