//! `scope` in every `cache_control` of an Anthropic request: who shares a cache. Bedrock refuses it.
//!
//! What models read as text (schemas of tools, arguments of calls) may have such names of its own and is left alone.

use crate::edit::{self, Splice};
use crate::json::{Token, Tokens};

/// Blocks inside of results are not deeper, containers.
const DEEP: usize = 8;

/// What the next value of a container is, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A `cache_control`.
    Cache,
    /// Of the caller's own making.
    Foreign,
    Other,
}

/// A container that is open.
struct Open {
    foreign: bool,
    next: Next,
}

/// What takes it out of the body.
pub(super) fn splices(body: &[u8]) -> Vec<Splice> {
    let mut splices = Vec::new();
    if memchr::memmem::find(body, b"scope").is_none() {
        return splices;
    }
    let mut tokens = Tokens::of(body);
    let mut open: Vec<Open> = Vec::new();
    while let Ok(Some(token)) = tokens.next() {
        match token {
            Token::Object | Token::Array => {
                let next = open.last().map_or(Next::Other, |open| open.next);
                let foreign = next == Next::Foreign || open.last().is_some_and(|open| open.foreign);
                let begin = tokens.at().saturating_sub(1);
                if next == Next::Cache && !foreign && open.len() <= DEEP {
                    let object = body.get(begin..).unwrap_or_default();
                    splices.extend(edit::without(object, b"scope", begin));
                }
                open.push(Open {
                    foreign,
                    next: Next::Other,
                });
            }
            Token::Close => drop(open.pop()),
            Token::Key(key) => {
                if let Some(open) = open.last_mut() {
                    open.next = match key.name().as_deref() {
                        Some(b"cache_control") => Next::Cache,
                        Some(b"input" | b"input_schema") => Next::Foreign,
                        Some(_) | None => Next::Other,
                    };
                }
            }
            Token::Scalar(_) => {}
        }
    }
    splices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_cache_goes_and_the_callers_own_words_stay() {
        let body = r#"{"cache_control":{"type":"ephemeral","scope":"global"},"system":[{"text":"scope","cache_control":{"scope":"global","ttl":"1h"}}],"tools":[{"input_schema":{"cache_control":{"scope":1}}}]}"#;
        let expected = r#"{"cache_control":{"type":"ephemeral"},"system":[{"text":"scope","cache_control":{"ttl":"1h"}}],"tools":[{"input_schema":{"cache_control":{"scope":1}}}]}"#;
        let mut left = body.to_owned();
        for splice in splices(body.as_bytes()).into_iter().rev() {
            left.replace_range(splice.at, "");
        }
        assert_eq!(left, expected);
    }
}
