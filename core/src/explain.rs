//! What an error means: a code, a status, a text that somebody found in an answer or a log (`penstock explain`).
//!
//! It says nothing by itself: callers' errors are those of [`crate::error`], providers' those of the table that
//! classifies them ([`crate::failure`]), and the few that planes say at their start stand in [`own`]. So what is
//! explained is what is done.
//!
//! A number is a status; a word with underscores a code; anything else is looked for as a provider's message, in the
//! way of the classifier first, then anywhere. The best kind of match wins; at most [`MOST`] are told.

mod nearest;
mod own;

pub use nearest::nearest;

use crate::error::Code;
use crate::failure::{self, Class, Fit, Known};

/// No more are told at once.
pub const MOST: usize = 12;

/// One meaning of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// `NO_AVAILABLE_ACCOUNT (503)`, `Anthropic, row 29`.
    pub title: String,
    /// Who says it.
    pub source: Source,
    pub cause: String,
    /// What the gateway does; empty where it does nothing.
    pub action: String,
    pub fix: String,
}

/// Where an error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The gateway says it to callers.
    Gateway,
    /// A provider says it to the gateway.
    Provider,
    /// A plane says it to operators.
    Operation,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Provider => "provider",
            Self::Operation => "operation",
        }
    }
}

/// All that the text may mean, best first; empty when nobody knows it.
pub fn explain(asked: &str) -> Vec<Explanation> {
    let asked = asked.trim();
    if asked.is_empty() {
        return Vec::new();
    }
    let mut found = match status(asked) {
        Some(status) => of_status(status),
        None => of_word(asked),
    };
    if found.is_empty() {
        found = of_text(asked);
    }
    found.truncate(MOST);
    found
}

/// `529`, `HTTP 529`.
fn status(asked: &str) -> Option<u16> {
    let number = asked.strip_prefix("HTTP").unwrap_or(asked).trim();
    number.parse().ok().filter(|status| (300..600).contains(status))
}

fn of_status(status: u16) -> Vec<Explanation> {
    let ours = Code::ALL.into_iter().filter(|code| code.entry().status == status);
    let theirs = failure::known_of_status(status);
    own::of_word(&status.to_string())
        .into_iter()
        .chain(ours.map(Explanation::of_code))
        .chain(theirs.iter().map(Explanation::of_failure))
        .collect()
}

/// A code of ours, a class, a business class, a provider's type or code, a row, a verdict.
fn of_word(asked: &str) -> Vec<Explanation> {
    let ours = Code::ALL.into_iter().filter(|code| {
        let entry = code.entry();
        [entry.text, entry.openai_code]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(asked))
    });
    let mut found: Vec<_> = ours.map(Explanation::of_code).collect();
    found.extend(own::of_word(asked));
    let row = asked
        .strip_prefix("row")
        .map(str::trim)
        .filter(|row| !row.is_empty());
    let theirs = failure::known().filter(|known| {
        row == Some(known.row) || (known.fits(asked) == Some(Fit::Exact) && !asked.contains(' '))
    });
    found.extend(theirs.map(|known| Explanation::of_failure(&known)));
    if let Some(class) = Class::parse(asked) {
        found.push(Explanation::of_class(class));
    }
    let classes = Class::ALL
        .into_iter()
        .filter(|class| class.error_class().as_str().eq_ignore_ascii_case(asked));
    found.extend(classes.map(Explanation::of_class));
    found
}

/// A message: what planes say, what callers read, then what providers say, from the classifier's own texts.
fn of_text(asked: &str) -> Vec<Explanation> {
    let mut found: Vec<_> = codes_in(asked).map(Explanation::of_code).collect();
    if found.is_empty() {
        found = own::of_text(asked);
    }
    let fitting: Vec<(Fit, Known)> = failure::known()
        .filter_map(|known| Some((known.fits(asked)?, known)))
        .collect();
    // A body that was copied whole has words inside.
    let fitting = if fitting.is_empty() {
        words_in(asked)
    } else {
        fitting
    };
    let best = fitting.iter().map(|(fit, _)| *fit).max();
    let best = fitting.iter().filter(|(fit, _)| Some(*fit) == best);
    found.extend(best.map(|(_, known)| Explanation::of_failure(known)));
    found
}

/// Codes of ours that stand in the text.
fn codes_in(asked: &str) -> impl Iterator<Item = Code> {
    let words: Vec<String> = words(asked).map(str::to_owned).collect();
    Code::ALL
        .into_iter()
        .filter(move |code| words.iter().any(|word| word == code.entry().text))
}

