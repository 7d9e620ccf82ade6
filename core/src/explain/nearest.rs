//! What somebody may have meant who asked for a word that nobody knows.

use super::own;
use crate::error::Code;
use crate::failure;

/// Suggestions, nearest first.
const MOST: usize = 5;

/// Words and texts that share most of their letters with what was asked, nearest first.
///
/// Pairs of neighbouring letters are compared, which forgives letters that are missing, doubled or swapped.
pub fn nearest(asked: &str) -> Vec<String> {
    let wanted = pairs(asked);
    if wanted.is_empty() {
        return Vec::new();
    }
    let codes = Code::ALL.into_iter().map(|code| code.entry().text.to_owned());
    let theirs = failure::known().flat_map(|known| known.names().map(clean).collect::<Vec<_>>());
    let mut scored: Vec<(usize, String)> = codes
        .chain(theirs)
        .chain(own::names().map(str::to_owned))
        .map(|name| (likeness(&wanted, &pairs(&name)), name))
        .filter(|(likeness, _)| *likeness >= 500)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(MOST).map(|(_, name)| name).collect()
}

fn clean(pattern: &str) -> String {
    pattern.trim_matches(['*', ' ']).replace('*', " … ")
}

fn pairs(text: &str) -> Vec<(char, char)> {
    let letters: Vec<char> = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let next = letters.iter().skip(1);
    let mut pairs: Vec<_> = letters.iter().zip(next).map(|(a, b)| (*a, *b)).collect();
    pairs.sort_unstable();
    pairs
}

/// Thousandths: twice the shared pairs over all pairs.
fn likeness(a: &[(char, char)], b: &[(char, char)]) -> usize {
    let mut rest = b.to_vec();
    let shared = a.iter().filter(|pair| {
        let at = rest.iter().position(|other| other == *pair);
        at.map(|at| rest.swap_remove(at)).is_some()
    });
    2000 * shared.count() / (a.len() + b.len()).max(1)
}
