//! What somebody may have meant who asked for a word that nobody knows.

use strsim::sorensen_dice;

use super::own;
use crate::error::Code;
use crate::failure;

/// Suggestions, nearest first.
const MOST: usize = 5;
/// Less alike is not suggested.
const LIKE: f64 = 0.5;

/// Words and texts that share most of their letters with what was asked, nearest first.
///
/// Pairs of neighbouring letters are compared, which forgives letters that are missing, doubled or swapped: half of them
/// must be shared.
pub fn nearest(asked: &str) -> Vec<String> {
    let wanted = letters(asked);
    if wanted.is_empty() {
        return Vec::new();
    }
    let codes = Code::ALL.into_iter().map(|code| code.entry().text.to_owned());
    let theirs = failure::known().flat_map(|known| known.names().map(clean).collect::<Vec<_>>());
    let mut scored: Vec<(f64, String)> = codes
        .chain(theirs)
        .chain(own::names().map(str::to_owned))
        .map(|name| (sorensen_dice(&wanted, &letters(&name)), name))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(MOST).map(|(_, name)| name).collect()
}

fn clean(pattern: &str) -> String {
    pattern.trim_matches(['*', ' ']).replace('*', " … ")
}

fn letters(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}