fn words_in(asked: &str) -> Vec<(Fit, Known)> {
    let identifying = |word: &&str| word.contains('_') || word.ends_with("Exception");
    let words: Vec<&str> = words(asked).filter(identifying).collect();
    let said = |known: &Known| words.iter().any(|word| known.fits(word) == Some(Fit::Exact));
    failure::known()
        .filter(said)
        .map(|known| (Fit::Exact, known))
        .collect()
}

fn words(asked: &str) -> impl Iterator<Item = &str> {
    asked
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

impl Explanation {
    fn of_code(code: Code) -> Self {
        let (entry, advice) = (code.entry(), code.advice());
        Self {
            title: format!("{} ({})", entry.text, entry.status),
            source: Source::Gateway,
            cause: advice.cause.to_owned(),
            action: code.action().to_owned(),
            fix: advice.fix.to_owned(),
        }
    }

    fn of_failure(known: &Known) -> Self {
        let title = match known.row {
            "default" => format!(
                "an answer of a provider that says no more than {}",
                statuses(known)
            ),
            "page" => format!("a page in place of an answer, with {}", statuses(known)),
            row => format!("{}, row {row} ({})", known.vendor, statuses(known)),
        };
        Self {
            title,
            source: Source::Provider,
            cause: known.advice.cause.to_owned(),
            action: known.action.clone(),
            fix: known.advice.fix.to_owned(),
        }
    }

    fn of_class(class: Class) -> Self {
        let (action, advice) = failure::of_class(class);
        Self {
            title: format!("class {} ({})", class.letter(), class.as_str()),
            source: Source::Provider,
            cause: advice.cause.to_owned(),
            action,
            fix: advice.fix.to_owned(),
        }
    }
}

fn statuses(known: &Known) -> String {
    let listed: Vec<_> = known.statuses.iter().map(u16::to_string).collect();
    match listed.is_empty() {
        true => "any status".to_owned(),
        false => listed.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(asked: &str) -> Vec<String> {
        explain(asked).into_iter().map(|found| found.title).collect()
    }

    #[test]
    fn g06_a_status_is_explained_with_all_that_it_may_mean() {
        let all = explain("529");
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all.iter()
                .all(|found| found.action.contains("overloaded") && !found.fix.is_empty())
        );
        let quota = titles("429");
        assert_eq!(&quota[..2], ["RATE_LIMIT_EXCEEDED (429)", "QUOTA_EXCEEDED (429)"]);
        for asked in ["499", "CLIENT_ABORT"] {
            assert!(
                titles(asked).contains(&"the caller went away".to_owned()),
                "{asked}"
            );
        }
    }

    #[test]
    fn g06_every_business_code_is_explained() {
        for code in Code::ALL {
            let entry = code.entry();
            let found = explain(entry.text);
            let own = format!("{} ({})", entry.text, entry.status);
            let found = found.iter().find(|found| found.title == own).unwrap();
            assert!(!found.cause.is_empty() && !found.action.is_empty() && !found.fix.is_empty());
        }
    }

    #[test]
    fn g06_a_vendors_text_is_found_as_the_classifier_finds_it() {
        assert_eq!(
            titles("Extra inputs are not permitted"),
            ["Anthropic, row 3 (400)"]
        );
        assert_eq!(titles("Overloaded"), ["OVERLOADED (503)", "class O (overloaded)"]);
        let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(titles(body), ["Anthropic, row 29 (any status)"]);
        assert_eq!(
            titles("insufficient_quota").first().unwrap(),
            "QUOTA_EXCEEDED (429)"
        );
        assert!(titles("insufficient_quota")[1].starts_with("OpenAI, row 44"));
    }

    #[test]
    fn g15_what_planes_say_at_their_start_is_explained() {
        for text in [
            "Database connection failed",
            "Redis connection error",
            "Migration failed",
        ] {
            let found = explain(text);
            assert_eq!(found.first().unwrap().source, Source::Operation, "{text}");
        }
    }

    #[test]
    fn g06_our_own_words_to_callers_are_explained() {
        assert_eq!(
            titles("503 NO_AVAILABLE_ACCOUNT: No available provider found"),
            ["NO_AVAILABLE_ACCOUNT (503)"]
        );
        assert!(titles("Circuit breaker is OPEN")[0].contains("breaker"));
    }

    #[test]
    fn g06_what_nobody_knows_has_neighbours() {
        assert!(explain("NO_AVAILABLE_ACOUNT").is_empty());
        assert_eq!(
            nearest("NO_AVAILABLE_ACOUNT").first().unwrap(),
            "NO_AVAILABLE_ACCOUNT"
        );
        assert!(explain("").is_empty());
    }
}
