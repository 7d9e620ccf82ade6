//! The words that command a behaviour from inside a request.
//!
//! `key=value` pairs and bare words, separated by spaces or `;`. A value with spaces, `;` or `]]` stands in
//! single or double quotes (no escapes). The same text works in the `x-fake` header, in the binary's
//! `--behave` flag, and as `[[fake …]]` anywhere in the last user message, which passes through any gateway.
//! An unknown word is an error that lists the known ones: a typo must not look like a good answer.

use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::behaviour::{Behaviour, Ending, Instead, StreamEnd};

/// What opens a directive in a message.
pub(crate) const OPENING: &str = "[[fake";

const KNOWN: &str = "status type message code retry-after header delay first pace pings hang reset html body empty \
    malformed redirect silent cut end error after stall text bytes chunks chunk-bytes input output cache-read \
    cache-write-5m cache-write-1h reasoning tool tool-input thinking stop";

/// A directive that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveError {
    #[error("unknown word `{0}`; known are: {KNOWN}")]
    Unknown(String),
    #[error("`{key}={value}` needs {wanted}")]
    Value {
        key: String,
        value: String,
        wanted: &'static str,
    },
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("`[[fake` is not closed by `]]`")]
    OpenDirective,
}

/// One `key=value`, or a bare word with an empty value.
type Pair = (String, String);

impl Behaviour {
    /// Reads a behaviour from words.
    ///
    /// | words | effect |
    /// |---|---|
    /// | `status=529 type=… message='…' code=…` | an error answer in the vendor's shape |
    /// | `retry-after=3`, `header='name: value'` | headers of the answer |
    /// | `delay=200 first=50 pace=20` | milliseconds before the head, before the first event, between events |
    /// | `pings=5`, `silent` | pings before the first event; only pings |
    /// | `hang reset html empty malformed redirect=URL body='…'` | instead of an answer |
    /// | `cut=2 end=2 stall=2 error=2` | how a stream ends after so many events (`after=2` is `error=2`) |
    /// | `text='…' bytes=1000000 chunks=10 chunk-bytes=20` | what is said and in which pieces |
    /// | `input output cache-read cache-write-5m cache-write-1h reasoning` | usage numbers |
    /// | `tool=NAME tool-input='{…}' thinking stop=max_tokens` | tool call, thinking, stop reason |
    ///
    /// # Errors
    /// On an unknown word or an unreadable value.
    pub fn parse(words: &str) -> Result<Self, DirectiveError> {
        let mut behaviour = Self::default();
        behaviour.apply(words)?;
        Ok(behaviour)
    }

    /// Lets the words replace what they name and keeps the rest.
    pub(crate) fn apply(&mut self, words: &str) -> Result<(), DirectiveError> {
        let (pairs, _) = split(words, false)?;
        self.apply_pairs(&pairs)
    }

    fn apply_pairs(&mut self, pairs: &[Pair]) -> Result<(), DirectiveError> {
        for (key, value) in pairs {
            let key = key.replace('_', "-");
            if !(self.set_ending(&key, value)?
                || self.set_instead(&key, value)?
                || self.set_answer(&key, value)?
                || self.set_usage(&key, value)?
                || self.set_error(&key, value)?)
            {
                return Err(DirectiveError::Unknown(key));
            }
        }
        Ok(())
    }

    fn set_ending(&mut self, key: &str, value: &str) -> Result<bool, DirectiveError> {
        let how = match key {
            "cut" => Ending::Cut,
            "end" => Ending::Clean,
            "stall" => Ending::Stall,
            "error" | "after" => Ending::Error,
            _ => return Ok(false),
        };
        self.end = Some(StreamEnd {
            after: number(key, value)?,
            how,
        });
        Ok(true)
    }

    fn set_instead(&mut self, key: &str, value: &str) -> Result<bool, DirectiveError> {
        self.instead = Some(match key {
            "hang" => Instead::Hang,
            "reset" => Instead::Reset,
            "html" => Instead::Html,
            "body" => Instead::Body(value.to_owned()),
            "empty" => Instead::EmptyBody,
            "malformed" => Instead::MalformedJson,
            "silent" => Instead::Silence,
            "redirect" => Instead::Redirect(parsed(key, value, "a URL")?),
            _ => return Ok(false),
        });
        Ok(true)
    }

