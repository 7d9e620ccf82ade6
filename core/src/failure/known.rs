//! Every failure that is known, for whoever asks what an error means: by status, by word, by text, by row.

use super::row::{Is, Moment, Row};
use super::table::{self, DEFAULTS, TABLE};
use super::{Answered, Class, actions, advice, text};
use crate::error::Advice;
use crate::provider::ProviderKind;
use crate::time::UnixMs;

/// A failure that is known, and what it means.
#[derive(Clone, Debug)]
pub struct Known {
    /// Of the specification's table; `default` and `page` go by the status alone.
    pub row: &'static str,
    pub vendor: &'static str,
    /// Empty: any.
    pub statuses: &'static [u16],
    pub class: Class,
    /// What the gateway does.
    pub action: String,
    pub advice: Advice,
    said: &'static [Is],
}

/// How well a question fits a failure; the greater fits better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Its text stands somewhere in what was asked, or the other way round.
    Loose,
    /// A text that is read anywhere in an error's message.
    Text,
    /// A text from the start of an error's message, or one of the words that identify it.
    Exact,
}

/// All rows of the table, in its order, then what decides by status alone.
pub fn known() -> impl Iterator<Item = Known> {
    TABLE.iter().chain(DEFAULTS).chain(table::rest()).map(Known::of)
}

/// The defaults of a status, and every row that a provider answers with it.
pub fn known_of_status(status: u16) -> Vec<Known> {
    let bare = Answered::of_status("", ProviderKind::Anthropic, status);
    let default = Known::of(table::find(&bare));
    let rows = TABLE.iter().filter(|row| row.statuses.contains(&status));
    // Rows that say no status say it by their type.
    let typed = TABLE.iter().filter(|row| {
        row.statuses.is_empty() && super::event::type_of(status).is_some_and(|word| row.knows_word(word))
    });
    let mut found = vec![default];
    for row in typed.chain(rows).map(Known::of) {
        if !found
            .iter()
            .any(|known| known.row == row.row && known.class == row.class)
        {
            found.push(row);
        }
    }
    found
}

/// What the gateway does about a class, and what it comes from.
pub fn of_class(class: Class) -> (String, Advice) {
    let means = super::row::Means::of(class);
    let seen = Answered::of_status("", ProviderKind::Anthropic, 400);
    let states = !matches!(means.moment_of(), Moment::Nowhere);
    let action = actions::describe(&means.finding("default", &seen, UnixMs(0)), states);
    (action, advice::of_class(class))
}

impl Known {
    fn of(row: &'static Row) -> Self {
        let seen = Answered::of_status("", ProviderKind::Anthropic, 400);
        let finding = row.finding(&seen, UnixMs(0));
        let class = finding.class;
        Self {
            row: row.number,
            vendor: vendor(row.number),
            statuses: row.statuses,
            class,
            action: actions::describe(&finding, !matches!(row.means.moment_of(), Moment::Nowhere)),
            advice: advice::find(row.number, class),
            said: row.said,
        }
    }

    /// How well a text that somebody found in a log or an answer fits. Whoever asks need not know where in a message
    /// it stood, so that a text is also looked for in the middle.
    pub fn fits(&self, asked: &str) -> Option<Fit> {
        self.said.iter().filter_map(|is| fit(is, asked)).max()
    }

    /// Words and texts by which it is known, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.said.iter().flat_map(|is| {
            match is {
                Is::Word(names) | Is::Text(names) | Is::OfModel(names) => *names,
                Is::Param(_)
                | Is::Quota(_)
                | Is::Page
                | Is::NoAnswer
                | Is::ModelInPath
                | Is::Denied
                | Is::PlanUsedUp => &[],
            }
            .iter()
            .copied()
        })
    }
}

/// Words that everybody writes for every error of a kind say nothing in the middle of a text.
const SHORTEST: usize = 8;

fn fit(is: &Is, asked: &str) -> Option<Fit> {
    match is {
        Is::Word(words) => words
            .iter()
            .any(|word| super::row::is_word(word, asked))
            .then_some(Fit::Exact),
        Is::Text(patterns) | Is::OfModel(patterns) => patterns
            .iter()
            .filter_map(|pattern| fit_text(pattern, asked))
            .max(),
        Is::Quota(part) => asked.contains(part).then_some(Fit::Text),
        Is::Param(param) => asked.eq_ignore_ascii_case(param).then_some(Fit::Exact),
        Is::Denied => asked.eq_ignore_ascii_case("x-deny-reason").then_some(Fit::Exact),
        Is::Page | Is::NoAnswer | Is::ModelInPath | Is::PlanUsedUp => None,
    }
}

fn fit_text(pattern: &str, asked: &str) -> Option<Fit> {
    if text::fits(pattern, asked) {
        return Some(if pattern.starts_with('*') {
            Fit::Text
        } else {
            Fit::Exact
        });
    }
    let bare = pattern.trim_matches(['*', ' ']);
    let within = |long: &str, short: &str| {
        short.len() >= SHORTEST && long.to_ascii_lowercase().contains(&short.to_ascii_lowercase())
    };
    let somewhere = bare.len() >= SHORTEST && text::fits(&format!("*{bare}"), asked);
    (somewhere || within(bare, asked.trim())).then_some(Fit::Loose)
}

fn vendor(row: &str) -> &'static str {
    match row.parse::<u8>() {
        Ok(1..=30) => "Anthropic",
        Ok(32..=49) => "OpenAI",
        Ok(50..=61) => "Gemini",
        Ok(62..=73) => "Bedrock",
        Ok(74..=79) => "Azure OpenAI",
        Ok(80) => "Vertex",
        _ => "any provider",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_every_row_of_the_table_has_a_cause_and_a_fix_of_its_own() {
        for known in known().filter(|known| known.row != "default") {
            assert!(
                advice::has(known.row, known.class),
                "row {} {:?}",
                known.row,
                known.class
            );
            assert!(!known.advice.cause.is_empty() && !known.advice.fix.is_empty());
        }
    }

    #[test]
    fn g06_what_is_done_is_said_as_the_finding_says_it() {
        let action = |row: &str| known().find(|known| known.row == row).unwrap().action;
        assert_eq!(
            action("29"),
            "Class O (overloaded). It asks the same provider once more after 500 ms, then the next one. The model at this \
             provider is left alone until the moment that the answer states, else for 10 s, doubling up to 10 min."
        );
        assert!(
            action("6").contains("until an operator resets it"),
            "{}",
            action("6")
        );
        assert!(action("10").contains("nor another one"), "{}", action("10"));
    }

    #[test]
    fn g06_a_text_is_found_in_the_middle_of_what_was_copied() {
        let rows = |asked: &str| -> Vec<_> {
            known()
                .filter(|known| known.fits(asked).is_some())
                .map(|known| known.row)
                .collect()
        };
        assert!(rows("Extra inputs are not permitted").contains(&"3"));
        assert!(rows("400: messages.0.x: Extra inputs are not permitted").contains(&"3"));
        assert!(rows("log: Your credit balance is too low to access").contains(&"4"));
        assert_eq!(rows("insufficient_quota"), ["44"]);
        assert_eq!(rows("nothing of the kind"), [""; 0]);
    }

    #[test]
    fn g06_a_status_has_its_default_and_all_rows() {
        let rows: Vec<_> = known_of_status(529).iter().map(|known| known.row).collect();
        assert_eq!(rows, ["default", "29"]);
        assert!(known_of_status(402).iter().any(|known| known.row == "14"));
        assert_eq!(known_of_status(529).first().unwrap().class, Class::Overloaded);
    }
}
