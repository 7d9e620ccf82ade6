//! Patterns of texts: words with `*` for anything between them.
//!
//! A pattern is anchored at the start of the message and open at its end; one that begins with `*` may stand anywhere.
//! The case of ASCII letters does not matter. Linear in the text for each part of the pattern.

use super::MAX_TEXT;

/// Whether the first [`MAX_TEXT`] bytes of the text fit the pattern.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let bytes = text.trim_start().as_bytes();
    let mut rest = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    let mut anchored = true;
    for part in pattern.split('*') {
        let at = match anchored {
            true => starts_with(rest, part).then_some(0),
            false => find(rest, part),
        };
        let Some(at) = at else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
        anchored = false;
    }
    true
}

/// What follows the start of the text, any case.
pub(super) fn behind<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let text = text.trim_start();
    starts_with(text.as_bytes(), start).then(|| text.get(start.len()..))?
}

/// What follows the first of the phrases that the text has, any case.
pub(super) fn after<'a>(text: &'a str, phrases: &[&str]) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    phrases
        .iter()
        .find_map(|phrase| text.get(find(bytes, phrase)? + phrase.len()..))
}

fn starts_with(bytes: &[u8], part: &str) -> bool {
    bytes
        .get(..part.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(part.as_bytes()))
}

fn find(bytes: &[u8], part: &str) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    bytes
        .windows(part.len())
        .position(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anchored_at_the_start_only() {
        assert!(fits("Your credit balance", "your credit balance is too low"));
        assert!(!fits("Your credit balance", "model: Your credit balance"));
        assert!(fits("*too long", "the prompt is too long: 2 > 1"));
        assert!(fits(
            "The model * does not exist",
            "The model `x` does not exist, sorry"
        ));
        assert!(!fits("The model * does not exist", "The model `x` exists"));
    }

    #[test]
    fn texts_beyond_the_first_4_kilobytes_are_not_looked_at() {
        let late = format!("{}too long", "x".repeat(MAX_TEXT));
        assert!(!fits("*too long", &late));
        assert_eq!(after(&late, &["too"]), None);
    }
}
