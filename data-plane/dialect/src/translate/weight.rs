//! How much memory a request's translation takes, before it is made.
//!
//! What is read of a body is kept as values, of which a small one is many times as long as its text: `[0,0,0,…]`. So the
//! values are counted first, and more than [`MAX_VALUES`] are refused. Text itself is borrowed, and written once.

use super::problem::Untranslatable;
use crate::json::{Token, Tokens};

/// The most values of a body that is translated: scalars, objects and arrays, those in tools' schemas too.
pub(super) const MAX_VALUES: usize = 300_000;
/// For one value, read and written, bytes.
const OF_VALUE: usize = 256;
/// Of text, read and written: escapes of text in text make it longer.
const OF_TEXT: usize = 2;
/// So many commas may be in texts and not between values; more are looked at closely.
const FEW: usize = 4_096;

/// What a translation of this body takes at most beside the body itself, bytes.
pub fn memory(body: &[u8]) -> Result<usize, Untranslatable> {
    let commas = memchr::memchr_iter(b',', body).count();
    let values = match commas <= FEW {
        true => commas,
        false => values(body),
    };
    match values > MAX_VALUES {
        true => Err(Untranslatable::TooMany),
        false => Ok(values * OF_VALUE + body.len() * OF_TEXT),
    }
}

fn values(body: &[u8]) -> usize {
    let mut tokens = Tokens::of(body);
    let mut values = 0;
    while let Ok(Some(token)) = tokens.next() {
        values += match token {
            Token::Scalar(_) | Token::Object | Token::Array => 1,
            Token::Key(_) | Token::Close => 0,
        };
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c05_a_body_of_many_small_values_is_refused_and_long_text_is_not() {
        let zeros = format!("[{}]", vec!["0"; MAX_VALUES + 1].join(","));
        assert_eq!(memory(zeros.as_bytes()), Err(Untranslatable::TooMany));
        let text = format!("{{\"a\":\"{}\"}}", ",".repeat(MAX_VALUES + 1));
        assert_eq!(memory(text.as_bytes()), Ok(2 * OF_VALUE + text.len() * OF_TEXT));
    }
}