    fn set_answer(&mut self, key: &str, value: &str) -> Result<bool, DirectiveError> {
        match key {
            "delay" => self.header_delay = milliseconds(key, value)?,
            "first" => self.first_event_delay = milliseconds(key, value)?,
            "pace" => self.pace = milliseconds(key, value)?,
            "pings" => self.pings = number(key, value)?,
            "text" => self.text = Some(value.to_owned()),
            "bytes" => self.text_bytes = Some(number(key, value)?),
            "chunks" => self.chunks = Some(number(key, value)?),
            "chunk-bytes" => self.chunk_bytes = Some(number(key, value)?),
            "tool" => self.tool = Some(value.to_owned()),
            "tool-input" => self.tool_input = Some(value.to_owned()),
            "thinking" => self.thinking = true,
            "stop" => self.stop_reason = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_usage(&mut self, key: &str, value: &str) -> Result<bool, DirectiveError> {
        let usage = &mut self.usage;
        let class = match key {
            "input" => &mut usage.input,
            "output" => &mut usage.output,
            "cache-read" => &mut usage.cache_read,
            "cache-write-5m" => &mut usage.cache_write_5m,
            "cache-write-1h" => &mut usage.cache_write_1h,
            "reasoning" => &mut usage.reasoning,
            _ => return Ok(false),
        };
        *class = Some(parsed(key, value, "a number of tokens")?);
        Ok(true)
    }

    fn set_error(&mut self, key: &str, value: &str) -> Result<bool, DirectiveError> {
        match key {
            "status" => self.status = Some(parsed::<StatusCode>(key, value, "a status from 100 to 999")?),
            "type" => self.error_type = Some(value.to_owned()),
            "message" => self.error_message = Some(value.to_owned()),
            "code" => self.error_code = Some(value.to_owned()),
            "retry-after" => {
                let seconds: HeaderValue = parsed(key, value, "a header value")?;
                self.headers.insert(http::header::RETRY_AFTER, seconds);
            }
            "header" => {
                let (name, text) = value.split_once(':').unwrap_or((value, ""));
                let name: HeaderName = parsed(key, name.trim(), "`name: value`")?;
                self.headers
                    .insert(name, parsed(key, text.trim(), "`name: value`")?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Takes the first directive out of a message: what it says (if there is one) is applied, and the message
/// without it is returned.
pub(crate) fn take(text: &str, behaviour: &mut Behaviour) -> Result<String, DirectiveError> {
    let Some((before, inside)) = text.split_once(OPENING) else {
        return Ok(text.to_owned());
    };
    let (pairs, after) = split(inside, true)?;
    behaviour.apply_pairs(&pairs)?;
    let mut rest = before.trim_end().to_owned();
    let after = after.trim_start();
    if !rest.is_empty() && !after.is_empty() {
        rest.push(' ');
    }
    rest.push_str(after);
    Ok(rest)
}

/// Cuts words into pairs, up to `]]` when `closed`, and returns what follows.
fn split(words: &str, closed: bool) -> Result<(Vec<Pair>, &str), DirectiveError> {
    let mut pairs = Vec::new();
    let mut rest = words;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if closed && let Some(after) = rest.strip_prefix("]]") {
            return Ok((pairs, after));
        }
        if rest.is_empty() {
            return if closed {
                Err(DirectiveError::OpenDirective)
            } else {
                Ok((pairs, rest))
            };
        }
        let (key, after_key) = bare(rest, closed, true);
        let Some(after_equals) = after_key.strip_prefix('=') else {
            pairs.push((key.to_owned(), String::new()));
            rest = after_key;
            continue;
        };
        let (value, after_value) = match after_equals.chars().next() {
            Some(quote @ ('\'' | '"')) => after_equals
                .strip_prefix(quote)
                .and_then(|inner| inner.split_once(quote))
                .ok_or(DirectiveError::OpenQuote)?,
            _ => bare(after_equals, closed, false),
        };
        pairs.push((key.to_owned(), value.to_owned()));
        rest = after_value;
    }
}

/// The unquoted word at the start, and what follows it. Never empty for a key, so that `split` moves on.
fn bare(text: &str, closed: bool, key: bool) -> (&str, &str) {
    let ends = |c: char| c.is_whitespace() || c == ';' || (key && c == '=');
    let mut at = text.find(ends).unwrap_or(text.len());
    if closed && let Some(closing) = text.find("]]") {
        at = at.min(closing);
    }
    if key && at == 0 {
        at = text.chars().next().map_or(0, char::len_utf8);
    }
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn parsed<T: FromStr>(key: &str, value: &str, wanted: &'static str) -> Result<T, DirectiveError> {
    let refused = |_| DirectiveError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        wanted,
    };
    value.parse().map_err(refused)
}

fn number(key: &str, value: &str) -> Result<usize, DirectiveError> {
    parsed(key, value, "a whole number")
}

fn milliseconds(key: &str, value: &str) -> Result<Duration, DirectiveError> {
    parsed(key, value, "a number of milliseconds").map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_separated_by_spaces_or_semicolons() {
        let behaviour = Behaviour::parse("status=529; pace=20 ;chunks=3 thinking").unwrap();
        assert_eq!(behaviour.status, StatusCode::from_u16(529).ok());
        assert_eq!(behaviour.pace, Duration::from_millis(20));
        assert_eq!(behaviour.chunks, Some(3));
        assert!(behaviour.thinking);
    }

    #[test]
    fn quotes_keep_spaces_and_brackets() {
        let behaviour = Behaviour::parse(r#"tool=Bash tool_input='{"a": [[1]]}' message="a; b""#).unwrap();
        assert_eq!(behaviour.tool_input.as_deref(), Some(r#"{"a": [[1]]}"#));
        assert_eq!(behaviour.error_message.as_deref(), Some("a; b"));
    }

    #[test]
    fn a_directive_is_taken_out_of_the_message() {
        let mut behaviour = Behaviour::default();
        let text = take("hello [[fake cut=2 text='x ]] y']] there", &mut behaviour).unwrap();
        assert_eq!(text, "hello there");
        assert_eq!(
            behaviour.end,
            Some(StreamEnd {
                after: 2,
                how: Ending::Cut
            })
        );
        assert_eq!(behaviour.text.as_deref(), Some("x ]] y"));
    }

    #[test]
    fn a_bare_word_may_stand_next_to_the_closing_brackets() {
        let mut behaviour = Behaviour::default();
        assert_eq!(take("[[fake html]]", &mut behaviour).unwrap(), "");
        assert_eq!(behaviour.instead, Some(Instead::Html));
    }

    #[test]
    fn words_keep_what_they_do_not_name() {
        let mut behaviour = Behaviour::status(429).retry_after(3);
        behaviour.apply("message=slow").unwrap();
        assert_eq!(behaviour.status, Some(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(behaviour.headers["retry-after"], "3");
    }

    #[test]
    fn a_typo_is_refused_with_the_known_words() {
        let error = Behaviour::parse("statu=529").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("unknown word `statu`; known are: status"),
            "{error}"
        );
    }

    #[test]
    fn a_bad_value_is_refused_with_what_is_wanted() {
        let error = Behaviour::parse("cut=soon").unwrap_err();
        assert_eq!(error.to_string(), "`cut=soon` needs a whole number");
    }

    #[test]
    fn open_quotes_and_brackets_are_refused() {
        assert_eq!(
            Behaviour::parse("text='a").unwrap_err(),
            DirectiveError::OpenQuote
        );
        let error = take("[[fake cut=1", &mut Behaviour::default()).unwrap_err();
        assert_eq!(error, DirectiveError::OpenDirective);
        assert!(Behaviour::parse("=").is_err());
    }
}
