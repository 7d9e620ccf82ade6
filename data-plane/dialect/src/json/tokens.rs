//! Every piece of a JSON text in order, in linear time whatever the depth.
//!
//! [`super::Members`] skips what is inside a member, so looking for something at any depth with it would read the
//! innermost bytes once for each level around them. Here each byte is read once.

use super::skip::Skipper;
use super::{Fault, MAX_DEPTH, Problem, Value};

#[derive(Debug)]
pub(crate) enum Token<'a> {
    Object,
    Array,
    /// Of the innermost object or array.
    Close,
    /// Its value is the next token.
    Key(Value<'a>),
    Scalar(Value<'a>),
}

/// See the module. After an error or the end it goes no further.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    skip: Skipper<'a>,
    /// The innermost container is an object when the lowest bit is set.
    objects: u128,
    depth: u32,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Value,
    /// Just inside a container.
    First,
    After,
    End,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self {
            skip: Skipper::new(bytes),
            objects: 0,
            depth: 0,
            next: Next::Value,
        }
    }

    /// The byte after what was read so far.
    pub(crate) fn at(&self) -> usize {
        self.skip.at
    }

    /// None after the one value that a text is.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, Fault> {
        match self.next {
            Next::Value => self.value().map(Some),
            Next::First => match self.skip.need()? == self.bracket() {
                true => Ok(Some(self.close())),
                false => self.child().map(Some),
            },
            Next::After => match self.skip.need()? {
                b',' => {
                    self.skip.at += 1;
                    self.child().map(Some)
                }
                byte if byte == self.bracket() => Ok(Some(self.close())),
                _ => Err(self.skip.fault(Problem::ExpectedComma)),
            },
            Next::End => match self.skip.space() {
                None => Ok(None),
                Some(_) => Err(self.skip.fault(Problem::Trailing)),
            },
        }
    }

    fn child(&mut self) -> Result<Token<'a>, Fault> {
        if !self.in_object() {
            return self.value();
        }
        let key = self.skip.key()?;
        self.next = Next::Value;
        Ok(Token::Key(key))
    }

    fn value(&mut self) -> Result<Token<'a>, Fault> {
        let object = match self.skip.need()? {
            b'{' => true,
            b'[' => false,
            _ => {
                let scalar = self.skip.value(0)?;
                self.next = self.after();
                return Ok(Token::Scalar(scalar));
            }
        };
        if self.depth == MAX_DEPTH {
            return Err(self.skip.fault(Problem::TooDeep));
        }
        self.skip.at += 1;
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        self.next = Next::First;
        Ok(if object { Token::Object } else { Token::Array })
    }

    fn close(&mut self) -> Token<'a> {
        self.skip.at += 1;
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
        self.next = self.after();
        Token::Close
    }

    fn after(&self) -> Next {
        match self.depth {
            0 => Next::End,
            _ => Next::After,
        }
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn bracket(&self) -> u8 {
        if self.in_object() { b'}' } else { b']' }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pieces of a text, written without space; None where it is no JSON.
    fn walk(text: &[u8]) -> Option<String> {
        let mut tokens = Tokens::of(text);
        let mut out = String::new();
        while let Some(token) = tokens.next().ok()? {
            match token {
                Token::Object => out.push('{'),
                Token::Array => out.push('['),
                Token::Close => out.push('$'),
                Token::Key(key) => out.push_str(&format!("{}:", String::from_utf8_lossy(key.raw()))),
                Token::Scalar(value) => out.push_str(&format!("{},", String::from_utf8_lossy(value.raw()))),
            }
        }
        Some(out)
    }

    #[test]
    fn every_piece_comes_once_and_in_order() {
        let text = br#" {"a": [1, {}, "x" ,[]] , "b":{"c":null}} "#;
        assert_eq!(walk(text).unwrap(), r#"{"a":[1,{$"x",[$$"b":{"c":null,$$"#);
    }

    #[test]
    fn what_is_no_json_is_noticed() {
        for text in [
            "",
            "{",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "{,}",
            "[] ]",
            "tru",
        ] {
            assert_eq!(walk(text.as_bytes()), None, "{text}");
        }
        assert!(walk("[".repeat(127).as_bytes()).is_none());
    }

    fn json() -> impl Strategy<Value = String> {
        let words = [
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "1", "true", " ", "{}", "[]", "\"a\":",
        ];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn it_takes_what_serde_json_takes(text in json()) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(walk(text.as_bytes()).is_some(), theirs, "{}", text);
        }

        #[test]
        fn depth_is_bounded_as_elsewhere(depth in 120..135_usize) {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            prop_assert_eq!(walk(text.as_bytes()).is_some(), depth <= 127);
        }
    }
}
